/*
 * pool: worker threads over fixed pieces of work.
 *
 * Determinism rule of the house: the caller cuts work into pieces whose number and content never depend on the number
 * of threads, each piece writes to its own place, and the caller reduces them in index order.
 */
#ifndef BYLINE_POOL_H
#define BYLINE_POOL_H

#include <stddef.h>

struct pool;

/* threads <= 0: $BYLINE_THREADS, else the processors this process may use. One thread means: run in the caller. */
struct pool *pool_new(int threads);
void pool_free(struct pool *p);
int pool_threads(const struct pool *p);

/* Runs fn(arg, i, worker) for every i in [0, n); worker < pool_threads(p). Returns when all have ended.
 * Not reentrant: one pool_run at a time on one pool. */
void pool_run(struct pool *p, size_t n, void (*fn)(void *arg, size_t i, int worker), void *arg);

#endif
