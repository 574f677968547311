/*
 * A method's scores made into a list: who may be in it, which of them are rescored exactly, one unit, the noise floor,
 * the best and the worst.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/stats.h"
#include "query_private.h"

struct rescored {
	uint32_t *example;
	float *exact;
	size_t n;
};

static enum err
rank_check(const struct query *q, const struct rank_options *o)
{
	if (!o->method)
		return err_set(ERR_USAGE, "rank: no method was chosen");
	if (o->from < 0 || o->to <= o->from || o->to > q->n_out)
		return err_set(ERR_USAGE,
			"span %d:%d: the output has tokens 0 to %d; give FROM:TO with FROM < TO <= %d",
			o->from, o->to, q->n_out - 1, q->n_out);
	return method_ready(q->session, o->method);
}

static void
mask_untrained(const struct session *s, float *scores)
{
	for (size_t i = 0; i < s->data.n; i++)
		if (!session_trained_on(s, i) || !isfinite(scores[i]))
			scores[i] = NAN;
}

static size_t
count_finite(const float *v, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		k += isfinite(v[i]) ? 1 : 0;
	return k;
}

/* Half the best and half the worst of the first scores; everything when there are no more than `want`. */
static void
candidates_choose(const float *scores, size_t n, size_t want, struct rescored *r)
{
	size_t finite = count_finite(scores, n);
	if (want > finite)
		want = finite;
	size_t best = want - want / 2;
	r->example = xcalloc(want + 1, sizeof(*r->example));
	r->exact = xcalloc(want + 1, sizeof(*r->exact));
	r->n = stats_top(scores, n, best, 1, r->example);
	if (want > best)
		r->n += stats_top(scores, n, want - best, -1, r->example + r->n);
}

/* Slope of exact on first scores through the origin, and their rank agreement. */
static void
agreement(const float *scores, const struct rescored *r, struct ranking *out)
{
	double *first = xcalloc(r->n + 1, sizeof(*first)), *exact = xcalloc(r->n + 1, sizeof(*exact)), fe = 0, ff = 0;
	for (size_t j = 0; j < r->n; j++) {
		first[j] = scores[r->example[j]];
		exact[j] = r->exact[j];
		fe += first[j] * exact[j];
		ff += first[j] * first[j];
	}
	out->exact_slope = ff > 0 ? fe / ff : (double)NAN;
	out->exact_spearman = r->n > 2 ? stats_spearman(first, exact, r->n) : (double)NAN;
	free(first);
	free(exact);
}

/* What first scores are multiplied by to stand in one list with exact ones. Where the two do not agree even in sign,
 * the ratio of their sizes keeps the order of the rest and their unit. */
static double
unit_factor(const float *scores, const struct rescored *r, double slope)
{
	double ee = 0, ff = 0;
	if (slope > 0)
		return slope;
	for (size_t j = 0; j < r->n; j++) {
		ee += (double)r->exact[j] * r->exact[j];
		ff += (double)scores[r->example[j]] * scores[r->example[j]];
	}
	return ff > 0 ? sqrt(ee / ff) : 1;
}

static void
blend(const struct rescored *r, double factor, struct ranking *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out->scores[i] = (float)(factor * out->scores[i]);
	for (size_t j = 0; j < r->n; j++)
		out->scores[r->example[j]] = r->exact[j];
	out->n_exact = r->n;
}

static enum err
rescore(struct query *q, const struct rank_options *o, struct job *job, struct ranking *out, struct rescored *r)
{
	size_t n = q->session->data.n;
	candidates_choose(out->scores, n, o->method->rescore == RESCORE_ALL ? n : o->exact, r);
	if (r->n == 0)
		return OK;
	TRY(query_exact(q, o->from, o->to, r->example, r->n, r->exact, NULL, job));
	agreement(out->scores, r, out);
	double factor = unit_factor(out->scores, r, out->exact_slope);
	blend(r, factor, out, n);
	out->floor *= factor;
	return OK;
}

static int
index_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* The `want` best (sign +1) or worst (-1) examples whose score has that sign. r->example must be sorted. */
static size_t
list_make(const float *scores, size_t n, size_t want, int sign, const struct rescored *r, struct ranked **out)
{
	uint32_t *order = xcalloc((want < n ? want : n) + 1, sizeof(*order));
	size_t k = stats_top(scores, n, want, sign, order), kept = 0;
	*out = xcalloc(k + 1, sizeof(**out));
	while (kept < k && (float)sign * scores[order[kept]] > 0) {
		uint32_t i = order[kept];
		bool exact = r->n > 0 && bsearch(&i, r->example, r->n, sizeof(i), index_cmp) != NULL;
		(*out)[kept++] = (struct ranked){ .example = i, .score = scores[i], .exact = exact };
	}
	free(order);
	return kept;
}

enum err
query_rank(struct query *q, const struct rank_options *o, struct job *job, struct ranking **out)
{
	*out = NULL;
	TRY(rank_check(q, o));
	const struct session *s = q->session;
	const struct method *m = o->method;
	enum err err = OK;
	struct rescored done = {0};
	struct ranking *r = xcalloc(1, sizeof(*r));
	*r = (struct ranking){ .method = m, .from = o->from, .to = o->to, .floor = NAN, .exact_slope = NAN,
		.exact_spearman = NAN };
	TRY_OUT(mem_array(&r->scores, s->data.n, sizeof(*r->scores), "scores of all examples"));
	TRY_OUT((m->rescore == RESCORE_NONE ? m->score : method_features_score)(q, o->from, o->to, r->scores, job));
	mask_untrained(s, r->scores);
	if (m->rescore != RESCORE_NONE || m->score == method_features_score)
		r->floor = session_null_floor(s, o->to - o->from);
	if (m->rescore != RESCORE_NONE)
		TRY_OUT(rescore(q, o, job, r, &done));
	if (done.n > 0)
		qsort(done.example, done.n, sizeof(*done.example), index_cmp);
	r->n_top = list_make(r->scores, s->data.n, o->top, 1, &done, &r->top);
	r->n_bottom = list_make(r->scores, s->data.n, o->top, -1, &done, &r->bottom);
	*out = r;
	r = NULL;
out:
	free(done.example);
	free(done.exact);
	ranking_free(r);
	return err;
}

void
ranking_free(struct ranking *r)
{
	if (!r)
		return;
	free(r->scores);
	free(r->top);
	free(r->bottom);
	free(r);
}

double
ranking_work_score(const struct ranking *r, const struct session *s, int64_t work)
{
	double sum = 0;
	for (size_t i = 0; i < s->data.n; i++)
		if (s->examples[i].work == work && isfinite(r->scores[i]))
			sum += r->scores[i];
	return sum;
}
