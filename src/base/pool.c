/* pool: worker threads that draw piece numbers from one counter; the caller is worker 0. */
#include "config.h"	/* _GNU_SOURCE, for sched_getaffinity */

#include "byline/pool.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "byline/mem.h"

/* Looks at a number before a thread sleeps: some 50 microseconds, about what lies between two rounds of one token of a
 * large model; waking a thread takes as long. */
enum { THREADS_MAX = 1024, LOOKS = 2000 };

struct worker {
	struct pool *pool;
	pthread_t thread;
	int number;
};

struct pool {
	int threads;
	struct worker *workers;		/* [1, threads) have a thread */
	pthread_mutex_t lock;		/* guards everything below but `next`; atomic is what is looked at without */
	pthread_cond_t start, end;
	atomic_uint_fast64_t round;	/* one more for each pool_run */
	atomic_int busy;		/* workers that have not ended this round */
	bool stop;
	size_t n;
	void (*fn)(void *arg, size_t i, int worker);
	void *arg;
	atomic_size_t next;
};

static int
threads_default(void)
{
	const char *wish = getenv("BYLINE_THREADS");
	if (wish && *wish) {
		char *end;
		long n = strtol(wish, &end, 10);
		if (*end == '\0' && n > 0)
			return n < THREADS_MAX ? (int)n : THREADS_MAX;
	}
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	/* More processors than a cpu_set_t holds. */
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (int)n : 1;
}

static void
pool_draw(struct pool *p, int worker)
{
	size_t i;
	while ((i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed)) < p->n)
		p->fn(p->arg, i, worker);
}

static void
breathe(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static void
look_for_round(struct pool *p, uint64_t seen)
{
	for (int i = 0; i < LOOKS && atomic_load_explicit(&p->round, memory_order_acquire) == seen; i++)
		breathe();
}

static void
look_for_end(struct pool *p)
{
	for (int i = 0; i < LOOKS && atomic_load_explicit(&p->busy, memory_order_acquire) > 0; i++)
		breathe();
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	uint64_t seen = 0;
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->round == seen && !p->stop)
			pthread_cond_wait(&p->start, &p->lock);
		if (p->stop)
			break;
		seen = p->round;
		pthread_mutex_unlock(&p->lock);
		pool_draw(p, w->number);
		pthread_mutex_lock(&p->lock);
		if (--p->busy == 0)
			pthread_cond_signal(&p->end);
		pthread_mutex_unlock(&p->lock);
		look_for_round(p, seen);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Starts as many workers as the system gives; fewer is slower, not wrong. */
static void
pool_hire(struct pool *p, int threads)
{
	/* Signals belong to the threads that know what to do about them. */
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (p->threads = 1; p->threads < threads; p->threads++) {
		struct worker *w = &p->workers[p->threads];
		*w = (struct worker){ .pool = p, .number = p->threads };
		if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct pool *
pool_new(int threads)
{
	if (threads <= 0)
		threads = threads_default();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	struct pool *p = xcalloc(1, sizeof(*p));
	p->workers = xcalloc((size_t)threads, sizeof(*p->workers));
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->start, NULL);
	pthread_cond_init(&p->end, NULL);
	pool_hire(p, threads);
	return p;
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->start);
	pthread_mutex_unlock(&p->lock);
	for (int i = 1; i < p->threads; i++)
		pthread_join(p->workers[i].thread, NULL);
	pthread_cond_destroy(&p->start);
	pthread_cond_destroy(&p->end);
	pthread_mutex_destroy(&p->lock);
	free(p->workers);
	free(p);
}

int
pool_threads(const struct pool *p)
{
	return p->threads;
}

void
pool_run(struct pool *p, size_t n, void (*fn)(void *arg, size_t i, int worker), void *arg)
{
	if (p->threads == 1 || n <= 1) {
		for (size_t i = 0; i < n; i++)
			fn(arg, i, 0);
		return;
	}
	pthread_mutex_lock(&p->lock);
	assert(p->busy == 0);
	p->n = n;
	p->fn = fn;
	p->arg = arg;
	atomic_store(&p->next, 0);
	p->busy = p->threads - 1;
	p->round++;
	pthread_cond_broadcast(&p->start);
	pthread_mutex_unlock(&p->lock);

	pool_draw(p, 0);

	look_for_end(p);
	pthread_mutex_lock(&p->lock);
	while (p->busy > 0)
		pthread_cond_wait(&p->end, &p->lock);
	pthread_mutex_unlock(&p->lock);
}
