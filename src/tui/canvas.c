/* canvas: cells, clipping, and the one gate that text goes through. */
#include "canvas.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"

const char *const ink_names[INKS] = {
	[INK_TEXT] = "text", [INK_DIM] = "dim", [INK_TITLE] = "title", [INK_HEAD] = "head", [INK_FOCUS] = "focus",
	[INK_SELECT] = "select", [INK_CURSOR] = "cursor", [INK_SPAN] = "span", [INK_MATCH] = "match",
	[INK_ACCENT] = "accent", [INK_HELPED] = "helped", [INK_OPPOSED] = "opposed", [INK_WARN] = "warn",
	[INK_BAD] = "bad",
};

static const struct cell blank = { .cp = { ' ' }, .width = 1, .ink = INK_TEXT };

static struct cell *
canvas_at(struct canvas *c, int row, int col)
{
	return &c->cells[(size_t)row * (size_t)c->cols + (size_t)col];
}

void
canvas_resize(struct canvas *c, int rows, int cols)
{
	assert(rows >= 0 && cols >= 0);
	c->rows = rows;
	c->cols = cols;
	mem_grow(&c->cells, &c->cap, (size_t)rows * (size_t)cols + 1, sizeof(*c->cells));
	canvas_clear(c);
}

void
canvas_clear(struct canvas *c)
{
	for (size_t i = 0; i < (size_t)c->rows * (size_t)c->cols; i++)
		c->cells[i] = blank;
	canvas_park(c, 0, 0, false);
}

void
canvas_free(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){0};
}

struct rect
canvas_rect(const struct canvas *c)
{
	return (struct rect){ .rows = c->rows, .cols = c->cols };
}

/* A wide cell that loses a half becomes a blank. */
static void
canvas_unpair(struct canvas *c, int row, int col)
{
	struct cell *cell = canvas_at(c, row, col);
	if (cell->width == 2 && col + 1 < c->cols)
		*canvas_at(c, row, col + 1) = blank;
	if (cell->width == 0 && col > 0)
		*canvas_at(c, row, col - 1) = blank;
}

/* Places one code point; zero-width ones join the cell before. Returns its columns. */
static int
canvas_put(struct canvas *c, int row, int col, int32_t cp, enum ink ink)
{
	assert(cp > 0 && !utf8_hostile(cp) && cp != '\n' && cp != '\t');
	int width = utf8_width(cp);
	if (row < 0 || row >= c->rows || col < 0 || col + width > c->cols)
		return width;
	if (width == 0) {
		struct cell *base = col > 0 ? canvas_at(c, row, col - 1) : NULL;
		if (base && base->width == 0 && col > 1)
			base--;
		for (int i = 1; base && i < CELL_POINTS; i++)
			if (base->cp[i] == 0) {
				base->cp[i] = cp;
				break;
			}
		return 0;
	}
	for (int i = 0; i < width; i++)
		canvas_unpair(c, row, col + i);
	*canvas_at(c, row, col) = (struct cell){ .cp = { cp }, .width = (uint8_t)width, .ink = (uint8_t)ink };
	if (width == 2)
		*canvas_at(c, row, col + 1) = (struct cell){ .width = 0, .ink = (uint8_t)ink };
	return width;
}

/* Bytes that are known to be safe to show. */
static int
canvas_safe(struct canvas *c, int row, int col, enum ink ink, const char *s, size_t n)
{
	int from = col;
	for (size_t i = 0; i < n;) {
		int32_t cp;
		i += utf8_decode(s + i, n - i, &cp);
		col += canvas_put(c, row, col, cp, ink);
	}
	return col - from;
}

size_t
canvas_shown(const struct canvas *c, struct str *out, const char *s, size_t n)
{
	size_t from = out->len;
	text_escape(out, s, n, ESCAPE_NEWLINE | ESCAPE_TAB | (c->glyphs->ascii ? ESCAPE_ASCII : 0));
	return text_width(out->s + from, out->len - from);
}

int
canvas_text(struct canvas *c, int row, int col, int cols, enum ink ink, const char *s, size_t n)
{
	if (cols <= 0)
		return 0;
	struct str shown = {0}, fit = {0};
	canvas_shown(c, &shown, s, n);
	text_fit(&fit, shown.s, shown.len, (size_t)cols, c->glyphs->ellipsis);
	int used = canvas_safe(c, row, col, ink, fit.s, fit.len);
	str_free(&shown);
	str_free(&fit);
	return used;
}

int
canvas_str(struct canvas *c, int row, int col, int cols, enum ink ink, const char *s)
{
	return canvas_text(c, row, col, cols, ink, s, strlen(s));
}

int
canvas_fmt(struct canvas *c, int row, int col, int cols, enum ink ink, const char *fmt, ...)
{
	struct str s = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	int used = canvas_text(c, row, col, cols, ink, s.s, s.len);
	str_free(&s);
	return used;
}

