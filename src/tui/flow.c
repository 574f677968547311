/* flow: wrapping at spaces, between wide characters, and in the middle of words that are longer than a line. */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"

/* ---- what is shown of the text ---- */

static struct flow_item *
flow_add(struct flow *f, uint32_t byte, int32_t token)
{
	mem_grow(&f->item, &f->cap, f->n + 1, sizeof(*f->item));
	f->item[f->n] = (struct flow_item){ .byte = byte, .token = token };
	return &f->item[f->n++];
}

/* One cluster of the text becomes one item, or several where it has to be escaped. */
static void
flow_add_cluster(struct flow *f, const struct flow_text *t, size_t byte, size_t n, int32_t token)
{
	size_t at = f->shown.len;
	bool newline = t->s[byte] == '\n';
	unsigned flags = ESCAPE_NEWLINE | ESCAPE_TAB | (t->ascii ? ESCAPE_ASCII : 0);
	if (!newline || t->line_ends)
		text_escape(&f->shown, t->s + byte, n, flags);
	if (f->shown.len == at)
		flow_add(f, (uint32_t)byte, token)->newline = newline;
	while (at < f->shown.len) {
		int width;
		size_t used = utf8_grapheme(f->shown.s + at, f->shown.len - at, &width);
		struct flow_item *it = flow_add(f, (uint32_t)byte, token);
		it->at = (uint32_t)at;
		it->len = (uint32_t)used;
		it->width = (uint8_t)(width < 250 ? width : 250);
		at += used;
		it->space = t->s[byte] == ' ' || t->s[byte] == '\t';
		it->newline = newline && at == f->shown.len;
	}
}

/* ---- where it goes ---- */

/* Puts items [from, to) at the beginning of a row. */
static int
flow_carry(struct flow *f, size_t from, size_t to, int row)
{
	int col = 0;
	for (size_t i = from; i < to; i++) {
		f->item[i].row = row;
		f->item[i].col = col;
		col += f->item[i].width;
	}
	return col;
}

static void
flow_wrap(struct flow *f, int cols)
{
	int row = 0, col = 0;
	size_t start = 0;	/* first item of the word, which can be carried to a new row whole */
	for (size_t i = 0; i < f->n; i++) {
		struct flow_item *it = &f->item[i];
		if (col + it->width > cols && (it->space || it->newline)) {
			it->width = 0;	/* hangs over the edge */
		} else if (col + it->width > cols && col > 0) {
			row++;
			bool whole = f->item[start].row == row - 1 && f->item[start].col > 0 && start < i;
			col = flow_carry(f, whole ? start : i, i, row);
			start = whole ? start : i;
		}
		it->row = row;
		it->col = col < cols ? col : cols - 1;
		col += it->width;
		if (it->newline) {
			row++;
			col = 0;
		}
		if (it->newline || it->space || it->width == 2)
			start = i + 1;
	}
	f->rows = f->n > 0 ? f->item[f->n - 1].row + 1 : 0;
	f->cols = cols;
}

void
flow_lay(struct flow *f, const struct flow_text *t, int cols)
{
	int32_t token = -1;
	f->n = 0;
	str_clear(&f->shown);
	for (size_t byte = 0; byte < t->n;) {
		int width;
		size_t n = t->s[byte] == '\n' ? 1 : utf8_grapheme(t->s + byte, t->n - byte, &width);
		while (token + 1 < t->n_tokens && t->byte_of[token + 1] <= byte)
			token++;
		flow_add_cluster(f, t, byte, n, token);
		byte += n;
	}
	flow_wrap(f, cols > 1 ? cols : 1);
}

void
flow_free(struct flow *f)
{
	str_free(&f->shown);
	free(f->item);
	free(f->height);
	*f = (struct flow){0};
}

/* ---- how high ---- */

void
flow_measure(struct flow *f, const struct flow_paint *p)
{
	mem_grow(&f->height, &f->height_cap, (size_t)f->rows + 1, sizeof(*f->height));
	size_t i = 0;
	for (int row = 0; row < f->rows; row++) {
		bool tokens = false, under = false;
		for (; i < f->n && f->item[i].row == row; i++) {
			const struct flow_item *it = &f->item[i];
			tokens |= it->token >= 0 && it->width > 0;
			under |= p->under && it->width > 0 && p->under(p->arg, it->token, it->byte);
		}
		f->height[row] = (uint8_t)(1 + (p->level && tokens) + under);
	}
}

