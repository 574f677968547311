/* projector: per-sequence gradients in the projected coordinates, captured by a tap as the backward pass goes by. */
#include "byline/features.h"

#include <assert.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"

#include "features_internal.h"

struct projector {
	const struct model *model;
	const struct feature_layout *layout;
	struct acts *acts;
	int *block_of;			/* by linear, -1: none */
	uint32_t roles;
	float *pa, *ps;			/* projected inputs and gradients of a batch, (rows, k) */
	size_t cap_a, cap_s;
	float *picked;			/* a sequence's gradients at its own tokens, or at all of them, whitened */
	size_t cap_picked;
	/* Of the call in progress: */
	const struct curvature *c;
	struct projector_sink sink;
	float scale, *rows;
	const uint32_t *tokens;
	struct feature_query *query;
	int first;
};

struct projector *
projector_new(const struct model *m, const struct feature_layout *l)
{
	struct projector *p = xcalloc(1, sizeof(*p));
	*p = (struct projector){ .model = m, .layout = l, .acts = acts_new(m) };
	p->block_of = xcalloc((size_t)m->n_linears + 1, sizeof(*p->block_of));
	for (int i = 0; i < m->n_linears; i++)
		p->block_of[i] = -1;
	for (int i = 0; i < l->n_blocks; i++) {
		p->block_of[l->block[i].linear] = i;
		p->roles |= 1u << m->linears[l->block[i].linear].role;
	}
	mm_init();
	return p;
}

void
projector_free(struct projector *p)
{
	if (!p)
		return;
	acts_free(p->acts);
	free(p->block_of);
	free(p->pa);
	free(p->ps);
	free(p->picked);
	free(p);
}

static void
project(const struct curvature_side *side, const float *x, int rows, float **to, size_t *cap)
{
	mem_grow(to, cap, (size_t)rows * (size_t)side->k, sizeof(**to));
	mm_bt(rows, side->k, side->n, 1, x, side->n, side->p, side->n, 0, *to, side->k);
}

/* Of one sequence, rows [from, to) of what was projected last, to its block. */
static void
gather(const struct projector *p, int i, int sequence, int from, int to)
{
	const struct feature_block *block = &p->layout->block[i];
	float *sum = p->sink.open(p->sink.arg, i, sequence);
	if (!sum)
		return;
	float scale = p->sink.weighted ? p->scale * block->weight : p->scale;
	mm_at(block->ks, block->ka, to - from, scale, p->ps + (size_t)from * (size_t)block->ks, block->ks,
		p->pa + (size_t)from * (size_t)block->ka, block->ka, 1, sum, block->ka);
	if (p->sink.done)
		p->sink.done(p->sink.arg, i, sequence, sum);
}

static int
first_target(const struct batch *b, int sequence)
{
	int row = b->start[sequence];
	while (row < b->start[sequence + 1] && b->target[row] < 0)
		row++;
	return row;
}

/* Before its first target a sequence has no gradient at the unembedding, which is wide: are such rows most of the
 * batch? */
static bool
mostly_without_target(const struct batch *b)
{
	int n = 0;
	for (int s = 0; s < b->n_seq; s++)
		n += first_target(b, s) - b->start[s];
	return n > b->rows / 4 * 3;
}

static void
projector_tails(struct projector *p, int i, const float *a, const float *g, const struct batch *b)
{
	const struct curvature_layer *l = &p->c->layers[i];
	for (int s = 0; s < b->n_seq; s++) {
		int from = first_target(b, s), n = b->start[s + 1] - from;
		project(&l->a, a + (size_t)from * (size_t)l->in, n, &p->pa, &p->cap_a);
		project(&l->s, g + (size_t)from * (size_t)l->out, n, &p->ps, &p->cap_s);
		gather(p, i, s, 0, n);
	}
}

/* ---- the own block ---- */

/* picked (n, own): w_v g_tv for the own tokens v of one sequence's rows. */
static void
pick_tokens(struct projector *p, const struct feature_block *block, const struct curvature_side *side,
	const uint32_t *tokens, const float *g, int n)
{
	mem_grow(&p->picked, &p->cap_picked, (size_t)n * (size_t)block->ks, sizeof(*p->picked));
	for (int r = 0; r < n; r++) {
		const float *from = g + (size_t)r * (size_t)side->n;
		float *to = p->picked + (size_t)r * (size_t)block->ks;
		for (int j = 0; j < block->ks; j++)
			to[j] = tokens[j] == FEATURE_NONE ? 0 : side->weight[tokens[j]] * from[tokens[j]];
	}
}

static void
own_rows(struct projector *p, int i, int sequence, const float *a, const float *g, int n)
{
	const struct feature_block *block = &p->layout->block[i];
	const struct curvature_layer *l = &p->c->layers[i];
	float *sum = p->sink.open(p->sink.arg, i, sequence);
	if (!sum)
		return;
	pick_tokens(p, block, &l->s, p->sink.tokens(p->sink.arg, sequence), g, n);
	project(&l->a, a, n, &p->pa, &p->cap_a);
	mm_at(block->ks, block->ka, n, p->scale, p->picked, block->ks, p->pa, block->ka, 1, sum, block->ka);
	if (p->sink.done)
		p->sink.done(p->sink.arg, i, sequence, sum);
}

