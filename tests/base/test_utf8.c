/* utf8: malformed input, widths, and that nothing a terminal would obey gets through text_escape. */
#include "byline/utf8.h"

#include <stdio.h>
#include <string.h>

#include "byline/mem.h"
#include "unit.h"

#define FAMILY "\U0001f468\u200d\U0001f469\u200d\U0001f467"

static void
test_decode_good(void **state)
{
	(void)state;
	static const struct { const char *s; size_t n; int32_t cp; } cases[] = {
		{ "", 1, 0 }, { "A", 1, 'A' }, { "\x7f", 1, 0x7f }, { "\xc2\x80", 2, 0x80 }, { "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 }, { "\xed\x9f\xbf", 3, 0xd7ff }, { "\xee\x80\x80", 3, 0xe000 },
		{ "\xef\xbf\xbf", 3, 0xffff }, { "\xf0\x90\x80\x80", 4, 0x10000 }, { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int32_t cp;
		char back[4];
		assert_int_equal(utf8_decode(cases[i].s, cases[i].n, &cp), cases[i].n);
		assert_int_equal(cp, cases[i].cp);
		assert_int_equal(utf8_encode(cp, back), cases[i].n);
		assert_memory_equal(back, cases[i].s, cases[i].n);
		assert_true(utf8_valid(cases[i].s, cases[i].n));
	}
}

/* Each is malformed from its first byte, also when more text follows. */
static void
test_decode_bad(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc0\xaf", "\xc1\xbf",		/* lone, overlong */
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80",	/* surrogates */
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
		"\xc2", "\xe2\x82", "\xf0\x9f\x98",				/* cut short */
		"\xc2\x41", "\xe2\x28\xa1", "\xe2\x82\x28", "\xf0\x28\x8c\xbc", "\xf0\x9f\x98\x41",
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int32_t cp = 1;
		char longer[16];
		size_t n = strlen(cases[i]);
		assert_int_equal(utf8_decode(cases[i], n, &cp), 1);
		assert_int_equal(cp, -1);
		assert_false(utf8_valid(cases[i], n));
		snprintf(longer, sizeof(longer), "%s tail", cases[i]);
		assert_int_equal(utf8_decode(longer, strlen(longer), &cp), 1);
		assert_int_equal(cp, -1);
	}
	assert_true(utf8_valid("", 0));
}

/* A sequence that runs past the end given must not be completed from the bytes behind it. */
static void
test_decode_stops_at_end(void **state)
{
	(void)state;
	const char *euro = "\u20ac";
	for (size_t n = 1; n < 3; n++) {
		int32_t cp;
		assert_int_equal(utf8_decode(euro, n, &cp), 1);
		assert_int_equal(cp, -1);
	}
}

static void
test_every_code_point(void **state)
{
	(void)state;
	for (int32_t cp = 0; cp <= 0x10ffff; cp++) {
		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		char bytes[4];
		int32_t back;
		size_t n = utf8_encode(cp, bytes);
		if (utf8_decode(bytes, n, &back) != n || back != cp)
			fail_msg("U+%04X does not survive", (unsigned)cp);
		int width = utf8_width(cp);
		if (width < 0 || width > 2)
			fail_msg("U+%04X is %d columns wide", (unsigned)cp, width);
	}
}

static void
test_width(void **state)
{
	(void)state;
	static const struct { const char *s; size_t cols; } cases[] = {
		{ "", 0 }, { "abc", 3 }, { "e\u0301", 1 }, { "\u00e9", 1 }, { "\u6f22\u5b57", 4 }, { "\uff21", 2 },
		{ "\U0001f600", 2 }, { "\u200d", 0 }, { "\u0915\u094d", 1 }, { "\ud55c", 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(text_width(cases[i].s, strlen(cases[i].s)), cases[i].cols);
}

static void
test_grapheme(void **state)
{
	(void)state;
	static const struct { const char *s; size_t n; } cases[] = {
		{ "ab", 1 }, { "e\u0301x", 3 }, { FAMILY "x", sizeof(FAMILY) - 1 },
		{ "\U0001f1e9\U0001f1ea\U0001f1eb", 8 },
		{ "\U0001f44d\U0001f3fdx", 8 }, { "\xff\u0301", 1 }, { "a\xff", 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int width;
		assert_int_equal(utf8_grapheme(cases[i].s, strlen(cases[i].s), &width), cases[i].n);
		assert_int_equal(width, text_width(cases[i].s, cases[i].n));
	}
}

static void
check_escape(const char *s, size_t n, unsigned flags, const char *want)
{
	struct str out = {0};
	text_escape(&out, s, n, flags);
	assert_string_equal(out.s, want);
	assert_int_equal(out.len, strlen(want));
	str_free(&out);
}

static const struct { int32_t first, last; } forbidden[] = {
	{ 0, 8 }, { 0xb, 0x1f }, { 0x7f, 0x7f }, { 0x80, 0x9f }, { 0x61c, 0x61c }, { 0x200e, 0x200f },
	{ 0x2028, 0x2029 }, { 0x202a, 0x202e }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff }, { 0xe0000, 0xe007f },
};

static void
test_escape_forbidden(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		for (int32_t cp = forbidden[i].first; cp <= forbidden[i].last; cp++) {
			char bytes[4], want[16];
			size_t n = utf8_encode(cp, bytes);
			snprintf(want, sizeof(want), cp < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)cp);
			assert_true(utf8_hostile(cp));
			check_escape(bytes, n, 0, want);
			check_escape(bytes, n, ESCAPE_ASCII | ESCAPE_NEWLINE | ESCAPE_TAB, want);
		}
	}
}

/* Whatever goes in, what comes out is valid UTF-8 without a forbidden code point. */
static void
test_escape_everything(void **state)
{
	(void)state;
	struct str in = {0}, out = {0};
	for (int32_t cp = 0; cp <= 0x10ffff; cp++) {
		char bytes[4];
		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		str_add(&in, bytes, utf8_encode(cp, bytes));
		if (cp % 7 == 0)
			str_addc(&in, (char)(0x80 + cp % 128));
	}
	text_escape(&out, in.s, in.len, 0);
	assert_true(utf8_valid(out.s, out.len));
	for (size_t i = 0; i < out.len;) {
		int32_t cp;
		i += utf8_decode(out.s + i, out.len - i, &cp);
		for (size_t j = 0; j < ARRAY_LEN(forbidden); j++)
			if (cp >= forbidden[j].first && cp <= forbidden[j].last)
				fail_msg("U+%04X came through", (unsigned)cp);
	}
	str_clear(&out);
	text_escape(&out, in.s, in.len, ESCAPE_ASCII | ESCAPE_NEWLINE | ESCAPE_TAB);
	for (size_t i = 0; i < out.len; i++)
		if (out.s[i] < 0x20 || out.s[i] > 0x7e)
			fail_msg("byte %02x came through", (unsigned)(unsigned char)out.s[i]);
	str_free(&in);
	str_free(&out);
}

static void
test_escape_samples(void **state)
{
	(void)state;
	check_escape("", 0, 0, "");
	check_escape("a\tb\nc", 5, 0, "a\tb\nc");
	check_escape("a\tb\nc", 5, ESCAPE_TAB | ESCAPE_NEWLINE, "a b\u21b5c");
	check_escape("a\tb\nc", 5, ESCAPE_TAB_CODE, "a\\x09b\nc");
	check_escape("a\nb", 3, ESCAPE_ASCII | ESCAPE_NEWLINE, "a\\nb");
	check_escape("\x1b[31m", 5, 0, "\\x1b[31m");
	check_escape("\xc2\x9b" "31m", 5, 0, "\\u{9b}31m");
	check_escape("a\xff\xe2\x82", 4, 0, "a\\xff\\xe2\\x82");
	check_escape("\r\0", 2, 0, "\\x0d\\x00");
	check_escape("\u00e9\U0001f600", 6, ESCAPE_ASCII, "\\u{e9}\\u{1f600}");
	check_escape("\xef\xbf\xbe", 3, 0, "\\u{fffe}");
	static const char *const same[] = { FAMILY, "e\u0301", "\u2764\ufe0f", "\u0928\u092e\u0938\u094d\u0924\u0947",
		"\U0001f1e9\U0001f1ea", "\u05e9\u05dc\u05d5\u05dd", "\ue000" };
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		check_escape(same[i], strlen(same[i]), ESCAPE_TAB | ESCAPE_NEWLINE, same[i]);
}

static void
test_fit(void **state)
{
	(void)state;
	static const struct { const char *s; size_t cols; const char *mark, *want; size_t used; } cases[] = {
		{ "hello", 5, "\u2026", "hello", 5 }, { "hello!", 5, "\u2026", "hell\u2026", 5 },
		{ "hello!", 5, NULL, "hello", 5 }, { "hello", 0, "\u2026", "", 0 }, { "", 0, NULL, "", 0 },
		{ "hello", 2, "...", "he", 2 }, { "\u6f22\u5b57\u6f22", 5, "\u2026", "\u6f22\u5b57\u2026", 5 },
		{ "\u6f22\u5b57\u6f22", 4, "\u2026", "\u6f22\u2026", 3 }, { "\u6f22", 1, NULL, "", 0 },
		{ "e\u0301e\u0301e\u0301", 2, NULL, "e\u0301e\u0301", 2 }, { "a" FAMILY, 3, NULL, "a", 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str out = {0};
		size_t used = text_fit(&out, cases[i].s, strlen(cases[i].s), cases[i].cols, cases[i].mark);
		assert_int_equal(used, cases[i].used);
		assert_string_equal(out.s, cases[i].want);
		assert_int_equal(text_width(out.s, out.len), cases[i].used);
		str_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_good),
		cmocka_unit_test(test_decode_bad),
		cmocka_unit_test(test_decode_stops_at_end),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_grapheme),
		cmocka_unit_test(test_escape_forbidden),
		cmocka_unit_test(test_escape_everything),
		cmocka_unit_test(test_escape_samples),
		cmocka_unit_test(test_fit),
	};
	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
