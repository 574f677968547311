/*
 * Method "gradcos": cosine of gradients, mean over the checkpoints:
 *
 *   s_i = mean_k cos(G_q at k, G_i at k),   all layers one vector
 *
 * "GC" of Charpiat et al. 2019, "Input similarity from the neural network perspective", section 3; as an attribution
 * Hanawa et al. 2021, "Evaluation of similarity-based explanations", section 3.
 */
#include "byline/attrib.h"

#include "exact.h"
#include "query_private.h"

const struct exact_kind exact_gradcos = { TURN_UNIT, WEIGH_EVENLY, true, false };

static enum err
gradcos_spans(const struct spans *spans, float *scores, struct job *job)
{
	return queries_exact(spans, &exact_gradcos, 0, scores, job);
}

enum err
method_gradcos_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return spans_one(q, from, to, gradcos_spans, scores, job);
}

enum err
method_gradcos_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	return spans_whole(q, n, gradcos_spans, scores, job);
}
