/*
 * Methods "influence" and "features": inner products of projected, whitened gradients.
 *
 * Two-sided projection of a linear layer's gradient as in LoGra (Choe et al. 2024, "What is your data worth to GPT?",
 * section 3.1), whitened by the Kronecker factors as in EK-FAC influence (Grosse et al. 2023, eq. 21), averaged over
 * checkpoints as in TracIn (Pruthi et al. 2020, eq. 4):
 *
 *   s_i = < mean_k sum_t (P_S g_t)(P_A a_t)^T of the query, the example's stored row >
 */
#include "byline/attrib.h"

#include "query_private.h"

enum err
method_features_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return query_span_scores(q, from, to, scores, job);
}
