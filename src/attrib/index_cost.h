/*
 * index_cost: what indexing would take, from a sample of its own work.
 */
#ifndef BYLINE_ATTRIB_INDEX_COST_H
#define BYLINE_ATTRIB_INDEX_COST_H

#include "curvature_fit.h"
#include "index_null.h"
#include "indexing.h"

struct cost {
	struct indexing *x;		/* opened, with a layout */
	struct model m;			/* the last checkpoint, with weights */
	struct fit fit;
	struct curvature curvature;	/* of the right shape and all zeros, which takes as long */
	struct curvature_options options;
	size_t resident;		/* bytes of the process before any weights are there */
	size_t loaded, opening;		/* that the weights add, and at most while they are read */
	struct index_cost *out;
};

/* Adds to out's stages. */
enum err cost_time(struct cost *c);
/* Those of curvature and eigenvectors; c->fit has begun. */
enum err cost_curvature(struct cost *c);

/*
 * Rates are those of the processor's time. What that is in a person's time depends on who else is at work, which no
 * trial alone is long enough to see: the ratio is taken once, over all of them (cost_time).
 */
double cost_processor_seconds(void);
/* Does n units; *work: how much that was. */
typedef enum err trial_fn(struct cost *c, size_t n, double *work);
/* Seconds that `all` work would take, from ever more units up to `most`, half a second of them. */
enum err cost_trial(struct cost *c, trial_fn *fn, size_t most, double all, double *seconds);
double cost_targets(const struct dataset *d, const uint32_t *example, size_t n);	/* of n examples */

/* out's memory; wants what cost_time leaves in c. */
void cost_memory(struct cost *c);
/* out's disk. */
void cost_disk(struct cost *c);

size_t cost_resident(void);		/* of this process, now; 0 where the system does not say */
size_t cost_most_resident(void);	/* so far */

#endif
