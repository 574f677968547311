/*
 * The policy "influence": an example's excess over the noise floor goes to its contributors, the rest is the residual.
 *
 *   share_c = sum_i a_ic max(0, s_i - f) / sum_i max(0, s_i),   residual = 1 - sum_c share_c
 *
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

static double
positive_sum(const float *score, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += isfinite(score[i]) ? positive(score[i]) : 0;
	return sum;
}

void
credit_influence(const float *score, size_t n_items, const struct credit_edge *edge, size_t n_edges, double floor,
	double *share, double *total, size_t n_parties, double *residual)
{
	double whole = positive_sum(score, n_items), given = 0;
	floor = positive(floor);
	memset(share, 0, n_parties * sizeof(*share));
	memset(total, 0, n_parties * sizeof(*total));
	for (size_t e = 0; e < n_edges; e++) {
		assert(edge[e].item < n_items && edge[e].party < n_parties);
		double s = score[edge[e].item];
		if (!isfinite(s))
			continue;
		total[edge[e].party] += edge[e].part * s;
		if (whole > 0)
			share[edge[e].party] += edge[e].part * positive(s - floor) / whole;
	}
	for (size_t p = 0; p < n_parties; p++)
		given += share[p];
	*residual = positive(1 - given);
}
