/* The measure of measures, on cases whose answer is known: linear models, made-up noise, constants, permutations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/trust/metrics_draw.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/stats.h"
#include "byline/trust_metrics.h"
#include "unit.h"

/* Where each subset's outcome is exactly the sum of what its examples are worth to a query, plus noise. */
struct world {
	int queries, members;
	size_t examples;
	float *worth;			/* (queries, examples) */
	uint8_t *drop;			/* (members, examples) */
	double *outcome, *predicted;	/* (queries, members) */
};

static struct measure
measure_of(const struct world *w)
{
	return (struct measure){ .queries = w->queries, .members = w->members, .seed = 5 };
}

static void
drop_half(uint8_t *drop, int members, size_t examples, struct rng *r)
{
	uint32_t *order = xcalloc(examples, sizeof(*order));
	for (int j = 0; j < members; j++) {
		for (size_t i = 0; i < examples; i++)
			order[i] = (uint32_t)i;
		rng_shuffle(r, order, examples);
		for (size_t i = 0; i < examples / 2; i++)
			drop[(size_t)j * examples + order[i]] = 1;
	}
	free(order);
}

static void
world_new(struct world *w, int queries, size_t examples, int members, double noise, uint64_t seed)
{
	struct rng r;
	size_t cells = (size_t)queries * (size_t)members;
	rng_init(&r, seed, 0);
	*w = (struct world){ queries, members, examples, xcalloc((size_t)queries * examples, sizeof(float)),
		xcalloc((size_t)members * examples, 1), xcalloc(cells, sizeof(double)),
		xcalloc(cells, sizeof(double)) };
	for (size_t i = 0; i < (size_t)queries * examples; i++)
		w->worth[i] = (float)rng_normal(&r);
	drop_half(w->drop, members, examples, &r);
	metrics_sums(w->worth, queries, examples, w->drop, members, METRICS_KEPT, w->predicted);
	/* Of a sum over half of n standard normals: the spread over subsets is sqrt(n) / 2. */
	double unit = sqrt((double)examples) / 2;
	for (size_t i = 0; i < cells; i++)
		w->outcome[i] = -3 + w->predicted[i] + noise * unit * rng_normal(&r);
}

static void
world_free(struct world *w)
{
	free(w->worth);
	free(w->drop);
	free(w->outcome);
	free(w->predicted);
}

/* ---- sums and single numbers ------------------------------------------------------------------------------------ */

static void
test_sums(void **state)
{
	(void)state;
	const float scores[] = { 1, 2, NAN, 4, -1, -2, 5, NAN };
	const uint8_t drop[] = { 0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0 };
	double kept[6], out[6];
	static const double want_kept[] = { 5, 0, 7, -1, 0, 2 }, want_out[] = { 2, 7, 0, 3, 2, 0 };
	metrics_sums(scores, 2, 4, drop, 3, METRICS_KEPT, kept);
	metrics_sums(scores, 2, 4, drop, 3, METRICS_LEFT_OUT, out);
	assert_memory_equal(kept, want_kept, sizeof(kept));
	assert_memory_equal(out, want_out, sizeof(out));
}

static void
test_rows(void **state)
{
	(void)state;
	const float exact[] = { 3, 2, 1, NAN, 1, 2, 3, NAN }, same[] = { 30, 20, 10, 99, 10, 20, 30, 99 };
	const float turned[] = { 1, 2, 3, NAN, 3, 2, 1, NAN }, none[] = { -1, -2, -3, NAN, NAN, NAN, NAN, NAN };
	assert_true(fabs(metrics_ndcg(same, exact, 2, 4, 20) - 1) < 1e-12);
	double worst = (1 + 2 / log2(3) + 3 / 2.0) / (3 + 2 / log2(3) + 1 / 2.0);
	assert_true(fabs(metrics_ndcg(turned, exact, 2, 4, 20) - worst) < 1e-12);
	assert_true(isnan(metrics_ndcg(same, none, 2, 4, 20)));
	assert_true(fabs(metrics_agreement(same, exact, 2, 4) - 1) < 1e-12);
	assert_true(fabs(metrics_agreement(turned, exact, 2, 4) + 1) < 1e-12);
	assert_true(fabs(metrics_agreement(turned, none, 2, 4) + 1) < 1e-12);
	assert_true(isnan(metrics_agreement(none + 4, exact, 1, 4)));
}

