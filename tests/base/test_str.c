/* str: appending, taking and trimming; NULs are bytes like any other. */
#include "byline/str.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void
test_append(void **state)
{
	(void)state;
	struct str s = {0};
	str_adds(&s, "ab");
	str_addc(&s, 'c');
	str_addf(&s, "%03d", 7);
	str_fill(&s, '.', 3);
	str_add(&s, "\0z", 2);
	assert_int_equal(s.len, 11);
	assert_memory_equal(s.s, "abc007...\0z", 12);
	str_free(&s);
	assert_null(s.s);
	assert_int_equal(s.len, 0);
}

static void
test_long_format(void **state)
{
	(void)state;
	struct str s = {0};
	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%0100d", i);
	assert_int_equal(s.len, 100000);
	assert_int_equal(strlen(s.s), 100000);
	assert_string_equal(s.s + 99997, "999");
	str_free(&s);
}

static void
test_empty(void **state)
{
	(void)state;
	struct str s = {0};
	str_add(&s, NULL, 0);
	assert_string_equal(s.s, "");
	str_free(&s);
	char *taken = str_take(&s);
	assert_string_equal(taken, "");
	assert_null(s.s);
	free(taken);
	str_trim(&s);
	assert_string_equal(s.s, "");
	str_free(&s);
}

static void
test_take(void **state)
{
	(void)state;
	struct str s = {0};
	str_adds(&s, "mine");
	char *taken = str_take(&s);
	str_adds(&s, "other");
	assert_string_equal(taken, "mine");
	assert_string_equal(s.s, "other");
	free(taken);
	str_free(&s);
}

static void
test_trim_and_clear(void **state)
{
	(void)state;
	struct str s = {0};
	str_adds(&s, " a b \t\r\n\v\f ");
	str_trim(&s);
	assert_string_equal(s.s, " a b");
	assert_int_equal(s.len, 4);
	size_t cap = s.cap;
	str_clear(&s);
	assert_int_equal(s.len, 0);
	assert_string_equal(s.s, "");
	assert_int_equal(s.cap, cap);
	str_adds(&s, " \n ");
	str_trim(&s);
	assert_int_equal(s.len, 0);
	/* A no-break space is not ASCII white space. */
	str_adds(&s, "x\u00a0");
	str_trim(&s);
	assert_int_equal(s.len, 3);
	str_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_long_format),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_trim_and_clear),
	};
	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
