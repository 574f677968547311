/* Codes: the bytes are a format, the error has a bound, and nothing that is no number gets out of range. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/codes.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"

#include "../../src/num/codes_dot.h"

static void
test_bytes(void **state)
{
	const float v4[3] = { -7, 3, 1 }, v8[3] = { -127, 3, 1 };
	uint8_t codes[3];
	(void)state;
	assert_int_equal(codes_bytes(4, 3), 2);
	assert_int_equal(codes_bytes(8, 3), 3);
	assert_float_equal(codes_write(4, codes, v4, 3), 1, 0);
	assert_int_equal(codes[0], 1 | 11 << 4);
	assert_int_equal(codes[1], 9 | 8 << 4);
	assert_float_equal(codes_write(8, codes, v8, 3), 1, 0);
	assert_int_equal(codes[0], 129);
	assert_int_equal(codes[1], 3);
}

/* Lengths on both sides of what vectors hold, and odd ones. */
static void
test_bound(void **state)
{
	enum { MOST = 77 };
	float v[MOST], back[MOST];
	uint8_t codes[MOST];
	struct rng rng;
	(void)state;
	rng_init(&rng, 1, 1);
	for (int bits = 4; bits <= 8; bits += 4)
		for (size_t n = 0; n <= MOST; n++) {
			float most = 0;
			for (size_t i = 0; i < n; i++) {
				v[i] = (float)rng_normal(&rng);
				most = fabsf(v[i]) > most ? fabsf(v[i]) : most;
			}
			float scale = codes_write(bits, codes, v, n);
			assert_float_equal(scale, most / (bits == 8 ? 127 : 7), 1e-7);
			codes_read(bits, back, codes, n, scale);
			for (size_t i = 0; i < n; i++)
				assert_true(fabsf(back[i] - v[i]) <= scale * 0.5001f);
		}
}

static void
test_not_numbers(void **state)
{
	const float zero[4] = { 0 }, odd[4] = { NAN, 1, -1, NAN }, endless[4] = { INFINITY, 1, -INFINITY, 2 };
	float back[4];
	uint8_t codes[4];
	(void)state;
	for (int bits = 4; bits <= 8; bits += 4) {
		assert_true(codes_write(bits, codes, zero, 4) == 0);
		codes_read(bits, back, codes, 4, 0);
		assert_memory_equal(back, zero, sizeof(zero));
		float scale = codes_write(bits, codes, odd, 4);
		codes_read(bits, back, codes, 4, scale);
		assert_true(back[0] == 0 && back[3] == 0);
		assert_float_equal(back[1], 1, 1e-6);
		assert_true(isinf(codes_write(bits, codes, endless, 4)));
	}
}

/* A stranger's bytes: every one is a number. */
static void
test_any_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		uint8_t code = (uint8_t)c;
		float v[2];
		codes_read(4, v, &code, 2, 1);
		assert_true(v[0] == (float)(c % 16 - 8) && v[1] == (float)(c / 16 - 8));
		codes_read(8, v, &code, 1, 1);
		assert_true(v[0] == (float)(c < 128 ? c : c - 256));
	}
}

/* ---- products ---- */

enum { LONGEST = 70000 };

/* Any bytes, in a block that ends where the row does: to read beyond it is an error that sanitizers see. */
static uint8_t *
random_codes(struct rng *rng, size_t n)
{
	uint8_t *codes = xcalloc(n + 1, 1);
	uint8_t *exact = xreallocarray(codes, n > 0 ? n : 1, 1);
	for (size_t i = 0; i < n; i++)
		exact[i] = (uint8_t)rng_u32(rng);
	return exact;
}

static void
random_vector(struct rng *rng, float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (float)(rng_normal(rng) * exp(rng_normal(rng)));
}

/* What was quantised, against the definition; what the digits keep, against the bound. */
static void
check_dot(struct rng *rng, int bits, size_t n, size_t rows)
{
	size_t bytes = codes_bytes(bits, n);
	struct codes_factor f;
	float *v = xcalloc(n + 1, sizeof(*v)), *row = xcalloc(n + 1, sizeof(*row)), most = 0;
	uint8_t *codes = random_codes(rng, rows * bytes);
	int64_t *dot = xcalloc(rows + 1, sizeof(*dot));
	random_vector(rng, v, n);
	for (size_t i = 0; i < n; i++)
		most = fmaxf(most, fabsf(v[i]));
	codes_factor_make(&f, bits, v, n);
	assert_int_equal(f.bytes, bytes);
	codes_dot(&f, codes, bytes, rows, dot);
	for (size_t r = 0; r < rows; r++) {
		double want = 0, sum = 0;
		codes_read(bits, row, codes + r * bytes, n, 1);
		for (size_t i = 0; i < n; i++) {
			want += (double)row[i] * v[i];
			sum += fabs((double)row[i]);
		}
		assert_true(fabs(f.scale * (double)dot[r] - want) <= sum * most * 0x1p-24 * 1.02);
	}
	codes_factor_free(&f);
	free(codes);
	free(dot);
	free(row);
	free(v);
}

static void
test_dot(void **state)
{
	static const size_t lengths[] = { 127, 128, 129, 255, 256, 257, 4096, 33001, LONGEST };
	struct rng rng;
	(void)state;
	rng_init(&rng, 5, 1);
	for (int bits = 4; bits <= 8; bits += 4) {
		for (size_t n = 0; n < 70; n++)
			check_dot(&rng, bits, n, n % 10);
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
			check_dot(&rng, bits, lengths[i], 5);
	}
}

