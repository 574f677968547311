/* source_whatif: rankings put to the test by retraining, and influence token by token. */
#include "source_store.h"

#include <string.h>

enum err
source_store_estimate(struct source *s, const struct whatif_options *o, struct job *job, double *seconds)
{
	TRY(job_check(job));
	return whatif_estimate(((struct store_source *)s)->session, o, seconds);
}

/* The session on the screen may be busy with another question: this one has its own. */
static enum err
ask_again(struct session *own, const struct trial_ask *ask, struct job *job, struct query **q, struct ranking **r)
{
	const struct rank_options o = { .method = ask->method, .from = ask->from, .to = ask->to, .exact = ask->exact,
		.top = ask->options.top > 0 ? (size_t)ask->options.top : 1 };
	TRY(query_new(own, ask->prompt, ask->target, &ask->sample, job, NULL, NULL, q));
	if ((*q)->output.len != ask->n_output || memcmp((*q)->output.s, ask->output, ask->n_output) != 0)
		return err_set(ERR_MISMATCH, "the same question no longer gives the same output: ask again");
	return query_rank(*q, &o, job, r);
}

enum err
source_store_whatif(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out)
{
	struct store_source *f = (struct store_source *)s;
	struct store *store = NULL;
	struct session *own = NULL;
	struct query *q = NULL;
	struct ranking *r = NULL;
	struct trust *t = NULL;
	enum err err;
	*out = NULL;
	TRY_OUT(store_open(s->info.folder, true, &store));
	TRY_OUT(session_open(store, s->info.run, pool_threads(f->session->pool), &own));
	TRY_OUT(ask_again(own, ask, job, &q, &r));
	if (trust_read(own->run.dir, &t) != OK)
		err_clear();
	err = whatif_measure(q, r, t, &ask->options, job, out);
out:
	trust_free(t);
	ranking_free(r);
	query_free(q);
	session_close(own);
	store_close(store);
	return err;
}

enum err
source_store_whatif_find(struct source *s, const struct query *q, const struct ranking *r,
	const struct whatif_options *o, struct whatif **out)
{
	(void)s;
	return whatif_find(q, r, o, out);
}

void
source_store_free_whatif(struct whatif *w)
{
	whatif_free(w);
}

enum err
source_store_tokens(struct source *s, struct query *q, int from, int to, uint32_t example, struct job *job,
	struct token_influence **out)
{
	(void)s;
	(void)q;
	(void)from;
	(void)to;
	(void)example;
	(void)job;
	*out = NULL;
	return err_set(ERR_MISSING, "this version of byline cannot tell influence token by token yet");
}

void
source_store_free_tokens(struct token_influence *t)
{
	(void)t;
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
