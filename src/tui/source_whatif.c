/* source_whatif: rankings put to the test by retraining, and influence token by token. */
#include "source_store.h"

#include <string.h>

/* A session of its own, with a pool and a store handle of its own: retraining goes on beside the explorer's queries. */
static enum err
beside_open(struct store_source *f)
{
	TRY(session_want_model(f->session));
	if (f->beside)
		return OK;
	if (!f->beside_store)
		TRY(store_open(f->folder, true, &f->beside_store));
	return session_open(f->beside_store, f->session->run.name, f->threads, &f->beside);
}

void
source_store_beside_close(struct store_source *f)
{
	session_close(f->beside);
	store_close(f->beside_store);
}

enum err
source_store_estimate(struct source *s, const struct whatif_options *o, struct job *job, double *seconds)
{
	struct store_source *f = (struct store_source *)s;
	(void)job;
	TRY(beside_open(f));
	return whatif_estimate(f->beside, o, seconds);
}

static bool
token_ignored(void *arg, const struct token_fact *t)
{
	(void)arg;
	(void)t;
	return true;
}

/* The query and its ranking once more, the same as on the screen. */
static enum err
ask_again(struct session *x, const struct trial_ask *ask, struct job *job, struct query **q, struct ranking **r)
{
	const struct rank_options o = { .method = ask->method, .from = ask->from, .to = ask->to, .top = RANKED_MOST,
		.exact = ask->exact };
	TRY(query_new(x, ask->prompt, ask->target, &ask->sample, job, token_ignored, NULL, q));
	if ((*q)->output.len != ask->n_output || memcmp((*q)->output.s, ask->output, ask->n_output) != 0)
		return err_set(ERR_MISMATCH, "the output did not come again as it was: run %s was changed meanwhile; "
			"leave the explorer and open the store again", x->run.name);
	return query_rank(*q, &o, job, r);
}

enum err
source_store_whatif(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out)
{
	struct store_source *f = (struct store_source *)s;
	struct query *q = NULL;
	struct ranking *r = NULL;
	struct trust *t = NULL;
	enum err err;
	*out = NULL;
	TRY_OUT(beside_open(f));
	TRY_OUT(ask_again(f->beside, ask, job, &q, &r));
	/* Without a measurement there is no slope to multiply with. */
	if (trust_read(f->beside->run.dir, &t) != OK)
		err_clear();
	err = whatif_measure(q, r, t, &ask->options, job, out);
out:
	trust_free(t);
	ranking_free(r);
	query_free(q);
	return err;
}

enum err
source_store_whatif_find(struct source *s, const struct query *q, const struct ranking *r,
	const struct whatif_options *o, struct whatif **out)
{
	(void)s;
	return whatif_find(q, r, o, out);
}

enum err
source_store_tokens(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job,
	struct token_influence **out)
{
	(void)s;
	return query_tokens(q, from, to, example, job, out);
}

void
source_store_linear(struct source *s, int i, enum tensor_role *role, int *layer)
{
	const struct model *m = &((struct store_source *)s)->session->model;
	if (i < 0 || i >= m->n_linears)
		return;
	*role = m->linears[i].role;
	*layer = m->linears[i].layer;
}
