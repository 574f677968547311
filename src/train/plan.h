/*
 * plan: what each step of a run does, from the recipe alone: which examples, at which learning rate, which steps are
 * kept.
 */
#ifndef BYLINE_TRAIN_PLAN_H
#define BYLINE_TRAIN_PLAN_H

#include <stdbool.h>

#include "byline/train.h"

struct plan {
	const struct train_spec *spec;
	size_t n;			/* trained examples; dropped ones count, so that dropping moves no other */
	uint32_t *order;		/* n, the shuffle of `epoch` */
	uint32_t *batch;		/* the examples of one step */
	int64_t epoch;			/* -1: order is not shuffled yet */
	int64_t per_epoch, steps, warmup;
};

/* The spec is borrowed, must outlive the plan, and has at least one example to train on. */
void plan_open(struct plan *p, const struct train_spec *spec);
void plan_close(struct plan *p);		/* safe on a zeroed struct */

/* The examples of a step (counted from 0) that are not dropped, in p->batch; how many. */
size_t plan_batch(struct plan *p, int64_t step);

/* Linear warm-up to the peak, then half a cosine to its floor at the last step (Loshchilov, Hutter 2017, eq. 5, one
 * cycle). */
double plan_lr(const struct plan *p, int64_t step);

bool plan_epoch_ends(const struct plan *p, int64_t done);	/* after `done` steps */
/* Is the state after `done` steps a kept checkpoint? Evenly spaced, the last step and the middle among them: with an
 * even `keep` every 1/keep of the run, with an odd one every 1/(keep + 1) but for the first. */
bool plan_keeps(const struct plan *p, int64_t done);

#endif
