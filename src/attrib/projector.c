/* projector: per-sequence gradients in the projected coordinates, captured by a tap as the backward pass goes by. */
#include "byline/features.h"

#include <assert.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"

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

static void
projector_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	struct projector *p = arg;
	int i = p->block_of[index];
	if (i < 0)
		return;
	const struct feature_block *block = &p->layout->block[i];
	const struct curvature_layer *l = &p->c->layers[i];
	if (p->inputs_of != inputs_owner(p->c, i)) {
		project(&l->a, a, b->rows, &p->pa, &p->cap_a);
		p->inputs_of = inputs_owner(p->c, i);
	}
	project(&l->s, g, b->rows, &p->ps, &p->cap_s);
	for (int s = 0; s < b->n_seq; s++) {
		size_t from = (size_t)b->start[s];
		mm_at(block->ks, block->ka, b->start[s + 1] - b->start[s], p->scale, p->ps + from * (size_t)block->ks, block->ks,
			p->pa + from * (size_t)block->ka, block->ka, 1,
			p->rows + (size_t)s * p->layout->width + block->at, block->ka);
	}
}

enum err
projector_rows(struct projector *p, const float *params, const struct curvature *c, const struct batch *b, float scale, float *rows)
{
	const struct tap tap = { .arg = p, .linear = projector_linear, .roles = p->roles };
	assert(c->n_layers == p->layout->n_blocks);
	if (b->rows == 0)
		return OK;
	p->c = c;
	p->scale = scale;
	p->rows = rows;
	p->inputs_of = -1;
	TRY(model_forward(p->model, params, p->acts, b));
	acts_loss(p->model, p->acts, b, NULL, NULL);
	model_backward(p->model, params, p->acts, b, NULL, &tap);
	return OK;
}
