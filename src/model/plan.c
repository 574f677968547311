/* pass: offsets of weights, and what the config means for the passes. */
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

static size_t
positions_skipped(const struct model_config *c)
{
	return (size_t)c->pos_offset * (size_t)c->d_model;
}

const float *
block_positions(const struct block *b, const float *params, const struct model_config *c)
{
	const float *table = block_weight(b, params, ROLE_POS);
	return table ? table + positions_skipped(c) : NULL;
}

float *
block_positions_grad(const struct block *b, float *grads, const struct model_config *c)
{
	float *table = block_weight_grad(b, grads, ROLE_POS);
	return table ? table + positions_skipped(c) : NULL;
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

int
rope_dims(const struct model_config *c)
{
	if (c->rotary_dims > 0)
		return c->rotary_dims;
	return c->rotary_part > 0 ? (int)(c->head_dim * c->rotary_part) : c->head_dim;
}

static double
factor(double given)
{
	return given > 0 ? given : 1;
}

float
embed_scale(const struct model_config *c)
{
	return (float)((c->embed_root ? sqrt(c->d_model) : 1) * factor(c->embed_factor));
}

float
model_logit_scale(const struct model_config *c)
{
	return (float)(factor(c->logit_factor) / factor(c->logit_divisor));
}

struct att_shape
att_of(const struct model_config *c, int layer, int heads, int kv_heads)
{
	double scalar = c->query_scalar > 0 ? c->query_scalar : c->head_dim;
	double scale = c->score_factor > 0 ? c->score_factor : 1 / sqrt(scalar);
	return (struct att_shape){ .heads = heads, .kv_heads = kv_heads, .head_dim = c->head_dim,
		.scale = (float)scale, .window = model_window(c, layer), .cap = (float)c->att_cap };
}

bool
has_raw_qkv(const struct model_config *c)
{
	return c->qk_norm != QK_NONE || c->qkv_clip > 0;
}

bool
has_norm1(const struct model_config *c)
{
	return c->place != PLACE_POST;
}

bool
has_norm2(const struct model_config *c)
{
	return c->place != PLACE_POST && !c->shared_norm;
}

bool
has_post(const struct model_config *c)
{
	return c->place != PLACE_PRE;
}
