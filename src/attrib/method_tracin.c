/*
 * Method "tracin": inner products of gradients, no curvature, over checkpoints weighed by their learning rate:
 *
 *   s_i = sum_k w_k sum_layers < G_q at k, G_i at k >,   w_k = eta_k / sum eta
 *
 * TracInCP of Pruthi et al. 2020, "Estimating training data influence by tracing gradient descent", section 3.3, up to
 * a constant. eta_k is what the run's journal says of the checkpoint; without a journal all weigh the same.
 */
#include "byline/attrib.h"

#include "exact.h"
#include "query_private.h"

const struct exact_kind exact_tracin = { TURN_NONE, WEIGH_RATE, false, false };

static enum err
tracin_spans(const struct spans *spans, float *scores, struct job *job)
{
	return queries_exact(spans, &exact_tracin, 0, scores, job);
}

enum err
method_tracin_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return spans_one(q, from, to, tracin_spans, scores, job);
}

enum err
method_tracin_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	return spans_whole(q, n, tracin_spans, scores, job);
}
