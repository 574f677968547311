/* err: one message a thread, cut rather than overrun. */
#include "byline/err.h"

#include <pthread.h>
#include <string.h>

#include "unit.h"

static void
test_set_and_prefix(void **state)
{
	(void)state;
	err_clear();
	assert_string_equal(err_message(), "");
	assert_err(err_set(ERR_IO, "read %s", "x"), ERR_IO);
	assert_err(err_prefix(ERR_FORMAT, "line %d", 3), ERR_FORMAT);
	assert_string_equal(err_message(), "line 3: read x");
	/* The old message may be an argument of the new one. */
	err_set(ERR_IO, "<%s>", err_message());
	assert_string_equal(err_message(), "<line 3: read x>");
	err_prefix(ERR_IO, "%s", err_message());
	assert_string_equal(err_message(), "<line 3: read x>: <line 3: read x>");
}

static void
test_long(void **state)
{
	(void)state;
	char text[5000];
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(ERR_IO, "%s", text);
	size_t n = strlen(err_message());
	assert_in_range(n, 200, 4999);
	err_prefix(ERR_IO, "where");
	assert_int_equal(strlen(err_message()), n);
	assert_memory_equal(err_message(), "where: yyy", 10);
	err_prefix(ERR_IO, "%s", text);
	assert_int_equal(strlen(err_message()), n);
}

static void *
say_other(void *arg)
{
	err_set(ERR_IO, "other");
	return arg;
}

static void
test_threads(void **state)
{
	(void)state;
	pthread_t t;
	err_set(ERR_IO, "mine");
	assert_int_equal(pthread_create(&t, NULL, say_other, NULL), 0);
	pthread_join(t, NULL);
	assert_string_equal(err_message(), "mine");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_prefix),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
