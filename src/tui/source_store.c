/*
 * source_store: a store on disk behind the views.
 *
 * Two handles on the store: the session's is the worker's, ours is the screen's, so texts can be read while a job runs.
 */
#include "source_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/retrain.h"
#include "byline/train.h"

static struct store_source *
self(struct source *s)
{
	return (struct store_source *)s;
}

/* ---- in the worker ---- */

static enum err
store_ask(struct source *s, const char *prompt, const char *target, const struct sample_options *o, struct job *job,
	bool (*on_token)(void *arg, const struct token_fact *f), void *arg, struct query **out)
{
	return query_new(self(s)->session, prompt, target, o, job, on_token, arg, out);
}

static enum err
store_scores(struct source *s, struct query *q, struct job *job)
{
	return self(s)->session->imported ? OK : query_scores(q, job);
}

static enum err
store_strength(struct source *source, struct query *q, float *strength, struct job *job)
{
	const struct session *s = self(source)->session;
	if (!s->imported)
		TRY(query_matrix(q, job));
	double floor = session_null_floor(s, 1);
	floor = floor > 0 ? floor : 0;
	for (size_t i = 0; i < s->data.n; i++) {
		const float *row = q->matrix + i * (size_t)q->n_out;
		if (!session_trained_on(s, i))
			continue;
		for (int t = 0; t < q->n_out; t++)
			strength[t] += (double)row[t] > floor ? row[t] - (float)floor : 0;
		if (i % 4096 == 0)
			TRY(job_check(job));
	}
	return OK;
}

static enum err
store_rank(struct source *s, struct query *q, const struct rank_options *o, struct job *job, struct ranking **r,
	struct shares *sh)
{
	TRY(query_rank(q, o, job, r));
	enum err err = credit_shares(self(s)->session, *r, sh);
	if (err != OK) {
		ranking_free(*r);
		*r = NULL;
	}
	return err;
}

static enum err
store_marks(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job, float *score,
	float *mark)
{
	(void)s;
	return query_exact(q, from, to, &example, 1, score, &mark, job);
}

/* ---- on the screen's thread ---- */

static const struct work *
source_work(struct source *s, int64_t id)
{
	return session_work(self(s)->session, id);
}

static const struct example *
source_example(struct source *s, uint32_t i)
{
	const struct session *x = self(s)->session;
	return i < x->data.n ? &x->examples[i] : NULL;
}

static const char *
source_token(struct source *s, int32_t id, size_t *n)
{
	return tokenizer_bytes(self(s)->session->tokenizer, id, n);
}

/* The first token of an example is never a target, so it has no mark: its bytes, if any, come before those we count. */
static enum err
source_example_text(struct source *s, uint32_t i, struct str *text, uint32_t **byte_of, int *n_tokens)
{
	const struct session *x = self(s)->session;
	if (i >= x->data.n)
		return err_set(ERR_MISSING, "there is no example %u", i);
	uint64_t from = x->data.start[i], to = x->data.start[i + 1];
	str_add(text, "", 0);
	*n_tokens = to > from ? (int)(to - from) - 1 : 0;
	*byte_of = xcalloc((size_t)*n_tokens + 1, sizeof(**byte_of));
	for (uint64_t t = from; t < to; t++) {
		size_t n = 0;
		int32_t id = x->data.token[t];
		const char *bytes = tokenizer_is_special(x->tokenizer, id) ? NULL
			: tokenizer_bytes(x->tokenizer, id, &n);
		if (t > from)
			(*byte_of)[t - from - 1] = (uint32_t)text->len;
		if (bytes)
			str_add(text, bytes, n);
	}
	(*byte_of)[*n_tokens] = (uint32_t)text->len;
	return OK;
}

static bool
source_row(struct source *s, const struct query *q, uint32_t example, float *out)
{
	(void)s;
	return query_example_row(q, example, out);
}

static void
source_everyone(struct source *s, struct shares *out)
{
	const struct store_source *f = self(s);
	const struct session *x = f->session;
	*out = (struct shares){ .c = xcalloc(x->n_contributors + 1, sizeof(*out->c)), .n = x->n_contributors,
		.residual = 1 };
	for (size_t i = 0; i < x->n_contributors; i++) {
		const struct contributor *c = &x->contributors[i];
		out->c[i] = (struct contribution){ .contributor = c->id, .name = c->name, .works = c->n_works,
			.examples = f->examples_of[i], .opted_out = c->opted_out };
	}
}

static enum err
source_works_of(struct source *s, const struct ranking *r, int64_t contributor, struct work_score **out, size_t *n)
{
	const struct session *x = self(s)->session;
	if (r)
		return credit_works(x, r, contributor, out, n);
	/* Before anything was asked, no example counts. */
	struct ranking none = { .scores = xcalloc(x->data.n + 1, sizeof(float)), .floor = NAN };
	for (size_t i = 0; i < x->data.n; i++)
		none.scores[i] = NAN;
	enum err err = credit_works(x, &none, contributor, out, n);
	free(none.scores);
	return err;
}

static enum err
source_each_run(struct source *s, enum err (*fn)(void *arg, const struct run *r), void *arg)
{
	return store_each_run(self(s)->store, fn, arg);
}

static enum err
source_each_query(struct source *s, enum err (*fn)(void *arg, const struct saved_query *q), void *arg)
{
	return store_each_query(self(s)->store, self(s)->session->run.id, fn, arg);
}

