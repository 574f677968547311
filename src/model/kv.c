/* generate: the key-value cache. A step is the forward pass of pass.h with one block's memory for all blocks. */
#include "byline/generate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/layers.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "kv.h"
#include "pass.h"
#include "stored.h"

/* A long prompt goes in pieces of this many tokens: enough for the products to be fast, with little scratch. */
enum { PIECE = 128, TOGETHER = 16 };

/* Products below which threads are not worth waking for the heads. */
#define HEADS_WORK 1e6

struct kv {
	const struct model *m;
	struct block *plan;
	struct stored_work work;	/* where weights are taken from their file */
	struct rope rope;
	int length, cap;		/* tokens */
	float **keys, **values;		/* n_layer of (cap, n_kv_head * head_dim) */
	struct saved s;
	float *scratch;			/* holds s, out, hidden, mean and rstd */
	float *out, *hidden, *mean, *rstd, *prob;
	size_t prob_cap;
	int32_t position[PIECE];
	int n;				/* tokens of the piece in flight */
	int together;			/* rows that go through the head at once, where all are wanted */
};

static void
scratch_new(struct kv *kv, const struct model_config *c)
{
	size_t saved = saved_lay_out(&kv->s, c, NULL, PIECE), d = (size_t)c->d_model;
	kv->scratch = xcalloc(saved + PIECE * (2 * d + 2), sizeof(*kv->scratch));
	saved_lay_out(&kv->s, c, kv->scratch, PIECE);
	kv->out = kv->scratch + saved;
	kv->hidden = kv->out + PIECE * d;
	kv->mean = kv->hidden + PIECE * d;
	kv->rstd = kv->mean + PIECE;
}

struct kv *
kv_new(const struct model *m)
{
	struct kv *kv = xcalloc(1, sizeof(*kv));
	mm_init();
	kv->m = m;
	kv->together = m->stored ? TOGETHER : 1;
	if (m->stored)
		stored_work_init(&kv->work, m->stored, m->threads);
	else
		kv->plan = plan_new(m);
	kv->keys = xcalloc((size_t)m->config.n_layer, sizeof(*kv->keys));
	kv->values = xcalloc((size_t)m->config.n_layer, sizeof(*kv->values));
	scratch_new(kv, &m->config);
	return kv;
}

void
kv_free(struct kv *kv)
{
	if (kv == NULL)
		return;
	for (int i = 0; i < kv->m->config.n_layer; i++) {
		free(kv->keys[i]);
		free(kv->values[i]);
	}
	free(kv->keys);
	free(kv->values);
	free(kv->scratch);
	free(kv->prob);
	rope_free(&kv->rope);
	stored_work_free(&kv->work);
	free(kv->plan);
	free(kv);
}

void
kv_rewind(struct kv *kv, int length)
{
	assert(length >= 0 && length <= kv->length);
	kv->length = length;
}

int
kv_length(const struct kv *kv)
{
	return kv->length;
}

static enum err
grow_one(float **v, size_t have, size_t want)
{
	float *fresh;
	TRY(mem_array(&fresh, want, sizeof(*fresh), "keys and values"));
	if (have > 0)
		memcpy(fresh, *v, have * sizeof(*fresh));
	free(*v);
	*v = fresh;
	return OK;
}

static enum err
kv_grow(struct kv *kv, int need)
{
	const struct model_config *c = &kv->m->config;
	size_t width = (size_t)c->n_kv_head * (size_t)c->head_dim;
	rope_grow(&kv->rope, c, need);
	if (need <= kv->cap)
		return OK;
	int cap = need < 64 ? 64 : need + need / 2;
	cap = cap < c->n_ctx ? cap : c->n_ctx;
	for (int i = 0; i < c->n_layer; i++) {
		TRY(grow_one(&kv->keys[i], (size_t)kv->length * width, (size_t)cap * width));
		TRY(grow_one(&kv->values[i], (size_t)kv->length * width, (size_t)cap * width));
	}
	kv->cap = cap;
	return OK;
}

static void
append(float *to, const float *from, int n, int width, int ld)
{
	for (int i = 0; i < n; i++)
		memcpy(to + (size_t)i * width, from + (size_t)i * ld, (size_t)width * sizeof(*to));
}

struct heads { struct kv *kv; struct saved *s; int layer; };

/* One head alone; how they are cut does not change their bits. */
static void
attend_head(void *arg, size_t i, int worker)
{
	const struct heads *h = arg;
	struct kv *kv = h->kv;
	const struct model_config *c = &kv->m->config;
	int width = c->n_kv_head * c->head_dim, ld = width_qkv(c);
	size_t q = i * (size_t)c->head_dim, k = i / (size_t)(c->n_head / c->n_kv_head) * (size_t)c->head_dim;
	struct att_shape shape = att_of(c, h->layer, 1, 1);
	(void)worker;
	attention_cached(h->s->att + q, width_q(c), kv->prob + i * (size_t)kv->n * (size_t)(kv->length + kv->n),
		h->s->qkv + q, ld, kv->keys[h->layer] + k, width, kv->values[h->layer] + k, width, kv->n, kv->length,
		&shape);
}

