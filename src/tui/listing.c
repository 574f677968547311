/* listing: order, filter and search over a table. */
#include "listing.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "find.h"

void
listing_init(struct listing *l, const struct column *columns, int n, void *arg,
	void (*cell)(void *arg, size_t row, int column, struct table_cell *out),
	int (*compare)(void *arg, int column, size_t a, size_t b))
{
	*l = (struct listing){
		.table = { .columns = columns, .n = n, .cell = cell, .arg = arg }, .compare = compare, .sort = -1,
	};
}

void
listing_free(struct listing *l)
{
	free(l->order);
	free(l->hit);
	free(l->filter);
	free(l->search);
	*l = (struct listing){0};
}

static bool
listing_matches(const struct listing *l, size_t row, const char *text)
{
	struct str s = {0};
	size_t len;
	str_clear(&s);
	table_row_text(&l->table, row, &s);
	bool found = text_find(s.s, s.len, 0, text, &len) != (size_t)-1;
	str_free(&s);
	return found;
}

/* ---- order ---- */

static bool
listing_before(const struct listing *l, size_t a, size_t b)
{
	int order = l->compare(l->table.arg, l->sort, a, b);
	return order != 0 ? order < 0 : a < b;
}

/* Bottom-up merge sort: stable, and its comparison takes an argument. */
static void
listing_sort(struct listing *l)
{
	size_t n = l->list.n, *from = l->order, *to = xmalloc((n + 1) * sizeof(*to)), *scratch = to;
	for (size_t run = 1; run < n; run *= 2) {
		for (size_t lo = 0; lo < n; lo += 2 * run) {
			size_t mid = lo + run < n ? lo + run : n, hi = mid + run < n ? mid + run : n;
			size_t a = lo, b = mid;
			for (size_t k = lo; k < hi; k++)
				to[k] = b >= hi || (a < mid && !listing_before(l, from[b], from[a])) ? from[a++]
					: from[b++];
		}
		size_t *swap = from;
		from = to;
		to = swap;
	}
	if (from != l->order)
		memcpy(l->order, from, n * sizeof(*from));
	free(scratch);
}

static void
listing_build(struct listing *l)
{
	size_t n = 0;
	mem_grow(&l->order, &l->cap, l->n_all + 1, sizeof(*l->order));
	for (size_t i = 0; i < l->n_all; i++)
		if (!l->filter || listing_matches(l, i, l->filter))
			l->order[n++] = i;
	list_resize(&l->list, n);
	if (l->sort >= 0 && l->compare)
		listing_sort(l);
	for (size_t i = 0; l->reversed && i < n / 2; i++) {
		size_t swap = l->order[i];
		l->order[i] = l->order[n - 1 - i];
		l->order[n - 1 - i] = swap;
	}
}

size_t
listing_row(const struct listing *l)
{
	return l->list.cursor < l->list.n ? l->order[l->list.cursor] : (size_t)-1;
}

bool
listing_select(struct listing *l, size_t row)
{
	for (size_t i = 0; i < l->list.n; i++)
		if (l->order[i] == row) {
			l->list.cursor = i;
			return true;
		}
	return false;
}

/* Where among the matches the cursor is. */
static void
listing_count(struct listing *l)
{
	l->matches = l->match = 0;
	for (size_t i = 0; l->search && i < l->list.n; i++)
		if (l->hit[i]) {
			l->matches++;
			if (i <= l->list.cursor)
				l->match = l->matches;
		}
}

static void
listing_mark(struct listing *l)
{
	mem_grow(&l->hit, &l->hit_cap, l->list.n + 1, sizeof(*l->hit));
	for (size_t i = 0; i < l->list.n; i++)
		l->hit[i] = l->search && listing_matches(l, l->order[i], l->search);
	listing_count(l);
}

/* The rows may have moved; the cursor goes with its row. */
static void
listing_rebuild(struct listing *l, size_t keep)
{
	listing_build(l);
	if (!listing_select(l, keep))
		l->list.cursor = l->list.top = 0;
	listing_mark(l);
}

