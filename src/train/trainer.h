/*
 * trainer: the arithmetic of a run, step by step, without the disk: what train_run and train_replay share.
 */
#ifndef BYLINE_TRAIN_TRAINER_H
#define BYLINE_TRAIN_TRAINER_H

#include "byline/train.h"

#include "meter.h"
#include "plan.h"
#include "step.h"

struct trainer {
	struct model *m;
	const struct train_spec *spec;
	struct pool *pool;
	struct job *job;
	struct plan plan;
	struct step step;
	int64_t updates;		/* steps that had examples left */
	struct train_status status;	/* status.step: steps done */
	struct meter meter;
	const struct train_capture *capture;	/* NULL unless the run sets it: a replay is not watched */
};

/* Options, and data against the model: ERR_USAGE, ERR_LIMIT, ERR_MISMATCH. */
enum err trainer_check(const struct model *m, const struct train_spec *spec);

/* Checks, and draws fresh weights. Everything is borrowed until trainer_close. */
enum err trainer_open(struct trainer *t, struct model *m, const struct train_spec *spec, struct pool *pool,
	struct job *job);
void trainer_close(struct trainer *t);		/* safe after a failed open */

/* One step. ERR_USAGE, with the model as it was, when loss or gradient are not finite. */
enum err trainer_step(struct trainer *t);

/* Fills status.heldout, when there is held-out text. */
void trainer_evaluate(struct trainer *t);

/* Calls spec->status and reports to the job, about twice a second, or now when `force`. */
void trainer_report(struct trainer *t, bool force);

#endif
