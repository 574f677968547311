/* Tables as people export them, and as nobody should. */
#include "unit.h"

#include <string.h>

#include "../../src/store/csv.h"

struct bytes { const char *s; size_t n, at; };

static enum err
next(void *arg, int *c)
{
	struct bytes *b = arg;
	*c = b->at < b->n ? (unsigned char)b->s[b->at++] : -1;
	return OK;
}

/* Records as "a|b|c" with " / " between them; "!why" for a bad one. */
static void
check(const char *text, char separator, const char *want)
{
	struct bytes b = {text, strlen(text), 0};
	struct csv c;
	struct csv_row row = {0};
	struct str got = {0};
	bool have;
	const char *why;
	csv_start(&c, next, &b, separator, 64);
	str_adds(&got, "");
	for (;;) {
		assert_ok(csv_read(&c, &row, &have, &why));
		if (!have)
			break;
		if (got.len)
			str_adds(&got, " / ");
		if (why)
			str_addf(&got, "!%s", why);
		for (size_t i = 0; !why && i < row.n; i++) {
			size_t n;
			const char *s = csv_field(&row, i, &n);
			str_addf(&got, "%s%.*s", i ? "|" : "", (int)n, s);
		}
	}
	assert_string_equal(got.s, want);
	str_free(&got);
	csv_row_free(&row);
}

static void
test_plain(void **state)
{
	(void)state;
	check("a,b\nc,d\n", 0, "a|b / c|d");
	check("a,b\r\nc,d", 0, "a|b / c|d");
	check("a,b\rc,d\r", 0, "a|b / c|d");
	check("\xef\xbb\xbf" "a,b\n", 0, "a|b");
	check("", 0, "");
	check("a,,\n,b,\n", 0, "a|| / |b|");
}

static void
test_quotes(void **state)
{
	(void)state;
	check("\"a,b\",c\n", 0, "a,b|c");
	check("\"say \"\"so\"\"\",x\n", 0, "say \"so\"|x");
	check("\"two\nlines\",x\ny,z\n", 0, "two\nlines|x / y|z");
	check("\"a\"b,c\nd,e\n", 0, "!text after a closing quote / d|e");
	check("a,\"never closed\nb,c\n", 0, "!a quote is never closed");
	check("a\"b,c\n", 0, "a\"b|c");
}

static void
test_separator(void **state)
{
	(void)state;
	check("a;b\nc;d,e\n", 0, "a|b / c|d,e");
	check("a\tb\nc\td\n", 0, "a|b / c|d");
	check("a,b;c\n", ';', "a,b|c");
}

static void
test_limits(void **state)
{
	(void)state;
	char wide[4 * CSV_COLUMNS];
	memset(wide, 'x', 100);
	strcpy(wide + 100, ",y\nc,d\n");
	check(wide, 0, "!record too long / c|d");
	memset(wide, ',', CSV_COLUMNS + 10);
	strcpy(wide + CSV_COLUMNS + 10, "\nc,d\n");
	check(wide, 0, "!too many columns / c|d");
}

static void
test_lines(void **state)
{
	(void)state;
	struct bytes b = {"h\n\"a\nb\"\nc\n", 11, 0};
	struct csv c;
	struct csv_row row = {0};
	bool have;
	const char *why;
	static const int64_t lines[] = {1, 2, 4};
	csv_start(&c, next, &b, ',', 100);
	for (size_t i = 0; i < 3; i++) {
		assert_ok(csv_read(&c, &row, &have, &why));
		assert_true(have);
		assert_int_equal(row.line, lines[i]);
	}
	csv_row_free(&row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_quotes), cmocka_unit_test(test_separator),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
