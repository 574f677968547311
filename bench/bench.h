/* bench: what several benchmarks want: errors that end them, the processor's time, what memory gives. */
#ifndef BYLINE_BENCH_H
#define BYLINE_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "byline/err.h"
#include "byline/mem.h"
#include "byline/pool.h"

enum { BENCH_STRETCH = 1 << 20 };
#define BENCH_BUFFER ((size_t)1 << 30)	/* larger than the processor's caches */

static inline void
must(enum err err)
{
	if (err == OK)
		return;
	fprintf(stderr, "benchmark: %s\n", err_message());
	exit(EXIT_FAILURE);
}

/* Of all threads together. */
static inline double
processor_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct bench_reading { const uint64_t *word; uint64_t *sum; };

/* Four sums, so that none waits for the one before. */
static inline void
bench_read_stretch(void *arg, size_t i, int worker)
{
	const struct bench_reading *r = arg;
	const uint64_t *w = r->word + i * (BENCH_STRETCH / sizeof(*w));
	uint64_t s[4] = {0};
	(void)worker;
	for (size_t j = 0; j < BENCH_STRETCH / sizeof(*w); j += 4)
		for (size_t k = 0; k < 4; k++)
			s[k] += w[j + k];
	r->sum[i] = s[0] + s[1] + s[2] + s[3];
}

/* Seconds by `clock` to add up a buffer of BENCH_BUFFER bytes with all threads. */
static inline double
bench_read_memory(const uint64_t *word, struct pool *pool, double (*clock)(const struct pool *pool))
{
	size_t n = BENCH_BUFFER / BENCH_STRETCH;
	struct bench_reading r = { word, xcalloc(n, sizeof(uint64_t)) };
	double start = clock(pool);
	pool_run(pool, n, bench_read_stretch, &r);
	double seconds = clock(pool) - start;
	free(r.sum);
	return seconds;
}

#endif
