/* Codes: the bytes are a format, the error has a bound, and nothing that is no number gets out of range. */
#include <math.h>
#include <string.h>

#include "byline/codes.h"
#include "byline/rng.h"
#include "unit.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_not_numbers),
		cmocka_unit_test(test_any_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