/* A query's side of the own block: each row with a target is an outer product of its own. */
static void
own_terms(struct projector *p, int i, int sequence, const float *a, const float *g, const int32_t *target, int n)
{
	const struct feature_block *block = &p->layout->block[i];
	const struct curvature_layer *l = &p->c->layers[i];
	struct feature_query *q = p->query;
	size_t number = (size_t)(p->first + sequence), vocab = (size_t)l->s.n, ka = (size_t)block->ka;
	for (int r = 0; r < n; r++) {
		if (target[r] < 0 || q->n_terms[number] == q->terms)
			continue;
		size_t at = number * (size_t)q->terms + (size_t)q->n_terms[number]++;
		const float *from = g + (size_t)r * vocab;
		for (size_t v = 0; v < vocab; v++)
			q->s[at * vocab + v] = p->scale * block->weight * l->s.weight[v] * from[v];
		mm_bt(1, block->ka, l->a.n, 1, a + (size_t)r * (size_t)l->a.n, l->a.n, l->a.p, l->a.n, 0,
			q->a + at * ka, block->ka);
	}
}

static void
own_block(struct projector *p, int i, const float *a, const float *g, const struct batch *b)
{
	const struct curvature_layer *l = &p->c->layers[i];
	for (int s = 0; s < b->n_seq; s++) {
		int from = first_target(b, s), n = b->start[s + 1] - from;
		const float *as = a + (size_t)from * (size_t)l->in, *gs = g + (size_t)from * (size_t)l->out;
		if (p->sink.tokens)
			own_rows(p, i, s, as, gs, n);
		else
			own_terms(p, i, s, as, gs, b->target + from, n);
	}
}

/* ---- all blocks ---- */

void
projector_tap(struct projector *p, int index, const float *a, const float *g, const struct batch *b)
{
	int i = p->block_of[index];
	if (i < 0)
		return;
	if (p->layout->block[i].own) {
		own_block(p, i, a, g, b);
		return;
	}
	const struct curvature_layer *l = &p->c->layers[i];
	if (p->model->linears[index].role == ROLE_HEAD && mostly_without_target(b)) {
		projector_tails(p, i, a, g, b);
		return;
	}
	project(&l->a, a, b->rows, &p->pa, &p->cap_a);
	project(&l->s, g, b->rows, &p->ps, &p->cap_s);
	for (int s = 0; s < b->n_seq; s++)
		gather(p, i, s, b->start[s], b->start[s + 1]);
}

void
projector_begin(struct projector *p, const struct curvature *c, float scale, const struct projector_sink *sink)
{
	assert(c->n_layers == p->layout->n_blocks);
	p->c = c;
	p->scale = scale;
	p->sink = *sink;
}

/* ---- passes of its own ---- */

static float *
rows_open(void *arg, int block, int sequence)
{
	const struct projector *p = arg;
	return p->rows + (size_t)sequence * p->layout->width + p->layout->block[block].at;
}

static const uint32_t *
rows_tokens(void *arg, int sequence)
{
	const struct projector *p = arg;
	return p->tokens + (size_t)sequence * (size_t)feature_layout_own(p->layout)->ks;
}

static float *
query_open(void *arg, int block, int sequence)
{
	const struct projector *p = arg;
	return p->query->dense + (size_t)(p->first + sequence) * p->layout->dense + p->layout->block[block].at;
}

static void
own_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	projector_tap(arg, index, a, g, b);
}

/* The loss and the way back of a batch whose forward pass has been run. */
static void
projector_back(struct projector *p, const float *params, const struct curvature *c, const struct batch *b, float scale,
	const struct projector_sink *sink)
{
	const struct tap tap = { .arg = p, .linear = own_linear, .roles = p->roles };
	projector_begin(p, c, scale, sink);
	acts_loss(p->model, p->acts, b, NULL, NULL);
	model_backward(p->model, params, p->acts, b, NULL, &tap);
}

enum err
projector_rows(struct projector *p, const float *params, const struct curvature *c, const struct batch *b,
	const uint32_t *tokens, float scale, float *rows)
{
	const struct projector_sink sink = { .arg = p, .open = rows_open, .tokens = tokens ? rows_tokens : NULL };
	assert(!tokens == !feature_layout_own(p->layout));
	if (b->rows == 0)
		return OK;
	p->rows = rows;
	p->tokens = tokens;
	TRY(model_forward(p->model, params, p->acts, b));
	projector_back(p, params, c, b, scale, &sink);
	return OK;
}

static void
query_back(struct projector *p, const float *params, const struct curvature *c, const struct batch *b, float scale,
	struct feature_query *q, int first)
{
	const struct projector_sink sink = { .arg = p, .open = query_open, .weighted = true };
	p->query = q;
	p->first = first;
	projector_back(p, params, c, b, scale, &sink);
}

enum err
projector_query(struct projector *p, const float *params, const struct curvature *c, const struct batch *b, float scale,
	struct feature_query *q, int first)
{
	if (b->rows == 0)
		return OK;
	TRY(model_forward(p->model, params, p->acts, b));
	query_back(p, params, c, b, scale, q, first);
	return OK;
}

enum err
projector_prefixes(struct projector *p, const float *params, const struct curvature *c, const struct acts *whole,
	const struct batch *b, float scale, struct feature_query *q, int first)
{
	TRY(model_forward_prefixes(p->model, whole, p->acts, b));
	query_back(p, params, c, b, scale, q, first);
	return OK;
}
