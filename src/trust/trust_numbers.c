/* trust_numbers: one method's scores held against what the bank's members really did. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/rng.h"
#include "trust_private.h"

/* "point", so that no other use of the seed meets these numbers. */
static const uint64_t stream_point = UINT64_C(0x706f696e74000000);

/* Scores are of a span's log-probability, outcomes are means over its tokens. */
static double *
sums_per_token(const struct bank *b, const float *score, const struct outcomes *o, enum metrics_side side)
{
	size_t n = (size_t)o->n;
	double *sums = xcalloc((size_t)b->n_queries * n + 1, sizeof(*sums));
	metrics_sums(score, b->n_queries, b->session->data.n, o->drop, o->n, side, sums);
	for (int q = 0; q < b->n_queries; q++)
		for (size_t j = 0; j < n; j++)
			sums[(size_t)q * n + j] /= b->query[q].n_out;
	return sums;
}

void
predictions_make(const struct bank *b, const struct truth *t, const float *score, struct predictions *p)
{
	p->same = sums_per_token(b, score, &t->same, METRICS_KEPT);
	p->other = sums_per_token(b, score, &t->other, METRICS_KEPT);
	p->without = sums_per_token(b, score, &t->without, METRICS_LEFT_OUT);
}

void
predictions_free(struct predictions *p)
{
	free(p->same);
	free(p->other);
	free(p->without);
	*p = (struct predictions){0};
}

static struct measure
measure_of(const struct bank *b, const struct outcomes *o, const uint8_t *use)
{
	return (struct measure){ .queries = b->n_queries, .members = o->n, .use = use, .seed = b->options.seed };
}

void
trust_numbers(const struct bank *b, const struct truth *t, const struct predictions *p,
	const struct predictions *first, struct method_trust *out)
{
	struct measure all = measure_of(b, &t->same, NULL), other = measure_of(b, &t->other, NULL);
	struct measure heldout = measure_of(b, &t->same, t->heldout), own = measure_of(b, &t->same, t->generated);
	struct measure people = measure_of(b, &t->without, NULL);
	out->lds = metrics_lds(&all, p->same, t->same.outcome);
	out->lds_heldout = metrics_lds(&heldout, p->same, t->same.outcome);
	out->lds_generated = metrics_lds(&own, p->same, t->same.outcome);
	out->lds_other_seed = metrics_lds(&other, p->other, t->other.outcome);
	out->lds_less_default = (struct interval){ NAN, NAN, NAN };
	if (first && !out->is_default)
		out->lds_less_default = metrics_lds_difference(&all, p->same, first->same, t->same.outcome);
	out->contributor_r = metrics_groups(&people, p->without, t->without.outcome, NULL);
	out->contributor_r_size = metrics_groups_size(&people, t->size, t->without.outcome);
	out->contributor_partial = metrics_groups(&people, p->without, t->without.outcome, t->size);
	out->slope = metrics_slope(&all, p->same, t->same.outcome, &out->slope_error);
}

/* ---- the calibration plot ----------------------------------------------------------------------------------- */

static double
above_mean(const double *row, int n, int j)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += row[i];
	return row[j] - sum / n;
}

void
trust_points(const struct bank *b, const struct truth *truth, const struct predictions *p, struct trust *t)
{
	const struct outcomes *o = &truth->same;
	size_t cells = (size_t)b->n_queries * (size_t)o->n;
	uint32_t *order = xcalloc(cells + 1, sizeof(*order));
	struct rng rng;
	for (size_t i = 0; i < cells; i++)
		order[i] = (uint32_t)i;
	rng_init(&rng, b->options.seed, stream_point);
	rng_shuffle(&rng, order, cells);
	t->point = xcalloc(TRUST_POINTS, sizeof(*t->point));
	for (size_t i = 0; i < cells && t->n_points < TRUST_POINTS; i++) {
		size_t q = order[i] / (size_t)o->n, at = q * (size_t)o->n;
		int j = (int)(order[i] % (size_t)o->n);
		struct calibration_point c = { above_mean(p->same + at, o->n, j),
			above_mean(o->outcome + at, o->n, j) };
		if (isfinite(c.predicted) && isfinite(c.observed))
			t->point[t->n_points++] = c;
	}
	free(order);
}
