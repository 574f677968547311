/* metrics_lines: what a straight line says: the slope to nats, and groups beside their size. */
#include "byline/trust_metrics.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/stats.h"
#include "metrics_draw.h"

/* ---- calibration -------------------------------------------------------------------------------------------- */

/* Sums of squares and products around the means of one query; NaN, and left out, where it holds what is no number. */
static void
moments_of(const double *x, const double *y, int n, double *xx, double *xy)
{
	double mx = stats_mean(x, (size_t)n), my = stats_mean(y, (size_t)n);
	*xx = *xy = 0;
	for (int j = 0; j < n; j++) {
		*xx += (x[j] - mx) * (x[j] - mx);
		*xy += (x[j] - mx) * (y[j] - my);
	}
}

static double
slope_of(const struct draw *d, int queries, const double *xx, const double *xy)
{
	double over = 0, under = 0;
	for (int q = 0; q < queries; q++)
		if (d->query[q] > 0 && isfinite(xx[q]) && isfinite(xy[q])) {
			over += d->query[q] * xy[q];
			under += d->query[q] * xx[q];
		}
	return under > 0 ? over / under : (double)NAN;
}

static double
sd_finite(double *v, int n)
{
	size_t k = 0;
	for (int i = 0; i < n; i++)
		if (isfinite(v[i]))
			v[k++] = v[i];
	return k > 1 ? stats_sd(v, k) : (double)NAN;
}

double
metrics_slope(const struct measure *m, const double *predicted, const double *outcome, double *error)
{
	struct draw d;
	double of[METRICS_DRAWS], *xx = xcalloc((size_t)m->queries + 1, sizeof(*xx));
	double *xy = xcalloc((size_t)m->queries + 1, sizeof(*xy));
	for (int q = 0; q < m->queries && m->members > 0; q++) {
		size_t at = (size_t)q * (size_t)m->members;
		moments_of(predicted + at, outcome + at, m->members, &xx[q], &xy[q]);
	}
	draw_new(&d, m);
	draw_all(&d, m);
	double slope = slope_of(&d, m->queries, xx, xy);
	for (int i = 0; i < METRICS_DRAWS; i++) {
		draw_take(&d, m, i, false);
		of[i] = slope_of(&d, m->queries, xx, xy);
	}
	*error = isfinite(slope) ? sd_finite(of, METRICS_DRAWS) : (double)NAN;
	draw_free(&d);
	free(xx);
	free(xy);
	return slope;
}

/* ---- groups ------------------------------------------------------------------------------------------------- */

/* out = v less its least-squares line in size. */
static void
take_out(const double *v, const double *size, int n, double *out)
{
	double ss, sv;
	moments_of(size, v, n, &ss, &sv);
	double slope = ss > 0 ? sv / ss : 0, mv = stats_mean(v, (size_t)n), ms = stats_mean(size, (size_t)n);
	for (int j = 0; j < n; j++)
		out[j] = v[j] - mv - slope * (size[j] - ms);
}

/* Rest over rest can be rounding over rounding: what a line explains to the last digits has no correlation left. */
static double
partial_of(const double *x, const double *y, const double *size, int n, double *rest)
{
	double before, after, none;
	take_out(x, size, n, rest);
	take_out(y, size, n, rest + n);
	for (int k = 0; k < 2; k++) {
		moments_of(k ? y : x, k ? y : x, n, &before, &none);
		moments_of(rest + k * n, rest + k * n, n, &after, &none);
		if (!(after > 1e-20 * before))
			return NAN;
	}
	return stats_pearson(rest, rest + n, (size_t)n);
}

double
metrics_groups(const struct measure *m, const double *predicted, const double *measured, const double *size)
{
	double sum = 0, *rest = xcalloc(2 * (size_t)m->members + 1, sizeof(*rest));
	int n = 0;
	for (int q = 0; q < m->queries && m->members > (size ? 3 : 2); q++) {
		const double *x = predicted + (size_t)q * (size_t)m->members;
		const double *y = measured + (size_t)q * (size_t)m->members;
		double r = size ? partial_of(x, y, size, m->members, rest) : stats_pearson(x, y, (size_t)m->members);
		if ((m->use && !m->use[q]) || !isfinite(r))
			continue;
		sum += fmin(fmax(r, -1), 1);
		n++;
	}
	free(rest);
	return n > 0 ? sum / n : (double)NAN;
}

double
metrics_groups_size(const struct measure *m, const double *size, const double *measured)
{
	double *predicted = xcalloc((size_t)m->queries * (size_t)m->members + 1, sizeof(*predicted));
	for (int q = 0; q < m->queries; q++)
		for (int j = 0; j < m->members; j++)
			predicted[(size_t)q * (size_t)m->members + (size_t)j] = size[j];
	double r = metrics_groups(m, predicted, measured, NULL);
	free(predicted);
	return r;
}
