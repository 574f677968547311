/*
 * metrics_lds: the linear datamodeling score and its bootstrap.
 *
 * A draw takes members with replacement, so each counts 0, 1, 2, ... times. Ranks of a draw follow from the order of
 * all members, sorted once, and these counts: a draw of one query costs a pass over the members.
 */
#include "byline/trust_metrics.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/stats.h"
#include "metrics_draw.h"

enum { MEMBERS_MIN = 3 };		/* two points are always on a line */

struct place { double value; int member; };

/* One side of the comparison: (queries, members) places, ascending in each query. */
struct order { struct place *place; uint8_t *sound; };	/* sound (queries): all numbers */

static int
place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return x->value != y->value ? (x->value > y->value) - (x->value < y->value) : x->member - y->member;
}

static void
order_make(struct order *o, const struct measure *m, const double *v)
{
	size_t n = (size_t)m->members;
	o->place = xcalloc((size_t)m->queries * n + 1, sizeof(*o->place));
	o->sound = xcalloc((size_t)m->queries + 1, 1);
	for (int q = 0; q < m->queries; q++) {
		struct place *p = o->place + (size_t)q * n;
		o->sound[q] = 1;
		for (int j = 0; j < m->members; j++) {
			p[j] = (struct place){ v[(size_t)q * n + (size_t)j], j };
			if (!isfinite(p[j].value))
				o->sound[q] = 0;
		}
		if (o->sound[q] && n > 0)
			qsort(p, n, sizeof(*p), place_cmp);
	}
}

static void
order_free(struct order *o)
{
	free(o->place);
	free(o->sound);
}

/* rank (members): each member's mean rank in a draw where it counts count[j] times, less the mean of all. */
static void
ranks_of(const struct place *p, int members, const int *count, double *rank)
{
	double before = 0, middle = (members + 1) / 2.0;
	for (int from = 0, to; from < members; from = to) {
		double tied = 0;
		for (to = from; to < members && p[to].value == p[from].value; to++)
			tied += count[p[to].member];
		for (int i = from; i < to; i++)
			rank[p[i].member] = before + (tied + 1) / 2 - middle;
		before += tied;
	}
}

struct scratch { double *x, *y; };

static double
spearman_of(const struct measure *m, const struct order *a, const struct order *b, int q, const int *count,
	const struct scratch *s)
{
	double xx = 0, yy = 0, xy = 0;
	size_t at = (size_t)q * (size_t)m->members;
	if (!a->sound[q] || !b->sound[q] || m->members < MEMBERS_MIN)
		return NAN;
	ranks_of(a->place + at, m->members, count, s->x);
	ranks_of(b->place + at, m->members, count, s->y);
	for (int j = 0; j < m->members; j++) {
		xx += count[j] * s->x[j] * s->x[j];
		yy += count[j] * s->y[j] * s->y[j];
		xy += count[j] * s->x[j] * s->y[j];
	}
	/* Rounding must not make more than perfect of perfect. */
	return xx > 0 && yy > 0 ? fmin(fmax(xy / sqrt(xx) / sqrt(yy), -1), 1) : (double)NAN;
}

/* Mean over the queries of a draw, each as often as it was drawn. */
static double
draw_mean(const struct measure *m, const struct order *a, const struct order *b, const struct draw *d,
	const struct scratch *s)
{
	double sum = 0, n = 0;
	for (int q = 0; q < m->queries; q++) {
		double r = d->query[q] > 0 ? spearman_of(m, a, b, q, d->member, s) : (double)NAN;
		if (isfinite(r)) {
			sum += d->query[q] * r;
			n += d->query[q];
		}
	}
	return n > 0 ? sum / n : (double)NAN;
}

/* mean[0] is of everything once, mean[1 + i] of draw i. */
static void
draws_of(const struct measure *m, const double *x, const double *y, double *mean)
{
	struct order a, b;
	struct draw d;
	struct scratch s = { xcalloc((size_t)m->members + 1, sizeof(double)),
		xcalloc((size_t)m->members + 1, sizeof(double)) };
	order_make(&a, m, x);
	order_make(&b, m, y);
	draw_new(&d, m);
	draw_all(&d, m);
	mean[0] = draw_mean(m, &a, &b, &d, &s);
	for (int i = 0; i < METRICS_DRAWS; i++) {
		draw_take(&d, m, i, true);
		mean[1 + i] = isfinite(mean[0]) ? draw_mean(m, &a, &b, &d, &s) : (double)NAN;
	}
	draw_free(&d);
	order_free(&a);
	order_free(&b);
	free(s.x);
	free(s.y);
}

static struct interval
interval_of(double *mean)
{
	double *v = mean + 1;
	size_t n = 0;
	for (int i = 0; i < METRICS_DRAWS; i++)
		if (isfinite(v[i]))
			v[n++] = v[i];
	if (!isfinite(mean[0]) || n == 0)
		return (struct interval){ NAN, NAN, NAN };
	double lo = stats_quantile(v, n, 0.025), hi = stats_quantile(v, n, 0.975);
	return (struct interval){ mean[0], lo, hi };
}

struct interval
metrics_lds(const struct measure *m, const double *predicted, const double *outcome)
{
	double mean[METRICS_DRAWS + 1];
	draws_of(m, predicted, outcome, mean);
	return interval_of(mean);
}

struct interval
metrics_lds_difference(const struct measure *m, const double *a, const double *b, const double *outcome)
{
	double of_a[METRICS_DRAWS + 1], of_b[METRICS_DRAWS + 1];
	draws_of(m, a, outcome, of_a);
	draws_of(m, b, outcome, of_b);
	for (int i = 0; i <= METRICS_DRAWS; i++)
		of_a[i] -= of_b[i];
	return interval_of(of_a);
}

struct interval
metrics_ceiling(const struct measure *m, const double *outcome_a, const double *outcome_b)
{
	double mean[METRICS_DRAWS + 1];
	draws_of(m, outcome_a, outcome_b, mean);
	for (int i = 0; i <= METRICS_DRAWS; i++)
		mean[i] = isfinite(mean[i]) ? sqrt(fmax(mean[i], 0)) : (double)NAN;
	return interval_of(mean);
}

void
metrics_per_query(const struct measure *m, const double *predicted, const double *outcome, double *out)
{
	struct order a, b;
	struct draw d;
	struct scratch s = { xcalloc((size_t)m->members + 1, sizeof(double)),
		xcalloc((size_t)m->members + 1, sizeof(double)) };
	order_make(&a, m, predicted);
	order_make(&b, m, outcome);
	draw_new(&d, m);
	draw_all(&d, m);
	for (int q = 0; q < m->queries; q++)
		out[q] = d.query[q] > 0 ? spearman_of(m, &a, &b, q, d.member, &s) : (double)NAN;
	draw_free(&d);
	order_free(&a);
	order_free(&b);
	free(s.x);
	free(s.y);
}
