/* worker: starting, waking, collecting. */
#include "config.h"	/* pipe2 */

#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "byline/clock.h"

enum err
worker_open(struct worker *w)
{
	memset(w, 0, sizeof(*w));
	atomic_init(&w->rung, false);
	if (pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_set(ERR_IO, "cannot make a pipe: %s", strerror(errno));
	return OK;
}

void
worker_close(struct worker *w)
{
	worker_stop(w);
	close(w->pipe[0]);
	close(w->pipe[1]);
}

/* From the working thread. However often it reports, one byte is enough. */
static void
worker_ring(void *arg)
{
	struct worker *w = arg;
	if (!atomic_exchange(&w->rung, true) && write(w->pipe[1], "!", 1) < 0)
		atomic_store(&w->rung, false);
}

void
worker_hush(struct worker *w)
{
	char buf[16];
	while (read(w->pipe[0], buf, sizeof(buf)) > 0)
		;
	/* Last: a ring that finds the flag still up is seen by whoever looks at the job after us. */
	atomic_store(&w->rung, false);
}

enum err
worker_start(struct worker *w, const char *what, enum err (*fn)(struct job *job, void *arg),
	void (*done)(void *arg, enum err err), void *arg)
{
	assert(!w->busy);
	job_init(&w->job);
	w->job.notify = worker_ring;
	w->job.notify_arg = w;
	w->what = what;
	w->since = clock_monotonic();
	w->done = done;
	w->arg = arg;
	enum err err = job_start(&w->job, fn, arg);
	w->busy = err == OK;
	if (err != OK)
		job_done(&w->job);
	return err;
}

void
worker_cancel(struct worker *w)
{
	if (w->busy)
		job_cancel(&w->job);
}

static void
worker_end(struct worker *w)
{
	enum err err = job_wait(&w->job);
	job_done(&w->job);
	w->busy = false;
	w->done(w->arg, err);
}

bool
worker_collect(struct worker *w)
{
	bool ended = w->busy && atomic_load(&w->job.finished);
	if (ended)
		worker_end(w);
	return ended;
}

void
worker_stop(struct worker *w)
{
	worker_cancel(w);
	if (w->busy)
		worker_end(w);
}

double
worker_seconds(const struct worker *w)
{
	return w->busy ? clock_monotonic() - w->since : 0;
}
