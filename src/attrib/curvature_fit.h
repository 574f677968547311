/*
 * curvature_fit: what the two passes of curvature_compute share.
 */
#ifndef BYLINE_ATTRIB_CURVATURE_FIT_H
#define BYLINE_ATTRIB_CURVATURE_FIT_H

#include "curvature_internal.h"
#include "lanes.h"

struct fit {
	struct curvature *c;
	const struct curvature_options *options;
	int *layer_of;			/* by linear: index into c->layers, or -1 */
	struct lanes lanes;		/* all but n, linear and arg set */
	size_t n_examples, n_rows;	/* of the sample */
	uint32_t *example;
	struct pieces pieces;
};

/* All but the options, the pool and the job's part: chooses the sample, cuts it, and makes room in c. fit_end is
 * called after a failure, too; c is the caller's. */
enum err fit_begin(struct fit *f, struct curvature *c, const struct model *m, const float *params,
	const struct dataset *data, const struct curvature_options *o, struct pool *pool, struct job *job);
void fit_end(struct fit *f);

/* A pass: sums (lane_floats) in each lane, where layer i's begin at at[i]; afterwards lane 0 holds the sum of all
 * lanes. */
struct fit_sums {
	struct fit *fit;
	size_t lane_floats;
	size_t *at;
	float *sum;			/* (lanes, lane_floats) */
};
/* Sets at and lane_floats from the floats each layer takes. */
void fit_sums_plan(struct fit_sums *s, struct fit *f, size_t (*floats)(const struct curvature_layer *l));
enum err fit_sums_run(struct fit_sums *s,
	void (*linear)(void *arg, int lane, int worker, int index, const float *a, const float *g,
	const struct batch *b), void *arg);
float *fit_sums_layer(const struct fit_sums *s, int lane, int layer);
void fit_sums_free(struct fit_sums *s);

/* Pass 1's sums alone; the caller's, also after a failure. */
enum err fit_moments(struct fit *f, struct fit_sums *s);
/* Pass 1: bases and eigenvalues of every side that has one. */
enum err fit_bases(struct fit *f);
/* Pass 2: lambda and damping. */
enum err fit_spectrum(struct fit *f);

#endif
