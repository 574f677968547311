/* metrics: of score matrices alone, and the sums that predictions are made of. */
#include "byline/trust_metrics.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/stats.h"

void
metrics_sums(const float *scores, int queries, size_t examples, const uint8_t *drop, int members,
	enum metrics_side side, double *sums)
{
	for (int q = 0; q < queries; q++)
		for (int j = 0; j < members; j++) {
			const float *score = scores + (size_t)q * examples;
			const uint8_t *out = drop + (size_t)j * examples;
			double sum = 0;
			for (size_t i = 0; i < examples; i++)
				if ((out[i] != 0) == (side == METRICS_LEFT_OUT) && isfinite(score[i]))
					sum += score[i];
			sums[(size_t)q * (size_t)members + (size_t)j] = sum;
		}
}

/* Mean of what is a number. */
static double
mean_finite(const double *v, int n)
{
	double sum = 0;
	int k = 0;
	for (int i = 0; i < n; i++)
		if (isfinite(v[i])) {
			sum += v[i];
			k++;
		}
	return k > 0 ? sum / k : (double)NAN;
}

/* The examples that both have a number for; how many. */
static size_t
both_finite(const float *a, const float *b, size_t n, double *x, double *y)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (isfinite(a[i]) && isfinite(b[i])) {
			x[k] = a[i];
			y[k++] = b[i];
		}
	return k;
}

static double
ndcg_of(const double *got, const double *exact, size_t n, size_t k)
{
	double best = 0;
	for (size_t i = 0; i < n; i++)
		best = fmax(best, exact[i]);
	return best > 0 ? fmin(stats_ndcg(got, exact, n, k), 1) : (double)NAN;
}

static double
agreement_of(const double *a, const double *b, size_t n, size_t k)
{
	(void)k;
	double r = n > 2 ? stats_spearman(a, b, n) : (double)NAN;
	return isnan(r) ? r : fmin(fmax(r, -1), 1);
}

/* Mean over queries of a comparison of two rows. */
static double
compare_rows(const float *a, const float *b, int queries, size_t examples, size_t k,
	double (*compare)(const double *x, const double *y, size_t n, size_t k))
{
	double *x = xcalloc(examples + 1, sizeof(*x)), *y = xcalloc(examples + 1, sizeof(*y));
	double *of = xcalloc((size_t)queries + 1, sizeof(*of));
	for (int q = 0; q < queries; q++) {
		size_t n = both_finite(a + (size_t)q * examples, b + (size_t)q * examples, examples, x, y);
		of[q] = compare(x, y, n, k);
	}
	double mean = mean_finite(of, queries);
	free(x);
	free(y);
	free(of);
	return mean;
}

double
metrics_ndcg(const float *scores, const float *exact, int queries, size_t examples, size_t k)
{
	return compare_rows(scores, exact, queries, examples, k, ndcg_of);
}

double
metrics_agreement(const float *a, const float *b, int queries, size_t examples)
{
	return compare_rows(a, b, queries, examples, 0, agreement_of);
}

static size_t
count_finite(const float *v, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		k += isfinite(v[i]) ? 1 : 0;
	return k;
}

double
metrics_cardinality(const float *scores, int queries, size_t examples, size_t k)
{
	uint32_t *top = xcalloc(k + 1, sizeof(*top));
	uint8_t *seen = xcalloc(examples + 1, 1);
	size_t different = 0, listed = 0, there = 0;
	for (int q = 0; q < queries; q++) {
		const float *row = scores + (size_t)q * examples;
		size_t finite = count_finite(row, examples);
		size_t n = stats_top(row, examples, k < finite ? k : finite, 1, top);
		listed += n;
		there = finite > there ? finite : there;
		for (size_t i = 0; i < n; i++) {
			different += seen[top[i]] ? 0 : 1;
			seen[top[i]] = 1;
		}
	}
	free(top);
	free(seen);
	size_t possible = listed < there ? listed : there;
	return possible > 0 ? (double)different / (double)possible : (double)NAN;
}

double
metrics_found_first(const float *scores, const uint32_t *self, int queries, size_t examples)
{
	int found = 0;
	for (int q = 0; q < queries; q++) {
		const float *row = scores + (size_t)q * examples;
		size_t above = 0;
		for (size_t i = 0; i < examples; i++)
			above += row[i] > row[self[q]] ? 1 : 0;
		found += isfinite(row[self[q]]) && above == 0 ? 1 : 0;
	}
	return queries > 0 ? (double)found / queries : (double)NAN;
}
