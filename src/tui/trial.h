/*
 * trial: one ranking put to the test by real retraining, beside everything else the explorer does: first how long it
 * would take, then, when that was agreed to, the thing itself. One at a time.
 */
#ifndef TUI_TRIAL_H
#define TUI_TRIAL_H

#include "source.h"
#include "worker.h"

enum trial_state { TRIAL_NONE, TRIAL_ESTIMATING, TRIAL_READY, TRIAL_RUNNING, TRIAL_DONE, TRIAL_STOPPED, TRIAL_FAILED };

struct trial {
	struct worker worker;		/* of its own */
	struct source *source;		/* NULL until something is asked */
	struct trial_ask ask;
	enum trial_state state;
	double seconds;			/* the estimate */
	struct whatif *result;		/* when done */
	char error[ERR_MESSAGE];		/* when failed */
	struct whatif *made;		/* what the running job hands over */
	double made_seconds;
};

enum err trial_open(struct trial *t);
void trial_close(struct trial *t);		/* stops what runs */
bool trial_busy(const struct trial *t);		/* estimating or running */
bool trial_is(const struct trial *t, const struct trial_ask *ask);	/* it is about this */
/* Drops what was there before and finds out how long this would take. Not while it is running. */
void trial_estimate(struct trial *t, struct source *s, const struct trial_ask *ask);
void trial_start(struct trial *t);		/* not while it is busy */
void trial_stop(struct trial *t);
/* Done of all, 0..1; NaN: not known. */
double trial_part(struct trial *t);

void trial_ask_copy(struct trial_ask *to, const struct trial_ask *from);
void trial_ask_free(struct trial_ask *ask);

#endif
