/* clock: the pinned time and the ISO form. */
#include "byline/clock.h"

#include <stdlib.h>
#include <time.h>

#include "byline/mem.h"
#include "unit.h"

static void
test_now(void **state)
{
	(void)state;
	setenv("BYLINE_NOW", "1769860800", 1);
	assert_int_equal(clock_now(), 1769860800);
	static const char *const ignored[] = { "", "yesterday", "12x", "99999999999999999999" };
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		setenv("BYLINE_NOW", ignored[i], 1);
		int64_t t = clock_now(), real = time(NULL);
		assert_true(t <= real && t >= real - 60);
	}
	unsetenv("BYLINE_NOW");
}

static void
test_iso(void **state)
{
	(void)state;
	static const struct { int64_t t; const char *want; } cases[] = {
		{ 0, "1970-01-01T00:00:00Z" }, { -1, "1969-12-31T23:59:59Z" }, { 1769860800, "2026-01-31T12:00:00Z" },
		{ 951782400, "2000-02-29T00:00:00Z" }, { 4294967296, "2106-02-07T06:28:16Z" },
		{ INT64_MAX, "(no such time)" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[32];
		clock_iso(cases[i].t, out);
		assert_string_equal(out, cases[i].want);
	}
}

static void
test_duration(void **state)
{
	static const struct { double seconds; const char *want; } cases[] = {
		{ 0, "0 s" }, { 99.4, "99 s" }, { 99.6, "2 min" }, { 5900, "98 min" }, { 6000, "1.7 h" }, { 360000, "100.0 h" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[32];
		clock_duration(cases[i].seconds, out);
		assert_string_equal(out, cases[i].want);
	}
}

static void
test_monotonic(void **state)
{
	(void)state;
	double before = clock_monotonic();
	const struct timespec nap = { .tv_nsec = 2000000 };
	nanosleep(&nap, NULL);
	double passed = clock_monotonic() - before;
	assert_true(passed >= 0.002 && passed < 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_iso),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_monotonic),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
