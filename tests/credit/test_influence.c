/* The policy "influence" as arithmetic: worked out by hand, and the identities that make it fair. */
#include "byline/credit.h"

#include <math.h>

#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"

enum { ITEMS = 200, PARTIES = 9, EDGES = 2 * ITEMS };

/*
 * Scores 5, 3, -2 and one example that was never trained on; floor 1; A wrote the first, A and B the second in halves, B
 * the third, C the last. Excess 4 and 2; within the floor lie 1, 1 and -1: they add up to 1, by chance to the root of 3, so
 * the whole is 6 + sqrt 3. A has 4 + 2/2 of it, B 2/2.
 */
static void
test_by_hand(void **state)
{
	(void)state;
	static const float score[] = { 5, 3, -2, NAN };
	static const struct credit_edge edge[] = { { 0, 0, 1 }, { 1, 0, 0.5 }, { 1, 1, 0.5 }, { 2, 1, 1 }, { 3, 2, 1 } };
	double share[3], total[3], residual;
	credit_influence(score, 4, edge, ARRAY_LEN(edge), 1, share, total, 3, &residual);
	double whole = 6 + sqrt(3);
	assert_true(fabs(share[0] - 5 / whole) < 1e-15 && fabs(share[1] - 1 / whole) < 1e-15 && share[2] == 0);
	assert_true(fabs(residual - sqrt(3) / whole) < 1e-15);
	assert_true(total[0] == 6.5 && total[1] == -0.5 && total[2] == 0);
}

/* An unknown floor, and one that makes no sense, count as none. */
static void
test_floor(void **state)
{
	(void)state;
	static const float score[] = { 1, 3 };
	static const struct credit_edge edge[] = { { 0, 0, 1 }, { 1, 1, 1 } };
	static const double none[] = { NAN, 0, -4 };
	double share[2], total[2], residual;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		credit_influence(score, 2, edge, 2, none[i], share, total, 2, &residual);
		assert_true(share[0] == 0.25 && share[1] == 0.75 && residual == 0);
	}
	credit_influence(score, 2, edge, 2, 100, share, total, 2, &residual);
	assert_true(share[0] == 0 && share[1] == 0 && residual == 1);
	assert_true(total[0] == 1 && total[1] == 3);
}

/* Whatever the number of examples, noise within the floor credits nobody, and one clear answer among it keeps its weight. */
static void
test_noise(void **state)
{
	(void)state;
	enum { MANY = 10000 };
	static float score[MANY];
	static const struct credit_edge edge[] = { { 0, 0, 1 } };
	double share[1], total[1], residual;
	for (size_t i = 1; i < MANY; i++)
		score[i] = i % 2 ? 0.1f : -0.1f;
	credit_influence(score, MANY, edge, 1, 1, share, total, 1, &residual);
	assert_true(share[0] == 0 && residual == 1);
	score[0] = 100;
	credit_influence(score, MANY, edge, 1, 1, share, total, 1, &residual);
	assert_true(share[0] > 0.85 && residual > 0.05);
}

static void
test_nothing_positive(void **state)
{
	(void)state;
	static const float score[] = { 0, -3, NAN, INFINITY, -INFINITY };
	static const struct credit_edge edge[] = { { 0, 0, 1 }, { 1, 0, 1 }, { 2, 1, 1 }, { 3, 1, 1 }, { 4, 1, 1 } };
	double share[2], total[2], residual;
	credit_influence(score, 5, edge, 5, 0.5, share, total, 2, &residual);
	assert_true(share[0] == 0 && share[1] == 0 && residual == 1);
	assert_true(total[0] == -3 && total[1] == 0);
	credit_influence(NULL, 0, NULL, 0, NAN, share, total, 0, &residual);
	assert_true(residual == 1);
}

/* What no edge gives to anybody is residual, not somebody else's. */
static void
test_parts_missing(void **state)
{
	(void)state;
	static const float score[] = { 4, 4 };
	static const struct credit_edge edge[] = { { 0, 0, 0.75 } };
	double share[1], total[1], residual;
	credit_influence(score, 2, edge, 1, 0, share, total, 1, &residual);
	assert_true(share[0] == 0.375 && residual == 0.625 && total[0] == 3);
}

struct world { float score[ITEMS]; struct credit_edge edge[EDGES]; };

/* Two authors an item, parts at random; the last party stays free for the tests. */
static void
world_make(struct world *w, uint64_t seed)
{
	struct rng r;
	rng_init(&r, seed, 0);
	for (uint32_t i = 0; i < ITEMS; i++) {
		double part = rng_uniform(&r);
		uint32_t one = (uint32_t)rng_below(&r, PARTIES - 1);
		w->score[i] = i % 17 == 3 ? NAN : (float)rng_normal(&r);
		w->edge[2 * i] = (struct credit_edge){ i, one, part };
		w->edge[2 * i + 1] = (struct credit_edge){ i, (one + 1) % (PARTIES - 1), 1 - part };
	}
}

static void
test_sums_to_one(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct world w;
		double share[PARTIES], total[PARTIES], residual, sum = 0;
		world_make(&w, seed);
		credit_influence(w.score, ITEMS, w.edge, EDGES, 0.05 * (double)seed, share, total, PARTIES, &residual);
		for (int p = 0; p < PARTIES; p++) {
			assert_true(share[p] >= 0 && share[p] <= 1);
			sum += share[p];
		}
		assert_true(residual >= 0 && residual <= 1);
		assert_true(fabs(sum + residual - 1) <= 1e-12);
	}
}

/* One contributor becomes two, each with half of every work: nobody else's share moves, and the two have what the one had. */
static void
test_split_proof(void **state)
{
	(void)state;
	struct world w;
	struct credit_edge split[2 * EDGES];
	size_t n = 0;
	double before[PARTIES], after[PARTIES], total[PARTIES], residual_before, residual_after;
	world_make(&w, 5);
	credit_influence(w.score, ITEMS, w.edge, EDGES, 0.3, before, total, PARTIES, &residual_before);
	for (size_t e = 0; e < EDGES; e++) {
		split[n] = w.edge[e];
		if (w.edge[e].party == 2) {
			split[n++].part /= 2;
			split[n] = (struct credit_edge){ w.edge[e].item, PARTIES - 1, w.edge[e].part / 2 };
		}
		n++;
	}
	credit_influence(w.score, ITEMS, split, n, 0.3, after, total, PARTIES, &residual_after);
	for (int p = 0; p < PARTIES - 1; p++)
		if (p != 2)
			assert_true(fabs(after[p] - before[p]) <= 1e-12);
	assert_true(before[2] > 0.01);
	assert_true(fabs(after[2] + after[PARTIES - 1] - before[2]) <= 1e-12);
	assert_true(fabs(residual_after - residual_before) <= 1e-12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_nothing_positive),
		cmocka_unit_test(test_parts_missing),
		cmocka_unit_test(test_sums_to_one),
		cmocka_unit_test(test_split_proof),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
