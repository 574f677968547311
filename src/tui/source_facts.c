/* source_facts: what is loaded, in words and numbers, for the view of runs. */
#include "source_store.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "byline/retrain.h"
#include "byline/train.h"
#include "describe.h"

struct teller {
	void (*fn)(void *arg, const char *label, const char *value);
	void *arg;
};

static void __attribute__((format(printf, 3, 4)))
tell(const struct teller *t, const char *label, const char *fmt, ...)
{
	struct str s = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	t->fn(t->arg, label, s.s);
	str_free(&s);
}

static void
tell_count(const struct teller *t, const char *label, int64_t n, const char *one, const char *many)
{
	struct str s = {0};
	describe_count(n, one, many, &s);
	t->fn(t->arg, label, s.s);
	str_free(&s);
}

static void
tell_model(const struct teller *t, const struct session *x)
{
	const struct model_config *c = &x->model.config;
	t->fn(t->arg, "Model", NULL);
	if (session_source(x)) {
		tell(t, "model", "none: the scores were imported from %s", session_source(x));
		tell(t, "folder", "%s", x->run.dir);
		return;
	}
	tell(t, "architecture", "%s, %d layers of %d, %d heads", c->family, c->n_layer, c->d_model, c->n_head);
	tell_count(t, "size", (int64_t)x->model.n_params, "parameter", "parameters");
	tell_count(t, "vocabulary", c->vocab, "token", "tokens");
	tell_count(t, "context", c->n_ctx, "token", "tokens");
	tell(t, "checkpoint SHA-256", "%s", x->checkpoint_sha256);
	tell(t, "folder", "%s", x->run.dir);
}

static void
tell_corpus(const struct teller *t, const struct session *x, struct store *store)
{
	struct store_totals n;
	t->fn(t->arg, "Corpus", NULL);
	if (store_count(store, &n) == OK) {
		tell_count(t, "works", n.works, "work", "works");
		tell_count(t, "text", n.bytes, "byte", "bytes");
		tell_count(t, "contributors", n.contributors, "contributor", "contributors");
		tell_count(t, "  opted out", n.opted_out, "contributor", "contributors");
		tell_count(t, "  author unknown", n.unknown_author, "work", "works");
		tell_count(t, "licences", n.licences, "licence", "licences");
		tell_count(t, "  licence unknown", n.unknown_licence, "work", "works");
	}
	tell_count(t, "trained on", x->run.n_train, "example", "examples");
	tell_count(t, "", x->run.tokens_train, "token", "tokens");
	tell_count(t, "not trained on", x->run.n_examples - x->run.n_train, "example", "examples");
	tell_count(t, "", x->run.tokens_heldout, "token", "tokens");
	tell(t, "corpus SHA-256", "%s", x->corpus_sha256);
}

static void
tell_training(const struct teller *t, const struct session *x)
{
	struct train_journal j = {0};
	if (session_source(x))
		return;
	t->fn(t->arg, "Training", NULL);
	if (train_journal_read(x->run.dir, &j) == OK) {
		tell(t, "recipe", "%d epochs, batches of %d, rate %g", j.options.epochs, j.options.batch, j.options.lr);
		tell(t, "seed", "%" PRIu64, j.options.seed);
		for (int i = 0; i < j.n_checkpoints; i++)
			tell(t, i == 0 ? "nats a token" : "", "step %" PRId64 ": loss %.3f, held out %.3f",
				j.checkpoints[i].step, j.checkpoints[i].loss, j.checkpoints[i].heldout);
	} else {
		tell(t, "recipe", "not known: the checkpoint came without a journal");
	}
	train_journal_free(&j);
	err_clear();
}

static void
tell_measured(const struct teller *t, const struct session *x, bool measured)
{
	static const int spans[] = { 1, 8, 32 };
	t->fn(t->arg, "How it was measured", NULL);
	if (session_source(x)) {
		tell(t, "index", "none: only the queries that were imported can be asked");
		return;
	}
	if (!x->index) {
		tell(t, "index", session_method(x)->ready ? "imported; none of byline's own (byline index)"
			: "none: only methods that need none answer (byline index)");
		return;
	}
	tell(t, "averaged over", "%d checkpoints", session_checkpoints(x));
	tell_count(t, "features", (int64_t)session_feature_bytes(x), "byte an example", "bytes an example");
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		tell(t, i == 0 ? "noise floor" : "", "%.3g for a span of %d token%s", session_null_floor(x, spans[i]),
			spans[i], spans[i] == 1 ? "" : "s");
	tell(t, "against retraining", measured ? "measured: see the trust view"
		: !retrain_possible(x->run.dir) ? "cannot be measured: the model was not trained here"
		: "not measured in this store: scores are predictions (byline eval)");
}

static void
tell_methods(const struct teller *t, const struct session *x)
{
	int n;
	const struct method *list = session_methods(x, &n);
	t->fn(t->arg, "Methods", NULL);
	for (int i = 0; i < n; i++) {
		const struct method *m = &list[i];
		tell(t, m->name, "%s, in %s%s", m->title, m->unit,
			method_ready(x, m) == OK ? "" : "; needs an index");
		tell(t, "", "evidence: %s; %s", m->evidence, m->cite);
	}
}

enum err
source_store_facts(struct source *s, void (*fn)(void *arg, const char *label, const char *value), void *arg)
{
	struct store_source *f = (struct store_source *)s;
	const struct teller t = { fn, arg };
	tell_model(&t, f->session);
	tell_corpus(&t, f->session, f->store);
	tell_training(&t, f->session);
	tell_measured(&t, f->session, f->trust != NULL);
	tell_methods(&t, f->session);
	return OK;
}
