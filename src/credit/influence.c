/*
 * The policy "influence": what an example has beyond a threshold t goes to its contributors; what lies within it goes
 * to nobody. With e_i = max(0, s_i - t), c_i = s_i cut to [-t, t] and a_ic the part of contributor c in example i:
 *
 *   R = max(|sum_i c_i|, sqrt(sum_i c_i^2)),  share_c = sum_i a_ic e_i / (sum_i e_i + R),
 *   residual = 1 - sum_c share_c
 *
 * R is what the rest adds up to once helping and hindering have cancelled, but never less than the size such a sum
 * reaches by chance alone: so a large corpus of small noise does not drown a clear answer, and noise by itself credits
 * next to nobody.
 * Linear in a_ic once each s_i is clipped, so a contributor may be split, or two merged, and nobody else's share moves.
 */
#include "byline/credit.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static double
positive(double x)
{
	return x > 0 ? x : 0;	/* NaN too */
}

/* The excess over the threshold of all items, and R of the rest. */
static void
weigh(const float *score, size_t n, double threshold, double *excess, double *rest)
{
	double net = 0, squares = 0;
	*excess = 0;
	for (size_t i = 0; i < n; i++) {
		double s = score[i];
		if (!isfinite(s))
			continue;
		double within = fmax(-threshold, fmin(threshold, s));
		*excess += positive(s - threshold);
		net += within;
		squares += within * within;
	}
	*rest = fmax(fabs(net), sqrt(squares));
}

void
credit_influence(const float *score, size_t n_items, const struct credit_edge *edge, size_t n_edges, double threshold,
	double *share, double *total, size_t n_parties, double *residual)
{
	double excess, rest, given = 0;
	threshold = positive(threshold);
	weigh(score, n_items, threshold, &excess, &rest);
	memset(share, 0, n_parties * sizeof(*share));
	memset(total, 0, n_parties * sizeof(*total));
	for (size_t e = 0; e < n_edges; e++) {
		assert(edge[e].item < n_items && edge[e].party < n_parties);
		double s = score[edge[e].item];
		if (!isfinite(s))
			continue;
		total[edge[e].party] += edge[e].part * s;
		if (excess > 0)
			share[edge[e].party] += edge[e].part * positive(s - threshold) / (excess + rest);
	}
	for (size_t p = 0; p < n_parties; p++)
		given += share[p];
	*residual = positive(1 - given);
}
