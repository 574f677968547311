/* The canvas: clipping, wide cells, the gate against hostile bytes. Columns of tables. Searching text. */
#include <locale.h>
#include <string.h>

#include "canvas.h"
#include "describe.h"
#include "find.h"
#include "table.h"
#include "theme.h"
#include "unit.h"

static void
shows(struct canvas *c, bool ink, const char *want)
{
	struct str s = {0};
	canvas_print(c, &s, ink);
	assert_string_equal(s.s, want);
	str_free(&s);
}

static void
clips_everywhere(void **state)
{
	(void)state;
	struct canvas c = { .glyphs = glyphs_for(false) };
	canvas_resize(&c, 2, 5);
	canvas_str(&c, 0, 3, 10, INK_TEXT, "abcdef");
	canvas_str(&c, 5, 0, 10, INK_TEXT, "below");
	canvas_str(&c, -1, 0, 10, INK_TEXT, "above");
	canvas_str(&c, 1, -2, 10, INK_TEXT, "left");
	canvas_fill(&c, (struct rect){ -3, -3, 4, 4 }, "x", INK_TEXT);
	canvas_ink(&c, 1, -5, 50, INK_DIM);
	canvas_ink(&c, 9, 0, 5, INK_DIM);
	canvas_bar(&c, 1, 4, 50, INK_TEXT, 1, 1);
	canvas_park(&c, 50, 50, true);
	assert_int_equal(c.cursor_row, 1);
	assert_int_equal(c.cursor_col, 4);
	shows(&c, false, "x  ab\nft  \u2588\n");
	canvas_resize(&c, 0, 0);
	canvas_str(&c, 0, 0, 5, INK_TEXT, "a");
	canvas_free(&c);
}