int
flow_below(const struct flow *f, int top, int row)
{
	int sum = 0;
	for (int i = top; i < row && i < f->rows; i++)
		sum += f->height[i];
	return sum;
}

int
flow_seen(const struct flow *f, int top, int rows)
{
	int seen = 0;
	while (top + seen < f->rows && flow_below(f, top, top + seen + 1) <= rows)
		seen++;
	return seen > 0 ? seen : 1;
}

int
flow_scroll(const struct flow *f, int top, int rows, int row)
{
	top = top > row ? row : top;
	while (top < row && row >= top + flow_seen(f, top, rows))
		top++;
	while (top > 0 && flow_below(f, top - 1, f->rows) <= rows)
		top--;
	return top;
}

/* ---- painting ---- */

static void
flow_draw_mark(const struct flow_item *it, struct canvas *c, int row, int col, int level)
{
	const char *glyph = level >= 0 ? c->glyphs->helped[level] : c->glyphs->opposed[-level];
	enum ink ink = level >= 0 ? INK_HELPED : INK_OPPOSED;
	if (level != 0)
		canvas_fill(c, (struct rect){ row, col, 1, it->width > 0 ? it->width : 1 }, glyph, ink);
}

static void
flow_draw_item(const struct flow *f, const struct flow_item *it, struct canvas *c, struct rect cell,
	const struct flow_paint *p)
{
	int row = cell.row + 1, last = cell.row + cell.rows;
	if (it->width > 0)
		canvas_text(c, cell.row, cell.col, it->width, p->ink(p->arg, it->token, it->byte), f->shown.s + it->at,
			it->len);
	if (p->level && it->token >= 0 && row < last)
		flow_draw_mark(it, c, row, cell.col, p->level(p->arg, it->token));
	row += p->level != NULL;
	if (p->under && it->width > 0 && row < last && p->under(p->arg, it->token, it->byte))
		canvas_fill(c, (struct rect){ row, cell.col, 1, it->width }, "=", INK_MATCH);
}

int
flow_draw(struct flow *f, struct canvas *c, struct rect r, int top, const struct flow_paint *p)
{
	flow_measure(f, p);
	int seen = flow_seen(f, top, r.rows), at = r.row, last = top;
	for (size_t i = 0; i < f->n; i++) {
		const struct flow_item *it = &f->item[i];
		if (it->row < top || it->row >= top + seen)
			continue;
		while (last < it->row)
			at += f->height[last++];
		/* A row too high for its rectangle is seen as far as it goes. */
		int height = f->height[it->row], room = r.row + r.rows - at;
		flow_draw_item(f, it, c, (struct rect){ at, r.col + it->col, height < room ? height : room, 1 }, p);
	}
	return f->rows - top < seen ? f->rows - top : seen;
}

/* ---- finding places ---- */

/* A token that ends a character begun by the one before has no cell of its own. */
static const struct flow_item *
flow_token_item(const struct flow *f, int32_t token)
{
	const struct flow_item *before = NULL;
	for (size_t i = 0; i < f->n && f->item[i].token <= token; i++) {
		if (f->item[i].token == token)
			return &f->item[i];
		before = &f->item[i];
	}
	return before;
}

int
flow_token_row(const struct flow *f, int32_t token)
{
	const struct flow_item *it = flow_token_item(f, token);
	return it ? it->row : 0;
}

int
flow_token_col(const struct flow *f, int32_t token)
{
	const struct flow_item *it = flow_token_item(f, token);
	return it ? it->col : 0;
}

int
flow_byte_row(const struct flow *f, uint32_t byte)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->item[i].byte >= byte)
			return f->item[i].row;
	return f->rows > 0 ? f->rows - 1 : 0;
}

int32_t
flow_token_at(const struct flow *f, int row, int col)
{
	int32_t best = -1;
	int distance = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct flow_item *it = &f->item[i];
		int d = it->col > col ? it->col - col : col - it->col;
		if (it->row == row && it->token >= 0 && (best < 0 || d < distance)) {
			best = it->token;
			distance = d;
		}
	}
	return best;
}
