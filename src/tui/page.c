/* page: writing, scrolling, showing. */
#include "page.h"

#include <stdarg.h>

#include "describe.h"
#include "flow.h"

enum { ROWS_MOST = 1000, BARS = 3, FACT_FROM = 72, FACT_WIDE = 24, FACT_NARROW = 14, TABLE_MOST = 120 };

void
page_begin(struct page *p, const struct canvas *screen)
{
	p->canvas.glyphs = screen->glyphs;
	p->cols = screen->cols;
	p->height = screen->rows > BARS ? screen->rows - BARS : 1;
	p->row = 0;
	canvas_resize(&p->canvas, ROWS_MOST, p->cols);
}

void
page_end(struct page *p)
{
	/* Rows lie one after another, so a lower canvas is one cut short. */
	p->canvas.rows = p->row < ROWS_MOST ? p->row : ROWS_MOST;
	if (p->top > p->canvas.rows - p->height)
		p->top = p->canvas.rows > p->height ? p->canvas.rows - p->height : 0;
}

void
page_free(struct page *p)
{
	canvas_free(&p->canvas);
}

/* ---- writing ---- */

static enum ink
words_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)token;
	(void)byte;
	return *(const enum ink *)arg;
}

static void
page_wrap(struct page *p, int col, enum ink ink, const char *s, size_t n)
{
	struct flow f = {0};
	int cols = p->cols - col - 1 < PAGE_MEASURE ? p->cols - col - 1 : PAGE_MEASURE;
	const struct flow_text text = { .s = s, .n = n, .ascii = p->canvas.glyphs->ascii };
	const struct flow_paint paint = { .arg = &ink, .ink = words_ink };
	flow_lay(&f, &text, cols);
	flow_draw(&f, &p->canvas, (struct rect){ p->row, col, f.rows, cols }, 0, &paint);
	p->row += f.rows > 0 ? f.rows : 1;
	flow_free(&f);
}

void
page_words(struct page *p, enum ink ink, const char *s, size_t n)
{
	page_wrap(p, 1, ink, s, n);
}

void
page_say(struct page *p, enum ink ink, const char *fmt, ...)
{
	struct str s = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	page_words(p, ink, s.s, s.len);
	str_free(&s);
}

void
page_heading(struct page *p, const char *title, const char *note)
{
	p->row += p->row > 0;
	heading_draw(&p->canvas, p->row++, 0, p->cols, false, title, note);
}

void
page_fact(struct page *p, const char *label, const char *fmt, ...)
{
	struct str s = {0};
	int col = p->cols >= FACT_FROM ? FACT_WIDE : FACT_NARROW;
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	canvas_str(&p->canvas, p->row, 1, col - 2, INK_DIM, label);
	page_wrap(p, col, INK_TEXT, s.s, s.len);
	str_free(&s);
}

void
page_table(struct page *p, const struct table *t, size_t n)
{
	int cols = p->cols < TABLE_MOST ? p->cols : TABLE_MOST;
	table_draw_head(t, &p->canvas, p->row++, 0, cols, -1, false);
	for (size_t i = 0; i < n && p->row < ROWS_MOST; i++)
		table_draw_row(t, &p->canvas, p->row++, 0, cols, i, false);
}

/* ---- showing ---- */

bool
page_act(struct page *p, enum action a)
{
	int most = p->canvas.rows > p->height ? p->canvas.rows - p->height : 0;
	/* The list's arithmetic, with the first line seen for a cursor. */
	struct list l = { .n = (size_t)most + 1, .cursor = (size_t)p->top, .height = (size_t)p->height };
	if (!list_act(&l, a))
		return false;
	p->top = (int)l.cursor;
	return true;
}

void
page_show(const struct page *p, struct canvas *c, struct rect r, const char *title)
{
	struct str note = {0};
	str_clear(&note);
	if (p->canvas.rows > p->height)
		str_addf(&note, "lines %d to %d of %d", p->top + 1, p->top + p->height, p->canvas.rows);
	heading_draw(c, r.row, 0, r.cols, true, title, note.s);
	canvas_copy(c, (struct rect){ r.row + 1, 0, r.rows - 1, r.cols }, &p->canvas, p->top);
	canvas_park(c, r.row + 1, 0, false);
	str_free(&note);
}
