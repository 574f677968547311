/* job: progress and cancelling across threads. */
#include "byline/job.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
job_notify(struct job *job)
{
	if (job->notify)
		job->notify(job->notify_arg);
}

void
job_init(struct job *job)
{
	memset(job, 0, sizeof(*job));
	atomic_init(&job->cancel, false);
	atomic_init(&job->finished, false);
	atomic_init(&job->done, 0);
	atomic_init(&job->total, 0);
	pthread_mutex_init(&job->lock, NULL);
}

static void
job_join(struct job *job)
{
	if (job->started)
		pthread_join(job->thread, NULL);
	job->started = false;
}

void
job_done(struct job *job)
{
	job_join(job);
	pthread_mutex_destroy(&job->lock);
}

void
job_cancel(struct job *job)
{
	atomic_store(&job->cancel, true);
}

bool
job_cancelled(const struct job *job)
{
	return job && atomic_load_explicit(&job->cancel, memory_order_relaxed);
}

enum err
job_check(const struct job *job)
{
	return job_cancelled(job) ? err_set(ERR_CANCELLED, "cancelled") : OK;
}

void
job_phase(struct job *job, const char *phase, uint64_t total)
{
	if (!job)
		return;
	pthread_mutex_lock(&job->lock);
	snprintf(job->phase, sizeof(job->phase), "%s", phase);
	atomic_store(&job->done, 0);
	atomic_store(&job->total, total);
	pthread_mutex_unlock(&job->lock);
	job_notify(job);
}

void
job_step(struct job *job, uint64_t done)
{
	if (!job)
		return;
	atomic_store(&job->done, done);
	job_notify(job);
}

void
job_note(struct job *job, const char *fmt, ...)
{
	if (!job)
		return;
	va_list ap;
	va_start(ap, fmt);
	pthread_mutex_lock(&job->lock);
	vsnprintf(job->note, sizeof(job->note), fmt, ap);
	pthread_mutex_unlock(&job->lock);
	va_end(ap);
	job_notify(job);
}

void
job_look(struct job *job, struct job_view *view)
{
	pthread_mutex_lock(&job->lock);
	view->done = atomic_load(&job->done);
	view->total = atomic_load(&job->total);
	memcpy(view->phase, job->phase, sizeof(view->phase));
	memcpy(view->note, job->note, sizeof(view->note));
	pthread_mutex_unlock(&job->lock);
}

static void *
job_main(void *arg)
{
	struct job *job = arg;
	err_clear();
	job->result = job->fn(job, job->arg);
	err_copy(job->message, sizeof(job->message));
	atomic_store(&job->finished, true);
	job_notify(job);
	return NULL;
}

enum err
job_start(struct job *job, enum err (*fn)(struct job *job, void *arg), void *arg)
{
	assert(!job->started);
	job->fn = fn;
	job->arg = arg;
	job->result = OK;
	atomic_store(&job->finished, false);
	/* Signals stay with the thread that runs the screen; but a fault belongs to the thread that made it, and one
	 * that is blocked kills without a handler, which leaves a terminal broken. */
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
	sigset_t all, old;
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int code = pthread_create(&job->thread, NULL, job_main, job);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code != 0)
		return err_set(ERR_IO, "cannot start a thread: %s", strerror(code));
	job->started = true;
	return OK;
}

enum err
job_wait(struct job *job)
{
	job_join(job);
	return job->result == OK ? OK : err_set(job->result, "%s", job->message);
}
