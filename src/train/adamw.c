/* adamw: the update. */
#include "adamw.h"

#include <math.h>

/* Moments of weights without a gradient shrink for ever, and arithmetic on what is left of them below the normal
 * numbers is a hundred times slower; what a moment this small does to a weight cannot be seen. */
#define TINY_FIRST 1e-30f
#define TINY_SECOND 1e-36f

struct adamw
adamw_at(const struct train_options *o, double lr, double scale, int64_t t)
{
	return (struct adamw){
		.scale = (float)scale,
		.beta1 = (float)o->beta1, .beta2 = (float)o->beta2,
		.rest1 = (float)(1 - o->beta1), .rest2 = (float)(1 - o->beta2),
		.rate = (float)(lr / (1 - pow(o->beta1, (double)t))),
		.root = (float)(1 / sqrt(1 - pow(o->beta2, (double)t))),
		.eps = (float)o->eps,
		.shrink = (float)(1 - lr * o->weight_decay),
	};
}

void
adamw_update(const struct adamw *a, float *w, float *m, float *v, float *g, size_t n, bool decay)
{
	const struct adamw c = *a;
	const float shrink = decay ? c.shrink : 1;
	#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		float x = g[i] * c.scale;
		float first = c.beta1 * m[i] + c.rest1 * x;
		float second = c.beta2 * v[i] + c.rest2 * x * x;
		first = fabsf(first) < TINY_FIRST ? 0 : first;
		second = second < TINY_SECOND ? 0 : second;
		w[i] = w[i] * shrink - c.rate * first / (sqrtf(second) * c.root + c.eps);
		m[i] = first;
		v[i] = second;
		g[i] = 0;
	}
}
