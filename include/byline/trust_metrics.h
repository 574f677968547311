/*
 * trust_metrics: the numbers that say how far scores can be believed. Pure functions over matrices; what a bank holds
 * and what a method says are brought by the caller.
 *
 * scores (queries, examples): NaN where an example was never trained on; such are skipped. drop (members, examples):
 * 1 = left out of that member's training. predicted, outcome (queries, members). All row-major. Whatever cannot be
 * measured (constants, too few members, nothing finite) is NaN.
 */
#ifndef BYLINE_TRUST_METRICS_H
#define BYLINE_TRUST_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct interval { double value, lo, hi; };	/* 95 % by bootstrap; NaN: not measured */

enum { METRICS_DRAWS = 1000 };			/* of the bootstrap */

/* Which queries and members are measured over. The same seed, queries, use and members make the same draws, so that
 * two methods are compared on the same ones. */
struct measure {
	int queries, members;
	const uint8_t *use;			/* queries, 0 = does not count; NULL: all count */
	uint64_t seed;
};

enum metrics_side { METRICS_KEPT, METRICS_LEFT_OUT };
/* sums (queries, members): of the scores of the examples that a member kept, or of those it lacks. */
void metrics_sums(const float *scores, int queries, size_t examples, const uint8_t *drop, int members,
	enum metrics_side side, double *sums);

/* Linear datamodeling score (Park et al. 2023, "TRAK: attributing model behavior at scale", definition 2.3): Spearman,
 * over members, of the kept sums with the outcomes; mean over queries. The interval is the percentile bootstrap over
 * queries and members drawn jointly. */
struct interval metrics_lds(const struct measure *m, const double *predicted, const double *outcome);
/* LDS of a less that of b, on the same draws. */
struct interval metrics_lds_difference(const struct measure *m, const double *a, const double *b,
	const double *outcome);
/* What a perfect predictor of the mean over seeds would reach against one of them: square root of the mean over
 * queries of Spearman between the outcomes of the same members under two seeds; 0 when that mean is negative
 * (attenuation: Spearman 1904). */
struct interval metrics_ceiling(const struct measure *m, const double *outcome_a, const double *outcome_b);
/* out (queries): Spearman of each, NaN for those that do not count. */
void metrics_per_query(const struct measure *m, const double *predicted, const double *outcome, double *out);

/* Outcome per predicted unit: least squares through the means of each query, all queries and members pooled. *error:
 * standard deviation over bootstrap draws of the queries. */
double metrics_slope(const struct measure *m, const double *predicted, const double *outcome, double *error);

/* Members are groups here, predicted and measured (queries, members) drops: mean over queries of Pearson over groups.
 * With size (members) it is the partial correlation: what a line in size explains is first taken out of both. */
double metrics_groups(const struct measure *m, const double *predicted, const double *measured, const double *size);
/* The same with the size as the prediction of every query: the baseline. */
double metrics_groups_size(const struct measure *m, const double *size, const double *measured);

/* Mean over queries of NDCG@k of one score matrix against another: stats_ndcg. Queries where nothing in `exact` is
 * above 0 do not count. */
double metrics_ndcg(const float *scores, const float *exact, int queries, size_t examples, size_t k);
/* Mean over queries of Spearman over examples. */
double metrics_agreement(const float *a, const float *b, int queries, size_t examples);
/* Different examples among the k best of every query, of as many as there could be: near 0, every query names the
 * same ones. */
double metrics_cardinality(const float *scores, int queries, size_t examples, size_t k);
/* Part of the queries q for which no example scores above example self[q]. */
double metrics_found_first(const float *scores, const uint32_t *self, int queries, size_t examples);

#endif
