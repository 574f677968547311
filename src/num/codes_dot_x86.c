/*
 * codes_dot_x86: products of codes and digits by the instructions that were made for them. VNNI adds four products of
 * bytes to a lane of 32 bits; AVX2 adds two into a lane of 16, which takes a few before it must be emptied.
 *
 * The rows after those in hand are called for in advance: processors follow one stream by themselves, and four that
 * stop at every block less well. An address that nobody has is no fault then.
 */
#include "codes_dot.h"

#ifdef DOT_X86

#include <immintrin.h>
#include <string.h>

/* `bits` and `rows` are constants wherever these are called: loops over them are unrolled, sums stay in registers. */
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define AVX2 __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")	/* whatever -O says */
#endif

/* A macro: GCC takes a function that only does this for one that does nothing. */
#define CALL_FOR(p) _mm_prefetch((const char *)(p), _MM_HINT_T1)

/* ---- VNNI --------------------------------------------------------------------------------------------------- */

bool
dot_vnni_can(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
		&& __builtin_cpu_supports("avx512vnni");
}

VNNI INLINE void
vnni_row(int bits, __m512i c, __m512i q[DOT_DIGITS][2], __m512i s[DOT_DIGITS])
{
	const __m512i low = _mm512_set1_epi8(15), sign = _mm512_set1_epi8((char)-128);
	__m512i a = bits == 4 ? _mm512_and_si512(c, low) : _mm512_xor_si512(c, sign);
	__m512i b = _mm512_and_si512(_mm512_srli_epi16(c, 4), low);
	UNROLL
	for (int d = 0; d < DOT_DIGITS; d++) {
		s[d] = _mm512_dpbusd_epi32(s[d], a, q[d][0]);
		if (bits == 4)
			s[d] = _mm512_dpbusd_epi32(s[d], b, q[d][1]);
	}
}

/* The lanes of each of four vectors added up. */
VNNI INLINE __m128i
sums4(__m512i a, __m512i b, __m512i c, __m512i d)
{
	__m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
	__m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
	__m512i s = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
	__m256i t = _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
	return _mm_add_epi32(_mm256_castsi256_si128(t), _mm256_extracti128_si256(t, 1));
}

/* 64 bytes of each row, or the last few: codes beyond a row's end are zeros, for the next page may be nobody's. */
VNNI INLINE void
vnni_step(const struct dot *x, int bits, int rows, size_t i, __mmask64 mask, __m512i s[DOT_ROWS][DOT_DIGITS])
{
	const size_t halves = bits == 4 ? 2 : 1;
	__m512i q[DOT_DIGITS][2];
	UNROLL
	for (size_t d = 0; d < DOT_DIGITS; d++)
		UNROLL
		for (size_t h = 0; h < halves; h++)
			q[d][h] = _mm512_load_si512(x->digit + (halves * d + h) * x->plane + i);
	UNROLL
	for (size_t r = 0; r < (size_t)rows; r++) {
		const uint8_t *codes = x->codes + r * x->stride + i;
		CALL_FOR(codes + DOT_ROWS * x->stride);
		vnni_row(bits, ~mask ? _mm512_maskz_loadu_epi8(mask, codes) : _mm512_loadu_si512(codes), q, s[r]);
	}
}

VNNI INLINE void
vnni(const struct dot *x, int bits, int rows, int32_t sum[DOT_DIGITS][DOT_ROWS])
{
	__m512i s[DOT_ROWS][DOT_DIGITS];
	size_t i = 0;
	UNROLL
	for (int r = 0; r < DOT_ROWS; r++)
		UNROLL
		for (int d = 0; d < DOT_DIGITS; d++)
			s[r][d] = _mm512_setzero_si512();
	for (; i + 64 <= x->n; i += 64)
		vnni_step(x, bits, rows, i, ~(__mmask64)0, s);
	if (i < x->n)
		vnni_step(x, bits, rows, i, ((__mmask64)1 << (x->n - i)) - 1, s);
	UNROLL
	for (int d = 0; d < DOT_DIGITS; d++)
		_mm_storeu_si128((__m128i *)(void *)sum[d], sums4(s[0][d], s[1][d], s[2][d], s[3][d]));
}

