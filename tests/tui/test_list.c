/* Lists and listings: moving, sorting, filtering, searching. */
#include <string.h>

#include "listing.h"
#include "unit.h"

static const struct { const char *name; int size; } fruit[] = {
	{ "pear", 5 }, { "Apple", 3 }, { "quince", 3 }, { "plum", 9 }, { "apple pie", 1 },
};
enum { N = 5 };

static const struct column columns[] = { { "name", 10, 1, false, true, 9 }, { "size", 4, 0, true, true, 5 },
	{ "", 2, 0, false, false, 1 } };

static void
cell(void *arg, size_t row, int column, struct table_cell *out)
{
	(void)arg;
	if (column == 0)
		str_adds(&out->text, fruit[row].name);
	else if (column == 1)
		str_addf(&out->text, "%d", fruit[row].size);
}

static int
compare(void *arg, int column, size_t a, size_t b)
{
	(void)arg;
	return column == 0 ? strcmp(fruit[a].name, fruit[b].name) : fruit[b].size - fruit[a].size;
}

static void
is_order(const struct listing *l, const char *digits)
{
	assert_int_equal(l->list.n, strlen(digits));
	for (size_t i = 0; i < l->list.n; i++)
		assert_int_equal(l->order[i], (size_t)(digits[i] - '0'));
}

static void
moving(void **state)
{
	(void)state;
	struct list l = {0};
	list_resize(&l, 100);
	list_show(&l, 10);
	assert_true(list_act(&l, ACT_PAGE_DOWN));
	assert_int_equal(l.cursor, 9);
	list_act(&l, ACT_HALF_DOWN);
	assert_int_equal(l.cursor, 13);
	list_show(&l, 10);
	assert_int_equal(l.top, 4);
	list_act(&l, ACT_BOTTOM);
	list_show(&l, 10);
	assert_int_equal(l.cursor, 99);
	assert_int_equal(l.top, 90);
	list_act(&l, ACT_DOWN);
	assert_int_equal(l.cursor, 99);
	list_show(&l, 50);
	assert_int_equal(l.top, 50);
	list_act(&l, ACT_TOP);
	list_act(&l, ACT_UP);
	list_show(&l, 50);
	assert_int_equal(l.cursor, 0);
	assert_int_equal(l.top, 0);
	assert_false(list_act(&l, ACT_SORT));
	list_resize(&l, 0);
	list_act(&l, ACT_BOTTOM);
	list_act(&l, ACT_PAGE_DOWN);
	assert_int_equal(l.cursor, 0);
	list_show(&l, 0);
	list_act(&l, ACT_PAGE_UP);
}

static void
sorting(void **state)
{
	(void)state;
	struct listing l;
	listing_init(&l, columns, 3, NULL, cell, compare);
	listing_fill(&l, N, (size_t)-1);
	is_order(&l, "01234");
	assert_true(listing_act(&l, ACT_SORT));
	is_order(&l, "14032");
	listing_act(&l, ACT_SORT);
	is_order(&l, "30124");		/* equal sizes stay as they came */
	listing_act(&l, ACT_REVERSE);
	is_order(&l, "42103");
	listing_act(&l, ACT_SORT);
	assert_int_equal(l.sort, -1);
	is_order(&l, "01234");
	listing_free(&l);
}

static void
filtering(void **state)
{
	(void)state;
	struct listing l;
	struct str s = {0};
	listing_init(&l, columns, 3, NULL, cell, compare);
	listing_fill(&l, N, (size_t)-1);
	assert_true(listing_select(&l, 4));
	listing_filter(&l, "apple");
	is_order(&l, "14");
	assert_int_equal(listing_row(&l), 4);	/* the cursor stays with its row */
	l.list.height = 10;
	listing_status(&l, &s);
	assert_string_equal(s.s,
		"2 of 2 with 'apple', 5 in all");
	listing_filter(&l, "Apple");
	is_order(&l, "1");
	listing_filter(&l, "nothing");
	assert_int_equal(listing_row(&l), (size_t)-1);
	listing_act(&l, ACT_DOWN);
	listing_act(&l, ACT_SEARCH_NEXT);
	listing_filter(&l, "");
	is_order(&l, "01234");
	str_free(&s);
	listing_free(&l);
}

static void
searching(void **state)
{
	(void)state;
	struct listing l;
	listing_init(&l, columns, 3, NULL, cell, compare);
	listing_fill(&l, N, (size_t)-1);
	assert_true(listing_search(&l, "p"));
	assert_int_equal(l.matches, 4);
	assert_int_equal(l.match, 1);		/* where we are counts */
	listing_act(&l, ACT_SEARCH_NEXT);
	assert_int_equal(listing_row(&l), 1);
	listing_act(&l, ACT_SEARCH_NEXT);
	assert_int_equal(listing_row(&l), 3);
	assert_int_equal(l.match, 3);
	listing_act(&l, ACT_SEARCH_NEXT);
	listing_act(&l, ACT_SEARCH_NEXT);
	assert_int_equal(listing_row(&l), 0);	/* around */
	listing_act(&l, ACT_SEARCH_PREV);
	assert_int_equal(listing_row(&l), 4);
	assert_false(listing_search(&l, "zebra"));
	assert_int_equal(listing_row(&l), 4);
	assert_true(listing_search(&l, ""));
	assert_int_equal(l.matches, 0);
	listing_free(&l);
}

static void
new_rows_keep_the_place(void **state)
{
	(void)state;
	struct listing l;
	listing_init(&l, columns, 3, NULL, cell, compare);
	listing_fill(&l, N, (size_t)-1);
	listing_select(&l, 3);
	listing_fill(&l, N, 3);
	assert_int_equal(listing_row(&l), 3);
	listing_fill(&l, 2, 3);
	assert_int_equal(listing_row(&l), 0);
	listing_fill(&l, 0, (size_t)-1);
	assert_int_equal(listing_row(&l), (size_t)-1);
	listing_free(&l);
}

static void
drawing(void **state)
{
	(void)state;
	struct canvas c = { .glyphs = glyphs_for(false) };
	struct listing l;
	struct str s = {0};
	canvas_resize(&c, 4, 24);
	listing_init(&l, columns, 3, NULL, cell, compare);
	listing_fill(&l, N, (size_t)-1);
	listing_select(&l, 3);
	listing_act(&l, ACT_SORT);
	listing_act(&l, ACT_SORT);
	listing_act(&l, ACT_DOWN);
	listing_draw(&l, &c, (struct rect){ 0, 0, 4, 24 }, true);
	canvas_print(&c, &s, false);
	assert_string_equal(s.s,
		"  name         \u25besize\n  plum             9\n\u25b8 pear             5\n  Apple            3\n");
	assert_int_equal(c.cursor_row, 2);
	str_free(&s);
	listing_free(&l);
	canvas_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moving), cmocka_unit_test(sorting), cmocka_unit_test(filtering),
		cmocka_unit_test(searching), cmocka_unit_test(new_rows_keep_the_place), cmocka_unit_test(drawing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
