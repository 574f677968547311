/*
 * job: a piece of work that can be watched and cancelled from another thread.
 *
 * Long functions take a `struct job *` (NULL: nobody watches), report often and stop with ERR_CANCELLED soon after
 * job_cancel(). A job may run in its own thread (job_start), for the explorer, or in the caller's, for the commands.
 */
#ifndef BYLINE_JOB_H
#define BYLINE_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "byline/err.h"

struct job {
	atomic_bool cancel;
	atomic_uint_fast64_t done, total;
	pthread_mutex_t lock;		/* guards phase and note */
	char phase[48];			/* "reading", "curvature 2/6" */
	char note[96];			/* "loss 3.21, 9.1k tokens/s" */
	void (*notify)(void *arg);	/* called, from the working thread, after reports; may be NULL */
	void *notify_arg;
	pthread_t thread;
	bool started;
	atomic_bool finished;
	enum err (*fn)(struct job *job, void *arg);
	void *arg;
	enum err result;		/* valid once finished */
	char message[ERR_MESSAGE];	/* err_message() of the worker, valid once finished */
};

void job_init(struct job *job);
void job_done(struct job *job);			/* joins a started thread, destroys the lock */

void job_cancel(struct job *job);		/* async-signal-safe */
bool job_cancelled(const struct job *job);	/* false for NULL */
enum err job_check(const struct job *job);	/* ERR_CANCELLED with a message, or OK */

void job_phase(struct job *job, const char *phase, uint64_t total);	/* done = 0; NULL job: nothing */
void job_step(struct job *job, uint64_t done);
void job_note(struct job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct job_view { uint64_t done, total; char phase[48], note[96]; };
void job_look(struct job *job, struct job_view *view);

/* Runs fn in a thread. job->finished turns true (and notify is called) at the end. */
enum err job_start(struct job *job, enum err (*fn)(struct job *job, void *arg), void *arg);
enum err job_wait(struct job *job);		/* joins; the result, with the worker's message made this thread's */

#endif
