/* Ranks, quantiles and selections against values worked out by hand, and selections against sorting. */
#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/stats.h"
#include "unit.h"

static void
test_moments(void **state)
{
	(void)state;
	double v[] = {4, 1, 3, 2}, one[] = {7};
	assert_true(stats_mean(v, 4) == 2.5);
	assert_true(fabs(stats_sd(v, 4) - sqrt(5.0 / 3)) < 1e-15);
	assert_true(stats_sd(one, 1) == 0);
	assert_true(stats_quantile(v, 4, 0.5) == 2.5);
	assert_true(v[0] == 1 && v[3] == 4);
	assert_true(stats_quantile(v, 4, 0) == 1 && stats_quantile(v, 4, 1) == 4);
	assert_true(fabs(stats_quantile(v, 4, 0.1) - 1.3) < 1e-15);
	assert_true(stats_quantile(one, 1, 0.3) == 7);
}

static void
test_ranks(void **state)
{
	(void)state;
	double v[] = {10, 20, 10, 5, 20, 20}, rank[6];
	static const double want[] = {2.5, 5, 2.5, 1, 5, 5};
	stats_ranks(v, 6, rank);
	for (int i = 0; i < 6; i++)
		assert_true(rank[i] == want[i]);
}

static void
test_correlation(void **state)
{
	(void)state;
	double x[] = {1, 2, 3, 4, 5}, y[] = {1, 8, 27, 64, 125}, z[] = {5, 4, 3, 2, 1}, c[] = {2, 2, 2, 2, 2};
	assert_true(fabs(stats_pearson(x, z, 5) + 1) < 1e-15);
	assert_true(stats_pearson(x, y, 5) < 0.99);
	assert_true(fabs(stats_spearman(x, y, 5) - 1) < 1e-15);
	assert_true(isnan(stats_pearson(x, c, 5)) && isnan(stats_spearman(c, x, 5)));
	double a[] = {1, 2, 3, 4}, b[] = {2, 1, 4, 3};
	assert_true(fabs(stats_spearman(a, b, 4) - 0.6) < 1e-15);
}

static void
test_ndcg(void **state)
{
	(void)state;
	double truth[] = {3, 2, 0, -5}, good[] = {9, 5, 1, 0}, bad[] = {0, 1, 5, 9}, none[] = {0, -1, -2, 0};
	assert_true(fabs(stats_ndcg(good, truth, 4, 2) - 1) < 1e-15);
	assert_true(stats_ndcg(bad, truth, 4, 2) == 0);
	double ideal = 3 + 2 / log2(3), got = 2 / log2(4) + 3 / log2(5);
	assert_true(fabs(stats_ndcg(bad, truth, 4, 4) - got / ideal) < 1e-15);
	assert_true(stats_ndcg(good, none, 4, 4) == 0);
}

static void
check_top(const float *v, size_t n, size_t k, int sign)
{
	uint32_t *out = xreallocarray(NULL, k, sizeof(*out));
	size_t got = stats_top(v, n, k, sign, out);
	assert_int_equal(got, k < n ? k : n);
	for (size_t i = 0; i < got; i++) {
		size_t better = 0;
		for (size_t j = 0; j < n; j++)
			better += (float)sign * v[j] > (float)sign * v[out[i]] || (v[j] == v[out[i]] && j < out[i]);
		assert_int_equal(better, i);
	}
	free(out);
}

static void
test_top(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 1, 1);
	float v[200];
	for (int i = 0; i < 200; i++)
		v[i] = (float)rng_below(&rng, 60) - 30;
	static const size_t ks[] = {0, 1, 2, 7, 64, 199, 200, 300};
	for (size_t i = 0; i < ARRAY_LEN(ks); i++) {
		check_top(v, 200, ks[i], 1);
		check_top(v, 200, ks[i], -1);
	}
}

static void
test_top_nan_last(void **state)
{
	(void)state;
	float v[] = {NAN, 1, NAN, 3, 2};
	uint32_t out[5];
	assert_int_equal(stats_top(v, 5, 5, 1, out), 5);
	assert_true(out[0] == 3 && out[1] == 4 && out[2] == 1 && out[3] == 0 && out[4] == 2);
	assert_int_equal(stats_top(v, 5, 2, -1, out), 2);
	assert_true(out[0] == 1 && out[1] == 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_correlation),
		cmocka_unit_test(test_ndcg),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_top_nan_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