static void
test_cardinality(void **state)
{
	(void)state;
	const float same[] = { 4, 3, 2, 1, 0, 4, 3, 2, 1, 0 }, other[] = { 4, 3, 0, 0, 0, 0, 0, 4, 3, 0 };
	const float nans[] = { NAN, NAN, NAN, NAN, NAN };
	assert_true(metrics_cardinality(same, 2, 5, 2) == 0.5);
	assert_true(metrics_cardinality(other, 2, 5, 2) == 1);
	/* Ten best of five examples: all there are. */
	assert_true(metrics_cardinality(same, 2, 5, 10) == 1);
	assert_true(isnan(metrics_cardinality(nans, 1, 5, 2)));
}

static void
test_found_first(void **state)
{
	(void)state;
	const float scores[] = { 1, 2, NAN, 5, 2, 5, NAN, 1, 0 };
	const uint32_t all[] = { 1, 0, 1 }, half[] = { 1, 1, 1 }, untrained[] = { 2, 0, 1 };
	assert_true(metrics_found_first(scores, all, 3, 3) == 1);
	assert_true(fabs(metrics_found_first(scores, half, 3, 3) - 2.0 / 3) < 1e-12);
	assert_true(fabs(metrics_found_first(scores, untrained, 3, 3) - 2.0 / 3) < 1e-12);
	assert_true(isnan(metrics_found_first(scores, all, 0, 3)));
}

/* ---- linear datamodeling score ---------------------------------------------------------------------------------- */

static void
test_linear_world(void **state)
{
	(void)state;
	struct world w;
	double of[6];
	world_new(&w, 6, 80, 100, 0, 1);
	struct measure m = measure_of(&w);
	struct interval exact = metrics_lds(&m, w.predicted, w.outcome);
	assert_true(fabs(exact.value - 1) < 1e-12 && fabs(exact.lo - 1) < 1e-12 && fabs(exact.hi - 1) < 1e-12);
	metrics_per_query(&m, w.predicted, w.outcome, of);
	for (int q = 0; q < 6; q++)
		assert_true(fabs(of[q] - 1) < 1e-12);
	for (size_t i = 0; i < 600; i++)
		w.predicted[i] = -w.predicted[i];
	assert_true(fabs(metrics_lds(&m, w.predicted, w.outcome).value + 1) < 1e-12);
	world_free(&w);
}

/* Pearson r of two normals means a Spearman of 6/pi asin(r/2). */
static double
spearman_of_normal(double r)
{
	return 6 / acos(-1) * asin(r / 2);
}

static void
test_noisy_world(void **state)
{
	(void)state;
	static const double noise[] = { 0.5, 1, 3 };
	struct world w;
	for (size_t k = 0; k < ARRAY_LEN(noise); k++) {
		world_new(&w, 30, 200, 120, noise[k], 10 + k);
		struct measure m = measure_of(&w);
		struct interval got = metrics_lds(&m, w.predicted, w.outcome);
		double want = spearman_of_normal(1 / sqrt(1 + noise[k] * noise[k]));
		assert_true(fabs(got.value - want) < 0.04);
		assert_true(got.lo <= want && want <= got.hi && got.lo < got.value && got.value < got.hi);
		world_free(&w);
	}
}

static void
test_random_scores(void **state)
{
	(void)state;
	struct world w;
	int covered = 0;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct rng r;
		world_new(&w, 20, 60, 40, 0.5, 100 + seed);
		struct measure m = measure_of(&w);
		rng_init(&r, seed, 77);
		for (size_t i = 0; i < 20 * 60; i++)
			w.worth[i] = (float)rng_normal(&r);
		metrics_sums(w.worth, 20, 60, w.drop, 40, METRICS_KEPT, w.predicted);
		struct interval got = metrics_lds(&m, w.predicted, w.outcome);
		assert_true(fabs(got.value) < 0.15);
		covered += got.lo <= 0 && got.hi >= 0;
		world_free(&w);
	}
	assert_true(covered >= 17);
}

