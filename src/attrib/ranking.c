/*
 * A method's scores made into a ranking: who may be in it, every run of the session asked and averaged, the best
 * candidates rescored exactly in each, one unit, the noise floor and the errors.
 */
#include "ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/stats.h"
#include "query_peers.h"
#include "query_private.h"

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

/* Of the first `want` of either list, best and worst first, how many of the best together with the rest of the worst
 * are largest in magnitude; at least `least` of either, as far as there are any. */
static size_t
candidates_split(const float *scores, const uint32_t *best, const uint32_t *worst, size_t want, size_t least)
{
	size_t n = 0;
	while (n < want - least && (n < least || scores[best[n]] >= -scores[worst[want - 1 - n]]))
		n++;
	return n;
}

/*
 * The largest in magnitude, since those carry a sum over many examples (LDS 0.42 instead of 0.41 with halves of either
 * sign, Federalist papers, 64 of 1,117), but an eighth at least of proponents and of opponents each, for either list to
 * have a verified head. Everything when there are no more than `want`.
 */
static void
candidates_choose(const float *scores, size_t n, size_t want, int runs, struct rescored *r)
{
	size_t finite = count_finite(scores, n);
	if (want > finite)
		want = finite;
	uint32_t *worst = xcalloc(want + 1, sizeof(*worst));
	float *left = xcalloc(n + 1, sizeof(*left));	/* scores of what is not chosen yet: ties are in both lists */
	r->example = xcalloc(want + 1, sizeof(*r->example));
	r->exact = xcalloc(want * (size_t)runs + 1, sizeof(*r->exact));
	stats_top(scores, n, want, 1, r->example);
	stats_top(scores, n, want, -1, worst);
	r->n = want;
	size_t best = candidates_split(scores, r->example, worst, want, want / 8);
	memcpy(left, scores, n * sizeof(*left));
	for (size_t i = 0; i < best; i++)
		left[r->example[i]] = NAN;
	stats_top(left, n, want - best, -1, r->example + best);
	free(left);
	free(worst);
}

/* Slope of exact on first scores through the origin, and their rank agreement. */
static void
agreement(const float *scores, const struct rescored *r, const float *again, double *slope, double *spearman)
{
	double *first = xcalloc(r->n + 1, sizeof(*first)), *exact = xcalloc(r->n + 1, sizeof(*exact)), fe = 0, ff = 0;
	for (size_t j = 0; j < r->n; j++) {
		first[j] = scores[r->example[j]];
		exact[j] = again[j];
		fe += first[j] * exact[j];
		ff += first[j] * first[j];
	}
	*slope = ff > 0 ? fe / ff : (double)NAN;
	*spearman = r->n > 2 ? stats_spearman(first, exact, r->n) : (double)NAN;
	free(first);
	free(exact);
}

/* What first scores are multiplied by to stand in one list with exact ones. Where the two do not agree even in sign,
 * the ratio of their sizes keeps the order of the rest and their unit. */
static double
unit_factor(const float *scores, const struct rescored *r, const float *exact)
{
	double ee = 0, ff = 0, slope, spearman;
	agreement(scores, r, exact, &slope, &spearman);
	if (slope > 0)
		return slope;
	for (size_t j = 0; j < r->n; j++) {
		ee += (double)exact[j] * exact[j];
		ff += (double)scores[r->example[j]] * scores[r->example[j]];
	}
	return ff > 0 ? sqrt(ee / ff) : 1;
}

/*
 * What the noise floor of first scores is multiplied by. Exact scores spread by what first scores explain of them
 * and by what they do not: with slope b, residuals e and first scores f, variance b^2 f^2 + e^2. Candidates are the
 * extremes of f, so b alone, or the ratio of their sizes, would make the floor too low; residuals do not know of
 * the choice.
 */
static double
floor_factor(const float *scores, size_t n, const struct rescored *r, const float *exact)
{
	double slope, spearman, ee = 0, ff = 0;
	size_t k = 0;
	agreement(scores, r, exact, &slope, &spearman);
	for (size_t i = 0; i < n; i++) {
		ff += isfinite(scores[i]) ? (double)scores[i] * scores[i] : 0;
		k += isfinite(scores[i]) ? 1 : 0;
	}
	for (size_t j = 0; j < r->n; j++) {
		double e = exact[j] - slope * scores[r->example[j]];
		ee += e * e;
	}
	return ff > 0 && isfinite(slope) ? sqrt(slope * slope + ee / (double)r->n / (ff / (double)k)) : 1;
}

static void
blend(const struct rescored *r, const float *exact, double factor, float *scores, size_t n)
{
	for (size_t i = 0; i < n; i++)
		scores[i] = (float)(factor * scores[i]);
	for (size_t j = 0; j < r->n; j++)
		scores[r->example[j]] = exact[j];
}

/* ---- several runs ------------------------------------------------------------------------------------------- */

struct making {
	const struct rank_options *o;
	struct query **run;		/* out->n_runs */
	size_t n;			/* examples */
	struct ranking *out;
	double *floor;			/* a run: out->run_floor, or &out->floor */
};

/* Where one run's scores are; a run alone has the ranking's own. */
static float *
scores_of(const struct making *k, int run)
{
	return k->out->run_scores ? k->out->run_scores + (size_t)run * k->n : k->out->scores;
}

