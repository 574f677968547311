/*
 * canvas: a grid of cells that views draw on; the terminal shows it, `:save-screen` writes it, tests read it.
 *
 * Everything drawn goes through canvas_text, which escapes and fits: no control byte can reach a cell. All of it clips.
 */
#ifndef TUI_CANVAS_H
#define TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/str.h"
#include "glyph.h"

/* What a cell means, not how it looks; theme.h decides that. */
enum ink {
	INK_TEXT, INK_DIM, INK_TITLE, INK_HEAD, INK_FOCUS, INK_SELECT, INK_CURSOR, INK_SPAN, INK_MATCH, INK_ACCENT,
	INK_HELPED, INK_OPPOSED, INK_WARN, INK_BAD, INKS
};
extern const char *const ink_names[INKS];

enum { CELL_POINTS = 4 };
struct cell {
	int32_t cp[CELL_POINTS];	/* a base and what combines with it; 0 ends */
	uint8_t width;			/* 1, 2, or 0 for the right half of a wide one */
	uint8_t ink;
};

struct rect { int row, col, rows, cols; };

struct canvas {
	int rows, cols;
	struct cell *cells;
	size_t cap;
	const struct glyphs *glyphs;
	int cursor_row, cursor_col;	/* where the hardware cursor is parked */
	bool cursor_shown;		/* a text cursor; otherwise it is parked for screen readers */
};

void canvas_resize(struct canvas *c, int rows, int cols);	/* and clears */
void canvas_clear(struct canvas *c);
void canvas_free(struct canvas *c);
struct rect canvas_rect(const struct canvas *c);

/* One line of untrusted bytes in at most `cols` columns from (row, col); returns the columns used. Cut lines end in an
 * ellipsis. */
int canvas_text(struct canvas *c, int row, int col, int cols, enum ink ink, const char *s, size_t n);
int canvas_str(struct canvas *c, int row, int col, int cols, enum ink ink, const char *s);
int canvas_fmt(struct canvas *c, int row, int col, int cols, enum ink ink, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* The same, ending at column col + cols. */
int canvas_right(struct canvas *c, int row, int col, int cols, enum ink ink, const char *s);
/* How a line of untrusted bytes will look, and its columns. */
size_t canvas_shown(const struct canvas *c, struct str *out, const char *s, size_t n);

void canvas_fill(struct canvas *c, struct rect r, const char *glyph, enum ink ink);
void canvas_ink(struct canvas *c, int row, int col, int cols, enum ink ink);	/* recolours */
void canvas_rule(struct canvas *c, int row, int col, int cols);
/* A bar of `value` of `full` in cols columns. */
void canvas_bar(struct canvas *c, int row, int col, int cols, enum ink ink, double value, double full);
/* An interval [lo, hi] around value on an axis from `least` to `most`, with a bar up to it from 0. */
struct whisker { double value, lo, hi, least, most; };
void canvas_whisker(struct canvas *c, int row, int col, int cols, enum ink ink, const struct whisker *w);
/* Rows of another canvas, from row `top` of it on. */
void canvas_copy(struct canvas *c, struct rect r, const struct canvas *from, int top);
void canvas_park(struct canvas *c, int row, int col, bool shown);

/* Rows as UTF-8, trailing blanks cut; with_ink brackets runs as {name:text}. */
void canvas_print(const struct canvas *c, struct str *out, bool with_ink);

#endif