/* Ties, of whole numbers, as stats_spearman has them; and the draws as if each were written out in full. */
static double
slow_draw(const struct measure *m, const double *x, const double *y, const struct draw *d)
{
	double sum = 0, n = 0, a[64], b[64];
	for (int q = 0; q < m->queries; q++) {
		size_t k = 0, at = (size_t)q * (size_t)m->members;
		for (int j = 0; j < m->members; j++)
			for (int c = 0; c < d->member[j]; c++) {
				a[k] = x[at + (size_t)j];
				b[k++] = y[at + (size_t)j];
			}
		double r = d->query[q] > 0 ? stats_spearman(a, b, k) : NAN;
		if (isfinite(r)) {
			sum += d->query[q] * r;
			n += d->query[q];
		}
	}
	return sum / n;
}

static void
test_against_slow(void **state)
{
	(void)state;
	enum { Q = 5, M = 12 };
	double x[Q * M], y[Q * M], slow[METRICS_DRAWS];
	uint8_t use[Q] = { 1, 1, 0, 1, 1 };
	struct measure m = { Q, M, use, 3 };
	struct draw d;
	struct rng r;
	rng_init(&r, 4, 0);
	for (int i = 0; i < Q * M; i++) {
		x[i] = (double)rng_below(&r, 6);
		y[i] = x[i] + (double)rng_below(&r, 8);
	}
	draw_new(&d, &m);
	for (int i = 0; i < METRICS_DRAWS; i++) {
		draw_take(&d, &m, i, true);
		assert_int_equal(d.query[2], 0);
		slow[i] = slow_draw(&m, x, y, &d);
	}
	draw_all(&d, &m);
	struct interval got = metrics_lds(&m, x, y);
	assert_true(fabs(got.value - slow_draw(&m, x, y, &d)) < 1e-12);
	assert_true(fabs(got.lo - stats_quantile(slow, METRICS_DRAWS, 0.025)) < 1e-12);
	assert_true(fabs(got.hi - stats_quantile(slow, METRICS_DRAWS, 0.975)) < 1e-12);
	draw_free(&d);
}

static void
permuted(const double *from, int queries, int members, const uint32_t *query, const uint32_t *member, double *to)
{
	for (int q = 0; q < queries; q++)
		for (int j = 0; j < members; j++)
			to[q * members + j] = from[query[q] * (uint32_t)members + member[j]];
}

static void
test_permutations(void **state)
{
	(void)state;
	enum { Q = 8, M = 30 };
	double x[Q * M], y[Q * M], error[2];
	uint32_t query[Q], member[M];
	struct world w;
	struct rng r;
	world_new(&w, Q, 50, M, 1, 3);
	struct measure m = measure_of(&w);
	for (uint32_t i = 0; i < M; i++)
		member[i] = i;
	memcpy(query, member, sizeof(query));
	rng_init(&r, 9, 9);
	rng_shuffle(&r, query, Q);
	rng_shuffle(&r, member, M);
	permuted(w.predicted, Q, M, query, member, x);
	permuted(w.outcome, Q, M, query, member, y);
	struct interval was = metrics_lds(&m, w.predicted, w.outcome), is = metrics_lds(&m, x, y);
	assert_true(fabs(was.value - is.value) < 1e-12);
	/* The draws fall on other queries and members, so the bounds agree as two bootstraps of one sample do. */
	assert_true(fabs(was.lo - is.lo) < 0.03 && fabs(was.hi - is.hi) < 0.03);
	double a = metrics_slope(&m, w.predicted, w.outcome, &error[0]), b = metrics_slope(&m, x, y, &error[1]);
	assert_true(fabs(a - b) < 1e-12);
	assert_true(fabs(metrics_groups(&m, w.predicted, w.outcome, NULL) - metrics_groups(&m, x, y, NULL)) < 1e-12);
	world_free(&w);
}

static void
assert_unmeasured(struct interval i)
{
	assert_true(isnan(i.value) && isnan(i.lo) && isnan(i.hi));
}

