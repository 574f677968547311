/* plot: eight dots a cell where there are braille signs, else one of a few signs by how many points a cell holds. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"

enum { LABEL = 8, LEAST_ROWS = 8, LEAST_COLS = 24, BRAILLE = 0x2800 };

/* The area inside the axes, and what its edges stand for; both axes are symmetrical about 0. */
struct field { struct rect r; double x, y; uint8_t *dots; int *count; };

static void
field_range(struct field *f, const struct plot *p)
{
	for (int i = 0; i < p->n; i++) {
		double x, y;
		p->point(p->arg, i, &x, &y);
		if (!isfinite(x) || !isfinite(y))
			continue;
		f->x = fmax(f->x, fabs(x));
		f->y = fmax(f->y, fabs(y));
	}
	f->x = f->x > 0 ? f->x : 1;
	f->y = f->y > 0 ? f->y : 1;
}

/* Bits of a braille cell, by row and column of its dots. */
static const uint8_t braille_bit[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };

static void
field_fill(struct field *f, const struct plot *p)
{
	for (int i = 0; i < p->n; i++) {
		double x, y;
		p->point(p->arg, i, &x, &y);
		if (!isfinite(x) || !isfinite(y))
			continue;
		int dx = (int)lround((x / f->x + 1) / 2 * (f->r.cols * 2 - 1));
		int dy = (int)lround((1 - y / f->y) / 2 * (f->r.rows * 4 - 1));
		size_t cell = (size_t)(dy / 4) * (size_t)f->r.cols + (size_t)(dx / 2);
		f->dots[cell] |= braille_bit[dy % 4][dx % 2];
		f->count[cell]++;
	}
}

static void
draw_line(struct canvas *c, const struct field *f, double slope)
{
	if (!isfinite(slope))
		return;
	/* Cells up for each cell to the right. */
	double steep = slope * f->x / f->y * f->r.rows / f->r.cols;
	const char *sign = fabs(steep) < 0.35 ? c->glyphs->flat : steep > 0 ? c->glyphs->rising : c->glyphs->falling;
	for (int col = 0; col < f->r.cols; col++) {
		double x = ((col + 0.5) / f->r.cols * 2 - 1) * f->x, up = (1 - slope * x / f->y) / 2;
		int row = (int)floor(up * f->r.rows);
		if (up >= 0 && row < f->r.rows)
			canvas_str(c, f->r.row + row, f->r.col + col, 1, INK_OPPOSED, sign);
	}
}

static void
draw_points(struct canvas *c, const struct field *f)
{
	static const char *const crowd[] = { ".", ":", "o", "o", "O", "O", "O", "O", "@" };
	for (int i = 0; i < f->r.rows * f->r.cols; i++) {
		char sign[5] = "";
		if (f->count[i] == 0)
			continue;
		utf8_encode(BRAILLE + f->dots[i], sign);
		canvas_str(c, f->r.row + i / f->r.cols, f->r.col + i % f->r.cols, 1, INK_ACCENT,
			c->glyphs->ascii ? crowd[f->count[i] < 9 ? f->count[i] - 1 : 8] : sign);
	}
}

static void
draw_axes(struct canvas *c, const struct field *f, const struct plot *p)
{
	const struct glyphs *g = c->glyphs;
	int bottom = f->r.row + f->r.rows, middle = f->r.row + f->r.rows / 2, right = f->r.col + f->r.cols;
	const struct { int row; double value; } up[] = { { f->r.row, f->y }, { middle, 0 }, { bottom - 1, -f->y } };
	char s[32];
	canvas_fill(c, (struct rect){ f->r.row, f->r.col - 1, f->r.rows, 1 }, g->vrule, INK_DIM);
	canvas_fill(c, (struct rect){ bottom, f->r.col - 1, 1, f->r.cols + 1 }, g->rule, INK_DIM);
	canvas_str(c, bottom, f->r.col - 1, 1, INK_DIM, g->tee_up);
	for (size_t i = 0; i < ARRAY_LEN(up); i++) {
		snprintf(s, sizeof(s), "%+.2g", up[i].value);
		canvas_right(c, up[i].row, f->r.col - LABEL, LABEL - 2, INK_DIM, up[i].value == 0 ? "0" : s);
		canvas_str(c, up[i].row, f->r.col - 1, 1, INK_DIM, g->whisker_hi);
	}
	snprintf(s, sizeof(s), "%+.2g", -f->x);
	canvas_str(c, bottom + 1, f->r.col, f->r.cols / 3, INK_DIM, s);
	canvas_str(c, bottom + 1, f->r.col + f->r.cols / 2, 1, INK_DIM, "0");
	snprintf(s, sizeof(s), "%+.2g", f->x);
	canvas_right(c, bottom + 1, right - f->r.cols / 3, f->r.cols / 3, INK_DIM, s);
	canvas_str(c, f->r.row - 1, f->r.col - LABEL, f->r.cols + LABEL, INK_DIM, p->y_title);
	canvas_right(c, bottom + 2, f->r.col, f->r.cols, INK_DIM, p->x_title);
}

void
plot_draw(struct canvas *c, struct rect r, const struct plot *p)
{
	if (r.rows < LEAST_ROWS || r.cols < LEAST_COLS)
		return;
	struct field f = { .r = { r.row + 1, r.col + LABEL, r.rows - 4, r.cols - LABEL } };
	size_t cells = (size_t)f.r.rows * (size_t)f.r.cols;
	f.dots = xcalloc(cells, sizeof(*f.dots));
	f.count = xcalloc(cells, sizeof(*f.count));
	field_range(&f, p);
	field_fill(&f, p);
	draw_axes(c, &f, p);
	draw_line(c, &f, p->slope);
	draw_points(c, &f);
	free(f.dots);
	free(f.count);
}
