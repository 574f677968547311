/* layers: queries and keys normalised, each head by itself or all as one. */
#include "byline/layers.h"

#include <math.h>

/* Vectors a row, and how wide they are. */
static int
vectors(const struct head_norm *n)
{
	return n->whole ? 1 : n->heads;
}

static int
width(const struct head_norm *n)
{
	return n->whole ? n->heads * n->dim : n->dim;
}

void
headnorm_forward(real *y, int ldy, real *rstd, const real *x, int ldx, const real *gain, const struct head_norm *n)
{
	int C = width(n), V = vectors(n);
	for (int i = 0; i < n->R * V; i++) {
		const real *from = x + (size_t)(i / V) * ldx + (size_t)(i % V) * C;
		real *to = y + (size_t)(i / V) * ldy + (size_t)(i % V) * C, square = 0;
		for (int c = 0; c < C; c++)
			square += from[c] * from[c];
		rstd[i] = (real)(1 / sqrt((double)(square / C + n->eps)));
		for (int c = 0; c < C; c++)
			to[c] = from[c] * rstd[i] * gain[c];
	}
}

/* With h = dy * gain: dx = rstd * (h - x * rstd^2 * mean(h * x)). */
void
headnorm_backward(real *dx, int ldd, real *dgain, const real *dy, const real *x, int ldx, const real *gain,
	const real *rstd, const struct head_norm *n)
{
	int C = width(n), V = vectors(n);
	for (int i = 0; i < n->R * V; i++) {
		size_t at = (size_t)(i / V) * ldd + (size_t)(i % V) * C;
		const real *v = x + (size_t)(i / V) * ldx + (size_t)(i % V) * C;
		real s = rstd[i], hx = 0;
		for (int c = 0; c < C; c++)
			hx += dy[at + c] * gain[c] * v[c];
		real k = hx * s * s / C;
		for (int c = 0; dgain != NULL && c < C; c++)
			dgain[c] += dy[at + c] * v[c] * s;
		for (int c = 0; c < C; c++)
			dx[at + c] = s * (dy[at + c] * gain[c] - k * v[c]);
	}
}