int
canvas_right(struct canvas *c, int row, int col, int cols, enum ink ink, const char *s)
{
	struct str shown = {0};
	int width = (int)canvas_shown(c, &shown, s, strlen(s));
	str_free(&shown);
	int pad = width < cols ? cols - width : 0;
	return pad + canvas_str(c, row, col + pad, cols - pad, ink, s);
}

void
canvas_fill(struct canvas *c, struct rect r, const char *glyph, enum ink ink)
{
	int32_t cp;
	utf8_decode(glyph, strlen(glyph), &cp);
	for (int row = r.row; row < r.row + r.rows; row++)
		for (int col = r.col; col < r.col + r.cols; col++)
			canvas_put(c, row, col, cp, ink);
}

void
canvas_ink(struct canvas *c, int row, int col, int cols, enum ink ink)
{
	if (row < 0 || row >= c->rows)
		return;
	for (int i = col < 0 ? 0 : col; i < col + cols && i < c->cols; i++)
		canvas_at(c, row, i)->ink = (uint8_t)ink;
}

void
canvas_rule(struct canvas *c, int row, int col, int cols)
{
	canvas_fill(c, (struct rect){ row, col, 1, cols }, c->glyphs->rule, INK_DIM);
}

void
canvas_bar(struct canvas *c, int row, int col, int cols, enum ink ink, double value, double full)
{
	if (!(full > 0) || !(value > 0) || cols <= 0)
		return;
	int eighths = (int)lround(fmin(value / full, 1.0) * cols * 8);
	for (int i = 0; i < cols && eighths > 0; i++, eighths -= 8) {
		const char *g = c->glyphs->bar[eighths < 8 ? eighths : 8];
		canvas_safe(c, row, col + i, ink, g, strlen(g));
	}
}

void
canvas_whisker(struct canvas *c, int row, int col, int cols, enum ink ink, const struct whisker *w)
{
	double span = w->most - w->least;
	if (!(span > 0) || cols < 2 || !isfinite(w->value))
		return;
	const struct glyphs *g = c->glyphs;
	double scale = (cols - 1) / span;
	int zero = (int)lround(fmax(0 - w->least, 0) * scale), at = (int)lround((w->value - w->least) * scale);
	int lo = isfinite(w->lo) ? (int)lround((w->lo - w->least) * scale) : at;
	int hi = isfinite(w->hi) ? (int)lround((w->hi - w->least) * scale) : at;
	for (int i = 0; i < cols; i++) {
		bool bar = (i >= zero && i < lo) || (i > hi && i <= zero), inside = i >= lo && i <= hi;
		const char *sign = i == at ? g->whisker : i == lo ? g->whisker_lo : i == hi ? g->whisker_hi
			: inside ? g->rule : bar ? g->bar[8] : i == zero ? g->vrule : NULL;
		if (sign)
			canvas_safe(c, row, col + i, inside || bar ? ink : INK_DIM, sign, strlen(sign));
	}
}

void
canvas_copy(struct canvas *c, struct rect r, const struct canvas *from, int top)
{
	for (int row = 0; row < r.rows && top + row < from->rows; row++)
		for (int col = 0; col < r.cols && col < from->cols; col++)
			if (r.row + row < c->rows && r.col + col < c->cols)
				*canvas_at(c, r.row + row, r.col + col) =
					from->cells[(size_t)(top + row) * (size_t)from->cols + (size_t)col];
}

void
canvas_park(struct canvas *c, int row, int col, bool shown)
{
	c->cursor_row = row < 0 ? 0 : row >= c->rows && c->rows > 0 ? c->rows - 1 : row;
	c->cursor_col = col < 0 ? 0 : col >= c->cols && c->cols > 0 ? c->cols - 1 : col;
	c->cursor_shown = shown;
}

static void
cell_print(const struct cell *cell, struct str *out)
{
	for (int i = 0; i < CELL_POINTS && cell->cp[i]; i++) {
		char bytes[4];
		str_add(out, bytes, utf8_encode(cell->cp[i], bytes));
	}
}

static bool
cell_blank(const struct cell *cell, bool with_ink)
{
	return cell->cp[0] == ' ' && cell->cp[1] == 0 && (!with_ink || cell->ink == INK_TEXT);
}

void
canvas_print(const struct canvas *c, struct str *out, bool with_ink)
{
	for (int row = 0; row < c->rows; row++) {
		const struct cell *line = c->cells + (size_t)row * (size_t)c->cols;
		int end = c->cols;
		while (end > 0 && cell_blank(&line[end - 1], with_ink))
			end--;
		int ink = INK_TEXT;
		for (int col = 0; col < end; col++) {
			if (with_ink && line[col].ink != ink) {
				str_adds(out, ink == INK_TEXT ? "" : "}");
				ink = line[col].ink;
				if (ink != INK_TEXT)
					str_addf(out, "{%s:", ink_names[ink]);
			}
			cell_print(&line[col], out);
		}
		str_adds(out, ink == INK_TEXT ? "\n" : "}\n");
	}
}
