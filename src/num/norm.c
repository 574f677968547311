/* layers: RMSNorm and LayerNorm. Rows of width C; everything about a row is in that row alone. */
#include "byline/layers.h"

#include <math.h>

static real
dot(const real *a, const real *b, int n)
{
	real s = 0;
	#pragma omp simd reduction(+:s)
	for (int i = 0; i < n; i++)
		s += a[i] * b[i];
	return s;
}

void
rmsnorm_forward(real *y, real *rstd, const real *x, const real *gain, int R, int C, real eps)
{
	for (int r = 0; r < R; r++, x += C, y += C) {
		real s = (real)(1 / sqrt((double)(dot(x, x, C) / C + eps)));
		rstd[r] = s;
		#pragma omp simd
		for (int c = 0; c < C; c++)
			y[c] = x[c] * s * gain[c];
	}
}

/* With h = dy * gain: dx = rstd * (h - x * rstd^2 * mean(h * x)). */
static void
rmsnorm_row_dx(real *dx, const real *dy, const real *x, const real *gain, real s, int C)
{
	real hx = 0;
	#pragma omp simd reduction(+:hx)
	for (int c = 0; c < C; c++)
		hx += dy[c] * gain[c] * x[c];
	real k = hx * s * s / C;
	#pragma omp simd
	for (int c = 0; c < C; c++)
		dx[c] += s * (dy[c] * gain[c] - k * x[c]);
}

void
rmsnorm_backward(real *dx, real *dgain, const real *dy, const real *x, const real *gain, const real *rstd, int R, int C)
{
	for (int r = 0; r < R; r++) {
		size_t at = (size_t)r * C;
		if (dx != NULL)
			rmsnorm_row_dx(dx + at, dy + at, x + at, gain, rstd[r], C);
		if (dgain == NULL)
			continue;
		#pragma omp simd
		for (int c = 0; c < C; c++)
			dgain[c] += dy[at + c] * x[at + c] * rstd[r];
	}
}

static real
gain_at(const real *gain, int c)
{
	return gain != NULL ? gain[c] : 1;
}

static real
mean_of(const real *x, int C)
{
	real s = 0;
	#pragma omp simd reduction(+:s)
	for (int c = 0; c < C; c++)
		s += x[c];
	return s / C;
}

static real
variance_of(const real *x, real m, int C)
{
	real s = 0;
	#pragma omp simd reduction(+:s)
	for (int c = 0; c < C; c++)
		s += (x[c] - m) * (x[c] - m);
	return s / C;
}

void
layernorm_forward(real *y, real *mean, real *rstd, const real *x, const real *gain, const real *bias, int R, int C,
	real eps)
{
	for (int r = 0; r < R; r++, x += C, y += C) {
		real m = mean_of(x, C);
		real s = (real)(1 / sqrt((double)(variance_of(x, m, C) + eps)));
		mean[r] = m;
		rstd[r] = s;
		#pragma omp simd
		for (int c = 0; c < C; c++)
			y[c] = (x[c] - m) * s * gain_at(gain, c);
		if (bias == NULL)
			continue;
		#pragma omp simd
		for (int c = 0; c < C; c++)
			y[c] += bias[c];
	}
}

/* With h = dy * gain and n = (x - mean) * rstd: dx = rstd * (h - mean(h) - n * mean(h * n)). */
static void
layernorm_row_dx(real *dx, const real *dy, const real *x, const real *gain, real m, real s, int C)
{
	real h = 0, hn = 0;
	#pragma omp simd reduction(+:h, hn)
	for (int c = 0; c < C; c++) {
		h += dy[c] * gain_at(gain, c);
		hn += dy[c] * gain_at(gain, c) * (x[c] - m) * s;
	}
	h /= C;
	hn /= C;
	#pragma omp simd
	for (int c = 0; c < C; c++)
		dx[c] += s * (dy[c] * gain_at(gain, c) - h - (x[c] - m) * s * hn);
}

void
layernorm_backward(real *dx, real *dgain, real *dbias, const real *dy, const real *x, const real *gain,
	const real *mean, const real *rstd, int R, int C)
{
	for (int r = 0; r < R; r++) {
		const real *g = dy + (size_t)r * C, *v = x + (size_t)r * C;
		if (dx != NULL)
			layernorm_row_dx(dx + (size_t)r * C, g, v, gain, mean[r], rstd[r], C);
		for (int c = 0; dgain != NULL && c < C; c++)
			dgain[c] += g[c] * (v[c] - mean[r]) * rstd[r];
		for (int c = 0; dbias != NULL && c < C; c++)
			dbias[c] += g[c];
	}
}
