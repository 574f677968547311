/* All 65536 values of both formats, and rounding between neighbours. */
#include <math.h>
#include <string.h>

#include "byline/half.h"
#include "unit.h"

/* What a format's bits mean, from its definition: `fraction` bits of mantissa, the rest exponent. */
static double
meaning(unsigned h, int fraction, int bias)
{
	unsigned exponent = (h & 0x7fff) >> fraction, rest = h & ((1u << fraction) - 1), top = 0x7fffu >> fraction;
	double sign = h & 0x8000 ? -1 : 1;
	if (exponent == top)
		return rest ? NAN : sign * INFINITY;
	if (exponent == 0)
		return sign * ldexp(rest, 1 - bias - fraction);
	return sign * ldexp(rest + (double)(1u << fraction), (int)exponent - bias - fraction);
}

struct format {
	float (*from)(uint16_t);
	uint16_t (*to)(float);
	int fraction, bias;
};
static const struct format formats[] = {{half_from_f16, half_to_f16, 10, 15}, {half_from_bf16, half_to_bf16, 7, 127}};

static void
check_value(const struct format *f, unsigned h)
{
	double want = meaning(h, f->fraction, f->bias);
	float got = f->from((uint16_t)h);
	if (isnan(want)) {
		assert_true(isnan(got) && isnan(f->from(f->to(got))));
		return;
	}
	assert_true(got == want && !signbit(got) == !signbit(want));
	assert_int_equal(f->to(got), h);
}

/* Halfway goes to the even neighbour, anything beside it to the nearer one. */
static void
check_rounding(const struct format *f, unsigned h)
{
	double a = meaning(h, f->fraction, f->bias), b = meaning(h + 1, f->fraction, f->bias);
	if (!isfinite(a) || !isfinite(b) || (h & 0x7fff) == 0x7fff)
		return;
	float mid = (float)((a + b) / 2);
	if (mid != (a + b) / 2)
		return;
	assert_int_equal(f->to(mid), h & 1 ? h + 1 : h);
	assert_int_equal(f->to(nextafterf(mid, (float)a)), h);
	assert_int_equal(f->to(nextafterf(mid, (float)b)), h + 1);
}

static void
test_every_value(void **state)
{
	(void)state;
	for (int k = 0; k < 2; k++)
		for (unsigned h = 0; h < 0x10000; h++) {
			check_value(&formats[k], h);
			check_rounding(&formats[k], h);
		}
}

static void
test_overflow(void **state)
{
	(void)state;
	assert_int_equal(half_to_f16(65519.996f), 0x7bff);
	assert_int_equal(half_to_f16(65520), 0x7c00);
	assert_int_equal(half_to_f16(-1e9f), 0xfc00);
	assert_int_equal(half_to_f16(1e-9f), 0);
	assert_int_equal(half_to_bf16(3.4e38f), 0x7f80);
}

static void
test_arrays(void **state)
{
	(void)state;
	static const float v[] = {1, -2.5f, 0.125f};
	unsigned char bytes[7] = {0};
	float back[3];
	half_write_f16(bytes + 1, v, 3);
	half_read_f16(back, bytes + 1, 3);
	assert_memory_equal(v, back, sizeof(v));
	half_write_bf16(bytes + 1, v, 3);
	assert_int_equal(bytes[1], 0x80);
	assert_int_equal(bytes[2], 0x3f);
	half_read_bf16(back, bytes + 1, 3);
	assert_memory_equal(v, back, sizeof(v));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_arrays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
