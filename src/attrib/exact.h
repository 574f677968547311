/*
 * exact: inner products with every example's whole gradient, over the checkpoints of the index:
 *
 *   s_i = c sum_checkpoints w_k sum_layers < V_k, G_ik >
 *
 * What a method of this kind does to the query's gradient to get V, and how the checkpoints weigh, is its struct
 * exact_kind; the sum is one piece of code.
 */
#ifndef BYLINE_ATTRIB_EXACT_H
#define BYLINE_ATTRIB_EXACT_H

#include "direction.h"
#include "span.h"

enum weigh { WEIGH_EVENLY, WEIGH_LAST, WEIGH_RATE };	/* by learning rate, where the run has a journal */

struct exact_kind {
	enum turn turn;
	enum weigh weigh;
	bool cosine;			/* G_ik as a unit vector too */
	bool per_example;		/* c = 1 / N, the examples trained on; else 1 */
};
extern const struct exact_kind exact_ekfac, exact_ekfac_final, exact_tracin, exact_gradcos;

/* Of each checkpoint of the index, c w_k; the w_k sum to 1. w (n_points). */
enum err exact_weights(const struct session *s, const struct exact_kind *kind, double *w);

/* Scores of every example for every span; scores (spans, data.n), NaN for those not trained on. The examples are run
 * through each checkpoint once for as many spans as fit in a GiB, at most `most` where that is not 0. */
enum err queries_exact(const struct spans *spans, const struct exact_kind *kind, size_t most, float *scores,
	struct job *job);

#endif
