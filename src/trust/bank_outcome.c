/* bank_outcome: what a model thinks of a bank's queries. A query is a batch of its own, so that its outcome depends on
 * nothing beside it. */
#include "bank_private.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"

struct place { int32_t start[2]; int32_t *target; float *nll; struct batch batch; };

static void
place_fill(struct place *p, const struct bank_query *q)
{
	int rows = q->n_prompt + q->n_out - 1;
	for (int t = 0; t < rows; t++)
		p->target[t] = t < q->n_prompt - 1 ? -1 : q->token[t + 1];
	p->start[0] = 0;
	p->start[1] = rows;
	p->batch = (struct batch){ .n_seq = 1, .rows = rows, .start = p->start, .token = q->token,
		.target = p->target };
}

static enum err
outcome_one(const struct model *m, struct acts *acts, struct place *p, const struct bank_query *q, double *out)
{
	double sum = 0;
	place_fill(p, q);
	TRY(model_forward(m, m->params, acts, &p->batch));
	acts_loss(m, acts, &p->batch, NULL, p->nll);
	for (int t = q->n_prompt - 1; t < p->batch.rows; t++)
		sum += (double)p->nll[t];
	*out = -sum / q->n_out;
	return isfinite(*out) ? OK : err_set(ERR_FORMAT, "these weights give no probability to a query's words");
}

enum err
bank_outcomes(const struct bank *b, const struct model *m, double *outcome)
{
	size_t rows = (size_t)b->session->model.config.n_ctx;
	struct place p = { .target = xcalloc(rows, sizeof(*p.target)), .nll = xcalloc(rows, sizeof(*p.nll)) };
	struct acts *acts = acts_new(m);
	enum err err = OK;
	for (int i = 0; err == OK && i < b->n_queries; i++)
		err = outcome_one(m, acts, &p, &b->query[i], &outcome[i]);
	acts_free(acts);
	free(p.target);
	free(p.nll);
	return err;
}
