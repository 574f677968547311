/* narrow: what every processor can, and the choice among the ways there are. */
#include "byline/narrow.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "byline/half.h"
#include "narrow_ways.h"

enum { Q8_BYTES = NARROW_BLOCK + 2, SOME = 64, ROWS = 4 };

size_t
narrow_bytes(enum narrow kind, size_t n)
{
	static const size_t bytes[] = { [NARROW_F32] = 4, [NARROW_F16] = 2, [NARROW_BF16] = 2 };
	return kind == NARROW_Q8_0 ? n / NARROW_BLOCK * Q8_BYTES : n * bytes[kind];
}

/* ---- plain ---- */

static bool
plain_can(void)
{
	return true;
}

static void
widen_f32(float *out, const uint8_t *src, size_t n)
{
	memcpy(out, src, n * sizeof(*out));
}

static void
widen_f16(float *out, const uint8_t *src, size_t n)
{
	half_read_f16(out, src, n);
}

static void
widen_bf16(float *out, const uint8_t *src, size_t n)
{
	half_read_bf16(out, src, n);
}

static void
widen_q8(float *out, const uint8_t *src, size_t n)
{
	for (; n > 0; n -= NARROW_BLOCK, src += Q8_BYTES, out += NARROW_BLOCK) {
		float scale = half_from_f16((uint16_t)(src[0] | src[1] << 8));
		for (int i = 0; i < NARROW_BLOCK; i++)
			out[i] = scale * (float)(int8_t)src[2 + i];
	}
}

static float
dot_some(const float *w, const float *x, size_t n)
{
	float sum = 0;
	#pragma omp simd reduction(+:sum)
	for (size_t i = 0; i < n; i++)
		sum += w[i] * x[i];
	return sum;
}

/* Through a few widened numbers at a time. */
#define PLAIN(kind, name) \
static float \
dot_##name(const uint8_t *w, const float *x, size_t n) \
{ \
	float some[SOME], sum = 0; \
	for (size_t i = 0, k; i < n; i += k) { \
		k = n - i < SOME ? n - i : SOME; \
		widen_##name(some, w + narrow_bytes(kind, i), k); \
		sum += dot_some(some, x + i, k); \
	} \
	return sum; \
} \
static void \
sums_##name(float *y, const uint8_t *w, size_t stride, size_t n, const float *x) \
{ \
	float some[SOME]; \
	for (int r = 0; r < ROWS; r++) \
		for (size_t i = 0, k; i < n; i += k) { \
			k = n - i < SOME ? n - i : SOME; \
			widen_##name(some, w + (size_t)r * stride + narrow_bytes(kind, i), k); \
			for (size_t j = 0; j < k; j++) \
				y[i + j] += some[j] * x[r]; \
		} \
}
PLAIN(NARROW_F32, f32)
PLAIN(NARROW_F16, f16)
PLAIN(NARROW_BF16, bf16)
PLAIN(NARROW_Q8_0, q8)

const struct narrow_way narrow_plain = {
	plain_can, { dot_f32, dot_f16, dot_bf16, dot_q8 }, { sums_f32, sums_f16, sums_bf16, sums_q8 },
	{ widen_f32, widen_f16, widen_bf16, widen_q8 },
};

/* ---- the choice ---- */

static const struct narrow_way *
way(void)
{
#ifdef NARROW_X86
	if (narrow_avx2.can())
		return &narrow_avx2;
#endif
	return &narrow_plain;
}

void
narrow_widen(float *out, enum narrow kind, const void *src, size_t n)
{
	assert(kind != NARROW_Q8_0 || n % NARROW_BLOCK == 0);
	way()->widen[kind](out, src, n);
}

void
narrow_dots(float *y, enum narrow kind, const void *w, size_t stride, int rows, int cols, const float *x)
{
	const struct narrow_way *by = way();
	const uint8_t *row = w;
	for (int r = 0; r < rows; r++, row += stride)
		y[r] += by->dot[kind](row, x, (size_t)cols);
}

/* The last rows, fewer than four, are taken with zeros in the place of the missing ones' x. */
void
narrow_sums(float *y, enum narrow kind, const void *w, size_t stride, int rows, int cols, const float *x)
{
	const struct narrow_way *by = way();
	const uint8_t *row = w;
	int r = 0;
	for (; r + ROWS <= rows; r += ROWS, row += ROWS * stride)
		by->sums[kind](y, row, stride, (size_t)cols, x + r);
	for (; r < rows; r++, row += stride) {
		const float last[ROWS] = { x[r] };
		by->sums[kind](y, row, 0, (size_t)cols, last);
	}
}
