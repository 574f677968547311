/* layers: the linear layer. */
#include "byline/layers.h"

#include <string.h>

#include "byline/mm.h"

void
linear_forward(real *y, const real *x, const real *w, const real *b, int R, int K, int N)
{
	for (int r = 0; b != NULL && r < R; r++)
		memcpy(y + (size_t)r * N, b, (size_t)N * sizeof(*y));
	mm_bt(R, N, K, 1, x, K, w, K, b != NULL ? 1 : 0, y, N);
}

static void
add_rows(real *sum, const real *x, int R, int C)
{
	for (int r = 0; r < R; r++) {
		const real *row = x + (size_t)r * C;
		#pragma omp simd
		for (int c = 0; c < C; c++)
			sum[c] += row[c];
	}
}

void
linear_backward(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w, int R, int K, int N)
{
	if (dx != NULL)
		mm(R, K, N, 1, dy, N, w, K, 1, dx, K);
	if (dw != NULL)
		mm_at(N, K, R, 1, dy, N, x, K, 1, dw, K);
	if (db != NULL)
		add_rows(db, dy, R, N);
}
