/*
 * Method "ekfac": influence with the eigenvalue-corrected Kronecker-factored curvature, nothing projected, nothing
 * stored:
 *
 *   s_i = (1/N) mean_k sum_layers < Q_S [ (Q_S^T G_q Q_A) / (L + 0.1 mean L) ] Q_A^T , G_i >
 *
 * Grosse et al. 2023, "Studying large language model generalization with influence functions", eq. 21; the basis and L
 * of George et al. 2018, eq. 6. It reads every example once for each checkpoint: slow, and what the others are measured
 * against.
 */
#include "byline/attrib.h"

#include "exact.h"
#include "query_private.h"

const struct exact_kind exact_ekfac = { TURN_SOLVE, WEIGH_EVENLY, false, true };

static enum err
ekfac_spans(const struct spans *spans, float *scores, struct job *job)
{
	return queries_exact(spans, &exact_ekfac, 0, scores, job);
}

enum err
method_exact_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return spans_one(q, from, to, ekfac_spans, scores, job);
}

enum err
method_exact_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	return spans_whole(q, n, ekfac_spans, scores, job);
}