/* Mean and standard error over runs of what each has at one place. */
static double
mean_at(const float *v, size_t stride, int runs, float *error)
{
	double sum = 0, squares = 0;
	for (int k = 0; k < runs; k++)
		sum += v[(size_t)k * stride];
	double mean = sum / runs;
	for (int k = 0; k < runs; k++)
		squares += (v[(size_t)k * stride] - mean) * (v[(size_t)k * stride] - mean);
	if (error)
		*error = (float)sqrt(squares / (runs - 1) / runs);
	return mean;
}

static void
average(const struct making *k)
{
	struct ranking *r = k->out;
	double squares = 0;
	if (!r->run_scores)
		return;
	for (size_t i = 0; i < k->n; i++)
		r->scores[i] = (float)mean_at(r->run_scores + i, k->n, r->n_runs, &r->error[i]);
	for (int run = 0; run < r->n_runs; run++)
		squares += r->run_floor[run] * r->run_floor[run];
	r->floor = sqrt(squares / r->n_runs);
}

static enum err
first_scores(const struct making *k, struct job *job)
{
	const struct method *m = k->o->method;
	bool features = m->rescore != RESCORE_NONE || m->score == method_features_score;
	for (int run = 0; run < k->out->n_runs; run++) {
		struct query *q = k->run[run];
		TRY((m->rescore == RESCORE_NONE ? m->score : method_features_score)(q, k->o->from, k->o->to,
			scores_of(k, run), job));
		mask_untrained(q->session, scores_of(k, run));
		k->floor[run] = features ? session_null_floor(q->session, k->o->to - k->o->from) : (double)NAN;
	}
	return OK;
}

/* How far the averages of both agree, before either is changed. */
static void
agreement_of_means(const struct making *k, const struct rescored *r)
{
	float *mean = xcalloc(r->n + 1, sizeof(*mean));
	for (size_t j = 0; j < r->n; j++)
		mean[j] = (float)mean_at(r->exact + j, r->n, k->out->n_runs, NULL);
	agreement(k->out->scores, r, mean, &k->out->exact_slope, &k->out->exact_spearman);
	free(mean);
}

static enum err
rescore(const struct making *k, struct job *job, struct rescored *r)
{
	struct ranking *out = k->out;
	candidates_choose(out->scores, k->n, k->o->method->rescore == RESCORE_ALL ? k->n : k->o->exact, out->n_runs, r);
	if (r->n == 0)
		return OK;
	for (int run = 0; run < out->n_runs; run++)
		TRY(query_exact(k->run[run], k->o->from, k->o->to, r->example, r->n, r->exact + (size_t)run * r->n,
			NULL, job));
	agreement_of_means(k, r);
	for (int run = 0; run < out->n_runs; run++) {
		const float *exact = r->exact + (size_t)run * r->n;
		k->floor[run] *= floor_factor(scores_of(k, run), k->n, r, exact);
		blend(r, exact, unit_factor(scores_of(k, run), r, exact), scores_of(k, run), k->n);
	}
	out->n_exact = r->n;
	return OK;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static enum err
making_begin(struct making *k, struct query *q, struct job *job)
{
	struct ranking *r = k->out;
	r->n_runs = k->o->method->blind ? 1 : session_runs(q->session);
	k->run = xcalloc((size_t)r->n_runs, sizeof(struct query *));
	k->floor = &r->floor;
	TRY(mem_array(&r->scores, k->n, sizeof(*r->scores), "scores of all examples"));
	if (r->n_runs == 1) {
		k->run[0] = q;
		return OK;
	}
	TRY(mem_array(&r->run_scores, (size_t)r->n_runs * k->n, sizeof(*r->run_scores), "scores of all runs"));
	TRY(mem_array(&r->error, k->n, sizeof(*r->error), "errors of all scores"));
	r->run_floor = k->floor = xcalloc((size_t)r->n_runs, sizeof(*r->run_floor));
	return query_runs(q, k->run, job);
}

/* Without other runs to differ from, what a score may be off by is what it is when it means nothing. */
static void
error_of_floor(struct ranking *r, size_t n)
{
	if (r->error || !isfinite(r->floor))
		return;
	r->error = xcalloc(n + 1, sizeof(*r->error));
	for (size_t i = 0; i < n; i++)
		r->error[i] = isfinite(r->scores[i]) ? (float)r->floor : NAN;
}

static enum err
make(struct making *k, struct query *q, struct job *job, struct rescored *done)
{
	TRY(making_begin(k, q, job));
	TRY(first_scores(k, job));
	average(k);
	if (k->o->method->rescore != RESCORE_NONE) {
		TRY(rescore(k, job, done));
		average(k);
	}
	error_of_floor(k->out, k->n);
	ranking_lists(k->out, k->n, k->o->top, done);
	return OK;
}

enum err
query_rank(struct query *q, const struct rank_options *o, struct job *job, struct ranking **out)
{
	*out = NULL;
	TRY(rank_check(q, o));
	struct rescored done = {0};
	struct ranking *r = xcalloc(1, sizeof(*r));
	*r = (struct ranking){ .method = o->method, .from = o->from, .to = o->to, .floor = NAN, .exact_slope = NAN,
		.exact_spearman = NAN };
	struct making k = { .o = o, .n = q->session->data.n, .out = r };
	enum err err = make(&k, q, job, &done);
	query_runs_rest(q);
	if (err == OK)
		*out = r;
	else
		ranking_free(r);
	free(k.run);
	free(done.example);
	free(done.exact);
	return err;
}

void
ranking_free(struct ranking *r)
{
	if (!r)
		return;
	free(r->scores);
	free(r->error);
	free(r->run_scores);
	free(r->run_floor);
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