static void
wide_cells_keep_their_halves(void **state)
{
	(void)state;
	struct canvas c = { .glyphs = glyphs_for(false) };
	canvas_resize(&c, 1, 6);
	canvas_str(&c, 0, 0, 6, INK_TEXT, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2");
	canvas_str(&c, 0, 1, 1, INK_TEXT, "a");
	shows(&c, false, " a\xe6\xbc\xa2\xe6\xbc\xa2\n");
	canvas_str(&c, 0, 4, 1, INK_TEXT, "b");
	shows(&c, false, " a\xe6\xbc\xa2" "b\n");
	/* No half of a wide character at the right edge. */
	canvas_clear(&c);
	canvas_str(&c, 0, 5, 1, INK_TEXT, "\xe6\xbc\xa2");
	shows(&c, false, "     \u2026\n");
	canvas_free(&c);
}

static void
nothing_hostile_passes(void **state)
{
	(void)state;
	struct canvas c = { .glyphs = glyphs_for(false) };
	canvas_resize(&c, 1, 60);
	canvas_text(&c, 0, 0, 60, INK_TEXT, "a\0b\x1b]0;t\x07\xc2\x9b\xe2\x80\xae\xff\n\t.", 18);
	shows(&c, false, "a\\x00b\\x1b]0;t\\x07\\u{9b}\\u{202e}\\xff\u21b5 .\n");
	c.glyphs = glyphs_for(true);
	canvas_clear(&c);
	canvas_str(&c, 0, 0, 60, INK_TEXT, "caf\xc3\xa9\n");
	shows(&c, false, "caf\\u{e9}\\n\n");
	canvas_free(&c);
}

static void
inks_are_named(void **state)
{
	(void)state;
	struct canvas c = { .glyphs = glyphs_for(false) };
	canvas_resize(&c, 1, 20);
	canvas_str(&c, 0, 0, 20, INK_TITLE, "ab");
	canvas_str(&c, 0, 2, 20, INK_TEXT, "cd");
	canvas_str(&c, 0, 4, 20, INK_BAD, "e");
	shows(&c, true, "{title:ab}cd{bad:e}\n");
	canvas_right(&c, 0, 10, 8, INK_TEXT, "12");
	shows(&c, false, "abcde           12\n");
	canvas_free(&c);
}

/* Without colours, every ink that carries a meaning still differs from plain text, but those that come with a sign or
 * word. */
static void
meaning_survives_monochrome(void **state)
{
	(void)state;
	static const enum ink inks[] = { INK_TITLE, INK_FOCUS, INK_SELECT, INK_CURSOR, INK_SPAN, INK_MATCH, INK_WARN,
		INK_BAD };
	for (size_t i = 0; i < sizeof(inks) / sizeof(inks[0]); i++) {
		assert_int_not_equal(theme_look(THEME_MONO, inks[i]).attrs, 0);
		assert_int_equal(theme_look(THEME_MONO, inks[i]).colour, -1);
	}
	for (int ink = 0; ink < INKS; ink++)
		assert_int_equal(theme_look(THEME_MONO, (enum ink)ink).colour, -1);
}

static void
columns_make_room(void **state)
{
	(void)state;
	static const struct column columns[] = {
		{ "a", 5, 1, false, false, 9 }, { "b", 10, 0, true, false, 1 }, { "c", 4, 0, true, false, 5 },
		{ "d", 3, 1, false, false, 2 },
	};
	const struct table t = { .columns = columns, .n = 4 };
	int w[TABLE_COLUMNS];
	table_layout(&t, 60, w);
	assert_int_equal(w[1], 10);
	assert_int_equal(w[0] + w[3], 60 - 2 - 6 - 14);
	table_layout(&t, 20, w);		/* all but b */
	assert_int_equal(w[1], 0);
	assert_int_equal(w[2], 4);
	assert_int_equal(w[0] + w[3], 20 - 2 - 4 - 4);
	table_layout(&t, 14, w);		/* a and c */
	assert_int_equal(w[3], 0);
	assert_int_equal(w[0], 14 - 2 - 2 - 4);
	table_layout(&t, 4, w);			/* a never goes */
	assert_int_equal(w[0], 5);
	assert_int_equal(w[2], 0);
}

static void
finding(void **state)
{
	(void)state;
	size_t len;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	const char *hay = "The Tide and the tide, \xc3\x89t\xc3\xa9";
	size_t n = strlen(hay);
	assert_int_equal(text_find(hay, n, 0, "tide", &len), 4);
	assert_int_equal(text_find(hay, n, 5, "tide", &len), 17);
	assert_int_equal(text_find(hay, n, 5, "Tide", &len), (size_t)-1);
	assert_int_equal(text_find(hay, n, 0, "Tide", &len), 4);
	assert_int_equal(text_find(hay, n, 0, "\xc3\xa9t", &len), 23);
	assert_int_equal(len, 3);
	assert_int_equal(text_find(hay, n, 0, "", &len), (size_t)-1);
	assert_int_equal(text_find(hay, n, n, "t", &len), (size_t)-1);
	assert_int_equal(text_find("\xff\xfe", 2, 0, "\xfe", &len), 1);
}

static void
numbers(void **state)
{
	(void)state;
	struct str s = {0};
	assert_int_equal(describe_decimals(0.443), 3);
	assert_int_equal(describe_decimals(12.5), 1);
	assert_int_equal(describe_decimals(0.000123), 6);
	assert_int_equal(describe_decimals(1e9), 0);
	assert_int_equal(describe_decimals(0), 3);
	describe_score(-0.5, 2, false, &s);
	str_addc(&s, ' ');
	describe_count(1234567, "byte", "bytes", &s);
	str_addc(&s, ' ');
	describe_times(0.05, 0.01, &s);
	assert_string_equal(s.s, "~-0.50 1,234,567 bytes 5.0");
	assert_int_equal(describe_level(1, 1), 8);
	assert_int_equal(describe_level(-0.5, 1), -4);
	assert_int_equal(describe_level(0.01, 1), 0);
	assert_int_equal(describe_level(1, 0), 0);
	str_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clips_everywhere), cmocka_unit_test(wide_cells_keep_their_halves),
		cmocka_unit_test(nothing_hostile_passes),
		cmocka_unit_test(inks_are_named), cmocka_unit_test(meaning_survives_monochrome),
		cmocka_unit_test(columns_make_room), cmocka_unit_test(finding), cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
