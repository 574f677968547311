/*
 * credit: scores to shares, under a named policy.
 *
 * "influence": what an example has beyond t, CREDIT_FLOORS times the noise floor, goes to its contributors by their
 * parts in the work; the rest is the residual. With s_i the scores, e_i = max(0, s_i - t), c_i = s_i cut to [-t, t],
 * a_ic contributor c's part:
 *   R = max(|sum_i c_i|, sqrt(sum_i c_i^2)),  share_c = sum_i a_ic e_i / (sum_i e_i + R),
 *   residual = 1 - sum_c share_c.
 * Three spreads, because a ranking looks at every example of the corpus: one in six passes a single spread by chance.
 * Clipping is per example, never per contributor, so that splitting a contributor in two changes nothing.
 */
#ifndef BYLINE_CREDIT_H
#define BYLINE_CREDIT_H

#include <stddef.h>
#include <stdint.h>

#include "byline/attrib.h"
#include "byline/json.h"

#define CREDIT_FLOORS NOISE_FLOORS

struct credit_edge { uint32_t item, party; double part; };	/* item's part belonging to party; parts of an item sum
								 * to 1 */

/* score (n_items), NaN = not counted; threshold t >= 0, NaN = 0. share and total (n_parties): total gets the signed
 * sums.
 * Shares and residual are in [0, 1] and sum to 1. With no positive score everything is residual. */
void credit_influence(const float *score, size_t n_items, const struct credit_edge *edge, size_t n_edges,
	double threshold, double *share, double *total, size_t n_parties, double *residual);

struct contribution {
	int64_t contributor;
	const char *name;
	double score, share;
	/* Standard error of the share, from what each run of the ranking would give alone: spread / sqrt(runs). NaN for
	 * one run. */
	double error;
	size_t rank, rank_lo, rank_hi;	/* place in this list, from 1; best and worst over it and the runs' own */
	int64_t works, examples;
	bool opted_out;
};
struct shares {
	struct contribution *c;		/* every contributor of the store, by share, then score, then name; names are
					 * the session's */
	size_t n;
	double residual, residual_error;
	int n_runs;			/* of the ranking */
};
enum err credit_shares(const struct session *s, const struct ranking *r, struct shares *out);
void shares_free(struct shares *sh);

/* Works of one contributor with their scores (already times the contributor's part), best first. */
struct work_score { const struct work *work; double score, part; };
enum err credit_works(const struct session *s, const struct ranking *r, int64_t contributor, struct work_score **out,
	size_t *n);

/* ---- saved queries ---- */

/* Members of the `result` of a saved query, see byline-store(5), and of what byline-ask(1) prints: how the scores were
 * made and stand out; shares, of everybody, or of the CREDIT_SAVED who have most, with the number of the others and the
 * sum of what they have. */
#define CREDIT_SAVED 100
void credit_put_standing(const struct ranking *r, json_t *o);
void credit_put_shares(const struct shares *sh, bool all, json_t *o);

/* rank 0: no share, or, where below is not 0, perhaps one that was too small to be listed: at most below, the least
 * listed. error NaN: none was saved. of: contributors with a share. method: NULL where it does not say. */
struct saved_share { double share, below, error; size_t rank, of; char *method; };
/* What a contributor has in the result of a saved query. False: it carries no shares, or none that can be read: a
 * stranger may have written it. */
bool credit_saved_share(const char *result, const char *name, struct saved_share *out);
void saved_share_free(struct saved_share *s);

/* Gives every saved query of a run that was imported (scores.h) the shares of its whole output. */
enum err credit_settle(struct store *store, const char *run, struct job *job);

#endif
