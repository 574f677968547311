/* json: bombs, duplicates, numbers that do not fit, and floats that read back the same. */
#include "byline/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"

static json_t *
parse(const char *text)
{
	json_t *v;
	assert_ok(json_parse(text, strlen(text), "test", &v));
	return v;
}

static void
check_refused(const char *text, size_t n, enum err code)
{
	json_t *v = (json_t *)&v;
	assert_err(json_parse(text, n, "that.json", &v), code);
	assert_null(v);
	assert_memory_equal(err_message(), "that.json: ", 11);
}

static void
test_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\":1} x", "[01]", "nul", "'a'", "[NaN]", "[Infinity]", "[+1]",
		"{\"a\":1,\"a\":2}", "{\"b\":{\"a\":1,\"\\u0061\":2}}",
		"[\"\xff\"]", "[\"\xed\xa0\x80\"]", "[\"\\ud800\"]",
		"[\"a\nb\"]", "[1e999]", "[-1e999]", "]", "}{",
		"{\"a\\u0000b\":1}",
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(cases[i], strlen(cases[i]), ERR_FORMAT);
	check_refused("[1]\0", 4, ERR_FORMAT);
	check_refused(NULL, 0, ERR_FORMAT);
}

/* A whole number that 64 bits do not hold is a real one, and all others stay what they are. */
static void
test_long_numbers(void **state)
{
	static const char text[] = "{\"limit\": 1000000000000000019884624838656, \"low\": -99999999999999999999, \"seven\": 7,"
		" \"part\": 0.12345678901234567890123, \"s\": \"12345678901234567890123 \\\" 12345678901234567890123\"}";
	json_t *root;
	int64_t v;
	(void)state;
	assert_ok(json_parse(text, strlen(text), "t", &root));
	assert_true(json_real_value(json_object_get(root, "limit")) > 9e29);
	assert_true(json_real_value(json_object_get(root, "low")) < -9e19);
	assert_err(json_want_int(root, "t", "limit", 0, INT64_MAX, &v), ERR_FORMAT);
	assert_ok(json_want_int(root, "t", "seven", 0, 9, &v));
	assert_string_equal(json_string_value(json_object_get(root, "s")), "12345678901234567890123 \" 12345678901234567890123");
	json_decref(root);
	assert_err(json_parse("[12345678901234567890123, 1e999]", 32, "t", &root), ERR_FORMAT);
}

static void
test_depth(void **state)
{
	(void)state;
	struct str s = {0};
	str_fill(&s, '[', 512);
	str_fill(&s, ']', 512);
	json_decref(parse(s.s));
	str_clear(&s);
	str_fill(&s, '[', 513);
	str_fill(&s, ']', 513);
	check_refused(s.s, s.len, ERR_LIMIT);
	str_clear(&s);
	str_fill(&s, '[', 5000000);
	check_refused(s.s, s.len, ERR_LIMIT);
	str_clear(&s);
	for (int i = 0; i < 600; i++)
		str_adds(&s, "{\"a\":");
	check_refused(s.s, s.len, ERR_LIMIT);
	/* Brackets in strings are text, and depth goes down again. */
	str_clear(&s);
	str_adds(&s, "[\"\\\"");
	str_fill(&s, '[', 1000);
	str_adds(&s, "\\\\\"");
	for (int i = 0; i < 1000; i++)
		str_adds(&s, ",[{}]");
	str_adds(&s, "]");
	json_decref(parse(s.s));
	str_free(&s);
}

