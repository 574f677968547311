/* curvature_bases: pass 1, the covariances of inputs and output gradients over tokens, and their eigenvectors. */
#include <string.h>

#include "byline/linalg.h"
#include "byline/mm.h"

#include "curvature_fit.h"

/* Where A's or S's sum over tokens stands, in *n floats: a matrix, or its diagonal; NULL: the side has none. */
static float *
side_sum(const struct curvature_side *side, size_t *n)
{
	*n = (size_t)side->n * (side->diagonal ? 1 : (size_t)side->n);
	return side->diagonal ? side->diagonal : side->q;
}

static void
add_outer(const struct curvature_side *side, const float *x, int rows)
{
	if (side->diagonal)
		for (size_t i = 0; i < (size_t)rows * (size_t)side->n; i += (size_t)side->n)
			for (int j = 0; j < side->n; j++)
				side->diagonal[j] += x[i + (size_t)j] * x[i + (size_t)j];
	else if (side->q)
		mm_at(side->n, side->n, rows, 1, x, side->n, x, side->n, 1, side->q, side->n);
}

static void
bases_linear(void *arg, const struct turn *turn, int worker, int index, const float *a, const float *g,
	const struct batch *b)
{
	const struct fit *f = arg;
	int i = f->layer_of[index];
	(void)worker;
	for (int side = 0; i >= 0 && side < 2; side++) {
		turn_wait(turn, 2 * (size_t)i + (size_t)side);
		add_outer(curvature_side(&f->c->layers[i], side), side ? g : a, b->rows);
		turn_pass(turn, 2 * (size_t)i + (size_t)side);
	}
}

static enum err
clear_side(void *arg, struct curvature_layer *l, int which)
{
	size_t n;
	float *sum = side_sum(curvature_side(l, which), &n);
	(void)arg;
	if (sum)
		memset(sum, 0, n * sizeof(*sum));
	return OK;
}

static enum err
decompose_side(void *arg, struct curvature_layer *l, int which)
{
	const struct fit *f = arg;
	struct curvature_side *side = curvature_side(l, which);
	size_t n;
	float *sum = side_sum(side, &n);
	if (!sum)
		return OK;
	for (size_t i = 0; i < n; i++)
		sum[i] /= (float)f->n_rows;
	if (side->diagonal)
		return OK;
	TRY(linalg_eigh(side->q, side->w, side->n));
	for (int i = 0; i < side->n; i++)
		side->w[i] = side->w[i] > 0 ? side->w[i] : 0;
	return curvature_round_basis(side->q, side->n);
}

enum err
fit_moments(struct fit *f)
{
	struct sampled pass = f->sampled;
	pass.slots = 2 * (size_t)f->c->n_layers;
	pass.linear = bases_linear;
	pass.arg = f;
	TRY(curvature_each_side(f->c, f->sampled.pool, clear_side, NULL));
	return sampled_run(&pass);
}

enum err
fit_bases(struct fit *f)
{
	TRY(fit_moments(f));
	return curvature_each_side(f->c, f->sampled.pool, decompose_side, f);
}
