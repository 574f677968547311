/* slices: fixed pieces of the parameter vector. */
#include "slices.h"

#include <stdlib.h>

#include "byline/mem.h"

/* Gradient, both moments and weights of a piece fit a second-level cache together. */
enum { SLICE = 16384 };

void
slices_make(struct slices *s, const struct model *m)
{
	size_t cap = 0;
	*s = (struct slices){0};
	for (int i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		size_t end = t->at + (size_t)t->rows * (size_t)t->cols;
		for (size_t at = t->at; at < end; at += SLICE) {
			size_t n = end - at < SLICE ? end - at : SLICE;
			mem_grow(&s->v, &cap, s->n + 1, sizeof(*s->v));
			s->v[s->n++] = (struct slice){ .at = at, .n = n, .decay = t->cols > 1 && !t->bias };
		}
	}
}

void
slices_free(struct slices *s)
{
	free(s->v);
	*s = (struct slices){0};
}
