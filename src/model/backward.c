/* model: the backward pass. Each step mirrors one of pass.c, in the opposite order. */
#include "byline/model.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "byline/layers.h"
#include "pass.h"
#include "stored.h"

struct back {
	const struct model *m;
	const float *params;
	float *grads;
	struct acts *a;
	const struct batch *batch;
	const struct tap *tap;
	const struct stored *stored;	/* matrices come from the file; NULL: from params */
	int linear;		/* index of the last linear layer that has not been passed */
};

static void
back_tap(const struct back *k, enum tensor_role role, const float *dy, const float *x)
{
	if (k->tap != NULL && (k->tap->roles == 0 || (k->tap->roles >> role & 1) != 0))
		k->tap->linear(k->tap->arg, k->linear, x, dy, k->batch);
}

/* Through y = x w^T + b, or some rows of it: adds to the gradients and to dx. */
static void
through(const struct back *k, const struct block *b, const struct linear *l, float *dx, const float *dy, const float *x,
	int rows)
{
	int layer = l->layer < 0 ? k->m->config.n_layer : l->layer;
	if (!k->stored)
		linear_backward(dx, block_weight_grad(b, k->grads, l->role), block_bias_grad(b, k->grads, l->role), dy,
			x, block_weight(b, k->params, l->role), rows, l->in, l->out);
	else if (dx)
		stored_linear_back(k->stored, &k->a->work, layer, l->role, dx, dy, rows, l->in, l->out);
}

static void
back_linear(struct back *k, const struct block *b, enum tensor_role role, float *dx, const float *dy, const float *x)
{
	const struct linear *l = &k->m->linears[k->linear];
	back_tap(k, role, dy, x);
	k->linear--;
	through(k, b, l, dx, dy, x, k->batch->rows);
}

/* First row from `row` on that has a target, or has none. */
static int
next_row(const struct batch *b, int row, bool target)
{
	while (row < b->rows && (b->target[row] >= 0) != target)
		row++;
	return row;
}

static int
rows_with_target(const struct batch *b)
{
	int n = 0;
	for (int r = 0; r < b->rows; r++)
		n += b->target[r] >= 0 ? 1 : 0;
	return n;
}

/* The unembedding is wide, and rows without a target have no gradient there: where they are most, they are left out. */
static void
back_head(struct back *k, const struct block *b, float *dx)
{
	const struct batch *batch = k->batch;
	const struct linear *l = &k->m->linears[k->linear];
	if (rows_with_target(batch) > batch->rows / 4) {
		back_linear(k, b, ROLE_HEAD, dx, k->a->logits, k->a->hidden);
		return;
	}
	back_tap(k, ROLE_HEAD, k->a->logits, k->a->hidden);
	k->linear--;
	for (int from = next_row(batch, 0, true), to; from < batch->rows; from = next_row(batch, to, true)) {
		to = next_row(batch, from, false);
		through(k, b, l, dx != NULL ? dx + (size_t)from * (size_t)l->in : NULL,
			k->a->logits + (size_t)from * (size_t)l->out, k->a->hidden + (size_t)from * (size_t)l->in,
			to - from);
	}
}

/* Adds to dx. */
static void
back_norm(struct back *k, const struct block *b, enum tensor_role role, float *dx, const float *dy, const float *x,
	const float *mean, const float *rstd)
{
	const struct model_config *c = &k->m->config;
	const float *gain = block_weight(b, k->params, role);
	float *dgain = block_weight_grad(b, k->grads, role), *dbias = block_bias_grad(b, k->grads, role);
	if (c->norm == NORM_RMS)
		rmsnorm_backward(dx, dgain, dy, x, gain, rstd, k->batch->rows, c->d_model);
	else
		layernorm_backward(dx, dgain, dbias, dy, x, gain, mean, rstd, k->batch->rows, c->d_model);
}

static float *
cleared(const struct back *k, float *v, int width)
{
	memset(v, 0, (size_t)k->batch->rows * (size_t)width * sizeof(*v));
	return v;
}

