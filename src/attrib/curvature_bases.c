/* curvature_bases: pass 1, the covariances of inputs and output gradients over tokens, and their eigenvectors. */
#include <string.h>

#include "byline/linalg.h"
#include "byline/mm.h"

#include "curvature_fit.h"

/* A, then S, of a layer's sums: a matrix, or its diagonal. */
static size_t
side_floats(const struct curvature_side *side)
{
	if (side->diagonal)
		return (size_t)side->n;
	return side->q ? (size_t)side->n * (size_t)side->n : 0;
}

static size_t
layer_floats(const struct curvature_layer *l)
{
	return side_floats(&l->a) + side_floats(&l->s);
}

static void
add_outer(float *sum, const struct curvature_side *side, const float *x, int rows)
{
	if (side->diagonal)
		for (size_t i = 0; i < (size_t)rows * (size_t)side->n; i += (size_t)side->n)
			for (int j = 0; j < side->n; j++)
				sum[j] += x[i + (size_t)j] * x[i + (size_t)j];
	else if (side_floats(side) > 0)
		mm_at(side->n, side->n, rows, 1, x, side->n, x, side->n, 1, sum, side->n);
}

static void
bases_linear(void *arg, int lane, int worker, int index, const float *a, const float *g, const struct batch *b)
{
	const struct fit_sums *s = arg;
	int i = s->fit->layer_of[index];
	(void)worker;
	if (i < 0)
		return;
	const struct curvature_layer *l = &s->fit->c->layers[i];
	float *sum = fit_sums_layer(s, lane, i);
	add_outer(sum, &l->a, a, b->rows);
	add_outer(sum + side_floats(&l->a), &l->s, g, b->rows);
}

static enum err
decompose_side(void *arg, struct curvature_layer *l, int which)
{
	const struct fit_sums *s = arg;
	struct curvature_side *side = curvature_side(l, which);
	size_t n = side_floats(side);
	if (n == 0)
		return OK;
	const float *sum = fit_sums_layer(s, 0, (int)(l - s->fit->c->layers)) + (which ? side_floats(&l->a) : 0);
	float *to = side->diagonal ? side->diagonal : side->q;
	for (size_t i = 0; i < n; i++)
		to[i] = sum[i] / (float)s->fit->n_rows;
	if (side->diagonal)
		return OK;
	TRY(linalg_eigh(side->q, side->w, side->n));
	for (int i = 0; i < side->n; i++)
		side->w[i] = side->w[i] > 0 ? side->w[i] : 0;
	return curvature_round_basis(side->q, side->n);
}

enum err
fit_moments(struct fit *f, struct fit_sums *s)
{
	fit_sums_plan(s, f, layer_floats);
	return fit_sums_run(s, bases_linear, s);
}

enum err
fit_bases(struct fit *f)
{
	enum err err;
	struct fit_sums s;
	TRY_OUT(fit_moments(f, &s));
	err = curvature_each_side(f->c, f->lanes.pool, decompose_side, &s);
out:
	fit_sums_free(&s);
	return err;
}
