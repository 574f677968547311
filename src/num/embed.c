/* layers: token and position tables, and rotary positions. */
#include "byline/layers.h"

#include <assert.h>
#include <string.h>

static void
add(real *y, const real *x, int C)
{
	#pragma omp simd
	for (int c = 0; c < C; c++)
		y[c] += x[c];
}

void
embed_forward(real *y, const real *table, const real *pos_table, const int32_t *token, const int32_t *position, int R,
	int C)
{
	for (int r = 0; r < R; r++, y += C) {
		memcpy(y, table + (size_t)token[r] * C, (size_t)C * sizeof(*y));
		if (pos_table != NULL)
			add(y, pos_table + (size_t)position[r] * C, C);
	}
}

void
embed_backward(real *dtable, real *dpos_table, const real *dy, const int32_t *token, const int32_t *position, int R,
	int C)
{
	for (int r = 0; r < R; r++, dy += C) {
		if (dtable != NULL)
			add(dtable + (size_t)token[r] * C, dy, C);
		if (dpos_table != NULL)
			add(dpos_table + (size_t)position[r] * C, dy, C);
	}
}

void
rope_apply(real *x, int ld, const real *cos, const real *sin, const int32_t *position, int R, int heads, int head_dim,
	int rot, int sign)
{
	int half = rot / 2;
	assert(rot % 2 == 0 && rot <= head_dim);
	for (int i = 0; i < R * heads; i++) {
		int r = i / heads;
		real *restrict a = x + (size_t)r * ld + (size_t)(i % heads) * head_dim, *restrict b = a + half;
		const real *c = cos + (size_t)position[r] * half, *s = sin + (size_t)position[r] * half;
		#pragma omp simd
		for (int j = 0; j < half; j++) {
			real u = a[j], v = b[j], t = sign * s[j];
			a[j] = u * c[j] - v * t;
			b[j] = v * c[j] + u * t;
		}
	}
}

void
rope_apply_pairs(real *x, int ld, const real *cos, const real *sin, const int32_t *position, int R, int heads,
	int head_dim, int rot, int sign)
{
	int half = rot / 2;
	assert(rot % 2 == 0 && rot <= head_dim);
	for (int i = 0; i < R * heads; i++) {
		int r = i / heads;
		real *a = x + (size_t)r * ld + (size_t)(i % heads) * head_dim;
		const real *c = cos + (size_t)position[r] * half, *s = sin + (size_t)position[r] * half;
		#pragma omp simd
		for (int j = 0; j < half; j++) {
			real u = a[2 * j], v = a[2 * j + 1], t = sign * s[j];
			a[2 * j] = u * c[j] - v * t;
			a[2 * j + 1] = v * c[j] + u * t;
		}
	}
}
