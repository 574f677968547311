/*
 * table: aligned columns. The header holds titles and units; columns that matter less go first when room is short.
 */
#ifndef TUI_TABLE_H
#define TUI_TABLE_H

#include "canvas.h"
#include "list.h"

enum { TABLE_COLUMNS = 12 };

struct column {
	const char *title;
	int width;		/* least columns */
	int flex;		/* share of what is left over; 0: fixed */
	bool right;		/* numbers */
	bool sorts;		/* one can sort by it */
	int keep;		/* columns of low keep are dropped first; 9: never */
};

enum { TABLE_MARK = 2 };	/* columns before the first, for a cursor and a rail */

struct table_cell {
	struct str text;	/* untrusted */
	enum ink ink;
	bool bar;		/* a bar of value of full instead of the text */
	double value, full;
	bool whiskered;		/* this instead of both */
	struct whisker whisker;
};

struct table {
	const struct column *columns;
	int n;
	void (*cell)(void *arg, size_t row, int column, struct table_cell *out);	/* out comes empty, INK_TEXT */
	void *arg;
};

/* Widths of the columns in `cols`, 0: dropped. */
void table_layout(const struct table *t, int cols, int width[TABLE_COLUMNS]);
/* sorted: the column that a mark in its title shows, -1: none. */
void table_draw_head(const struct table *t, struct canvas *c, int row, int col, int cols, int sorted, bool reversed);
void table_draw_row(const struct table *t, struct canvas *c, int row, int col, int cols, size_t i, bool marked);
/* All text of a row, for searching. */
void table_row_text(const struct table *t, size_t i, struct str *out);

#endif
