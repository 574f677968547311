/*
 * trust: how far each method's scores can be believed on this run, measured against its bank. Definitions in byline(7)
 * and trust_metrics.h; everything is reproducible from the bank's seed.
 *
 * Kept in runs/NAME/bank/trust.json, which is also what `byline eval --report --json` prints.
 */
#ifndef BYLINE_TRUST_H
#define BYLINE_TRUST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "byline/bank.h"
#include "byline/trust_metrics.h"

/* Outcomes are nats per token of a query's span, and so are sums of scores once divided by the span's tokens. */
struct method_trust {
	char name[32];
	bool is_default;
	/* Linear datamodeling score: mean over queries of Spearman, over subsets, between summed scores and outcomes
	 * (Park et al. 2023, definition 2.3). */
	struct interval lds, lds_heldout, lds_generated, lds_other_seed;
	struct interval lds_less_default;	/* LDS less the default method's, on the same draws */
	double contributor_r;		/* leave-one-contributor-out: mean over queries of Pearson between predicted and
					 * measured drop */
	double contributor_r_size;	/* the same with the tokens left out as the prediction: the baseline */
	double contributor_partial;	/* with size regressed out of both */
	double slope, slope_error;	/* measured nats per predicted unit, subsets pooled */
	double ndcg20;			/* of its ranking against exact EK-FAC's */
	double cardinality;		/* different examples among the top 10 of all queries, of those possible */
	int64_t bytes_per_example;	/* stored; 0: computed anew */
	double seconds_per_query;
};

/* Nats per token of a span, relative to the query's mean. */
struct calibration_point { double predicted, observed; };

enum { TRUST_PLANTED = 20, TRUST_POINTS = 512 };

struct trust {
	int n_queries, n_heldout, n_generated;
	int n_subsets, n_other_subsets, n_contributors;	/* finished members */
	int span;			/* tokens of a query's span */
	double alpha;
	/* other_seed: of the other seeds, the one with the most finished subsets. */
	uint64_t seed, run_seed, other_seed;
	/* Square root of the mean Spearman of outcomes between the run's seed and the other: what a perfect predictor
	 * of the seeds' mean would reach. 95 %: lo to hi. */
	double ceiling_other_seed, ceiling_lo, ceiling_hi;
	double floor;			/* noise floor of the default method for a span of the bank, its unit */
	/* Planted duplicates: part of TRUST_PLANTED trained examples that stand on top of the default method's scores
	 * when their own first tokens are the span. NaN: not measured. */
	double duplicates;
	/* Mean over queries of Spearman between the default method's scores and those of features made in the same way
	 * from random weights, over a sample of examples: near 1, scores would not depend on what was learned (the
	 * randomisation test of Adebayo et al. 2018). */
	double randomised;
	struct method_trust *method;
	int n_methods;
	struct calibration_point *point;	/* of the default method, a sample of at most TRUST_POINTS */
	int n_points;
	char index[HASH_HEX];		/* SHA-256 of the index.json it was measured with; "": of none */
	int64_t measured;		/* seconds since 1970 */
};

/* Scores of all examples for every bank query by each of the named methods (NULL: all that can run), cached in
 * bank/scores-METHOD.safetensors, resumable; then the numbers. The result is the caller's. */
enum err trust_measure(struct bank *b, const char *const *method, int n_methods, struct job *job, struct trust **out);
enum err trust_write(const char *run_dir, const struct trust *t);
/* ERR_MISSING: never measured. Everything is checked. */
enum err trust_read(const char *run_dir, struct trust **out);
void trust_free(struct trust *t);
/* Was it measured with the index.json that is there now (or without one, where there is none)? */
bool trust_is_current(const struct trust *t, const char *run_dir);
/* NULL: not measured, or t is NULL. */
const struct method_trust *trust_method(const struct trust *t, const char *name);
/* Of two random removals, how often of 100 a method with this LDS says rightly which hurts a passage more; 50 is
 * guessing. Spearman to the r of normal variables, and that to concordant pairs (Kruskal 1958, eqs. 4.9 and 4.4). */
double trust_right(double lds);
json_t *trust_json(const struct trust *t);			/* new reference */
/* What a ranking by the method says of it, byline-ask(1)'s `trust`: new reference, null when it was not measured. t may
 * be NULL. */
json_t *trust_method_json(const struct trust *t, const char *method, bool current);

#endif
