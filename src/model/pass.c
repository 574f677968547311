/* pass: the forward pass, piece by piece, from tokens to logits. */
#include "pass.h"

#include "byline/layers.h"

enum err
check_tokens(const struct model *m, const int32_t *token, int n)
{
	for (int i = 0; i < n; i++)
		if (token[i] < 0 || token[i] >= m->config.vocab)
			return err_set(ERR_FORMAT, "token %d at %d is not in the vocabulary of %d", (int)token[i], i,
				m->config.vocab);
	return OK;
}

static const struct block *
outside(const struct pass *p)
{
	return &p->plan[p->m->config.n_layer];
}

void
pass_embed(const struct pass *p, const int32_t *token, float *x)
{
	const struct block *b = outside(p);
	embed_forward(x, block_weight(b, p->params, ROLE_EMBED), block_weight(b, p->params, ROLE_POS), token,
		p->position, p->rows, p->m->config.d_model);
}

static void
norm(const struct pass *p, const struct block *b, enum tensor_role role, const float *x, float *y, float *mean,
	float *rstd)
{
	const struct model_config *c = &p->m->config;
	const float *gain = block_weight(b, p->params, role), *bias = block_bias(b, p->params, role);
	if (c->norm == NORM_RMS)
		rmsnorm_forward(y, rstd, x, gain, p->rows, c->d_model, (float)c->norm_eps);
	else
		layernorm_forward(y, mean, rstd, x, gain, bias, p->rows, c->d_model, (float)c->norm_eps);
}

static void
linear(const struct pass *p, const struct block *b, enum tensor_role role, const float *x, float *y, int in, int out)
{
	linear_forward(y, x, block_weight(b, p->params, role), block_bias(b, p->params, role), p->rows, in, out);
}

static void
add(float *y, const float *x, size_t n)
{
	#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

/* y = residual + linear(x) */
static void
linear_onto(const struct pass *p, const struct block *b, enum tensor_role role, const float *x, const float *residual,
	float *y, int in)
{
	linear(p, b, role, x, y, in, p->m->config.d_model);
	add(y, residual, (size_t)p->rows * (size_t)p->m->config.d_model);
}

static void
mlp(const struct pass *p, const struct block *b, struct saved *s)
{
	const struct model_config *c = &p->m->config;
	size_t n = (size_t)p->rows * (size_t)c->d_ff;
	linear(p, b, ROLE_UP, s->norm2, s->up, c->d_model, c->d_ff);
	if (c->mlp == MLP_GATED) {
		linear(p, b, ROLE_GATE, s->norm2, s->gate, c->d_model, c->d_ff);
		swiglu_forward(s->act, s->gate, s->up, n);
	} else if (c->act == ACT_GELU_TANH) {
		gelu_tanh_forward(s->act, s->up, n);
	} else {
		gelu_erf_forward(s->act, s->up, n);
	}
}

void
pass_block(const struct pass *p, int layer, struct saved *s, float *out)
{
	const struct model_config *c = &p->m->config;
	const struct block *b = &p->plan[layer];
	norm(p, b, ROLE_NORM1, s->x, s->norm1, s->mean1, s->rstd1);
	linear(p, b, ROLE_QKV, s->norm1, s->qkv, c->d_model, width_qkv(c));
	if (c->pos == POS_ROPE)
		rope_apply(s->qkv, width_qkv(c), p->rope->cos, p->rope->sin, p->position, p->rows,
			c->n_head + c->n_kv_head, c->head_dim, c->head_dim, +1);
	p->attend(p->arg, layer, s);
	linear_onto(p, b, ROLE_ATTN_OUT, s->att, s->x, s->mid, width_q(c));
	norm(p, b, ROLE_NORM2, s->mid, s->norm2, s->mean2, s->rstd2);
	mlp(p, b, s);
	linear_onto(p, b, ROLE_DOWN, s->act, s->mid, out, c->d_ff);
}

void
pass_norm_final(const struct pass *p, const float *x, float *hidden, float *mean, float *rstd)
{
	norm(p, outside(p), ROLE_NORM_FINAL, x, hidden, mean, rstd);
}

void
pass_head(const struct pass *p, const float *hidden, int rows, float *logits)
{
	const struct model_config *c = &p->m->config;
	linear_forward(logits, hidden, block_weight(outside(p), p->params, ROLE_HEAD), NULL, rows, c->d_model,
		c->vocab);
}