VNNI void
dot_vnni_rows(const struct dot *x, int rows, int32_t sum[DOT_DIGITS][DOT_ROWS])
{
	if (x->bits == 4 && rows == DOT_ROWS)
		vnni(x, 4, DOT_ROWS, sum);
	else if (x->bits == 4)
		vnni(x, 4, 1, sum);
	else if (rows == DOT_ROWS)
		vnni(x, 8, DOT_ROWS, sum);
	else
		vnni(x, 8, 1, sum);
}

/* Two sums for each digit, so that no product waits for the one before. */
VNNI INLINE void
vnni_parts(const struct dot *x, int bits, size_t entry, const uint32_t *which, size_t n_which, int32_t sum[DOT_DIGITS])
{
	const size_t halves = bits == 4 ? 2 : 1;
	const __m512i low = _mm512_set1_epi8(15), sign = _mm512_set1_epi8((char)-128);
	__m512i s[DOT_DIGITS][2];
	int32_t out[4];
	UNROLL
	for (int d = 0; d < DOT_DIGITS; d++)
		s[d][0] = s[d][1] = _mm512_setzero_si512();
	for (size_t p = 0; p < n_which; p++)
		for (size_t i = 0; i < x->n; i += 64) {
			const uint8_t *codes = x->codes + p * x->n + i;
			const int8_t *digit = x->digit + which[p] * entry + i;
			__mmask64 mask = x->n - i >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (x->n - i)) - 1;
			__m512i c = _mm512_maskz_loadu_epi8(mask, codes);
			__m512i a = bits == 4 ? _mm512_and_si512(c, low) : _mm512_xor_si512(c, sign);
			__m512i b = _mm512_and_si512(_mm512_srli_epi16(c, 4), low);
			CALL_FOR(codes + DOT_ROWS * x->stride);
			UNROLL
			for (size_t d = 0; d < DOT_DIGITS; d++) {
				const int8_t *q = digit + halves * d * x->plane;
				s[d][0] = _mm512_dpbusd_epi32(s[d][0], a, _mm512_load_si512(q));
				if (bits == 4)
					s[d][1] = _mm512_dpbusd_epi32(s[d][1], b, _mm512_load_si512(q + x->plane));
			}
		}
	_mm_storeu_si128((__m128i *)(void *)out, sums4(_mm512_add_epi32(s[0][0], s[0][1]),
		_mm512_add_epi32(s[1][0], s[1][1]), _mm512_add_epi32(s[2][0], s[2][1]), _mm512_setzero_si512()));
	memcpy(sum, out, DOT_DIGITS * sizeof(*sum));
}

VNNI void
dot_vnni_parts(const struct dot *x, size_t entry, const uint32_t *which, size_t n_which, int32_t sum[DOT_DIGITS])
{
	if (x->bits == 4)
		vnni_parts(x, 4, entry, which, n_which, sum);
	else
		vnni_parts(x, 8, entry, which, n_which, sum);
}

/* ---- AVX2 --------------------------------------------------------------------------------------------------- */

enum { QUAD = 4, STEP = 32 * QUAD };	/* vectors taken together; their bytes */

bool
dot_avx2_can(void)
{
	return __builtin_cpu_supports("avx2");
}

AVX2 INLINE int32_t
sum32(__m256i s)
{
	__m128i t = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
	t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));
	return _mm_cvtsi128_si32(_mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1)));
}

/* s += half bytes times digits: lanes of 16 bits hold 2 QUAD products of at most 15 * 127. */
AVX2 INLINE __m256i
avx2_quad(__m256i s, const __m256i half[QUAD], const int8_t *digit)
{
	const __m256i *q = (const __m256i *)(const void *)digit;
	__m256i t = _mm256_add_epi16(_mm256_maddubs_epi16(half[0], q[0]), _mm256_maddubs_epi16(half[1], q[1]));
	__m256i u = _mm256_add_epi16(_mm256_maddubs_epi16(half[2], q[2]), _mm256_maddubs_epi16(half[3], q[3]));
	return _mm256_add_epi32(s, _mm256_madd_epi16(_mm256_add_epi16(t, u), _mm256_set1_epi16(1)));
}