static void
test_nothing_to_measure(void **state)
{
	(void)state;
	double flat[12] = {0}, line[12], error, size[4] = { 1, 2, 3, 5 };
	uint8_t nobody[3] = {0};
	struct measure m = { 3, 4, NULL, 1 }, few = { 3, 2, NULL, 1 };
	struct measure none = { 3, 4, nobody, 1 }, empty = { 0, 0, NULL, 1 };
	for (int i = 0; i < 12; i++)
		line[i] = i % 4;
	assert_unmeasured(metrics_lds(&m, flat, line));
	assert_unmeasured(metrics_lds(&m, line, flat));
	assert_unmeasured(metrics_lds(&few, line, line));
	assert_unmeasured(metrics_lds(&none, line, line));
	assert_unmeasured(metrics_lds(&empty, line, line));
	assert_unmeasured(metrics_lds_difference(&m, line, flat, line));
	assert_unmeasured(metrics_ceiling(&m, flat, line));
	assert_true(isnan(metrics_slope(&m, flat, line, &error)) && isnan(error));
	assert_true(isnan(metrics_slope(&empty, flat, line, &error)) && isnan(error));
	assert_true(isnan(metrics_groups(&m, flat, line, NULL)) && isnan(metrics_groups(&empty, line, line, NULL)));
	/* Nothing is left of a prediction that is a line in size. */
	for (int i = 0; i < 12; i++)
		flat[i] = 0.1 * size[i % 4] + 0.3;
	assert_true(isnan(metrics_groups(&m, flat, line, size)));
	line[5] = NAN;
	line[9] = (double)INFINITY;
	assert_true(fabs(metrics_lds(&m, line, line).value - 1) < 1e-12);
	assert_true(fabs(metrics_slope(&m, line, line, &error) - 1) < 1e-12);
}

/* ---- intervals -------------------------------------------------------------------------------------------------- */

/*
 * A population of queries and subsets whose mean Spearman is known: predictions and outcomes are normal, correlated by
 * an r that differs from query to query, and part of the noise of a subset is common to all queries.
 */
static double
population(struct rng *r, int queries, int members, double *x, double *y)
{
	double common[64];
	for (int j = 0; j < members; j++)
		common[j] = rng_normal(r);
	for (int q = 0; q < queries; q++) {
		double rho = rng_below(r, 2) ? 0.1 : 0.5;
		for (int j = 0; j < members; j++) {
			double noise = 0.6 * common[j] + 0.8 * rng_normal(r), *p = &x[q * members + j];
			*p = rng_normal(r);
			y[q * members + j] = rho * *p + sqrt(1 - rho * rho) * noise;
		}
	}
	return (spearman_of_normal(0.1) + spearman_of_normal(0.5)) / 2;
}

static void
test_coverage(void **state)
{
	(void)state;
	enum { Q = 16, M = 40, TIMES = 150 };
	static double x[Q * M], y[Q * M];
	double value[TIMES], width = 0;
	int covered = 0;
	for (int i = 0; i < TIMES; i++) {
		struct rng r;
		struct measure m = { Q, M, NULL, (uint64_t)i };
		rng_init(&r, 31, (uint64_t)i);
		double truth = population(&r, Q, M, x, y);
		struct interval got = metrics_lds(&m, x, y);
		covered += got.lo <= truth && truth <= got.hi;
		value[i] = got.value;
		width += (got.hi - got.lo) / TIMES;
	}
	/* Not too narrow, and not so wide that anything would be covered: 3.9 standard deviations would be exact, and
	 * drawing both sides counts their noise twice. */
	assert_true(covered >= 0.92 * TIMES);
	assert_true(width > 3.7 * stats_sd(value, TIMES) && width < 7 * stats_sd(value, TIMES));
}

static void
test_difference(void **state)
{
	(void)state;
	struct world w;
	double *worse = xcalloc(20 * 60, sizeof(*worse));
	struct rng r;
	world_new(&w, 20, 100, 60, 1, 8);
	struct measure m = measure_of(&w);
	rng_init(&r, 3, 3);
	for (int i = 0; i < 20 * 60; i++)
		worse[i] = w.predicted[i] + 4 * rng_normal(&r);
	struct interval a = metrics_lds(&m, w.predicted, w.outcome), b = metrics_lds(&m, worse, w.outcome);
	struct interval d = metrics_lds_difference(&m, w.predicted, worse, w.outcome);
	assert_true(fabs(d.value - (a.value - b.value)) < 1e-12 && d.lo > 0 && d.lo < d.value && d.value < d.hi);
	struct interval none = metrics_lds_difference(&m, worse, worse, w.outcome);
	assert_true(none.value == 0 && none.lo == 0 && none.hi == 0);
	/* Pairing takes out what both share. */
	assert_true(d.hi - d.lo < sqrt(pow(a.hi - a.lo, 2) + pow(b.hi - b.lo, 2)));
	free(worse);
	world_free(&w);
}

