/*
 * fault: the first failure among pieces of work on a pool, carried with its message to the thread that waits for them.
 */
#ifndef BYLINE_ATTRIB_FAULT_H
#define BYLINE_ATTRIB_FAULT_H

#include <pthread.h>

#include "byline/err.h"
#include "byline/job.h"

struct fault {
	pthread_mutex_t lock;
	atomic_int code;
	char message[256];
	struct job *job;
	atomic_uint_fast64_t done;
};

void fault_init(struct fault *f, struct job *job);
/* A piece that begins asks whether it should: false after a failure or a cancel. */
bool fault_go(struct fault *f);
void fault_set(struct fault *f, enum err code);		/* OK: nothing; else with this thread's message */
void fault_step(struct fault *f, uint64_t n);		/* n more units of the job's total are done */
enum err fault_end(struct fault *f);			/* the failure, or ERR_CANCELLED, or OK; f is gone */

#endif
