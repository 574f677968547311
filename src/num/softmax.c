/* layers: softmax cross-entropy. */
#include "byline/layers.h"

#include <string.h>

#include "exp.h"
#include "wide.h"

static WIDE real
max_of(const real *x, int n)
{
	return real_max(x, n);
}

static WIDE real
sum_exp(const real *x, real top, int n)
{
	real sum = 0;
	#pragma omp simd reduction(+:sum)
	for (int i = 0; i < n; i++)
		sum += real_exp(x[i] - top);
	return sum;
}

static WIDE void
row_gradient(real *d, const real *x, real top, real sum, real weight, int target, int n)
{
	real scale = weight / sum;
	#pragma omp simd
	for (int i = 0; i < n; i++)
		d[i] = real_exp(x[i] - top) * scale;
	d[target] -= weight;
}

void
xent(real *nll, real *dlogits, const real *logits, const int32_t *target, const real *weight, int R, int V)
{
	for (int r = 0; r < R; r++) {
		const real *x = logits + (size_t)r * V;
		real *d = dlogits != NULL ? dlogits + (size_t)r * V : NULL;
		nll[r] = 0;
		if (target[r] < 0) {
			if (d != NULL)
				memset(d, 0, (size_t)V * sizeof(*d));
			continue;
		}
		real top = max_of(x, V), sum = sum_exp(x, top, V);
		nll[r] = (real)(log((double)sum) + ((double)top - (double)x[target[r]]));
		if (d != NULL)
			row_gradient(d, x, top, sum, weight != NULL ? weight[r] : 1, target[r], V);
	}
}

/* Where in x the cumulated exp(x - top) passes `left`. */
static int
walk(const real *x, int n, real top, double left)
{
	int last = 0;
	for (int i = 0; i < n; i++) {
		double p = (double)real_exp(x[i] - top);
		if (p > 0 && left < p)
			return i;
		left -= p;
		last = p > 0 ? i : last;
	}
	/* Added up in this order, the parts may come to a little less than their sum. */
	return last;
}

int
softmax_draw(const real *logits, int V, double u)
{
	enum { PIECE = 256 };
	real top = max_of(logits, V);
	double sum = 0;
	for (int i = 0; i < V; i += PIECE)
		sum += (double)sum_exp(logits + i, top, V - i < PIECE ? V - i : PIECE);
	double left = u * sum;
	int last = 0;
	for (int i = 0; i < V; i += PIECE) {
		int n = V - i < PIECE ? V - i : PIECE;
		double part = (double)sum_exp(logits + i, top, n);
		if (left < part)
			return i + walk(logits + i, n, top, left);
		left -= part;
		last = part > 0 ? i : last;
	}
	return last + walk(logits + last, V - last < PIECE ? V - last : PIECE, top, INFINITY);
}

void
log_softmax(real *out, const real *logits, int V)
{
	real top = max_of(logits, V);
	double sum = 0;
	for (int i = 0; i < V; i++)
		sum += exp((double)logits[i] - (double)top);
	double norm = log(sum) + (double)top;
	for (int i = 0; i < V; i++)
		out[i] = (real)((double)logits[i] - norm);
}
