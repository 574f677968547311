/* layers: the elementwise functions of the MLP. */
#include "byline/layers.h"

#include "exp.h"
#include "wide.h"

/* gelu_tanh(x) = x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3): Hendrycks, Gimpel 2016. */
#define TWO_ROOT (real)1.5957691216057307118	/* 2 sqrt(2/pi) */
#define CUBIC (real)0.044715
#define ROOT_HALF (real)0.70710678118654752440
#define ROOT_TAU (real)0.39894228040143267794	/* 1 / sqrt(2 pi) */

WIDE void
gelu_tanh_forward(real *y, const real *x, size_t n)
{
	#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] * real_sigmoid(TWO_ROOT * (x[i] + CUBIC * x[i] * x[i] * x[i]));
}

WIDE void
gelu_tanh_backward(real *dx, const real *dy, const real *x, size_t n)
{
	#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		real v = x[i], s = real_sigmoid(TWO_ROOT * (v + CUBIC * v * v * v));
		dx[i] += dy[i] * (s + v * s * (1 - s) * TWO_ROOT * (1 + 3 * CUBIC * v * v));
	}
}

static real
real_erf(real x)
{
	return sizeof(real) == sizeof(float) ? (real)erff((float)x) : (real)erf(x);
}

void
gelu_erf_forward(real *y, const real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = (real)0.5 * x[i] * (1 + real_erf(x[i] * ROOT_HALF));
}

void
gelu_erf_backward(real *dx, const real *dy, const real *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		real v = x[i], cdf = (real)0.5 * (1 + real_erf(v * ROOT_HALF));
		dx[i] += dy[i] * (cdf + v * ROOT_TAU * real_exp((real)-0.5 * v * v));
	}
}

WIDE void
swiglu_forward(real *y, const real *gate, const real *up, size_t n)
{
	#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] = gate[i] * real_sigmoid(gate[i]) * up[i];
}

WIDE void
swiglu_backward(real *dgate, real *dup, const real *dy, const real *gate, const real *up, size_t n)
{
	#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		real g = gate[i], s = real_sigmoid(g);
		dgate[i] += dy[i] * up[i] * s * (1 + g * (1 - s));
		dup[i] += dy[i] * g * s;
	}
}

void
relu_forward(real *y, const real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] > 0 ? x[i] : 0;
}

void
relu_backward(real *dx, const real *dy, const real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dx[i] += x[i] > 0 ? dy[i] : 0;
}

void
gate_forward(real *y, const real *up, size_t n)
{
	#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] *= up[i];
}

void
gate_backward(real *dup, real *dy, const real *fgate, const real *up, size_t n)
{
	#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		dup[i] += dy[i] * fgate[i];
		dy[i] *= up[i];
	}
}
