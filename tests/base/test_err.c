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
	assert_int_equal(n, ERR_MESSAGE - 1);
	err_prefix(ERR_IO, "where");
	assert_int_equal(strlen(err_message()), n);
	assert_memory_equal(err_message(), "where: yyy", 10);
	err_prefix(ERR_IO, "%s", text);
	assert_int_equal(strlen(err_message()), n);
}

static void
check_ends(const char *from, const char *to)
{
	size_t n = strlen(err_message());
	assert_in_range(n, ERR_MESSAGE - 8, ERR_MESSAGE - 1);
	assert_memory_equal(err_message(), from, strlen(from));
	assert_string_equal(err_message() + n - strlen(to), to);
}

/* However long the names of strangers are, what is wrong is said, and no character is cut in two. */
static void
test_long_name(void **state)
{
	(void)state;
	static char name[1 << 20];
	char small[64];
	memset(name, 'y', sizeof(name) - 1);
	err_set(ERR_IO, "read %s: it is a pipe", name);
	check_ends("read yyy", "yyy: it is a pipe");
	err_prefix(ERR_IO, "%s", name);
	check_ends("yyy", "yyy: it is a pipe");
	err_set(ERR_IO, "again: %s", err_message());
	check_ends("again: yyy", "yyy: it is a pipe");
	for (size_t shift = 0; shift < 2; shift++) {
		for (size_t i = 0; i + 1 < sizeof(name) - 2; i += 2)
			memcpy(name + i, "\303\251", 2);
		err_set(ERR_IO, "%s%s: no", shift ? "x" : "", name);
		check_ends(shift ? "x\303\251" : "\303\251", "\303\251y: no");
		assert_non_null(strstr(err_message(), "\303\251 ... \303\251"));
	}
	err_copy(small, sizeof(small));
	assert_int_equal(strncmp(small, "x\303\251", 3), 0);
	assert_string_equal(small + strlen(small) - 4, ": no");
	err_set(ERR_IO, "short");
	err_copy(small, sizeof(small));
	assert_string_equal(small, "short");
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
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
