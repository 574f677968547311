/* pass: offsets of weights, rotary tables. */
#include "pass.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"

struct block *
plan_new(const struct model *m)
{
	int n = m->config.n_layer + 1;
	struct block *plan = xcalloc((size_t)n, sizeof(*plan));
	for (int i = 0; i < n; i++)
		for (int role = 0; role < ROLES; role++)
			plan[i].at[role][0] = plan[i].at[role][1] = -1;
	for (int i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		plan[t->layer < 0 ? n - 1 : t->layer].at[t->role][t->bias] = (ptrdiff_t)t->at;
	}
	if (m->config.tied)
		plan[n - 1].at[ROLE_HEAD][0] = plan[n - 1].at[ROLE_EMBED][0];
	return plan;
}

const float *
block_weight(const struct block *b, const float *params, enum tensor_role role)
{
	return b->at[role][0] < 0 ? NULL : params + b->at[role][0];
}

const float *
block_bias(const struct block *b, const float *params, enum tensor_role role)
{
	return b->at[role][1] < 0 ? NULL : params + b->at[role][1];
}

float *
block_weight_grad(const struct block *b, float *grads, enum tensor_role role)
{
	return grads == NULL || b->at[role][0] < 0 ? NULL : grads + b->at[role][0];
}

float *
block_bias_grad(const struct block *b, float *grads, enum tensor_role role)
{
	return grads == NULL || b->at[role][1] < 0 ? NULL : grads + b->at[role][1];
}

int
width_q(const struct model_config *c)
{
	return c->n_head * c->head_dim;
}

int
width_qkv(const struct model_config *c)
{
	return (c->n_head + 2 * c->n_kv_head) * c->head_dim;
}

float
att_scale(const struct model_config *c)
{
	return (float)(1 / sqrt((double)c->head_dim));
}

/* Frequencies and angles are rounded to float as in the programs that train such models: far positions depend on it. */
static void
rope_fill(struct rope *r, const struct model_config *c, int from, int to)
{
	int half = c->head_dim / 2;
	for (int i = 0; i < half; i++) {
		float frequency = 1 / (float)pow(c->rope_theta, (double)((float)(2 * i) / (float)c->head_dim));
		for (int p = from; p < to; p++) {
			float angle = (float)p * frequency;
			r->cos[(size_t)p * half + i] = (float)cos((double)angle);
			r->sin[(size_t)p * half + i] = (float)sin((double)angle);
		}
	}
}

void
rope_grow(struct rope *r, const struct model_config *c, int n)
{
	if (c->pos != POS_ROPE || n <= r->n)
		return;
	/* By half at a time, so that a growing sequence does not fill the table anew at each token. */
	int want = n < 64 ? 64 : n + n / 2;
	size_t half = (size_t)c->head_dim / 2;
	r->cos = xreallocarray(r->cos, (size_t)want * half, sizeof(*r->cos));
	r->sin = xreallocarray(r->sin, (size_t)want * half, sizeof(*r->sin));
	rope_fill(r, c, r->n, want);
	r->n = want;
}

void
rope_free(struct rope *r)
{
	free(r->cos);
	free(r->sin);
}
