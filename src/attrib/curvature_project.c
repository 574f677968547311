/* curvature_project: orthonormal rows, whitened by the symmetric root of a Kronecker factor. */
#include <math.h>
#include <stdlib.h>

#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/mm.h"

#include "curvature_internal.h"

struct project { uint64_t seed; double damping; };

/* p <- p Q diag((w + damping tr / n)^-1/2) Q^T */
static enum err
whiten(struct curvature_side *side, double damping)
{
	double trace = 0;
	float *turned = NULL;
	TRY(mem_array(&turned, (size_t)side->k * (size_t)side->n, sizeof(*turned), "a projection"));
	for (int i = 0; i < side->n; i++)
		trace += side->w[i];
	mm(side->k, side->n, side->n, 1, side->p, side->n, side->q, side->n, 0, turned, side->n);
	for (int j = 0; j < side->n; j++) {
		float root = trace > 0 ? (float)(1 / sqrt(side->w[j] + damping * trace / side->n)) : 1;
		for (int i = 0; i < side->k; i++)
			turned[(size_t)i * side->n + j] *= root;
	}
	mm_bt(side->k, side->n, side->n, 1, turned, side->n, side->q, side->n, 0, side->p, side->n);
	free(turned);
	return OK;
}

/* Where there is no factor to whiten with, its mean is used as if it were all of it. */
static void
whiten_evenly(struct curvature_side *side)
{
	float root = (float)(1 / sqrt((double)side->mean));
	for (size_t i = 0; i < (size_t)side->k * (size_t)side->n; i++)
		side->p[i] *= root;
}

/* (d + damping mean d)^-1/2, each coordinate for itself. */
static void
whiten_diagonal(struct curvature_side *side, double damping)
{
	double sum = 0;
	for (int i = 0; i < side->n; i++)
		sum += side->diagonal[i];
	for (int i = 0; i < side->n; i++)
		side->weight[i] = sum > 0 ? (float)(1 / sqrt(side->diagonal[i] + damping * sum / side->n)) : 1;
}

static enum err
project_side(void *arg, struct curvature_layer *l, int which)
{
	const struct project *o = arg;
	struct curvature_side *side = curvature_side(l, which);
	if (side->diagonal) {
		whiten_diagonal(side, o->damping);
		return OK;
	}
	if (!side->p)
		TRY(mem_array(&side->p, (size_t)side->k * (size_t)side->n, sizeof(float), "a projection"));
	uint64_t stream = STREAM_PROJECTION + 2 * (uint64_t)l->linear + (uint64_t)which;
	TRY(linalg_orthonormal_rows(side->p, side->k, side->n, o->seed, stream));
	if (side->w)
		return whiten(side, o->damping);
	whiten_evenly(side);
	return OK;
}

enum err
curvature_project(struct curvature *c, uint64_t seed, double whiten_damping, struct pool *pool)
{
	struct project o = { seed, whiten_damping };
	return curvature_each_side(c, pool, project_side, &o);
}

enum err
curvature_project_vocabulary(struct curvature *c, int k, uint64_t seed)
{
	for (int i = 0; i < c->n_layers; i++) {
		struct curvature_side *side = &c->layers[i].s;
		if (!side->weight || side->p)
			continue;
		side->k = k < side->n ? k : side->n;
		TRY(mem_array(&side->p, (size_t)side->k * (size_t)side->n, sizeof(float), "a projection"));
		uint64_t stream = STREAM_PROJECTION + 2 * (uint64_t)c->layers[i].linear + 1;
		TRY(linalg_orthonormal_rows(side->p, side->k, side->n, seed, stream));
		for (size_t j = 0; j < (size_t)side->k * (size_t)side->n; j++)
			side->p[j] *= side->weight[j % (size_t)side->n];
	}
	return OK;
}