static void
test_ceiling(void **state)
{
	(void)state;
	enum { Q = 40, M = 60 };
	static double a[Q * M], b[Q * M], common[Q * M];
	struct measure m = { Q, M, NULL, 6 };
	struct rng r;
	rng_init(&r, 12, 0);
	for (int i = 0; i < Q * M; i++) {
		common[i] = rng_normal(&r);
		a[i] = common[i] + rng_normal(&r);
		b[i] = common[i] + rng_normal(&r);
	}
	struct interval c = metrics_ceiling(&m, a, b), same = metrics_ceiling(&m, a, a);
	assert_true(fabs(c.value - sqrt(spearman_of_normal(0.5))) < 0.04 && c.lo < c.value && c.value < c.hi);
	/* The name says it: what all seeds have in common reaches it. */
	assert_true(fabs(metrics_lds(&m, common, a).value - c.value) < 0.05);
	assert_true(fabs(same.value - 1) < 1e-12);
	for (int i = 0; i < Q * M; i++)
		b[i] = -a[i];
	assert_true(metrics_ceiling(&m, a, b).value == 0);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static void
test_slope(void **state)
{
	(void)state;
	enum { Q = 30, M = 50 };
	static double x[Q * M], y[Q * M];
	struct measure m = { Q, M, NULL, 6 };
	double error;
	struct rng r;
	rng_init(&r, 2, 0);
	for (int i = 0; i < Q * M; i++) {
		x[i] = 100 * (i / M) + rng_normal(&r);
		y[i] = -7 * (i / M) + 0.7 * x[i];
	}
	assert_true(fabs(metrics_slope(&m, x, y, &error) - 0.7) < 1e-9 && error < 1e-9);
	for (int i = 0; i < Q * M; i++)
		y[i] += rng_normal(&r);
	double slope = metrics_slope(&m, x, y, &error);
	/* Unit noise over Q M points of unit spread. */
	assert_true(fabs(error - 1 / sqrt(Q * M)) < 0.01 && fabs(slope - 0.7) < 3 * error);
	y[0] = NAN;
	assert_true(isfinite(metrics_slope(&m, x, y, &error)));
}

static void
test_groups(void **state)
{
	(void)state;
	enum { Q = 2, M = 6 };
	static const double size[M] = { 1, 2, 3, 4, 5, 6 }, own[M] = { 1, -1, 0, 0, -1, 1 };
	double x[Q * M], y[Q * M];
	uint8_t use[Q] = { 1, 0 };
	struct measure m = { Q, M, NULL, 1 }, first = { Q, M, use, 1 };
	/* own adds up to nothing, and so does own times size. */
	for (int j = 0; j < M; j++) {
		x[j] = size[j] + own[j];
		y[j] = 2 * size[j] - own[j];
		x[M + j] = own[j];
		y[M + j] = 10 * size[j] + own[j];
	}
	/* Sums of squares: size 17.5, own 4. */
	double r0 = (2 * 17.5 - 4) / sqrt(17.5 + 4) / sqrt(4 * 17.5 + 4), r1 = 4 / sqrt(4) / sqrt(1750 + 4);
	assert_true(fabs(metrics_groups(&m, x, y, NULL) - (r0 + r1) / 2) < 1e-12);
	assert_true(fabs(metrics_groups(&first, x, y, NULL) - r0) < 1e-12);
	assert_true(fabs(metrics_groups(&first, x, y, size) + 1) < 1e-12);
	assert_true(fabs(metrics_groups(&m, x, y, size)) < 1e-12);
	double s0 = 2 * 17.5 / sqrt(17.5) / sqrt(74), s1 = 175 / sqrt(17.5) / sqrt(1754);
	assert_true(fabs(metrics_groups_size(&m, size, y) - (s0 + s1) / 2) < 1e-12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cardinality),
		cmocka_unit_test(test_found_first),
		cmocka_unit_test(test_linear_world),
		cmocka_unit_test(test_noisy_world),
		cmocka_unit_test(test_random_scores),
		cmocka_unit_test(test_against_slow),
		cmocka_unit_test(test_permutations),
		cmocka_unit_test(test_nothing_to_measure),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
