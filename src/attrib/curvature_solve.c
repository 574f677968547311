/* curvature_solve: a damped inverse curvature times a matrix, in the eigenbasis. */
#include "byline/curvature.h"

#include <string.h>

#include "byline/mm.h"

/* One side turned into or out of its basis: the result is in `to`, unless the basis is the identity. */
static float *
turn_left(const struct curvature_layer *l, float *v, float *to, bool back)
{
	if (!l->s.q)
		return v;
	(back ? mm : mm_at)(l->out, l->in, l->out, 1, l->s.q, l->out, v, l->in, 0, to, l->in);
	return to;
}

static float *
turn_right(const struct curvature_layer *l, float *v, float *to, bool back)
{
	if (!l->a.q)
		return v;
	(back ? mm_bt : mm)(l->out, l->in, l->in, 1, v, l->in, l->a.q, l->in, 0, to, l->in);
	return to;
}

void
curvature_solve(const struct curvature_layer *l, float *v, float *scratch)
{
	size_t n = (size_t)l->out * (size_t)l->in;
	float *half = scratch + n;
	float *x = turn_left(l, v, scratch, false);
	x = turn_right(l, x, half, false);
	for (size_t i = 0; i < n; i++)
		x[i] /= l->lambda[i] + l->damping;
	x = turn_left(l, x, x == scratch ? half : scratch, true);
	x = turn_right(l, x, x == scratch ? half : scratch, true);
	if (x != v)
		memcpy(v, x, n * sizeof(*v));
}
