/*
 * narrow_x86: the products of narrow.h with AVX2, FMA and the conversions of F16C. Memory gives the numbers more slowly
 * than these take them; wider registers would wait.
 */
#include "narrow_ways.h"

#ifdef NARROW_X86

#include <immintrin.h>
#include <string.h>

#include "byline/half.h"

#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline))

enum { LANES = 8, ROWS = 4, Q8_BYTES = NARROW_BLOCK + 2 };

/* F16C is older than AVX2 and in whatever has that; not every compiler can ask for it. */
static bool
avx2_can(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* ---- eight numbers ---- */

AVX2 INLINE __m256
eight_f32(const uint8_t *w)
{
	return _mm256_loadu_ps((const float *)(const void *)w);
}

AVX2 INLINE __m256
eight_f16(const uint8_t *w)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)w));
}

AVX2 INLINE __m256
eight_bf16(const uint8_t *w)
{
	__m128i half = _mm_loadu_si128((const __m128i *)(const void *)w);
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

/* Bytes of a block, unscaled. */
AVX2 INLINE __m256
eight_q8(const uint8_t *w)
{
	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)w)));
}

AVX2 INLINE float
scale_q8(const uint8_t *block)
{
	uint16_t bits;
	memcpy(&bits, block, sizeof(bits));
	return _cvtsh_ss(bits);
}

AVX2 INLINE float
lanes_sum(__m256 v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static float
one_f32(const uint8_t *w)
{
	float v;
	memcpy(&v, w, sizeof(v));
	return v;
}

static float
one_f16(const uint8_t *w)
{
	return half_from_f16((uint16_t)(w[0] | w[1] << 8));
}

static float
one_bf16(const uint8_t *w)
{
	return half_from_bf16((uint16_t)(w[0] | w[1] << 8));
}

/* ---- a row, four rows, a stretch ---- */

/* Four sums, so that none waits for the one before. */
#define KIND(name, bytes) \
AVX2 static float \
dot_##name(const uint8_t *w, const float *x, size_t n) \
{ \
	__m256 a = _mm256_setzero_ps(), b = a, c = a, d = a; \
	size_t i = 0; \
	for (; i + 4 * LANES <= n; i += 4 * LANES) { \
		a = _mm256_fmadd_ps(eight_##name(w + bytes * i), _mm256_loadu_ps(x + i), a); \
		b = _mm256_fmadd_ps(eight_##name(w + bytes * (i + 8)), _mm256_loadu_ps(x + i + 8), b); \
		c = _mm256_fmadd_ps(eight_##name(w + bytes * (i + 16)), _mm256_loadu_ps(x + i + 16), c); \
		d = _mm256_fmadd_ps(eight_##name(w + bytes * (i + 24)), _mm256_loadu_ps(x + i + 24), d); \
	} \
	float sum = lanes_sum(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d))); \
	for (; i < n; i++) \
		sum += one_##name(w + bytes * i) * x[i]; \
	return sum; \
} \
AVX2 static void \
sums_##name(float *y, const uint8_t *w, size_t stride, size_t n, const float *x) \
{ \
	__m256 by[ROWS]; \
	size_t i = 0; \
	for (int r = 0; r < ROWS; r++) \
		by[r] = _mm256_set1_ps(x[r]); \
	for (; i + LANES <= n; i += LANES) { \
		__m256 s = _mm256_loadu_ps(y + i); \
		for (int r = 0; r < ROWS; r++) \
			s = _mm256_fmadd_ps(eight_##name(w + (size_t)r * stride + bytes * i), by[r], s); \
		_mm256_storeu_ps(y + i, s); \
	} \
	for (; i < n; i++) \
		for (int r = 0; r < ROWS; r++) \
			y[i] += one_##name(w + (size_t)r * stride + bytes * i) * x[r]; \
} \
AVX2 static void \
widen_##name(float *out, const uint8_t *src, size_t n) \
{ \
	size_t i = 0; \
	for (; i + LANES <= n; i += LANES) \
		_mm256_storeu_ps(out + i, eight_##name(src + bytes * i)); \
	for (; i < n; i++) \
		out[i] = one_##name(src + bytes * i); \
}
KIND(f32, 4)
KIND(f16, 2)
KIND(bf16, 2)

AVX2 static float
dot_q8(const uint8_t *w, const float *x, size_t n)
{
	__m256 sum = _mm256_setzero_ps();
	for (size_t i = 0; i < n; i += NARROW_BLOCK, w += Q8_BYTES) {
		__m256 a = _mm256_mul_ps(eight_q8(w + 2), _mm256_loadu_ps(x + i));
		__m256 b = _mm256_mul_ps(eight_q8(w + 10), _mm256_loadu_ps(x + i + 8));
		a = _mm256_fmadd_ps(eight_q8(w + 18), _mm256_loadu_ps(x + i + 16), a);
		b = _mm256_fmadd_ps(eight_q8(w + 26), _mm256_loadu_ps(x + i + 24), b);
		sum = _mm256_fmadd_ps(_mm256_set1_ps(scale_q8(w)), _mm256_add_ps(a, b), sum);
	}
	return lanes_sum(sum);
}

AVX2 static void
widen_q8(float *out, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i += NARROW_BLOCK, src += Q8_BYTES) {
		__m256 scale = _mm256_set1_ps(scale_q8(src));
		for (size_t j = 0; j < NARROW_BLOCK; j += LANES)
			_mm256_storeu_ps(out + i + j, _mm256_mul_ps(scale, eight_q8(src + 2 + j)));
	}
}

AVX2 static void
sums_q8(float *y, const uint8_t *w, size_t stride, size_t n, const float *x)
{
	float some[NARROW_BLOCK];
	for (size_t r = 0; r < ROWS; r++)
		for (size_t i = 0; i < n; i += NARROW_BLOCK) {
			widen_q8(some, w + r * stride + i / NARROW_BLOCK * Q8_BYTES, NARROW_BLOCK);
			for (size_t j = 0; j < NARROW_BLOCK; j++)
				y[i + j] += some[j] * x[r];
		}
}

const struct narrow_way narrow_avx2 = {
	avx2_can, { dot_f32, dot_f16, dot_bf16, dot_q8 }, { sums_f32, sums_f16, sums_bf16, sums_q8 },
	{ widen_f32, widen_f16, widen_bf16, widen_q8 },
};

#endif
