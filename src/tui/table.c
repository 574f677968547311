/* table: layout and drawing of columns. */
#include "table.h"

#include <assert.h>
#include <string.h>

enum { GAP = 2 };

static int
table_taken(const struct table *t, const int width[TABLE_COLUMNS])
{
	int sum = TABLE_MARK, shown = 0;
	for (int i = 0; i < t->n; i++)
		if (width[i] > 0) {
			sum += width[i];
			shown++;
		}
	return sum + (shown > 1 ? (shown - 1) * GAP : 0);
}

/* The column that matters most among those not tried yet; leftmost among equals. -1: none is left. */
static int
table_best(const struct table *t, const bool tried[TABLE_COLUMNS])
{
	int best = -1;
	for (int i = 0; i < t->n; i++)
		if (!tried[i] && (best < 0 || t->columns[i].keep > t->columns[best].keep))
			best = i;
	return best;
}

void
table_layout(const struct table *t, int cols, int width[TABLE_COLUMNS])
{
	bool tried[TABLE_COLUMNS] = { false };
	int flex = 0, best;
	assert(t->n <= TABLE_COLUMNS);
	for (int i = 0; i < t->n; i++)
		width[i] = 0;
	while ((best = table_best(t, tried)) >= 0) {
		tried[best] = true;
		width[best] = t->columns[best].width;
		if (table_taken(t, width) > cols && t->columns[best].keep < 9)
			width[best] = 0;
	}
	for (int i = 0; i < t->n; i++)
		flex += width[i] > 0 ? t->columns[i].flex : 0;
	int left = cols - table_taken(t, width);
	for (int i = 0; i < t->n && left > 0; i++)
		if (width[i] > 0 && t->columns[i].flex > 0) {
			int more = left * t->columns[i].flex / flex;
			width[i] += more;
			left -= more;
			flex -= t->columns[i].flex;
		}
}

static void
cell_place(struct canvas *c, int row, int col, int width, bool right, enum ink ink, const char *s)
{
	if (right)
		canvas_right(c, row, col, width, ink, s);
	else
		canvas_str(c, row, col, width, ink, s);
}

void
table_draw_head(const struct table *t, struct canvas *c, int row, int col, int cols, int sorted, bool reversed)
{
	int width[TABLE_COLUMNS], at = col + TABLE_MARK;
	table_layout(t, cols, width);
	for (int i = 0; i < t->n; i++) {
		if (width[i] == 0)
			continue;
		struct str title = {0};
		const char *mark = c->glyphs->ascii ? (reversed ? "^" : "v") : (reversed ? "\u25b4" : "\u25be");
		str_adds(&title, i == sorted && t->columns[i].right ? mark : "");
		str_adds(&title, t->columns[i].title);
		str_addf(&title, "%s%s", i == sorted && !t->columns[i].right ? " " : "",
			i == sorted && !t->columns[i].right ? mark : "");
		/* A mark may stand in the gap before a column of numbers. */
		int spill = t->columns[i].right ? 1 : 0;
		cell_place(c, row, at - spill, width[i] + spill, t->columns[i].right, INK_HEAD, title.s);
		str_free(&title);
		at += width[i] + GAP;
	}
}

void
table_draw_row(const struct table *t, struct canvas *c, int row, int col, int cols, size_t i, bool marked)
{
	int width[TABLE_COLUMNS], at = col + TABLE_MARK;
	table_layout(t, cols, width);
	if (marked)
		canvas_str(c, row, col, 1, INK_FOCUS, c->glyphs->here);
	for (int k = 0; k < t->n; k++) {
		if (width[k] == 0)
			continue;
		struct table_cell cell = { .ink = INK_TEXT };
		str_clear(&cell.text);
		t->cell(t->arg, i, k, &cell);
		if (cell.whiskered)
			canvas_whisker(c, row, at, width[k], cell.ink, &cell.whisker);
		else if (cell.bar)
			canvas_bar(c, row, at, width[k], cell.ink, cell.value, cell.full);
		else
			cell_place(c, row, at, width[k], t->columns[k].right, cell.ink, cell.text.s);
		str_free(&cell.text);
		at += width[k] + GAP;
	}
}

void
table_row_text(const struct table *t, size_t i, struct str *out)
{
	for (int k = 0; k < t->n; k++) {
		struct table_cell cell = {0};
		str_clear(&cell.text);
		t->cell(t->arg, i, k, &cell);
		if (!cell.bar && !cell.whiskered) {
			str_add(out, cell.text.s, cell.text.len);
			str_addc(out, '\n');
		}
		str_free(&cell.text);
	}
}