/* The gradient of what attention or MLP gives, from that of the residual stream that it joins. */
static const float *
back_post(struct back *k, const struct block *b, enum tensor_role role, const float *dy, const float *plain,
	const float *mean, const float *rstd)
{
	const struct model_config *c = &k->m->config;
	size_t n = (size_t)k->batch->rows * (size_t)c->d_model;
	if (c->residual_factor > 0) {
		memcpy(k->a->dscaled, dy, n * sizeof(*dy));
		scale_all(k->a->dscaled, n, (float)c->residual_factor);
		dy = k->a->dscaled;
	}
	if (!has_post(c))
		return dy;
	back_norm(k, b, role, cleared(k, k->a->dpost, c->d_model), dy, plain, mean, rstd);
	return k->a->dpost;
}

void
act_backward(enum act_kind act, float *dx, const float *dy, const float *x, size_t n)
{
	static void (*const f[])(float *, const float *, const float *, size_t) = {
		[ACT_GELU_TANH] = gelu_tanh_backward, [ACT_GELU_ERF] = gelu_erf_backward, [ACT_RELU] = relu_backward };
	f[act](dx, dy, x, n);
}

/* From a->dact to dup and, with a gate, a->dgate. */
static void
back_act(const struct back *k, const struct saved *s, float *dup)
{
	const struct model_config *c = &k->m->config;
	struct acts *a = k->a;
	size_t n = (size_t)k->batch->rows * (size_t)c->d_ff;
	if (c->mlp == MLP_PLAIN) {
		act_backward(c->act, dup, a->dact, s->up, n);
		return;
	}
	if (c->act == ACT_SILU) {
		swiglu_backward(cleared(k, a->dgate, c->d_ff), dup, a->dact, s->gate, s->up, n);
		return;
	}
	/* f(gate) was not kept; its gradient's place holds it until that comes. */
	act_forward(c->act, a->dgate, s->gate, n);
	gate_backward(dup, a->dact, a->dgate, s->up, n);
	act_backward(c->act, cleared(k, a->dgate, c->d_ff), a->dact, s->gate, n);
}

/* From the gradient at the MLP's output to that at its input, in a->dnorm. */
static void
back_mlp(struct back *k, const struct block *b, const struct saved *s, const float *dout)
{
	const struct model_config *c = &k->m->config;
	struct acts *a = k->a;
	float *dnorm = cleared(k, a->dnorm, c->d_model), *dup = cleared(k, a->dup, c->d_ff);
	const float *dy = back_post(k, b, ROLE_POST2, dout, s->out2, s->post_mean2, s->post_rstd2);
	back_linear(k, b, ROLE_DOWN, cleared(k, a->dact, c->d_ff), dy, s->act);
	back_act(k, s, dup);
	back_linear(k, b, ROLE_UP, dnorm, dup, s->norm2);
	if (c->mlp == MLP_GATED)
		back_linear(k, b, ROLE_GATE, dnorm, a->dgate, s->norm2);
}

/* From a->datt to a->dqkv, one head of one sequence at a time. */
static void
back_heads(struct back *k, const struct saved *s, int layer)
{
	const struct model_config *c = &k->m->config;
	struct acts *a = k->a;
	int ldo = width_q(c), ld = width_qkv(c), hd = c->head_dim, group = c->n_head / c->n_kv_head;
	struct att_shape one = att_of(c, layer, 1, 1);
	one.n_seq = 1;
	for (int i = 0; i < k->batch->n_seq; i++) {
		one.start = k->batch->start + i;
		for (int h = 0; h < c->n_head; h++) {
			int q_at = h * hd, k_at = ldo + h / group * hd, v_at = k_at + c->n_kv_head * hd;
			attention_forward(NULL, 0, a->prob, s->qkv + q_at, ld, s->qkv + k_at, ld, s->qkv + v_at, ld,
				&one);
			attention_backward(a->dqkv + q_at, a->dqkv + k_at, a->dqkv + v_at, a->datt + q_at, ldo, a->prob,
				s->qkv + q_at, ld, s->qkv + k_at, ld, s->qkv + v_at, ld, &one, a->dprob);
		}
	}
}