static void
test_int(void **state)
{
	(void)state;
	json_t *o = parse("{\"n\":12,\"z\":null,\"s\":\"x\",\"r\":1.0,\"big\":9223372036854775807}");
	int64_t n = 0;
	assert_ok(json_want_int(o, "f", "n", 12, 12, &n));
	assert_int_equal(n, 12);
	assert_ok(json_want_int(o, "f", "big", 0, INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_err(json_want_int(o, "f.json", "n", 13, 99, &n), ERR_FORMAT);
	assert_string_equal(err_message(), "f.json: \"n\" is 12, must be from 13 to 99");
	assert_err(json_want_int(o, "f", "n", 0, 11, &n), ERR_FORMAT);
	assert_err(json_want_int(o, "f", "z", 0, 99, &n), ERR_FORMAT);
	assert_err(json_want_int(o, "f", "gone", 0, 99, &n), ERR_FORMAT);
	assert_err(json_want_int(o, "f", "s", 0, 99, &n), ERR_FORMAT);
	assert_err(json_want_int(o, "f", "r", 0, 99, &n), ERR_FORMAT);
	assert_ok(json_opt_int(o, "f", "z", 0, 9, 5, &n));
	assert_int_equal(n, 5);
	assert_ok(json_opt_int(o, "f", "gone", 0, 9, 6, &n));
	assert_int_equal(n, 6);
	assert_ok(json_opt_int(o, "f", "n", 0, 12, 6, &n));
	assert_int_equal(n, 12);
	assert_err(json_opt_int(o, "f", "n", 0, 9, 6, &n), ERR_FORMAT);
	json_decref(o);
}

static void
test_other_getters(void **state)
{
	(void)state;
	json_t *o = parse("{\"r\":0.25,\"n\":3,\"t\":true,\"f\":false,\"s\":\"x\",\"nul\":\"a\\u0000b\",\"z\":null}");
	double r;
	bool b;
	const char *s;
	assert_ok(json_opt_real(o, "f", "r", 0, 1, 9, &r));
	assert_true(r == 0.25);
	assert_ok(json_opt_real(o, "f", "n", 0, 3, 9, &r));
	assert_true(r == 3);
	assert_ok(json_opt_real(o, "f", "z", 0, 3, 9, &r));
	assert_true(r == 9);
	assert_err(json_opt_real(o, "f", "n", 0, 2.9, 9, &r), ERR_FORMAT);
	assert_err(json_opt_real(o, "f", "s", 0, 3, 9, &r), ERR_FORMAT);
	assert_ok(json_opt_bool(o, "f", "t", false, &b));
	assert_true(b);
	assert_ok(json_opt_bool(o, "f", "f", true, &b));
	assert_false(b);
	assert_ok(json_opt_bool(o, "f", "gone", true, &b));
	assert_true(b);
	assert_err(json_opt_bool(o, "f", "n", true, &b), ERR_FORMAT);
	assert_ok(json_want_str(o, "f", "s", &s));
	assert_string_equal(s, "x");
	assert_err(json_want_str(o, "f", "z", &s), ERR_FORMAT);
	assert_err(json_want_str(o, "f", "n", &s), ERR_FORMAT);
	assert_err(json_want_str(o, "f", "nul", &s), ERR_FORMAT);
	assert_ok(json_opt_str(o, "f", "gone", NULL, &s));
	assert_null(s);
	assert_err(json_opt_str(o, "f", "n", "d", &s), ERR_FORMAT);
	json_t *list = parse("[1]");
	assert_err(json_want_str(list, "f", "s", &s), ERR_FORMAT);
	assert_err(json_opt_bool(NULL, "f", "s", true, &b), ERR_FORMAT);
	json_decref(list);
	json_decref(o);
}

static void
check_print(const char *text, int indent, const char *want)
{
	struct str out = {0};
	json_t *v = parse(text);
	json_print(&out, v, indent);
	assert_string_equal(out.s, want);
	json_decref(v);
	str_free(&out);
}

static void
test_print(void **state)
{
	(void)state;
	check_print("[0.5, 0.1, 1.0, -0.0, 1e300, 5e-324, 100, -3, 0.30000000000000004]", 0,
		"[0.5,0.1,1.0,-0.0,1e+300,4.94065645841247e-324,100,-3,0.30000000000000004]");
	check_print("{\"z\": [true, false, null], \"a\": {}, \"m\": []}", 0,
		"{\"z\":[true,false,null],\"a\":{},\"m\":[]}");
	check_print("{\"z\":[1,{\"k\":2}],\"a\":{}}", 2,
		"{\n  \"z\": [\n    1,\n    {\n      \"k\": 2\n    }\n  ],\n  \"a\": {}\n}");
	check_print("[\"\\u0000\\u001f\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"]", 0,
		"[\"\\u0000\\u001f\\\"\\\\/\\b\\f\\n\\r\\t\u00e9\"]");
	check_print("{\"a\\\"b\\n\":1}", 0, "{\"a\\\"b\\n\":1}");
}

static void
test_reals_read_back(void **state)
{
	(void)state;
	struct rng r;
	rng_init(&r, 11, 0);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_u64(&r);
		double x, y;
		memcpy(&x, &bits, sizeof(x));
		if (!isfinite(x))
			continue;
		struct str out = {0};
		json_t *v = json_real(x);
		json_print(&out, v, 0);
		json_decref(v);
		v = parse(out.s);
		assert_true(json_is_real(v));
		y = json_real_value(v);
		assert_memory_equal(&x, &y, sizeof(x));
		json_decref(v);
		str_free(&out);
	}
}

