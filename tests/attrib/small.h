/* small: random examples for tiny models, and what the tests of the attrib floor compute the slow way. */
#ifndef BYLINE_TESTS_SMALL_H
#define BYLINE_TESTS_SMALL_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/dataset.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "tiny_model.h"

/* n examples of 5 to 14 tokens of a vocabulary of 50; every fifth is held out. */
static inline void
small_data(struct dataset *d, int n, uint64_t seed)
{
	struct rng rng;
	rng_init(&rng, seed, 0);
	*d = (struct dataset){0};
	for (int i = 0; i < n; i++) {
		int32_t token[14];
		size_t length = 5 + (size_t)rng_below(&rng, 10);
		for (size_t j = 0; j < length; j++)
			token[j] = j ? (int32_t)rng_below(&rng, 50) : 1;
		dataset_add(d, token, length, i % 5 == 4);
	}
}

/* to (out, in) += the gradient of a linear layer, from the flat gradient of all parameters. */
static inline void
small_layer_gradient(double *to, const struct model *m, const float *grads, int linear)
{
	const struct linear *l = &m->linears[linear];
	for (int i = 0; i < l->out * l->in; i++)
		to[i] += grads[l->w + (size_t)i];
}

/* to (rows, cols) = op(a) (rows, inner) op(b) (inner, cols), in double; a NULL matrix is the identity. */
static inline void
small_product(double *to, const double *a, int ta, const double *b, int tb, int rows, int inner, int cols)
{
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < cols; j++) {
			double sum = 0;
			for (int k = 0; k < inner; k++)
				sum += (a ? a[ta ? k * rows + i : i * inner + k] : i == k) * (b ? b[tb ? j * inner + k : k * cols + j] : k == j);
			to[i * cols + j] = sum;
		}
}

static inline double *
small_doubles(const float *v, size_t n)
{
	double *d = xcalloc(n, sizeof(*d));
	for (size_t i = 0; i < n && v; i++)
		d[i] = v[i];
	return d;
}

#endif
