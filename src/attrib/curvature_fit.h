/*
 * curvature_fit: what the two passes of curvature_compute share.
 */
#ifndef BYLINE_ATTRIB_CURVATURE_FIT_H
#define BYLINE_ATTRIB_CURVATURE_FIT_H

#include "curvature_internal.h"
#include "sampled.h"

struct fit {
	struct curvature *c;
	const struct curvature_options *options;
	int *layer_of;			/* by linear: index into c->layers, or -1 */
	struct sampled sampled;		/* all but slots, linear and arg set */
	size_t n_examples, n_rows;	/* of the sample */
	uint32_t *example;
	struct pieces pieces;
};

/* All but the options, the pool and the job's part: chooses the sample, cuts it, and makes room in c. fit_end is
 * called after a failure, too; c is the caller's. */
enum err fit_begin(struct fit *f, struct curvature *c, const struct model *m, const float *params,
	const struct dataset *data, const struct curvature_options *o, struct pool *pool, struct job *job);
void fit_end(struct fit *f);

/* Pass 1's sums alone, in q and diagonal of every side. */
enum err fit_moments(struct fit *f);
/* Pass 1: bases and eigenvalues of every side that has one. */
enum err fit_bases(struct fit *f);
/* Pass 2: lambda and damping. */
enum err fit_spectrum(struct fit *f);
size_t fit_room(const struct fit *f);		/* bytes of scratch that each worker has there */

#endif