static void
test_text(void **state)
{
	(void)state;
	json_t *v = json_text("a\xff\0\xe2\x82z", 6);
	assert_int_equal(json_string_length(v), 12);
	assert_memory_equal(json_string_value(v), "a\ufffd\0\ufffd\ufffdz", 13);
	json_decref(v);
	v = json_text(NULL, 0);
	assert_int_equal(json_string_length(v), 0);
	json_decref(v);
}

static void
test_file(void **state)
{
	(void)state;
	char dir[] = "/tmp/byline-json-XXXXXX";
	assert_non_null(mkdtemp(dir));
	char *path = path_join(dir, "a.json");
	json_t *v;
	assert_ok(file_replace(path, "{\"a\":\n x}", 9));
	assert_err(json_parse_file(path, 100, &v), ERR_FORMAT);
	assert_non_null(strstr(err_message(), path));
	assert_non_null(strstr(err_message(), "line 2"));
	assert_ok(file_replace(path, "{\"a\":1}", 7));
	assert_err(json_parse_file(path, 6, &v), ERR_LIMIT);
	assert_null(v);
	assert_ok(json_parse_file(path, 7, &v));
	json_decref(v);
	assert_ok(file_remove_tree(dir));
	assert_err(json_parse_file(path, 100, &v), ERR_MISSING);
	free(path);
}

static void
test_hashes_and_seeds(void **state)
{
	(void)state;
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct { const char *text; enum err want, opt, seed; } cases[] = {
		{"{\"k\":\"" SHA "\"}", OK, OK, ERR_FORMAT},
		{"{}", ERR_FORMAT, OK, ERR_FORMAT},
		{"{\"k\":null}", ERR_FORMAT, OK, ERR_FORMAT},
		{"{\"k\":\"\"}", ERR_FORMAT, ERR_FORMAT, ERR_FORMAT},
		{"{\"k\":\"A" SHA "\"}", ERR_FORMAT, ERR_FORMAT, ERR_FORMAT},
		{"{\"k\":7}", ERR_FORMAT, ERR_FORMAT, ERR_FORMAT},
		{"{\"k\":\"18446744073709551615\"}", ERR_FORMAT, ERR_FORMAT, OK},
		{"{\"k\":\"18446744073709551616\"}", ERR_FORMAT, ERR_FORMAT, ERR_FORMAT},
		{"{\"k\":\"-1\"}", ERR_FORMAT, ERR_FORMAT, ERR_FORMAT},
		{"{\"k\":\"1 \"}", ERR_FORMAT, ERR_FORMAT, ERR_FORMAT},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *root;
		char hex[65];
		uint64_t seed;
		assert_ok(json_parse(cases[i].text, strlen(cases[i].text), "x", &root));
		assert_int_equal(json_want_hash(root, "x", "k", hex), cases[i].want);
		assert_true(cases[i].want != OK || strcmp(hex, SHA) == 0);
		assert_int_equal(json_opt_hash(root, "x", "k", hex), cases[i].opt);
		assert_true(cases[i].opt != OK || cases[i].want == OK || *hex == '\0');
		assert_int_equal(json_want_u64(root, "x", "k", &seed), cases[i].seed);
		assert_true(cases[i].seed != OK || seed == UINT64_MAX);
		json_decref(root);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_numbers),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_other_getters),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_reals_read_back),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_hashes_and_seeds),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