/* STEP bytes of a row. 8 bits are two halves, one worth 16 of the other, with the same digits. */
AVX2 INLINE void
avx2_step(int bits, const uint8_t *codes, const int8_t *digit, size_t plane, __m256i s[DOT_DIGITS][2])
{
	const size_t halves = bits == 4 ? 2 : 1;
	const __m256i low = _mm256_set1_epi8(15), sign = _mm256_set1_epi8((char)-128);
	__m256i a[QUAD], b[QUAD];
	UNROLL
	for (int k = 0; k < QUAD; k++) {
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(codes + 32 * k));
		if (bits == 8)
			c = _mm256_xor_si256(c, sign);
		a[k] = _mm256_and_si256(c, low);
		b[k] = _mm256_and_si256(_mm256_srli_epi16(c, 4), low);
	}
	UNROLL
	for (size_t d = 0; d < DOT_DIGITS; d++) {
		s[d][0] = avx2_quad(s[d][0], a, digit + halves * d * plane);
		s[d][1] = avx2_quad(s[d][1], b, digit + (halves * d + halves - 1) * plane);
	}
}

/* n bytes of codes. Those beyond them are read as the number 0. */
AVX2 INLINE void
avx2_bytes(const struct dot *x, int bits, const uint8_t *codes, const int8_t *digit, __m256i s[DOT_DIGITS][2])
{
	size_t i = 0;
	for (; i + STEP <= x->n; i += STEP) {
		CALL_FOR(codes + DOT_ROWS * x->stride + i);
		CALL_FOR(codes + DOT_ROWS * x->stride + i + STEP / 2);
		avx2_step(bits, codes + i, digit + i, x->plane, s);
	}
	if (i < x->n) {
		uint8_t tail[STEP];
		memset(tail, bits == 4 ? 0 : 128, sizeof(tail));
		memcpy(tail, codes + i, x->n - i);
		CALL_FOR(codes + DOT_ROWS * x->stride + i);
		avx2_step(bits, tail, digit + i, x->plane, s);
	}
}

AVX2 INLINE void
avx2_parts(const struct dot *x, int bits, size_t entry, const uint32_t *which, size_t n_which, int32_t sum[DOT_DIGITS])
{
	__m256i s[DOT_DIGITS][2];
	UNROLL
	for (int d = 0; d < DOT_DIGITS; d++)
		s[d][0] = s[d][1] = _mm256_setzero_si256();
	for (size_t p = 0; p < n_which; p++)
		avx2_bytes(x, bits, x->codes + p * x->n, x->digit + which[p] * entry, s);
	UNROLL
	for (int d = 0; d < DOT_DIGITS; d++)
		sum[d] = sum32(s[d][0]) + (bits == 4 ? 1 : 16) * sum32(s[d][1]);
}

AVX2 void
dot_avx2_parts(const struct dot *x, size_t entry, const uint32_t *which, size_t n_which, int32_t sum[DOT_DIGITS])
{
	if (x->bits == 4)
		avx2_parts(x, 4, entry, which, n_which, sum);
	else
		avx2_parts(x, 8, entry, which, n_which, sum);
}

/* A row is a single part. */
AVX2 void
dot_avx2_rows(const struct dot *x, int rows, int32_t sum[DOT_DIGITS][DOT_ROWS])
{
	static const uint32_t first = 0;
	for (size_t r = 0; r < (size_t)rows; r++) {
		struct dot one = *x;
		int32_t digits[DOT_DIGITS];
		one.codes += r * x->stride;
		dot_avx2_parts(&one, 0, &first, 1, digits);
		for (int d = 0; d < DOT_DIGITS; d++)
			sum[d][r] = digits[d];
	}
}

#endif
