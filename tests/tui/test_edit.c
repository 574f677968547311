/* The line editor, its history, and how it is drawn. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "edit.h"
#include "unit.h"

static void
type(struct edit *e, const char *ascii)
{
	for (; *ascii; ascii++)
		edit_insert(e, *ascii);
}

static void
act(struct edit *e, enum action a, int times)
{
	for (int i = 0; i < times; i++)
		assert_true(edit_act(e, a));
}

static void
typing_and_moving(void **state)
{
	(void)state;
	struct edit e;
	edit_init(&e, NULL);
	type(&e, "the lamp");
	act(&e, ACT_EDIT_LEFT, 4);
	type(&e, "old ");
	assert_string_equal(e.text.s, "the old lamp");
	act(&e, ACT_EDIT_HOME, 1);
	type(&e, "at ");
	act(&e, ACT_EDIT_END, 1);
	type(&e, "!");
	assert_string_equal(e.text.s, "at the old lamp!");
	act(&e, ACT_EDIT_RIGHT, 3);
	assert_int_equal(e.at, e.text.len);
	assert_false(edit_act(&e, ACT_UP));
	edit_free(&e);
}

static void
deleting(void **state)
{
	(void)state;
	struct edit e;
	edit_init(&e, NULL);
	edit_set(&e, "one two  three");
	act(&e, ACT_EDIT_KILL_WORD, 1);
	assert_string_equal(e.text.s, "one two  ");
	act(&e, ACT_EDIT_KILL_WORD, 1);
	assert_string_equal(e.text.s, "one ");
	act(&e, ACT_EDIT_BACKSPACE, 1);
	assert_string_equal(e.text.s, "one");
	act(&e, ACT_EDIT_LEFT, 2);
	act(&e, ACT_EDIT_DELETE, 1);
	assert_string_equal(e.text.s, "oe");
	act(&e, ACT_EDIT_KILL_END, 1);
	assert_string_equal(e.text.s, "o");
	act(&e, ACT_EDIT_KILL_START, 1);
	assert_string_equal(e.text.s, "");
	act(&e, ACT_EDIT_BACKSPACE, 2);
	act(&e, ACT_EDIT_DELETE, 2);
	act(&e, ACT_EDIT_LEFT, 2);
	assert_string_equal(e.text.s, "");
	edit_free(&e);
}

/* A letter and its combining accent are one thing to move over and to delete; so is a wide character. */
static void
graphemes(void **state)
{
	(void)state;
	struct edit e;
	edit_init(&e, NULL);
	edit_set(&e, "ae\xcc\x81\xe6\xbc\xa2");
	act(&e, ACT_EDIT_LEFT, 2);
	assert_int_equal(e.at, 1);
	act(&e, ACT_EDIT_DELETE, 1);
	assert_string_equal(e.text.s, "a\xe6\xbc\xa2");
	act(&e, ACT_EDIT_END, 1);
	act(&e, ACT_EDIT_BACKSPACE, 1);
	assert_string_equal(e.text.s, "a");
	edit_insert(&e, 0x301);		/* joins the letter before it */
	assert_int_equal(e.at, e.text.len);
	act(&e, ACT_EDIT_LEFT, 1);
	assert_int_equal(e.at, 0);
	edit_free(&e);
}

static void
history_goes_back_and_forth(void **state)
{
	(void)state;
	struct history h = {0};
	struct edit e;
	history_add(&h, "first");
	history_add(&h, "second");
	history_add(&h, "first");	/* moves to the end */
	assert_int_equal(h.n, 2);
	edit_init(&e, &h);
	type(&e, "new");
	act(&e, ACT_EDIT_OLDER, 1);
	assert_string_equal(e.text.s, "first");
	act(&e, ACT_EDIT_OLDER, 3);
	assert_string_equal(e.text.s, "second");
	act(&e, ACT_EDIT_NEWER, 2);
	assert_string_equal(e.text.s, "new");
	act(&e, ACT_EDIT_NEWER, 1);
	assert_string_equal(e.text.s, "new");
	edit_done(&e);
	assert_int_equal(h.n, 3);
	assert_string_equal(h.line[2], "new");
	edit_free(&e);
	history_free(&h);
}

static void
history_is_kept(void **state)
{
	(void)state;
	char dir[] = "/tmp/byline-history.XXXXXX";
	assert_non_null(mkdtemp(dir));
	setenv("XDG_STATE_HOME", dir, 1);
	struct history h;
	history_open(&h, "prompts");
	assert_int_equal(h.n, 0);
	history_add(&h, "a \\ back\nslash");
	history_add(&h, "\xc3\xa9t\xc3\xa9");
	history_free(&h);
	history_open(&h, "prompts");
	assert_int_equal(h.n, 2);
	assert_string_equal(h.line[0], "a \\ back\nslash");
	assert_string_equal(h.line[1], "\xc3\xa9t\xc3\xa9");
	history_free(&h);
	assert_ok(file_remove_tree(dir));
	/* Nowhere to write: it still works. */
	setenv("XDG_STATE_HOME", "/dev/null/nowhere", 1);
	history_open(&h, "prompts");
	history_add(&h, "x");
	assert_int_equal(h.n, 1);
	history_free(&h);
	unsetenv("XDG_STATE_HOME");
}

static void
drawn(struct edit *e, int cols, bool typing, const char *want, int cursor)
{
	struct canvas c = { .glyphs = glyphs_for(false) };
	struct str s = {0};
	canvas_resize(&c, 1, cols);
	edit_draw(e, &c, 0, 0, cols, INK_TEXT, typing);
	canvas_print(&c, &s, false);
	assert_string_equal(s.s, want);
	if (typing)
		assert_int_equal(c.cursor_col, cursor);
	str_free(&s);
	canvas_free(&c);
}

/* The cursor is always seen, with room for it behind the text. */
static void
scrolls_sideways(void **state)
{
	(void)state;
	struct edit e;
	edit_init(&e, NULL);
	edit_set(&e, "0123456789abcdef");
	drawn(&e, 10, true, "789abcdef\n", 9);
	act(&e, ACT_EDIT_HOME, 1);
	drawn(&e, 10, true, "012345678\u2026\n", 0);
	act(&e, ACT_EDIT_END, 1);
	drawn(&e, 10, true, "789abcdef\n", 9);
	act(&e, ACT_EDIT_BACKSPACE, 12);
	drawn(&e, 10, true, "0123\n", 4);
	edit_set(&e, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2");
	drawn(&e, 5, true, "\xe6\xbc\xa2\xe6\xbc\xa2\n", 4);
	drawn(&e, 5, false, "\xe6\xbc\xa2\xe6\xbc\xa2\u2026\n", 0);
	edit_set(&e, "a\x1b[2Jb");
	drawn(&e, 20, true, "a\\x1b[2Jb\n", 9);
	edit_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typing_and_moving), cmocka_unit_test(deleting), cmocka_unit_test(graphemes),
		cmocka_unit_test(history_goes_back_and_forth), cmocka_unit_test(history_is_kept),
		cmocka_unit_test(scrolls_sideways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
