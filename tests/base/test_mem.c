/* mem: overflow is caught, sizes of zero work, growth keeps what was there. */
#include "byline/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* Under a sanitizer an impossible allocation must fail as it does without one. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
test_array_overflow(void **state)
{
	(void)state;
	double *p = NULL;
	assert_err(mem_array(&p, SIZE_MAX / 4, sizeof(*p), "rows"), ERR_LIMIT);
	assert_non_null(strstr(err_message(), "rows"));
	assert_err(mem_array(&p, SIZE_MAX, 1, "rows"), ERR_LIMIT);
	assert_err(mem_array(&p, PTRDIFF_MAX, 1, "rows"), ERR_LIMIT);
	assert_err(mem_array(&p, (size_t)1 << 60, 1, "columns"), ERR_MEMORY);
	assert_non_null(strstr(err_message(), "columns"));
	assert_null(p);
}

static void
test_array_zeroed(void **state)
{
	(void)state;
	for (size_t n = 0; n < 200; n++) {
		unsigned char *p;
		assert_ok(mem_array(&p, n, 3, "bytes"));
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 64, 0);
		for (size_t i = 0; i < n * 3; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xa5, n * 3);
		free(p);
	}
}

static void
test_grow(void **state)
{
	(void)state;
	int *v = NULL;
	size_t cap = 0, moves = 0;
	for (size_t i = 0; i < 10000; i++) {
		size_t before = cap;
		mem_grow(&v, &cap, i + 1, sizeof(*v));
		moves += cap != before;
		assert_true(cap > i);
		v[i] = (int)i;
	}
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(v[i], (int)i);
	assert_true(moves < 20);
	size_t same = cap;
	mem_grow(&v, &cap, 3, sizeof(*v));
	assert_int_equal(cap, same);
	free(v);
}

static void
test_strings(void **state)
{
	(void)state;
	char *a = xstrdup("abc"), *b = xstrndup("abcdef", 2), *c = xstrndup("ab", 9), *d = xasprintf("%s-%d", "x", 42);
	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "ab");
	assert_string_equal(d, "x-42");
	free(a);
	free(b);
	free(c);
	free(d);
}

static void
test_zero_sizes(void **state)
{
	(void)state;
	void *p[] = { xmalloc(0), xcalloc(0, 8), xcalloc(8, 0), xrealloc(NULL, 0), xreallocarray(NULL, 0, 8) };
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		assert_non_null(p[i]);
		free(p[i]);
	}
}

static void
ask_malloc(void)
{
	xmalloc((size_t)1 << 60);
}

static void
ask_calloc(void)
{
	xcalloc(SIZE_MAX / 2, 4);
}

static void
ask_reallocarray(void)
{
	xreallocarray(NULL, SIZE_MAX / 2, 4);
}

/* The exit status of a child that runs fn; 99 if fn returns. */
static int
status_of(void (*fn)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(98);
		fn();
		_exit(99);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_out_of_memory_ends(void **state)
{
	(void)state;
	assert_int_equal(status_of(ask_malloc), EXIT_FAILURE);
	assert_int_equal(status_of(ask_calloc), EXIT_FAILURE);
	assert_int_equal(status_of(ask_reallocarray), EXIT_FAILURE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array_overflow),
		cmocka_unit_test(test_array_zeroed),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_zero_sizes),
		cmocka_unit_test(test_out_of_memory_ends),
	};
	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
