/*
 * lanes: backward passes over many examples, their labels drawn from the model, in a fixed number of independent lanes.
 *
 * Lane l runs pieces l, l + lanes, l + 2 lanes, ... in order; what the caller sums up in a lane's own place, and then
 * over lanes in index order, is the same bits for any number of threads.
 */
#ifndef BYLINE_ATTRIB_LANES_H
#define BYLINE_ATTRIB_LANES_H

#include "byline/dataset.h"
#include "byline/job.h"
#include "byline/model.h"
#include "byline/pool.h"

#include "pieces.h"

struct lanes {
	const struct model *model;
	const float *params;
	const struct dataset *data;
	const struct pieces *pieces;
	uint64_t seed;			/* of labels: piece i uses stream STREAM_LABELS + i */
	uint32_t roles;			/* as in struct tap */
	int n;
	struct pool *pool;
	struct job *job;
	uint64_t done;			/* examples the job has behind it already */
	/* As tap->linear, with the lane and the worker it runs on. */
	void (*linear)(void *arg, int lane, int worker, int index, const float *a, const float *g,
		const struct batch *b);
	void *arg;
};
enum err lanes_run(const struct lanes *l);

/* How many lanes fit: at most 16 and a GiB of accumulators; a function of the model and the examples, never of the
 * machine. */
int lanes_count(size_t bytes_per_lane, size_t n_pieces);

#endif
