/* index_cost_curvature: the two passes of curvature, and the eigenvectors of its sides. */
#include "index_cost.h"

#include <math.h>
#include <stdlib.h>

#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"

/* ---- curvature ---- */

static double
piece_targets(const struct cost *c, size_t n)
{
	return cost_targets(&c->x->data, c->fit.example, c->fit.pieces.start[n]);
}

static enum err
try_moments(struct cost *c, size_t n, double *work)
{
	struct pieces some = c->fit.pieces;
	some.n = n;
	c->fit.sampled.pieces = &some;
	enum err err = fit_moments(&c->fit);
	c->fit.sampled.pieces = &c->fit.pieces;
	*work = piece_targets(c, n);
	return err;
}

static enum err
try_spectrum(struct cost *c, size_t n, double *work)
{
	struct pieces some = c->fit.pieces;
	some.n = n;
	c->fit.sampled.pieces = &some;
	enum err err = fit_spectrum(&c->fit);
	c->fit.sampled.pieces = &c->fit.pieces;
	*work = piece_targets(c, n);
	return err;
}

static enum err
time_passes(struct cost *c, double *seconds)
{
	double first, second;
	size_t n = c->fit.pieces.n;
	TRY(cost_trial(c, try_moments, n, piece_targets(c, n), &first));
	TRY(cost_trial(c, try_spectrum, n, piece_targets(c, n), &second));
	*seconds = first + second;
	return OK;
}

/* ---- eigenvectors ---- */

struct eigen { int n; float **q; enum err *err; };

static void
eigen_one(void *arg, size_t i, int worker)
{
	struct eigen *e = arg;
	float *w = xcalloc((size_t)e->n, sizeof(*w));
	(void)worker;
	e->err[i] = linalg_eigh(e->q[i], w, e->n);
	/* Rounded when it is made, packed when it is saved, unpacked when it is read. */
	for (int times = 0; e->err[i] == OK && times < 2; times++)
		e->err[i] = curvature_round_basis(e->q[i], e->n);
	free(w);
}

static void
random_spd(float *q, int n)
{
	struct rng rng;
	float *x = xcalloc((size_t)n * (size_t)n, sizeof(*x));
	rng_init(&rng, 1, (uint64_t)n);
	for (size_t i = 0; i < (size_t)n * (size_t)n; i++)
		x[i] = (float)rng_normal(&rng) / (float)(1 + i % (size_t)n);
	mm_at(n, n, n, 1, x, n, x, n, 0, q, n);
	free(x);
}

/* Seconds a matrix, with as many at once as there are workers. */
static enum err
time_eigen(struct cost *c, int n, double *seconds)
{
	enum err err = OK;
	size_t workers = (size_t)pool_threads(c->x->pool);
	struct eigen e = { .n = n };
	e.q = xcalloc(workers, sizeof(*e.q));
	e.err = xcalloc(workers, sizeof(*e.err));
	for (size_t i = 0; i < workers; i++) {
		e.q[i] = xcalloc((size_t)n * (size_t)n, sizeof(**e.q));
		random_spd(e.q[i], n);
	}
	double begun = cost_processor_seconds();
	pool_run(c->x->pool, workers, eigen_one, &e);
	*seconds = (cost_processor_seconds() - begun) / (double)workers;
	for (size_t i = 0; i < workers; i++) {
		err = err == OK ? e.err[i] : err;
		free(e.q[i]);
	}
	free(e.q);
	free(e.err);
	return err;
}

enum { EIGEN_SMALL = 320, EIGEN_LARGE = 640 };

/* Of all bases of a checkpoint; those too large to try by the power of n that two smaller ones show. */
static enum err
time_bases(struct cost *c, double *seconds)
{
	double small = 0, large = 0, one = 0;
	int last = 0;
	*seconds = 0;
	for (int i = 0; i < 2 * c->curvature.n_layers; i++) {
		const struct curvature_side *side = curvature_side(&c->curvature.layers[i / 2], i % 2);
		if (!side->q)
			continue;
		if (side->n > EIGEN_LARGE && large == 0) {
			TRY(time_eigen(c, EIGEN_SMALL, &small));
			TRY(time_eigen(c, EIGEN_LARGE, &large));
		}
		if (side->n > EIGEN_LARGE)
			one = large * pow((double)side->n / EIGEN_LARGE, log(large / small) / log(2));
		else if (side->n != last)
			TRY(time_eigen(c, side->n, &one));
		last = side->n;
		*seconds += one;
	}
	return OK;
}

enum err
cost_curvature(struct cost *c)
{
	double passes, bases, begun = cost_processor_seconds(), n = c->x->info.n_checkpoints;
	job_note(c->x->job, "curvature");
	/* When it is made, and again when it is read. */
	TRY(curvature_project(&c->curvature, c->options.seed, c->options.whiten_damping, c->x->pool));
	double project = 2 * (cost_processor_seconds() - begun);
	TRY(time_passes(c, &passes));
	TRY(time_bases(c, &bases));
	c->out->stage[INDEX_CURVATURE] += n * passes;
	c->out->stage[INDEX_EIGENVECTORS] += n * (bases + project);
	return OK;
}
