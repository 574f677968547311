/*
 * worker: one job at a time in a thread of its own, and a pipe that wakes the loop when it has something to say.
 */
#ifndef TUI_WORKER_H
#define TUI_WORKER_H

#include "byline/job.h"

struct worker {
	struct job job;
	bool busy;
	const char *what;		/* "ranking" */
	double since;			/* of clock_monotonic() */
	void (*done)(void *arg, enum err err);	/* on the screen's thread; the message is err_message() */
	void *arg;
	int pipe[2];
	atomic_bool rung;		/* a byte is in the pipe */
};

enum err worker_open(struct worker *w);
void worker_close(struct worker *w);		/* cancels and waits */
enum err worker_start(struct worker *w, const char *what, enum err (*fn)(struct job *job, void *arg),
	void (*done)(void *arg, enum err err), void *arg);
void worker_cancel(struct worker *w);
void worker_stop(struct worker *w);		/* cancels, waits, collects; soon, since jobs look often */
void worker_hush(struct worker *w);		/* empties the pipe */
bool worker_collect(struct worker *w);		/* true: a job had ended, and `done` was called */
double worker_seconds(const struct worker *w);	/* how long the running job has taken */

#endif