/* Back through what treat_qkv did, in place. */
static void
back_treat(struct back *k, const struct block *b, const struct saved *s)
{
	const struct model_config *c = &k->m->config;
	int rows = k->batch->rows, ld = width_qkv(c), at = width_q(c);
	float *d = k->a->dqkv;
	struct head_norm q = head_norm_of(c, rows, false), kn = head_norm_of(c, rows, true);
	if (c->qkv_clip > 0)
		clip_backward(d, s->raw, (size_t)rows * (size_t)ld, (float)c->qkv_clip);
	if (c->qk_norm == QK_NONE)
		return;
	headnorm_backward(d, ld, block_weight_grad(b, k->grads, ROLE_Q_NORM), d, s->raw, ld,
		block_weight(b, k->params, ROLE_Q_NORM), s->rstd_q, &q);
	headnorm_backward(d + at, ld, block_weight_grad(b, k->grads, ROLE_K_NORM), d + at, s->raw + at, ld,
		block_weight(b, k->params, ROLE_K_NORM), s->rstd_k, &kn);
}

/* From the gradient at the attention's output to that at its input, added to dnorm. */
static void
back_attention(struct back *k, const struct block *b, const struct saved *s, int layer, const float *dout, float *dnorm)
{
	const struct model_config *c = &k->m->config;
	struct acts *a = k->a;
	const float *dy = back_post(k, b, ROLE_POST1, dout, s->out1, s->post_mean1, s->post_rstd1);
	back_linear(k, b, ROLE_ATTN_OUT, cleared(k, a->datt, width_q(c)), dy, s->att);
	cleared(k, a->dqkv, width_qkv(c));
	back_heads(k, s, layer);
	rope_turn(&a->rope, c, layer, a->dqkv, a->position, k->batch->rows, -1);
	if (has_raw_qkv(c))
		back_treat(k, b, s);
	back_linear(k, b, ROLE_QKV, dnorm, a->dqkv, s->norm1);
}

/* a->dx is the gradient at the block's output, then at its input. */
static void
back_block(struct back *k, const struct block *b, const struct saved *s, int layer)
{
	const struct model_config *c = &k->m->config;
	struct acts *a = k->a;
	size_t n = (size_t)k->batch->rows * (size_t)c->d_model;
	const float *dout = a->dx;
	if (c->parallel) {
		memcpy(a->dout, a->dx, n * sizeof(*a->dx));
		dout = a->dout;
	}
	back_mlp(k, b, s, dout);
	if (has_norm2(c))
		back_norm(k, b, ROLE_NORM2, a->dx, a->dnorm, c->parallel ? s->x : s->mid, s->mean2, s->rstd2);
	else if (!c->shared_norm)
		add_onto(a->dx, a->dnorm, n);
	back_attention(k, b, s, layer, dout, c->shared_norm ? a->dnorm : cleared(k, a->dnorm, c->d_model));
	if (has_norm1(c))
		back_norm(k, b, ROLE_NORM1, a->dx, a->dnorm, s->x, s->mean1, s->rstd1);
	else
		add_onto(a->dx, a->dnorm, n);
}

void
model_backward(const struct model *m, const float *params, struct acts *a, const struct batch *b, float *grads,
	const struct tap *tap)
{
	const struct stored *s = params ? NULL : m->stored;
	const struct block *plan = s ? s->plan : a->plan, *outside = &plan[m->config.n_layer];
	struct back k = { .m = m, .params = s ? s->small : params, .grads = grads, .a = a, .batch = b, .tap = tap,
		.stored = s, .linear = m->n_linears - 1 };
	bool head_alone = grads == NULL && tap != NULL && tap->roles == 1u << ROLE_HEAD;
	assert(a->rows == b->rows && !(s && grads));
	back_head(&k, outside, head_alone ? NULL : cleared(&k, a->dnorm, m->config.d_model));
	if (head_alone)
		return;
	back_norm(&k, outside, ROLE_NORM_FINAL, cleared(&k, a->dx, m->config.d_model), a->dnorm, a->last, a->mean,
		a->rstd);
	for (int i = m->config.n_layer - 1; i >= 0; i--)
		back_block(&k, &plan[i], &a->saved[i], i);
	if (embed_scale(&m->config) != 1)
		scale_all(a->dx, (size_t)b->rows * (size_t)m->config.d_model, embed_scale(&m->config));
	embed_backward(block_weight_grad(outside, grads, ROLE_EMBED), block_positions_grad(outside, grads, &m->config),
		a->dx, b->token, a->position, b->rows, m->config.d_model);
}
