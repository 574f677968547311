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
	size_t moments;			/* floats that a lane of the first pass sums up */
	size_t resident;		/* bytes of the process before any weights are there */
	size_t loaded, opening;		/* that the weights add, and at most while they are read */
	struct index_cost *out;
};

/* Adds to out's stages. */
enum err cost_time(struct cost *c);
/* out's memory; wants what cost_time leaves in c. */
void cost_memory(struct cost *c);
/* out's disk. */
void cost_disk(struct cost *c);

size_t cost_resident(void);		/* of this process, now; 0 where the system does not say */
size_t cost_most_resident(void);	/* so far */

#endif