/* The store is open for reading; it is opened for writing only for as long as a write takes. */
static enum err
source_save(struct source *s, const char *prompt, const char *settings, const char *output, const char *result,
	int64_t *id)
{
	struct store *store;
	struct saved_query q = { .run = self(s)->session->run.id, .prompt = xstrdup(prompt),
		.settings = xstrdup(settings), .output = xstrdup(output), .result = xstrdup(result) };
	enum err err = store_open(s->info.folder, false, &store);
	if (err == OK) {
		err = store_save_query(store, &q, id);
		store_close(store);
	}
	free(q.prompt);
	free(q.settings);
	free(q.output);
	free(q.result);
	return err;
}

static enum err
source_forget(struct source *s, int64_t query)
{
	struct store *store;
	TRY(store_open(s->info.folder, false, &store));
	enum err err = store_delete_query(store, query);
	store_close(store);
	return err;
}

static void
source_close(struct source *s)
{
	struct store_source *f = self(s);
	verbatim_close(f->verbatim);
	source_store_beside_close(f);
	trust_free(f->trust);
	session_close(f->session);
	store_close(f->worker_store);
	store_close(f->store);
	free(f->examples_of);
	free(f->folder);
	free(f->model);
	free(f);
}

static const struct source_ops store_ops = {
	.close = source_close, .ask = store_ask, .scores = store_scores, .strength = store_strength,
	.rank = store_rank, .marks = store_marks,
	.work = source_work, .example = source_example, .example_text = source_example_text, .token = source_token,
	.row = source_row, .everyone = source_everyone, .works_of = source_works_of, .each_run = source_each_run,
	.facts = source_store_facts, .trust = source_store_trust, .estimate = source_store_estimate,
	.whatif = source_store_whatif, .whatif_find = source_store_whatif_find, .free_whatif = whatif_free,
	.tokens = source_store_tokens, .linear = source_store_linear,
	.verbatim = source_store_verbatim, .free_spans = verbatim_spans_free, .verbatim_in = source_store_verbatim_in,
	.evidence = source_store_evidence,
	.each_query = source_each_query, .save = source_save, .forget = source_forget,
	.free_query = query_free, .free_ranking = ranking_free, .free_shares = shares_free,
};

/* ---- opening ---- */

void
source_parameters(size_t n, struct str *out)
{
	if (n >= 1000000000)
		str_addf(out, "%.1fB", (double)n / 1e9);
	else if (n >= 1000000)
		str_addf(out, "%.1fM", (double)n / 1e6);
	else
		str_addf(out, "%.0fk", (double)n / 1e3);
}

static void
count_examples(struct store_source *f)
{
	const struct session *x = f->session;
	f->examples_of = xcalloc(x->n_contributors + 1, sizeof(*f->examples_of));
	for (size_t i = 0; i < x->data.n; i++) {
		const struct work *w = session_work(x, x->examples[i].work);
		for (size_t a = 0; w && a < w->n_authors && session_trained_on(x, i); a++) {
			const struct contributor *c = session_contributor(x, w->authors[a].contributor);
			if (c)
				f->examples_of[c - x->contributors]++;
		}
	}
}

static int
epochs_of(const struct session *x)
{
	struct train_journal j = {0};
	/* A checkpoint from elsewhere has no journal. */
	int epochs = train_journal_read(x->run.dir, &j) == OK ? j.options.epochs : 0;
	train_journal_free(&j);
	err_clear();
	return epochs;
}

static void
info_fill(struct store_source *f)
{
	const struct session *x = f->session;
	struct str model = {0};
	if (session_source(x)) {
		str_addf(&model, "scores from %s", session_source(x));
	} else {
		str_addf(&model, "%s ", x->model.config.family);
		source_parameters(x->model.n_params, &model);
	}
	f->model = str_take(&model);
	/* The unknown author is no contributor. */
	struct store_totals totals = { .contributors = (int64_t)x->n_contributors };
	(void)store_count(f->store, &totals);
	f->s.info = (struct source_info){
		.store = store_name(f->store), .folder = f->folder, .run = x->run.name, .model = f->model,
		.checkpoint_sha256 = x->checkpoint_sha256, .corpus_sha256 = x->corpus_sha256, .n_examples = x->data.n,
		.n_works = x->n_works, .n_contributors = (size_t)totals.contributors, .indexed = x->index != NULL,
		.foreign = !session_source(x) && !retrain_possible(x->run.dir),
		.epochs = epochs_of(x), .first_query = session_first_query(x),
	};
	f->s.info.methods = session_methods(x, &f->s.info.n_methods);
	for (int i = 0; i < f->s.info.n_methods; i++)
		if (method_ready(x, &f->s.info.methods[i]) != OK)
			f->s.info.unable |= UINT32_C(1) << i;
	err_clear();
}

enum err
source_open_store(const char *folder, const char *run, int threads, struct source **out)
{
	struct store_source *f = xcalloc(1, sizeof(*f));
	enum err err;
	f->s.ops = &store_ops;
	f->folder = xstrdup(folder);
	f->threads = threads;
	TRY_OUT(store_open(folder, true, &f->store));
	TRY_OUT(store_open(folder, true, &f->worker_store));
	TRY_OUT(session_open(f->worker_store, run, threads, &f->session));
	count_examples(f);
	info_fill(f);
	bool stale;
	(void)source_store_trust(&f->s, true, &stale);
	*out = &f->s;
	return OK;
out:
	source_close(&f->s);
	return err;
}
