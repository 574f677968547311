/*
 * sampled: backward passes over many examples, their labels drawn from the model, as the Fisher matrix wants
 * them.
 *
 * As many pieces at once as the pool has threads; what they find is added up in turns.
 */
#ifndef BYLINE_ATTRIB_SAMPLED_H
#define BYLINE_ATTRIB_SAMPLED_H

#include "byline/dataset.h"
#include "byline/job.h"
#include "byline/model.h"
#include "byline/pool.h"

#include "pieces.h"
#include "turns.h"

struct sampled {
	const struct model *model;
	const float *params;
	const struct dataset *data;
	const struct pieces *pieces;
	uint64_t seed;			/* of labels: piece i uses stream STREAM_LABELS + i */
	uint32_t roles;			/* as in struct tap */
	struct pool *pool;
	struct job *job;
	uint64_t done;			/* examples the job has behind it already */
	size_t slots;			/* sums that pieces take turns at */
	/* As tap->linear, with the piece's turn and the worker it runs on. */
	void (*linear)(void *arg, const struct turn *turn, int worker, int index, const float *a, const float *g,
		const struct batch *b);
	void *arg;
};
enum err sampled_run(const struct sampled *s);

#endif
