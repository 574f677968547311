/*
 * direction: V = H^-1 G_q of a span, one matrix a layer and checkpoint: what exact scores are taken along.
 *
 * G_q is the gradient of the span's summed negative log-likelihood, H the damped EK-FAC curvature (Grosse et al. 2023,
 * eq. 21).
 */
#ifndef BYLINE_ATTRIB_DIRECTION_H
#define BYLINE_ATTRIB_DIRECTION_H

#include "byline/attrib.h"

struct direction {
	int from, to, n_points, n_layers;
	int *linear;			/* n_layers: index into model->linears */
	int *layer_of;			/* n_linears: index into linear, -1: not a layer of features */
	uint32_t roles;			/* for taps */
	float **v;			/* [point * n_layers + layer] (out, in), NULL until made */
	bool kept;			/* small enough to stay for the next question about the same span */
};

/* The query's direction for this span, made anew when the last one was another span's. Owned by the query. */
struct direction *direction_of(struct query *q, int from, int to);
/* Makes the matrices of one checkpoint unless they are there. */
enum err direction_make(struct direction *d, const struct query *q, int point, struct job *job);
/* Gives them back when the whole would be too large to keep. */
void direction_release(struct direction *d, int point);

#endif
