/* rng: Philox's known answers, the order of a stream, and that the distributions are what they say. */
#include "byline/rng.h"

#include <math.h>
#include <string.h>

#include "byline/mem.h"
#include "unit.h"

/* The known-answer vectors published with Random123. */
static void
test_known_answers(void **state)
{
	(void)state;
	static const struct { uint64_t seed, stream, counter; uint32_t want[4]; } cases[] = {
		{ 0, 0, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ 0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88,
			{ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t out[4];
		rng_block(cases[i].seed, cases[i].stream, cases[i].counter, out);
		assert_memory_equal(out, cases[i].want, sizeof(out));
	}
}

static void
test_stream_order(void **state)
{
	(void)state;
	struct rng r;
	rng_init(&r, 7, 9);
	for (uint64_t block = 0; block < 5; block++) {
		uint32_t want[4];
		rng_block(7, 9, block, want);
		for (int i = 0; i < 4; i++)
			assert_int_equal(rng_u32(&r), want[i]);
	}
	struct rng other;
	rng_init(&r, 7, 9);
	rng_init(&other, 7, 10);
	assert_int_not_equal(rng_u64(&r), rng_u64(&other));
	rng_init(&r, 0, 0);
	assert_true(rng_u64(&r) == 0xe169c58d6627e8d5);
}

static void
test_seek(void **state)
{
	(void)state;
	uint32_t words[64];
	struct rng r;
	rng_init(&r, 1, 2);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = rng_u32(&r);
	for (size_t i = ARRAY_LEN(words) - 1; i-- > 0;) {
		rng_seek(&r, i);
		assert_int_equal(rng_u32(&r), words[i]);
		assert_int_equal(rng_u32(&r), words[i + 1]);
	}
}

static void
test_uniform(void **state)
{
	(void)state;
	struct rng r;
	double sum = 0, low = 1, high = 0;
	rng_init(&r, 3, 0);
	for (int i = 0; i < 100000; i++) {
		double u = rng_uniform(&r);
		assert_true(u >= 0 && u < 1);
		sum += u;
		low = fmin(low, u);
		high = fmax(high, u);
	}
	assert_true(fabs(sum / 100000 - 0.5) < 0.005);
	assert_true(low < 0.001 && high > 0.999);
}

static void
test_normal(void **state)
{
	(void)state;
	enum { N = 200000 };
	struct rng r;
	double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
	rng_init(&r, 4, 0);
	for (int i = 0; i < N; i++) {
		double x = rng_normal(&r);
		assert_true(isfinite(x));
		m1 += x / N;
		m2 += x * x / N;
		m3 += x * x * x / N;
		m4 += x * x * x * x / N;
	}
	assert_true(fabs(m1) < 0.01);
	assert_true(fabs(m2 - 1) < 0.02);
	assert_true(fabs(m3) < 0.05);
	assert_true(fabs(m4 - 3) < 0.15);
	/* Four words a number and nothing kept back. */
	struct rng s;
	rng_init(&s, 4, 0);
	rng_seek(&s, 4 * (uint64_t)N);
	assert_true(rng_normal(&r) == rng_normal(&s));
}

static void
test_below(void **state)
{
	(void)state;
	struct rng r;
	int count[7] = {0};
	rng_init(&r, 5, 0);
	for (int i = 0; i < 70000; i++) {
		uint64_t x = rng_below(&r, 7);
		assert_true(x < 7);
		count[x]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(count[i], 9600, 10400);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rng_below(&r, 1), 0);
	/* A plain remainder would put half of all draws in the low third of this n. */
	const uint64_t n = UINT64_C(3) << 62;
	int low = 0;
	for (int i = 0; i < 30000; i++)
		low += rng_below(&r, n) < n / 3;
	assert_in_range(low, 9600, 10400);
}

static void
test_shuffle(void **state)
{
	(void)state;
	struct rng r;
	int first[5] = {0};
	rng_init(&r, 6, 0);
	for (int round = 0; round < 5000; round++) {
		uint32_t v[5] = { 0, 1, 2, 3, 4 };
		unsigned seen = 0;
		rng_shuffle(&r, v, 5);
		for (int i = 0; i < 5; i++)
			seen |= 1u << v[i];
		assert_int_equal(seen, 31);
		first[v[0]]++;
	}
	for (int i = 0; i < 5; i++)
		assert_in_range(first[i], 850, 1150);
	rng_shuffle(&r, NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_stream_order),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_normal),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_shuffle),
	};
	return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
