/* Wrapping, and the way back from a cell to a token. */
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "unit.h"

static enum ink
plain(void *arg, int32_t token, uint32_t byte)
{
	(void)arg;
	(void)token;
	(void)byte;
	return INK_TEXT;
}

static int
by_token(void *arg, int32_t token)
{
	(void)arg;
	return token % 2 == 0 ? token % 9 : -(token % 9);
}

static void
lay(struct flow *f, const char *s, int cols, bool ascii, bool line_ends)
{
	struct flow_text t = { .s = s, .n = strlen(s), .ascii = ascii, .line_ends = line_ends };
	flow_lay(f, &t, cols);
}

static void
drawn(struct flow *f, int rows, int cols, bool ascii, bool ribbon, const char *want)
{
	struct canvas c = { .glyphs = glyphs_for(ascii) };
	struct flow_paint p = { .ink = plain, .level = ribbon ? by_token : NULL };
	struct str s = {0};
	canvas_resize(&c, rows, cols);
	flow_draw(f, &c, (struct rect){ 0, 0, rows, cols }, 0, &p);
	canvas_print(&c, &s, false);
	assert_string_equal(s.s, want);
	str_free(&s);
	canvas_free(&c);
}

static void
wraps_at_spaces(void **state)
{
	(void)state;
	struct flow f = {0};
	lay(&f, "the keeper lit the lamp", 10, false, false);
	assert_int_equal(f.rows, 3);
	drawn(&f, 3, 10, false, false, "the keeper\nlit the\nlamp\n");
	/* A space at the edge hangs over it; the next word begins the line. */
	lay(&f, "0123456789 ab", 10, false, false);
	drawn(&f, 2, 10, false, false, "0123456789\nab\n");
	flow_free(&f);
}

static void
breaks_long_words_and_line_ends(void **state)
{
	(void)state;
	struct flow f = {0};
	lay(&f, "a 0123456789abc", 5, false, false);
	drawn(&f, 4, 5, false, false, "a\n01234\n56789\nabc\n");
	lay(&f, "a\n\nb\n", 5, false, false);
	assert_int_equal(f.rows, 3);
	drawn(&f, 3, 5, false, false, "a\n\nb\n");
	lay(&f, "a\nb", 5, false, true);
	drawn(&f, 2, 5, false, false, "a\u21b5\nb\n");
	lay(&f, "", 5, false, false);
	assert_int_equal(f.rows, 0);
	flow_free(&f);
}

static void
wide_and_combining(void **state)
{
	(void)state;
	struct flow f = {0};
	lay(&f, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 5, false, false);
	drawn(&f, 2, 5, false, false, "\xe6\xbc\xa2\xe6\xbc\xa2\n\xe6\xbc\xa2\n");
	lay(&f, "e\xcc\x81tude", 3, false, false);
	drawn(&f, 2, 3, false, false, "e\xcc\x81tu\nde\n");
	flow_free(&f);
}

static void
hostile_text_is_escaped(void **state)
{
	(void)state;
	struct flow f = {0};
	lay(&f, "a\x1b[2J\xe2\x80\xae\xff", 40, false, false);
	drawn(&f, 1, 40, false, false, "a\\x1b[2J\\u{202e}\\xff\n");
	lay(&f, "\xc3\xa9 \xe2\x80\x9c", 40, true, false);
	drawn(&f, 1, 40, true, false, "\\u{e9} \\u{201c}\n");
	/* An escape that does not fit on a line goes on in the next. */
	lay(&f, "\xe2\x80\xae", 3, false, false);
	drawn(&f, 3, 3, false, false, "\\u{\n202\ne}\n");
	flow_free(&f);
}

static const uint32_t offsets[] = { 4, 7, 8, 9, 12 };

static void
tokens_know_their_cells(void **state)
{
	(void)state;
	/* Four tokens after the prompt "one ": "two", the two bytes of an accented letter one each, " ab". */
	static const char text[] = "one two\xc3\xa9 ab";
	struct flow f = {0};
	struct flow_text t = { .s = text, .n = strlen(text), .byte_of = offsets, .n_tokens = 4 };
	flow_lay(&f, &t, 40);
	assert_int_equal(f.item[0].token, -1);
	assert_int_equal(f.item[4].token, 0);
	assert_int_equal(flow_token_col(&f, 0), 4);
	assert_int_equal(flow_token_col(&f, 1), 7);
	assert_int_equal(flow_token_col(&f, 2), 7);	/* it has no cell: the one it ends */
	assert_int_equal(flow_token_col(&f, 3), 8);
	assert_int_equal(flow_token_at(&f, 0, 0), 0);
	assert_int_equal(flow_token_at(&f, 0, 5), 0);
	assert_int_equal(flow_token_at(&f, 0, 30), 3);
	assert_int_equal(flow_token_at(&f, 1, 0), -1);
	flow_lay(&f, &t, 4);
	assert_int_equal(flow_token_row(&f, 0), 1);
	assert_int_equal(flow_token_row(&f, 3), 1);
	assert_int_equal(flow_byte_row(&f, 10), 2);
	flow_free(&f);
}

static void
a_ribbon_has_two_families(void **state)
{
	(void)state;
	static const uint32_t words[] = { 0, 1, 2, 3, 4, 5 };
	struct flow f = {0};
	struct flow_text t = { .s = "abcde", .n = 5, .byte_of = words, .n_tokens = 5 };
	flow_lay(&f, &t, 3);
	drawn(&f, 4, 3, false, true, "abc\n \u2591\u2582\nde\n\u2591\u2584\n");
	drawn(&f, 4, 3, true, true, "abc\n a2\nde\nc4\n");
	/* Two rows of two: one and a half fit into three. */
	assert_int_equal(flow_seen(&f, 0, 5), 2);
	assert_int_equal(flow_seen(&f, 0, 3), 1);
	assert_int_equal(flow_seen(&f, 1, 3), 1);
	assert_int_equal(flow_seen(&f, 0, 1), 1);
	assert_int_equal(flow_below(&f, 0, 1), 2);
	assert_int_equal(flow_scroll(&f, 0, 3, 1), 1);
	assert_int_equal(flow_scroll(&f, 1, 4, 1), 0);
	flow_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wraps_at_spaces), cmocka_unit_test(breaks_long_words_and_line_ends),
		cmocka_unit_test(wide_and_combining),
		cmocka_unit_test(hostile_text_is_escaped), cmocka_unit_test(tokens_know_their_cells),
		cmocka_unit_test(a_ribbon_has_two_families),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
