/* model: the memory of one batch. One arena, laid out anew for each batch, that grows and never shrinks. */
#include "byline/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "pass.h"
#include "stored.h"

struct acts *
acts_new(const struct model *m)
{
	struct acts *a = xcalloc(1, sizeof(*a));
	mm_init();
	a->m = m;
	a->plan = plan_new(m);
	if (m->stored)
		stored_work_init(&a->work, m->stored, 1);
	a->saved = xcalloc((size_t)m->config.n_layer, sizeof(*a->saved));
	return a;
}

void
acts_free(struct acts *a)
{
	if (a == NULL)
		return;
	rope_free(&a->rope);
	stored_work_free(&a->work);
	free(a->plan);
	free(a->saved);
	free(a->position);
	free(a->arena);
	free(a);
}

/* Hands out pieces of the arena, each at a cache line; with no arena yet, counts. */
struct carver {
	float *base;
	size_t used;
};

static float *
carve(struct carver *c, size_t rows, size_t width)
{
	size_t at = c->used;
	c->used += (rows * width + 15) / 16 * 16;
	return c->base != NULL ? c->base + at : NULL;
}

static float *
carve_if(struct carver *c, bool wanted, size_t rows, size_t width)
{
	return wanted ? carve(c, rows, width) : NULL;
}

static void
carve_saved(struct carver *to, const struct model_config *c, struct saved *s, size_t rows)
{
	size_t d = (size_t)c->d_model, ff = (size_t)c->d_ff, qkv = (size_t)width_qkv(c);
	bool norm1 = has_norm1(c), norm2 = has_norm2(c), post = has_post(c), qk = c->qk_norm != QK_NONE;
	s->x = carve(to, rows, d);
	s->norm1 = carve_if(to, norm1, rows, d);
	s->mean1 = carve_if(to, norm1, rows, 1);
	s->rstd1 = carve_if(to, norm1, rows, 1);
	s->qkv = carve(to, rows, qkv);
	s->att = carve(to, rows, (size_t)width_q(c));
	s->mid = carve(to, rows, d);
	s->norm2 = carve_if(to, norm2, rows, d);
	s->mean2 = carve_if(to, norm2, rows, 1);
	s->rstd2 = carve_if(to, norm2, rows, 1);
	s->gate = carve_if(to, c->mlp == MLP_GATED, rows, ff);
	s->up = carve(to, rows, ff);
	s->act = carve(to, rows, ff);
	s->raw = carve_if(to, has_raw_qkv(c), rows, qkv);
	s->rstd_q = carve_if(to, qk, rows, (size_t)c->n_head);
	s->rstd_k = carve_if(to, qk, rows, (size_t)c->n_kv_head);
	s->out1 = carve_if(to, post, rows, d);
	s->post_mean1 = carve_if(to, post, rows, 1);
	s->post_rstd1 = carve_if(to, post, rows, 1);
	s->out2 = carve_if(to, post, rows, d);
	s->post_mean2 = carve_if(to, post, rows, 1);
	s->post_rstd2 = carve_if(to, post, rows, 1);
	/* A forward pass sets those that are others (pass_block); the backward pass and copies may rely on them. */
	s->norm1 = norm1 ? s->norm1 : s->x;
	s->norm2 = norm2 ? s->norm2 : c->shared_norm ? s->norm1 : s->mid;
}

size_t
saved_lay_out(struct saved *s, const struct model_config *c, float *base, size_t rows)
{
	struct carver to = {base, 0};
	carve_saved(&to, c, s, rows);
	return to.used;
}

static void
carve_backward(struct carver *to, const struct model_config *c, struct acts *a, size_t rows, size_t max_seq)
{
	size_t d = (size_t)c->d_model, ff = (size_t)c->d_ff;
	a->dx = carve(to, rows, d);
	a->dnorm = carve(to, rows, d);
	a->dqkv = carve(to, rows, (size_t)width_qkv(c));
	a->datt = carve(to, rows, (size_t)width_q(c));
	a->dgate = carve_if(to, c->mlp == MLP_GATED, rows, ff);
	a->dup = carve(to, rows, ff);
	a->dact = carve(to, rows, ff);
	a->dprob = carve(to, max_seq, (c->att_cap > 0 ? 2 : 1) * max_seq);
	a->nll = carve(to, rows, 1);
	a->dout = carve_if(to, c->parallel, rows, d);
	a->dpost = carve_if(to, has_post(c), rows, d);
	a->dscaled = carve_if(to, c->residual_factor > 0, rows, d);
	a->capped = carve_if(to, c->logit_cap > 0, rows, (size_t)c->vocab);
}

/* The number of floats. */
static size_t
lay_out(struct acts *a, const struct model_config *c, float *base, size_t rows, size_t max_seq)
{
	struct carver to = {base, 0};
	for (int i = 0; i < c->n_layer; i++)
		carve_saved(&to, c, &a->saved[i], rows);
	a->last = carve(&to, rows, (size_t)c->d_model);
	a->hidden = carve(&to, rows, (size_t)c->d_model);
	a->mean = carve(&to, rows, 1);
	a->rstd = carve(&to, rows, 1);
	a->logits = carve(&to, rows, (size_t)c->vocab);
	a->prob = carve(&to, max_seq, max_seq);
	carve_backward(&to, c, a, rows, max_seq);
	return to.used;
}

size_t
acts_bytes(const struct model *m, int rows, int max_seq)
{
	struct saved *saved = xcalloc((size_t)m->config.n_layer, sizeof(*saved));
	struct acts a = {.saved = saved};
	size_t n = lay_out(&a, &m->config, NULL, (size_t)rows, (size_t)max_seq);
	free(saved);
	return n * sizeof(float);
}

static enum err
arena_grow(struct acts *a, size_t need)
{
	if (need <= a->arena_cap)
		return OK;
	free(a->arena);
	a->arena = NULL;
	a->arena_cap = 0;
	TRY(mem_array(&a->arena, need, sizeof(*a->arena), "activations of a batch"));
	a->arena_cap = need;
	return OK;
}

static enum err
longest(const struct model *m, const struct batch *b, int *out)
{
	int most = 0;
	assert(b->start[0] == 0 && b->start[b->n_seq] == b->rows);
	for (int i = 0; i < b->n_seq; i++) {
		int n = b->start[i + 1] - b->start[i];
		assert(n >= 0);
		most = n > most ? n : most;
	}
	if (most > m->config.n_ctx)
		return err_set(ERR_LIMIT, "a sequence of %d tokens is longer than the model's context of %d", most,
			m->config.n_ctx);
	*out = most;
	return OK;
}

enum err
acts_fit(struct acts *a, const struct batch *b)
{
	const struct model_config *c = &a->m->config;
	int max_seq = 0;
	TRY(longest(a->m, b, &max_seq));
	size_t rows = (size_t)b->rows;
	TRY(arena_grow(a, lay_out(a, c, NULL, rows, (size_t)max_seq)));
	lay_out(a, c, a->arena, rows, (size_t)max_seq);
	rope_grow(&a->rope, c, max_seq);
	mem_grow(&a->position, &a->position_cap, rows, sizeof(*a->position));
	for (int i = 0; i < b->n_seq; i++)
		for (int r = b->start[i]; r < b->start[i + 1]; r++)
			a->position[r] = r - b->start[i];
	a->rows = b->rows;
	return OK;
}
