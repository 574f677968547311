/*
 * direction: V, one matrix a layer and checkpoint: what examples' gradients are taken along for a span.
 *
 * V is made of G_q, the gradient of the span's summed negative log-likelihood, by a turn: H^-1 G_q with the damped
 * EK-FAC curvature H (Grosse et al. 2023, eq. 21), G_q as it is, or G_q made a unit vector.
 */
#ifndef BYLINE_ATTRIB_DIRECTION_H
#define BYLINE_ATTRIB_DIRECTION_H

#include "layer_set.h"
#include "span.h"

enum turn { TURN_SOLVE, TURN_NONE, TURN_UNIT };

/* v[layer] (spans, out * in), zeroed by the caller: the directions of several spans at one checkpoint of the index. */
enum err directions_make(const struct session *s, const struct layer_set *layers, const struct spans *spans,
	enum turn turn, int point, float **v, struct job *job);

/* Of one span, solved: what exact scores are taken along. */
struct direction {
	int from, to, n_points;
	struct layer_set layers;
	float **v;			/* [point * layers.n + layer] (out, in), NULL until made */
	bool kept;			/* small enough to stay for the next question about the same span */
	float *known;			/* data.n: scores taken along it with other queries' (queries_exact), NaN: not
					 * that one; NULL: none */
};

/* The query's direction for this span, made anew when the last one was another span's. Owned by the query. */
struct direction *direction_of(struct query *q, int from, int to);
/* Makes the matrices of one checkpoint unless they are there. */
enum err direction_make(struct direction *d, struct query *q, int point, struct job *job);
/* Exact scores of the span that need not be computed again: copied. */
void direction_know(struct query *q, int from, int to, const float *scores);
/* Gives them back when the whole would be too large to keep. */
void direction_release(struct direction *d, int point);

#endif