void
listing_fill(struct listing *l, size_t n, size_t keep)
{
	l->n_all = n;
	listing_rebuild(l, keep);
}

static void
listing_next_sort(struct listing *l)
{
	int was = l->sort;
	do
		l->sort = l->sort + 1 < l->table.n ? l->sort + 1 : -1;
	while (l->sort >= 0 && l->sort != was && !l->table.columns[l->sort].sorts);
	l->reversed = false;
	listing_rebuild(l, (size_t)-1);
}

/* ---- search and filter ---- */

static bool
listing_step(struct listing *l, bool forward)
{
	size_t n = l->list.n;
	for (size_t k = 1; l->search && k <= n; k++) {
		size_t i = forward ? (l->list.cursor + k) % n : (l->list.cursor + n - k) % n;
		if (l->hit[i]) {
			l->list.cursor = i;
			listing_count(l);
			return true;
		}
	}
	return false;
}

bool
listing_search(struct listing *l, const char *text)
{
	free(l->search);
	l->search = text && *text ? xstrdup(text) : NULL;
	listing_mark(l);
	/* A match under the cursor counts as found. */
	return !l->search || (l->list.n > 0 && l->hit[l->list.cursor]) || listing_step(l, true);
}

void
listing_filter(struct listing *l, const char *text)
{
	size_t keep = listing_row(l);
	free(l->filter);
	l->filter = text && *text ? xstrdup(text) : NULL;
	listing_rebuild(l, keep);
}

bool
listing_act(struct listing *l, enum action a)
{
	if (list_act(&l->list, a)) {
		listing_count(l);
		return true;
	}
	switch (a) {
	case ACT_SORT:
		listing_next_sort(l);
		return true;
	case ACT_REVERSE:
		l->reversed = !l->reversed;
		listing_rebuild(l, (size_t)-1);
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREV:
		listing_step(l, a == ACT_SEARCH_NEXT);
		return true;
	default:
		return false;
	}
}

/* ---- drawing ---- */

static bool
listing_joined(const struct listing *l, size_t i, size_t j)
{
	if (i >= l->list.n || j >= l->list.n)
		return false;
	int64_t a = l->group(l->table.arg, l->order[i]), b = l->group(l->table.arg, l->order[j]);
	return a >= 0 && a == b;
}

static void
listing_draw_rail(const struct listing *l, struct canvas *c, int row, int col, size_t i)
{
	if (!l->group || l->sort >= 0)
		return;
	bool above = listing_joined(l, i, i - 1), below = listing_joined(l, i, i + 1);
	const struct glyphs *g = c->glyphs;
	const char *sign = above && below ? g->rail : above ? g->rail_last : below ? g->rail_first : " ";
	canvas_str(c, row, col + 1, 1, INK_DIM, sign);
}

void
listing_draw(struct listing *l, struct canvas *c, struct rect r, bool focus)
{
	bool head = r.rows >= 3;
	list_show(&l->list, r.rows - head);
	if (head)
		table_draw_head(&l->table, c, r.row, r.col, r.cols, l->sort, l->reversed);
	for (size_t k = 0; k < l->list.height && l->list.top + k < l->list.n; k++) {
		size_t i = l->list.top + k;
		int row = r.row + head + (int)k;
		bool here = i == l->list.cursor;
		table_draw_row(&l->table, c, row, r.col, r.cols, l->order[i], here);
		listing_draw_rail(l, c, row, r.col, i);
		if (!here || !focus)
			continue;
		canvas_ink(c, row, r.col, r.cols, INK_SELECT);
		canvas_park(c, row, r.col, false);
	}
}

void
listing_status(const struct listing *l, struct str *out)
{
	list_position(&l->list, out);
	if (l->filter)
		str_addf(out, " with '%s', %zu in all", l->filter, l->n_all);
	if (l->search && l->matches == 0)
		str_addf(out, ", no match for '%s'", l->search);
	else if (l->search)
		str_addf(out, ", match %zu of %zu for '%s'", l->match, l->matches, l->search);
}
