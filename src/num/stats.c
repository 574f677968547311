/* stats: moments, ranks, agreement. */
#include "byline/stats.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"

double
stats_mean(const double *v, size_t n)
{
	double s = 0;
	for (size_t i = 0; i < n; i++)
		s += v[i];
	return s / (double)n;
}

double
stats_sd(const double *v, size_t n)
{
	double m = stats_mean(v, n), s = 0;
	if (n < 2)
		return 0;
	for (size_t i = 0; i < n; i++)
		s += (v[i] - m) * (v[i] - m);
	return sqrt(s / (double)(n - 1));
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double
stats_quantile(double *v, size_t n, double p)
{
	qsort(v, n, sizeof(*v), by_value);
	double at = fmin(fmax(p, 0), 1) * (double)(n - 1);
	size_t i = (size_t)at;
	double part = at - (double)i;
	return i + 1 < n ? v[i] + part * (v[i + 1] - v[i]) : v[n - 1];
}

struct ranked {
	double value;		/* first: by_value reads it */
	size_t index;
};

void
stats_ranks(const double *v, size_t n, double *rank)
{
	struct ranked *sorted = xreallocarray(NULL, n, sizeof(*sorted));
	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct ranked){v[i], i};
	qsort(sorted, n, sizeof(*sorted), by_value);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && sorted[to].value == sorted[from].value;)
			to++;
		for (size_t i = from; i < to; i++)
			rank[sorted[i].index] = ((double)(from + 1) + (double)to) / 2;
	}
	free(sorted);
}

double
stats_pearson(const double *x, const double *y, size_t n)
{
	double mx = stats_mean(x, n), my = stats_mean(y, n), xx = 0, yy = 0, xy = 0;
	for (size_t i = 0; i < n; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		yy += (y[i] - my) * (y[i] - my);
		xy += (x[i] - mx) * (y[i] - my);
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx) / sqrt(yy) : (double)NAN;
}

double
stats_spearman(const double *x, const double *y, size_t n)
{
	double *rx = xreallocarray(NULL, n, sizeof(*rx)), *ry = xreallocarray(NULL, n, sizeof(*ry));
	stats_ranks(x, n, rx);
	stats_ranks(y, n, ry);
	double r = stats_pearson(rx, ry, n);
	free(rx);
	free(ry);
	return r;
}

static int
best_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Discounted cumulative gain of truth's positive part, in the order of `by`. */
static double
dcg(const double *by, const double *truth, size_t n, size_t k)
{
	struct ranked *order = xreallocarray(NULL, n, sizeof(*order));
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		order[i] = (struct ranked){by[i], i};
	qsort(order, n, sizeof(*order), best_first);
	for (size_t i = 0; i < n && i < k; i++)
		sum += fmax(0, truth[order[i].index]) / log2((double)i + 2);
	free(order);
	return sum;
}

double
stats_ndcg(const double *got, const double *truth, size_t n, size_t k)
{
	double ideal = dcg(truth, truth, n, k);
	return ideal > 0 ? dcg(got, truth, n, k) / ideal : 0;
}
