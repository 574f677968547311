/* pass: the forward pass, piece by piece, from tokens to logits. */
#include "pass.h"

#include <stdlib.h>
#include <string.h>

#include "byline/layers.h"
#include "byline/mem.h"
#include "stored.h"

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
scale_all(float *x, size_t n, float by)
{
	for (size_t i = 0; i < n; i++)
		x[i] *= by;
}

void
add_onto(float *y, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

static void
embed_stored(const struct pass *p, const int32_t *token, float *x)
{
	const struct model_config *c = &p->m->config;
	float *position = c->pos == POS_LEARNED ? xcalloc((size_t)c->d_model, sizeof(*position)) : NULL;
	for (int r = 0; r < p->rows; r++, x += c->d_model) {
		stored_row(p->stored, ROLE_EMBED, token[r], x);
		if (!position)
			continue;
		stored_row(p->stored, ROLE_POS, p->position[r] + c->pos_offset, position);
		add_onto(x, position, (size_t)c->d_model);
	}
	free(position);
}

void
pass_embed(const struct pass *p, const int32_t *token, float *x)
{
	const struct model_config *c = &p->m->config;
	const struct block *b = outside(p);
	if (p->stored)
		embed_stored(p, token, x);
	else
		embed_forward(x, block_weight(b, p->params, ROLE_EMBED), block_positions(b, p->params, c), token,
			p->position, p->rows, c->d_model);
	if (embed_scale(c) != 1)
		scale_all(x, (size_t)p->rows * (size_t)c->d_model, embed_scale(c));
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
linear(const struct pass *p, int layer, enum tensor_role role, const float *x, float *y, int rows, int in, int out)
{
	const struct block *b = &p->plan[layer];
	const float *bias = block_bias(b, p->params, role);
	if (p->stored)
		stored_linear(p->stored, p->work, layer, role, bias, x, y, rows, out);
	else
		linear_forward(y, x, block_weight(b, p->params, role), bias, rows, in, out);
}

/* y = residual + linear(x), with a norm and a factor between where the family has them; plain, mean and rstd are what
 * that norm's backward pass needs. */
static void
join(const struct pass *p, int layer, enum tensor_role role, const float *x, int in, const float *residual, float *y,
	enum tensor_role post, float *plain, float *mean, float *rstd)
{
	const struct model_config *c = &p->m->config;
	linear(p, layer, role, x, has_post(c) ? plain : y, p->rows, in, c->d_model);
	if (has_post(c))
		norm(p, &p->plan[layer], post, plain, y, mean, rstd);
	if (c->residual_factor > 0)
		scale_all(y, (size_t)p->rows * (size_t)c->d_model, (float)c->residual_factor);
	add_onto(y, residual, (size_t)p->rows * (size_t)c->d_model);
}

void
act_forward(enum act_kind act, float *y, const float *x, size_t n)
{
	static void (*const f[])(float *, const float *, size_t) = { [ACT_GELU_TANH] = gelu_tanh_forward,
		[ACT_GELU_ERF] = gelu_erf_forward, [ACT_RELU] = relu_forward };
	f[act](y, x, n);
}

static void
mlp(const struct pass *p, int layer, struct saved *s)
{
	const struct model_config *c = &p->m->config;
	size_t n = (size_t)p->rows * (size_t)c->d_ff;
	linear(p, layer, ROLE_UP, s->norm2, s->up, p->rows, c->d_model, c->d_ff);
	if (c->mlp == MLP_PLAIN) {
		act_forward(c->act, s->act, s->up, n);
		return;
	}
	linear(p, layer, ROLE_GATE, s->norm2, s->gate, p->rows, c->d_model, c->d_ff);
	if (c->act == ACT_SILU) {
		swiglu_forward(s->act, s->gate, s->up, n);
	} else {
		act_forward(c->act, s->act, s->gate, n);
		gate_forward(s->act, s->up, n);
	}
}

struct head_norm
head_norm_of(const struct model_config *c, int rows, bool keys)
{
	return (struct head_norm){ .R = rows, .heads = keys ? c->n_kv_head : c->n_head, .dim = c->head_dim,
		.whole = c->qk_norm == QK_WHOLE, .eps = (float)c->norm_eps };
}

/* From s->raw to s->qkv: clipped, or queries and keys normed. */
static void
treat_qkv(const struct pass *p, const struct block *b, struct saved *s)
{
	const struct model_config *c = &p->m->config;
	int ld = width_qkv(c), at = width_q(c);
	struct head_norm q = head_norm_of(c, p->rows, false), k = head_norm_of(c, p->rows, true);
	memcpy(s->qkv, s->raw, (size_t)p->rows * (size_t)ld * sizeof(*s->qkv));
	if (c->qkv_clip > 0)
		clip_forward(s->qkv, (size_t)p->rows * (size_t)ld, (float)c->qkv_clip);
	if (c->qk_norm == QK_NONE)
		return;
	headnorm_forward(s->qkv, ld, s->rstd_q, s->raw, ld, block_weight(b, p->params, ROLE_Q_NORM), &q);
	headnorm_forward(s->qkv + at, ld, s->rstd_k, s->raw + at, ld, block_weight(b, p->params, ROLE_K_NORM), &k);
}

static void
attention(const struct pass *p, const struct block *b, int layer, struct saved *s)
{
	const struct model_config *c = &p->m->config;
	linear(p, layer, ROLE_QKV, s->norm1, has_raw_qkv(c) ? s->raw : s->qkv, p->rows, c->d_model, width_qkv(c));
	if (has_raw_qkv(c))
		treat_qkv(p, b, s);
	rope_turn(p->rope, c, layer, s->qkv, p->position, p->rows, +1);
	p->attend(p->arg, layer, s);
	join(p, layer, ROLE_ATTN_OUT, s->att, width_q(c), s->x, s->mid, ROLE_POST1, s->out1, s->post_mean1,
		s->post_rstd1);
}

void
pass_block(const struct pass *p, int layer, struct saved *s, float *out)
{
	const struct model_config *c = &p->m->config;
	const struct block *b = &p->plan[layer];
	if (has_norm1(c))
		norm(p, b, ROLE_NORM1, s->x, s->norm1, s->mean1, s->rstd1);
	else
		s->norm1 = s->x;
	attention(p, b, layer, s);
	const float *in = c->parallel ? s->x : s->mid;
	if (has_norm2(c))
		norm(p, b, ROLE_NORM2, in, s->norm2, s->mean2, s->rstd2);
	else
		s->norm2 = c->shared_norm ? s->norm1 : s->mid;
	mlp(p, layer, s);
	join(p, layer, ROLE_DOWN, s->act, c->d_ff, s->mid, out, ROLE_POST2, s->out2, s->post_mean2, s->post_rstd2);
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
	size_t n = (size_t)rows * (size_t)c->vocab;
	linear(p, c->n_layer, ROLE_HEAD, hidden, logits, rows, c->d_model, c->vocab);
	if (model_logit_scale(c) != 1)
		scale_all(logits, n, model_logit_scale(c));
	if (c->logit_cap > 0)
		cap_forward(logits, n, (float)c->logit_cap);
}
