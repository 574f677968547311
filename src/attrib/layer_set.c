/* layer_set: see layer_set.h. */
#include "layer_set.h"

#include <stdlib.h>

#include "byline/curvature.h"
#include "byline/mem.h"

void
layer_set_make(struct layer_set *l, const struct model *m)
{
	*l = (struct layer_set){ .model = m };
	curvature_layers(m, &l->linear, &l->n);
	l->layer_of = xcalloc((size_t)m->n_linears + 1, sizeof(*l->layer_of));
	for (int i = 0; i < m->n_linears; i++)
		l->layer_of[i] = -1;
	for (int i = 0; i < l->n; i++) {
		l->layer_of[l->linear[i]] = i;
		l->roles |= UINT32_C(1) << m->linears[l->linear[i]].role;
	}
}

void
layer_set_free(struct layer_set *l)
{
	free(l->linear);
	free(l->layer_of);
	*l = (struct layer_set){0};
}

size_t
layer_set_size(const struct layer_set *l, int layer)
{
	const struct linear *x = &l->model->linears[l->linear[layer]];
	return (size_t)x->out * (size_t)x->in;
}

size_t
layer_set_values(const struct layer_set *l)
{
	size_t n = 0;
	for (int i = 0; i < l->n; i++)
		n += layer_set_size(l, i);
	return n;
}
