/*
 * adamw: Adam with decoupled weight decay (Loshchilov, Hutter 2019, algorithm 2; the decay is lr * weight_decay * w),
 * on one range of the parameter vector.
 */
#ifndef BYLINE_TRAIN_ADAMW_H
#define BYLINE_TRAIN_ADAMW_H

#include <stddef.h>
#include <stdint.h>

#include "byline/train.h"

struct adamw {
	float scale;			/* of the gradient: clipping */
	float beta1, beta2, rest1, rest2;	/* rest = 1 - beta */
	float rate;			/* lr / (1 - beta1^t) */
	float root;			/* 1 / sqrt(1 - beta2^t) */
	float eps;
	float shrink;			/* 1 - lr * weight_decay */
};

/* Constants of update number t (from 1). */
struct adamw adamw_at(const struct train_options *o, double lr, double scale, int64_t t);

/* w, m, v (n): weights, first and second moments; g (n): gradient, left zeroed for the next step. */
void adamw_update(const struct adamw *a, float *w, float *m, float *v, float *g, size_t n, bool decay);

#endif