/* Every way that this processor can go gives the same whole numbers, at their largest too. */
static void
check_ways(struct rng *rng, int bits, size_t n, int fill)
{
	size_t bytes = codes_bytes(bits, n);
	struct codes_factor f;
	float *v = xcalloc(n, sizeof(*v));
	uint8_t *codes = random_codes(rng, DOT_ROWS * bytes);
	int64_t want[DOT_ROWS], got[DOT_ROWS];
	random_vector(rng, v, n);
	for (size_t i = 0; fill && i < n; i++)
		v[i] = fill > 0 ? 1 : -1;
	if (fill)
		memset(codes, fill > 0 ? 255 : 0, DOT_ROWS * bytes);
	codes_factor_make(&f, bits, v, n);
	for (int w = n_dot_ways - 1; w >= 0; w--) {
		if (!dot_ways[w].can())
			continue;
		f.way = &dot_ways[w];
		codes_dot(&f, codes, bytes, DOT_ROWS, got);
		if (w == n_dot_ways - 1)
			memcpy(want, got, sizeof(want));
		assert_memory_equal(got, want, sizeof(want));
		for (size_t r = 0; r < DOT_ROWS; r++) {
			codes_dot(&f, codes + r * bytes, bytes, 1, got);
			assert_true(got[0] == want[r]);
		}
	}
	codes_factor_free(&f);
	free(codes);
	free(v);
}

static void
test_ways(void **state)
{
	static const size_t lengths[] = { 1, 2, 63, 64, 65, 128, 130, 1023, 4096, LONGEST };
	struct rng rng;
	(void)state;
	rng_init(&rng, 5, 2);
	for (int bits = 4; bits <= 8; bits += 4)
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
			for (int fill = -1; fill <= 1; fill++)
				check_ways(&rng, bits, lengths[i], fill);
	assert_true(dot_ways[n_dot_ways - 1].can());
}

/* Rows of parts that each meet a vector of their own, against the vectors one at a time; every way. */
static void
check_parts(struct rng *rng, int bits, size_t n, size_t parts)
{
	enum { VECTORS = 11 };
	struct codes_factor f, one;
	size_t bytes = codes_bytes(bits, n);
	float *v = xcalloc(VECTORS * n, sizeof(*v));
	uint8_t *codes = random_codes(rng, parts * bytes);
	uint32_t *which = xcalloc(parts + 1, sizeof(*which));
	double want = 0, size = 0;
	random_vector(rng, v, VECTORS * n);
	codes_factor_begin(&f, bits, VECTORS, n, codes_most(v, VECTORS * n));
	for (size_t i = 0; i < VECTORS; i++)
		codes_factor_fill(&f, i, v + i * n);
	for (size_t p = 0; p < parts; p++) {
		int64_t dot;
		which[p] = (uint32_t)rng_below(rng, VECTORS);
		codes_factor_make(&one, bits, v + which[p] * n, n);
		codes_dot(&one, codes + p * bytes, bytes, 1, &dot);
		want += one.scale * (double)dot;
		codes_factor_free(&one);
	}
	size = (double)(n * parts) * 255 * (double)codes_most(v, VECTORS * n);
	const struct dot_way *best = f.way;
	int64_t got = codes_dot_parts(&f, codes, bytes * parts, which, parts);
	assert_true(fabs(f.scale * (double)got - want) <= size * 0x1p-22);
	for (int w = 0; w < n_dot_ways; w++) {
		f.way = dot_ways[w].can() ? &dot_ways[w] : best;
		assert_true(codes_dot_parts(&f, codes, bytes * parts, which, parts) == got);
	}
	codes_factor_free(&f);
	free(codes);
	free(which);
	free(v);
}

static void
test_parts(void **state)
{
	struct rng rng;
	(void)state;
	rng_init(&rng, 5, 3);
	for (int bits = 4; bits <= 8; bits += 4)
		for (size_t n = 2; n <= 300; n += n < 40 ? 2 : 26)
			for (size_t parts = 0; parts < 12; parts += 1 + parts)
				check_parts(&rng, bits, n, parts);
	check_parts(&rng, 4, 1024, 200);
	check_parts(&rng, 8, 1024, 200);
}

static void
test_factor_odd(void **state)
{
	const float zero[3] = { 0 }, endless[3] = { 1, INFINITY, 2 }, none[3] = { NAN, 1, 2 }, small[3] = { 1e-45f, -1e-45f, 0 };
	const uint8_t codes[3] = { 1, 2, 3 };
	const float *odd[] = { endless, none };
	struct codes_factor f;
	int64_t dot;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		codes_factor_make(&f, 8, odd[i], 3);
		assert_true(isnan(f.scale));
		codes_factor_free(&f);
	}
	codes_factor_make(&f, 8, zero, 3);
	codes_dot(&f, codes, 3, 1, &dot);
	assert_true(f.scale == 0 && dot == 0);
	codes_factor_free(&f);
	codes_factor_make(&f, 8, small, 3);
	codes_dot(&f, codes, 3, 1, &dot);
	assert_true(dot == -8290687);
	assert_true(fabs(f.scale * (double)dot + (double)small[0]) < 1e-50);
	codes_factor_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_not_numbers),
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_dot),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_factor_odd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
