/* features_layout: where each layer's block lies in a row. */
#include "features_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "byline/codes.h"
#include "byline/mem.h"

void
feature_layout_make(struct feature_layout *l, const struct model *m, const struct curvature *c, int bits)
{
	assert(bits == 4 || bits == 8);
	(void)m;
	*l = (struct feature_layout){ .bits = bits, .block = xcalloc((size_t)c->n_layers + 1, sizeof(*l->block)) };
	for (int i = 0; i < c->n_layers; i++) {
		const struct curvature_layer *layer = &c->layers[i];
		size_t size = (size_t)layer->a.k * (size_t)layer->s.k;
		l->block[l->n_blocks++] = (struct feature_block){ layer->linear, layer->a.k, layer->s.k, l->width };
		l->width += size;
		l->code_bytes += codes_bytes(bits, size);
	}
}

void
feature_layout_plan(struct feature_layout *l, const struct model *m, int k, int bits)
{
	int *linear, n;
	curvature_layers(m, &linear, &n);
	struct curvature c = { .n_layers = n, .layers = xcalloc((size_t)n + 1, sizeof(*c.layers)) };
	for (int i = 0; i < n; i++) {
		const struct linear *x = &m->linears[linear[i]];
		c.layers[i] = (struct curvature_layer){ .linear = linear[i], .in = x->in, .out = x->out,
			.a = { .n = x->in, .k = k < x->in ? k : x->in },
			.s = { .n = x->out, .k = k < x->out ? k : x->out } };
	}
	feature_layout_make(l, m, &c, bits);
	free(c.layers);
	free(linear);
}

void
feature_layout_free(struct feature_layout *l)
{
	free(l->block);
	*l = (struct feature_layout){0};
}
