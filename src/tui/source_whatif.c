/* source_whatif: rankings put to the test by retraining, and influence token by token. */
#include "source_store.h"

enum err
source_store_estimate(struct source *s, const struct whatif_options *o, struct job *job, double *seconds)
{
	(void)s;
	(void)o;
	(void)job;
	*seconds = 0;
	return err_set(ERR_MISSING, "this version of byline cannot train again without an example yet");
}

enum err
source_store_whatif(struct source *s, const struct trial_ask *ask, struct job *job, struct whatif **out)
{
	double seconds;
	*out = NULL;
	return source_store_estimate(s, &ask->options, job, &seconds);
}

enum err
source_store_whatif_find(struct source *s, const struct query *q, const struct ranking *r,
	const struct whatif_options *o, struct whatif **out)
{
	(void)s;
	(void)q;
	(void)r;
	(void)o;
	*out = NULL;
	return err_set(ERR_MISSING, "not verified yet");
}

void
source_store_free_whatif(struct whatif *w)
{
	(void)w;
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
