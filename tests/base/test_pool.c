/* pool: each piece runs once, by a worker in range, and pool_run returns after the last one. */
#include "byline/pool.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "unit.h"

enum { PIECES = 100000 };

struct board {
	unsigned char *runs;	/* one place a piece: no two workers share one */
	int threads;
	atomic_int strays;
};

static void
mark(void *arg, size_t i, int worker)
{
	struct board *b = arg;
	b->runs[i]++;
	if (worker < 0 || worker >= b->threads)
		atomic_fetch_add(&b->strays, 1);
}

static void
test_each_once(void **state)
{
	(void)state;
	static const int threads[] = { 1, 2, 3, 16 };
	for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
		struct pool *p = pool_new(threads[t]);
		struct board b = { .runs = xcalloc(PIECES, 1), .threads = pool_threads(p) };
		assert_int_equal(b.threads, threads[t]);
		pool_run(p, PIECES, mark, &b);
		for (size_t i = 0; i < PIECES; i++)
			assert_int_equal(b.runs[i], 1);
		assert_int_equal(atomic_load(&b.strays), 0);
		free(b.runs);
		pool_free(p);
	}
}

/* Many short rounds in a row: a worker late for one round must neither miss the next nor join it twice. */
static void
test_many_rounds(void **state)
{
	(void)state;
	struct pool *p = pool_new(4);
	unsigned char runs[9] = {0};
	struct board b = { .runs = runs, .threads = 4 };
	for (int round = 1; round <= 3000; round++) {
		size_t n = (size_t)round % ARRAY_LEN(runs);
		for (size_t i = 0; i < ARRAY_LEN(runs); i++)
			runs[i] = 0;
		pool_run(p, n, mark, &b);
		for (size_t i = 0; i < ARRAY_LEN(runs); i++)
			assert_int_equal(runs[i], i < n);
	}
	assert_int_equal(atomic_load(&b.strays), 0);
	pool_free(p);
}

static void
meet(void *arg, size_t i, int worker)
{
	atomic_int *here = arg;
	(void)i;
	(void)worker;
	/* Two pieces that wait for each other end only if two workers run them. */
	atomic_fetch_add(here, 1);
	while (atomic_load(here) < 2)
		;
}

static void
test_really_parallel(void **state)
{
	(void)state;
	struct pool *p = pool_new(2);
	atomic_int here = 0;
	pool_run(p, 2, meet, &here);
	assert_int_equal(atomic_load(&here), 2);
	pool_free(p);
}

static void
test_thread_count(void **state)
{
	(void)state;
	setenv("BYLINE_THREADS", "3", 1);
	struct pool *p = pool_new(0);
	assert_int_equal(pool_threads(p), 3);
	pool_free(p);
	p = pool_new(2);
	assert_int_equal(pool_threads(p), 2);
	pool_free(p);
	static const char *const ignored[] = { "", "many", "-4", "0", "2x" };
	unsetenv("BYLINE_THREADS");
	p = pool_new(0);
	int usual = pool_threads(p);
	assert_true(usual >= 1);
	pool_free(p);
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		setenv("BYLINE_THREADS", ignored[i], 1);
		p = pool_new(-1);
		assert_int_equal(pool_threads(p), usual);
		pool_free(p);
	}
	pool_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_many_rounds),
		cmocka_unit_test(test_really_parallel),
		cmocka_unit_test(test_thread_count),
	};
	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
