/* model: the forward pass of a batch, its loss, and labels drawn from the model. */
#include "byline/model.h"

#include <string.h>

#include "byline/layers.h"
#include "byline/rng.h"
#include "pass.h"
#include "stored.h"

struct run {
	const struct batch *batch;
	struct acts *acts;
};

/* One head of one sequence at a time, so that its softmax weights stay in the processor's cache. They are not kept: the
 * backward pass makes them again, for a percent or two of the time, instead of saving heads * L^2 floats a layer. */
static void
attend(void *arg, int layer, struct saved *s)
{
	const struct run *run = arg;
	const struct model_config *c = &run->acts->m->config;
	int ld = width_qkv(c), ldo = width_q(c), hd = c->head_dim, group = c->n_head / c->n_kv_head;
	const float *k = s->qkv + ldo, *v = k + c->n_kv_head * hd;
	struct att_shape one = att_of(c, layer, 1, 1);
	one.n_seq = 1;
	for (int i = 0; i < run->batch->n_seq; i++) {
		one.start = run->batch->start + i;
		for (int h = 0; h < c->n_head; h++) {
			int kv_at = h / group * hd;
			attention_forward(s->att + h * hd, ldo, run->acts->prob, s->qkv + h * hd, ld, k + kv_at, ld,
				v + kv_at, ld, &one);
		}
	}
}

enum err
model_forward(const struct model *m, const float *params, struct acts *a, const struct batch *b)
{
	TRY(check_tokens(m, b->token, b->rows));
	TRY(acts_fit(a, b));
	struct run run = {b, a};
	const struct stored *s = params ? NULL : m->stored;
	struct pass p = { .m = m, .plan = s ? s->plan : a->plan, .params = s ? s->small : params, .rope = &a->rope,
		.rows = b->rows, .position = a->position, .attend = attend, .arg = &run, .stored = s,
		.work = &a->work };
	int n = m->config.n_layer;
	pass_embed(&p, b->token, a->saved[0].x);
	for (int i = 0; i < n; i++)
		pass_block(&p, i, &a->saved[i], i + 1 < n ? a->saved[i + 1].x : a->last);
	pass_norm_final(&p, a->last, a->hidden, a->mean, a->rstd);
	if (s)
		TRY(stored_check_hidden(s, a->hidden, b->rows));
	pass_head(&p, a->hidden, b->rows, a->logits);
	return OK;
}

float *
acts_logits(struct acts *a)
{
	return a->logits;
}

const float *
acts_hidden(const struct acts *a)
{
	return a->hidden;
}

/* From the gradient at the logits to that at the head's outputs; rows without a target have none. */
static void
back_logits(const struct model_config *c, struct acts *a, const struct batch *b)
{
	size_t vocab = (size_t)c->vocab;
	for (int r = 0; r < b->rows; r++) {
		float *d = a->logits + (size_t)r * vocab;
		if (b->target[r] < 0)
			continue;
		if (c->logit_cap > 0)
			cap_backward(d, a->capped + (size_t)r * vocab, vocab, (float)c->logit_cap);
		if (model_logit_scale(c) != 1)
			scale_all(d, vocab, model_logit_scale(c));
	}
}

double
acts_loss(const struct model *m, struct acts *a, const struct batch *b, const float *weight, float *nll)
{
	float *each = nll != NULL ? nll : a->nll;
	double sum = 0;
	if (m->config.logit_cap > 0)
		memcpy(a->capped, a->logits, (size_t)b->rows * (size_t)m->config.vocab * sizeof(*a->capped));
	xent(each, a->logits, a->logits, b->target, weight, b->rows, m->config.vocab);
	for (int r = 0; r < b->rows; r++)
		sum += (double)each[r] * (weight != NULL ? (double)weight[r] : 1);
	back_logits(&m->config, a, b);
	return sum;
}

void
acts_sample_targets(const struct model *m, struct acts *a, const struct batch *b, uint64_t seed, uint64_t stream,
	int32_t *out)
{
	struct rng rng;
	size_t vocab = (size_t)m->config.vocab;
	rng_init(&rng, seed, stream);
	for (int r = 0; r < b->rows; r++) {
		double u = (double)rng_u32(&rng) * 0x1p-32;
		out[r] = b->target[r] < 0 ? -1 : softmax_draw(a->logits + (size_t)r * vocab, (int)vocab, u);
	}
}
