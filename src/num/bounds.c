/* layers: what keeps numbers within bounds: clipping, and the soft cap of Gemma 2. */
#include "byline/layers.h"

#include <math.h>

void
clip_forward(real *x, size_t n, real bound)
{
	for (size_t i = 0; i < n; i++)
		x[i] = x[i] > bound ? bound : x[i] < -bound ? -bound : x[i];
}

void
clip_backward(real *dy, const real *x, size_t n, real bound)
{
	for (size_t i = 0; i < n; i++)
		dy[i] = x[i] > bound || x[i] < -bound ? 0 : dy[i];
}

void
cap_forward(real *x, size_t n, real cap)
{
	for (size_t i = 0; i < n; i++)
		x[i] = sizeof(real) == sizeof(float) ? (real)((float)cap * tanhf((float)(x[i] / cap)))
			: (real)((double)cap * tanh((double)(x[i] / cap)));
}

void
cap_backward(real *dy, const real *y, size_t n, real cap)
{
	for (size_t i = 0; i < n; i++) {
		real t = y[i] / cap;
		dy[i] *= 1 - t * t;
	}
}
