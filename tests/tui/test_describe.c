/* What is said in few characters, and that it lines up. */
#include <math.h>

#include "describe.h"
#include "glyph.h"
#include "unit.h"

static void
assert_share(double share, double error, double largest, bool ascii, const char *want)
{
	struct str s = {0};
	describe_share(share, error, largest, glyphs_for(ascii), &s);
	assert_string_equal(s.s, want);
	str_free(&s);
}

static void
assert_error(double error, double largest, int decimals, const char *want)
{
	struct str s = {0};
	describe_error(error, largest, decimals, glyphs_for(true), &s);
	assert_string_equal(s.s ? s.s : "", want);
	str_free(&s);
}

/* A nought before the point is left out only where all of the list can do without. */
static void
errors(void **state)
{
	(void)state;
	assert_error(0.004, 0.006, 3, " +-.004");
	assert_error(0.004, 0, 3, " +-.004");
	assert_error(0.6, 2.9, 1, " +-0.6");
	assert_error(0.6, 12.0, 1, "  +-0.6");
	assert_error(12.0, 12.0, 1, " +-12.0");
	assert_error(3, 120, 0, "   +-3");
	assert_error((double)NAN, 1, 1, "");
	assert_error(0.6, (double)NAN, 1, " +-.6");
	assert_error(0.6, (double)INFINITY, 1, " +-.6");
}

static void
shares_and_their_errors(void **state)
{
	(void)state;
	assert_share(0.544, (double)NAN, 0, false, "54.4");
	assert_share(0.544, 0.021, 0.021, false, "54.4 \302\2612.1");
	assert_share(0.544, 0.021, 0.021, true, "54.4 +-2.1");
	assert_share(0, 0, 0.021, true, "0.0 +-0.0");
}

/* Beside an error of two digits the others leave room for one; just below ten rounds up to it. */
static void
errors_line_up(void **state)
{
	(void)state;
	assert_share(0.544, 0.021, 0.12, true, "54.4  +-2.1");
	assert_share(0.3, 0.12, 0.12, true, "30.0 +-12.0");
	assert_share(0.3, 0.0994, 0.12, true, "30.0  +-9.9");
	assert_share(0.3, 0.0996, 0.12, true, "30.0 +-10.0");
	assert_share(0.3, 0.02, 0.0996, true, "30.0  +-2.0");
	assert_share(0.3, 0.02, 0.0994, true, "30.0 +-2.0");
}

static void
columns_widen(void **state)
{
	(void)state;
	struct column c = { "share %", 7, 0, true, true, 9 };
	share_widen(&c, 1, (double)NAN, 0, glyphs_for(false));
	assert_int_equal(c.width, 7);
	share_widen(&c, 1, 0.5, 0.5, glyphs_for(false));
	assert_int_equal(c.width, 11);
	share_widen(&c, 0.1, 0.01, 0.5, glyphs_for(false));
	assert_int_equal(c.width, 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors), cmocka_unit_test(shares_and_their_errors), cmocka_unit_test(errors_line_up),
		cmocka_unit_test(columns_widen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
