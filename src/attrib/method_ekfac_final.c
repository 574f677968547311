/*
 * Method "ekfac-final": method "ekfac" at the last checkpoint alone, as influence functions are defined and usually
 * computed (Grosse et al. 2023, eq. 21):
 *
 *   s_i = (1/N) sum_layers < Q_S [ (Q_S^T G_q Q_A) / (L + 0.1 mean L) ] Q_A^T , G_i >
 */
#include "byline/attrib.h"

#include "exact.h"
#include "query_private.h"

const struct exact_kind exact_ekfac_final = { TURN_SOLVE, WEIGH_LAST, false, true };

static enum err
ekfac_final_spans(const struct spans *spans, float *scores, struct job *job)
{
	return queries_exact(spans, &exact_ekfac_final, 0, scores, job);
}

enum err
method_ekfac_final_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return spans_one(q, from, to, ekfac_final_spans, scores, job);
}

enum err
method_ekfac_final_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	return spans_whole(q, n, ekfac_final_spans, scores, job);
}
