/*
 * meter: how fast a run goes and how long it will take. Shown, never stored: it is the one thing that differs between
 * two runs.
 */
#ifndef BYLINE_TRAIN_METER_H
#define BYLINE_TRAIN_METER_H

#include <stdbool.h>
#include <stdint.h>

struct meter {
	double reported;		/* clock_monotonic() of the last report */
	double tokens;			/* since then */
	int64_t step;			/* at that time */
	double token_rate, step_rate;	/* per second, running means; 0: not known yet */
};

void meter_start(struct meter *m, int64_t step);
bool meter_due(const struct meter *m);		/* half a second has passed */
void meter_report(struct meter *m, int64_t step);	/* folds what came since the last report into the rates */

#endif
