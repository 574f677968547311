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
	/* Of the call in progress: */
	const struct curvature *c;
	struct projector_sink sink;
	float scale, *rows;
	int inputs_of;			/* whose inputs are in pa: the layer they belong to, -1: nobody's */
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
	free(p);
}

/* The layer whose arrays a shared side borrows. */
static int
inputs_owner(const struct curvature *c, int i)
{
	while (c->layers[i].a.shared)
		i--;
	return i;
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
	mm_at(block->ks, block->ka, to - from, p->scale, p->ps + (size_t)from * (size_t)block->ks, block->ks,
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
	p->inputs_of = -1;
}

void
projector_tap(struct projector *p, int index, const float *a, const float *g, const struct batch *b)
{
	int i = p->block_of[index];
	if (i < 0)
		return;
	const struct curvature_layer *l = &p->c->layers[i];
	if (p->model->linears[index].role == ROLE_HEAD && mostly_without_target(b)) {
		projector_tails(p, i, a, g, b);
		return;
	}
	if (p->inputs_of != inputs_owner(p->c, i)) {
		project(&l->a, a, b->rows, &p->pa, &p->cap_a);
		p->inputs_of = inputs_owner(p->c, i);
	}
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
	p->inputs_of = -1;
}

static float *
rows_open(void *arg, int block, int sequence)
{
	const struct projector *p = arg;
	return p->rows + (size_t)sequence * p->layout->width + p->layout->block[block].at;
}

static void
rows_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	projector_tap(arg, index, a, g, b);
}

/* The loss and the way back of a batch whose forward pass has been run. */
static void
projector_back(struct projector *p, const float *params, const struct curvature *c, const struct batch *b, float scale,
	float *rows)
{
	const struct tap tap = { .arg = p, .linear = rows_linear, .roles = p->roles };
	const struct projector_sink sink = { .arg = p, .open = rows_open };
	projector_begin(p, c, scale, &sink);
	p->rows = rows;
	acts_loss(p->model, p->acts, b, NULL, NULL);
	model_backward(p->model, params, p->acts, b, NULL, &tap);
}

enum err
projector_rows(struct projector *p, const float *params, const struct curvature *c, const struct batch *b, float scale,
	float *rows)
{
	if (b->rows == 0)
		return OK;
	TRY(model_forward(p->model, params, p->acts, b));
	projector_back(p, params, c, b, scale, rows);
	return OK;
}

enum err
projector_prefixes(struct projector *p, const float *params, const struct curvature *c, const struct acts *whole,
	const struct batch *b, float scale, float *rows)
{
	TRY(model_forward_prefixes(p->model, whole, p->acts, b));
	projector_back(p, params, c, b, scale, rows);
	return OK;
}
