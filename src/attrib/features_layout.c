/* features_layout: where each layer's block lies in a row. */
#include <assert.h>
#include <stdlib.h>

#include "byline/codes.h"
#include "byline/mem.h"

#include "features_internal.h"

static void
layout_add(struct feature_layout *l, const struct linear *x, int linear, int ka, int ks, bool own)
{
	struct feature_block *b = &l->block[l->n_blocks++];
	double kept = own ? (double)ka * x->out : (double)ka * ks;
	*b = (struct feature_block){ .linear = linear, .ka = ka, .ks = ks, .at = l->width, .own = own,
		.weight = (float)((double)x->in * x->out / kept) };
	l->width += block_values(b);
	l->dense += own ? 0 : block_values(b);
	l->code_bytes += block_bytes(l, b);
	l->vocab = own ? x->out : l->vocab;
}

void
feature_layout_make(struct feature_layout *l, const struct model *m, const struct curvature *c, int bits)
{
	assert(bits == 4 || bits == 8);
	*l = (struct feature_layout){ .bits = bits, .block = xcalloc((size_t)c->n_layers + 1, sizeof(*l->block)) };
	for (int i = 0; i < c->n_layers; i++)
		layout_add(l, &m->linears[c->layers[i].linear], c->layers[i].linear, c->layers[i].a.k,
			c->layers[i].s.k, false);
}

static int
smaller(int x, int y)
{
	return x < y ? x : y;
}

void
feature_layout_plan(struct feature_layout *l, const struct model *m, int k, int own, int bits)
{
	int *linear, n;
	curvature_layers(m, &linear, &n);
	*l = (struct feature_layout){ .bits = bits, .block = xcalloc((size_t)n + 1, sizeof(*l->block)) };
	for (int i = 0; i < n; i++) {
		const struct linear *x = &m->linears[linear[i]];
		bool head = x->role == ROLE_HEAD;
		layout_add(l, x, linear[i], smaller(head ? 2 * k : k, x->in), head ? own : smaller(k, x->out), head);
	}
	free(linear);
}

void
feature_layout_free(struct feature_layout *l)
{
	free(l->block);
	*l = (struct feature_layout){0};
}

const struct feature_block *
feature_layout_own(const struct feature_layout *l)
{
	return l->vocab > 0 ? &l->block[l->n_blocks - 1] : NULL;
}