static void
attend(void *arg, int layer, struct saved *s)
{
	struct kv *kv = arg;
	const struct model_config *c = &kv->m->config;
	int width = c->n_kv_head * c->head_dim, ld = width_qkv(c);
	size_t at = (size_t)kv->length * width;
	append(kv->keys[layer] + at, s->qkv + width_q(c), kv->n, width, ld);
	append(kv->values[layer] + at, s->qkv + width_q(c) + width, kv->n, width, ld);
	struct heads h = { .kv = kv, .s = s, .layer = layer };
	double work = (double)kv->n * (kv->length + kv->n) * width_q(c);
	if (kv->work.pool && work > HEADS_WORK) {
		pool_run(kv->work.pool, (size_t)c->n_head, attend_head, &h);
		return;
	}
	struct att_shape shape = att_of(c, layer, c->n_head, c->n_kv_head);
	attention_cached(s->att, width_q(c), kv->prob, s->qkv, ld, kv->keys[layer], width, kv->values[layer], width,
		kv->n, kv->length, &shape);
}

static struct pass
pass_of(struct kv *kv, int n)
{
	const struct stored *s = kv->m->stored;
	return (struct pass){ .m = kv->m, .plan = s ? s->plan : kv->plan, .params = s ? s->small : kv->m->params,
		.rope = &kv->rope, .rows = n, .position = kv->position, .attend = attend, .arg = kv, .stored = s,
		.work = &kv->work };
}

/* Feeds at most PIECE tokens; the residual stream after the final norm is in kv->hidden. */
static enum err
feed_piece(struct kv *kv, const int32_t *token, int n)
{
	const struct model *m = kv->m;
	struct pass p = pass_of(kv, n);
	TRY(kv_grow(kv, kv->length + n));
	mem_grow(&kv->prob, &kv->prob_cap, (size_t)m->config.n_head * (size_t)n * (size_t)(kv->length + n),
		sizeof(float));
	for (int i = 0; i < n; i++)
		kv->position[i] = kv->length + i;
	kv->n = n;
	pass_embed(&p, token, kv->s.x);
	for (int i = 0; i < m->config.n_layer; i++) {
		pass_block(&p, i, &kv->s, kv->out);
		float *swap = kv->s.x;
		kv->s.x = kv->out;
		kv->out = swap;
	}
	pass_norm_final(&p, kv->s.x, kv->hidden, kv->mean, kv->rstd);
	kv->length += n;
	return m->stored ? stored_check_hidden(m->stored, kv->hidden, n) : OK;
}

static void
head(struct kv *kv, int row, int rows, float *logits)
{
	struct pass p = pass_of(kv, rows);
	pass_head(&p, kv->hidden + (size_t)row * (size_t)kv->m->config.d_model, rows, logits);
}

/* A matrix that comes from its file is read once for several rows; with one that is at hand, each row has the same bits
 * as by itself. */
static enum err
each_logits(struct kv *kv, int from, int n, void (*each)(void *arg, int i, const float *logits), void *arg)
{
	int together = kv->together;
	size_t vocab = (size_t)kv->m->config.vocab;
	float *logits;
	TRY(mem_array(&logits, (size_t)together * vocab, sizeof(*logits), "logits"));
	for (int i = 0, some; i < n; i += some) {
		some = n - i < together ? n - i : together;
		head(kv, i, some, logits);
		for (int k = 0; k < some; k++)
			each(arg, from + i + k, logits + (size_t)k * vocab);
	}
	free(logits);
	return OK;
}

enum err
kv_feed(struct kv *kv, const int32_t *token, int n, void (*each)(void *arg, int i, const float *logits), void *arg,
	float *logits)
{
	const struct model_config *c = &kv->m->config;
	TRY(check_tokens(kv->m, token, n));
	if (n > c->n_ctx - kv->length)
		return err_set(ERR_LIMIT, "%d more tokens after %d do not fit the model's context of %d", n, kv->length,
			c->n_ctx);
	for (int from = 0, some; from < n; from += some) {
		some = n - from < PIECE ? n - from : PIECE;
		TRY(feed_piece(kv, token + from, some));
		if (each != NULL)
			TRY(each_logits(kv, from, some, each, arg));
		else if (from + some == n)
			head(kv, some - 1, 1, logits);
	}
	return OK;
}

enum err
model_step(const struct model *m, struct kv *kv, const int32_t *token, int n, float *logits)
{
	assert(kv->m == m && n > 0);
	(void)m;
	return kv_feed(kv, token, n, NULL, NULL, logits);
}

enum err
model_logits(const struct model *m, const int32_t *token, int n, void (*each)(void *arg, int i, const float *logits),
	void *arg)
{
	struct kv *kv = kv_new(m);
	kv->together = TOGETHER;
	enum err err = kv_feed(kv, token, n, each, arg, NULL);
	kv_free(kv);
	return err;
}
