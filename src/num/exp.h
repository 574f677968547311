/*
 * exp: the exponential of the layers, and what goes with it. libm's is a call an element; this one is straight
 * arithmetic, so loops over it become vector code, and its bits do not depend on libm. Error below 2 ulp; 0 below
 * -87.33, infinity above 88.37, NaN stays NaN.
 */
#ifndef BYLINE_NUM_EXP_H
#define BYLINE_NUM_EXP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "byline/real.h"

#ifdef BYLINE_REAL_DOUBLE
static inline real
real_exp(real x)
{
	return exp(x);
}
#else
static inline real
real_exp(real x)
{
	const float least = -87.33654f, most = 88.37f;
	float t = x < least ? least : x;
	t = t > most ? most : t;
	/* Adding 1.5 * 2^23 rounds to an integer n and leaves n in the low bits: exp(t) = 2^n exp(r), |r| <= ln(2) /
	 * 2. */
	float shifted = t * 0x1.715476p+0f + 0x1.8p23f;
	float n = shifted - 0x1.8p23f;
	float r = t - n * 0x1.62e4p-1f;	/* ln 2 in two parts, the first short enough for n times it to be exact */
	r -= n * 0x1.7f7d1cp-20f;
	float p = 1.0f / 5040;
	p = p * r + 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r * r + r + 1.0f;
	uint32_t bits;
	memcpy(&bits, &shifted, sizeof(bits));
	bits = (bits + 127) << 23;
	float scale;
	memcpy(&scale, &bits, sizeof(scale));
	float y = p * scale;
	y = x < least ? 0.0f : y;
	return x > most ? (float)INFINITY : y;
}
#endif

/* The largest of n >= 1. In lanes, because a maximum over a vector's parts is no vector code to every compiler. */
static inline real
real_max(const real *x, int n)
{
	enum { LANES = 16 };
	real lane[LANES];
	int i = 0;
	for (int j = 0; j < LANES; j++)
		lane[j] = x[0];
	for (; i + LANES <= n; i += LANES) {
		#pragma omp simd
		for (int j = 0; j < LANES; j++)
			lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
	}
	for (; i < n; i++)
		lane[0] = x[i] > lane[0] ? x[i] : lane[0];
	for (int j = 1; j < LANES; j++)
		lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
	return lane[0];
}

/* 1 / (1 + exp(-x)) */
static inline real
real_sigmoid(real x)
{
	return 1 / (1 + real_exp(-x));
}

#endif
