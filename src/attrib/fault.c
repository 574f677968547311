/* fault: failures, progress and cancelling of pieces that run at the same time. */
#include "fault.h"

void
fault_init(struct fault *f, struct job *job)
{
	pthread_mutex_init(&f->lock, NULL);
	atomic_init(&f->code, OK);
	atomic_init(&f->done, 0);
	f->message[0] = '\0';
	f->job = job;
}

bool
fault_go(struct fault *f)
{
	return atomic_load(&f->code) == OK && !job_cancelled(f->job);
}

void
fault_set(struct fault *f, enum err code)
{
	if (code == OK)
		return;
	pthread_mutex_lock(&f->lock);
	if (atomic_load(&f->code) == OK) {
		err_copy(f->message, sizeof(f->message));
		atomic_store(&f->code, (int)code);
	}
	pthread_mutex_unlock(&f->lock);
}

void
fault_step(struct fault *f, uint64_t n)
{
	pthread_mutex_lock(&f->lock);
	job_step(f->job, atomic_fetch_add(&f->done, n) + n);
	pthread_mutex_unlock(&f->lock);
}

enum err
fault_end(struct fault *f)
{
	enum err code = (enum err)atomic_load(&f->code);
	pthread_mutex_destroy(&f->lock);
	if (code != OK)
		return err_set(code, "%s", f->message);
	return job_check(f->job);
}
