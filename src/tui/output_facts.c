/* output_facts: what is known of the span, of the token under the cursor, and of what else the model had in mind. */
#include "view_output.h"

#include <math.h>
#include <stdio.h>

#include "byline/utf8.h"
#include "describe.h"

/* A token as a word of its own: the space most begin with must be seen. */
static void
add_choice(struct source *s, int32_t id, const struct canvas *c, struct str *out)
{
	size_t n = 0;
	const char *bytes = s->ops->token(s, id, &n);
	bool space = bytes && n > 0 && bytes[0] == ' ';
	str_adds(out, space ? c->glyphs->space : "");
	if (bytes)
		canvas_shown(c, out, bytes + space, n - space);
}

static void
add_token(struct output_view *o, int from, int to, int cols, const struct canvas *c, struct str *out)
{
	struct str raw = {0};
	canvas_shown(c, &raw, o->text.s + o->byte_of[from], o->byte_of[to] - o->byte_of[from]);
	str_adds(out, c->glyphs->open_quote);
	text_fit(out, raw.s, raw.len, (size_t)cols, c->glyphs->ellipsis);
	str_adds(out, c->glyphs->close_quote);
	str_free(&raw);
}

static void
facts_span(struct output_view *o, struct canvas *c, struct str *out)
{
	struct inquiry *q = o->v.q;
	const char *dot = c->glyphs->dot;
	double logprob = 0;
	struct token_fact f;
	int from = q->wish.from, to = q->wish.to < o->n ? q->wish.to : o->n;
	for (int i = from; i < to; i++)
		logprob += inquiry_fact(q, i, &f) ? (double)f.logprob : 0;
	if (q->span_whole)
		str_adds(out, "whole output");
	else {
		str_addf(out, to - from == 1 ? "token %d " : "tokens %d%s%d ", from, c->glyphs->dash, to - 1);
		add_token(o, from, to, c->cols / 3, c, out);
	}
	if (isfinite(logprob))
		str_addf(out, " %s logprob %.2f", dot, logprob);
	if (!q->span_whole && inquiry_ranked(q) && isfinite(q->standing->rests_on))
		str_addf(out, " %s rests on about %.1f works", dot, q->standing->rests_on);
}

static void
facts_token(struct output_view *o, struct canvas *c, struct str *out)
{
	struct token_fact f;
	if (!inquiry_fact(o->v.q, o->cursor, &f))
		return;
	str_addf(out, "token %d ", o->cursor);
	add_token(o, o->cursor, o->cursor + 1, 20, c, out);
	if (isfinite(f.logprob))
		str_addf(out, " %s p %.3g%% %s logprob %.2f %s rank %d", c->glyphs->dot, 100 * exp((double)f.logprob),
		c->glyphs->dot, (double)f.logprob, c->glyphs->dot, f.rank);
}

/* "choices  tide 41%   turn 12%": as many as fit. */
static void
draw_choices(struct output_view *o, struct canvas *c, struct rect r)
{
	struct token_fact f;
	if (!inquiry_fact(o->v.q, o->cursor, &f))
		return;
	int row = r.row, left = 1 + canvas_str(c, row, 1, r.cols - 2, INK_DIM, "choices  "), col = left;
	for (int i = 0; i < ALTERNATIVES && f.alt[i] >= 0; i++) {
		struct str one = {0}, shown = {0};
		add_choice(o->v.q->source, f.alt[i], c, &one);
		str_addf(&one, " %.0f%%", 100 * exp((double)f.alt_logprob[i]));
		int width = (int)canvas_shown(c, &shown, one.s, one.len);
		if (col + width >= r.cols && col > left) {
			row++;
			col = left;
		}
		if (row < r.row + r.rows)
			canvas_str(c, row, col, width, f.alt[i] == f.token ? INK_ACCENT : INK_DIM, one.s);
		col += width + 3;
		str_free(&one);
		str_free(&shown);
	}
}

void
output_draw_side(struct output_view *o, struct canvas *c, struct rect r)
{
	struct token_fact f;
	struct source *s = o->v.q->source;
	canvas_fill(c, (struct rect){ r.row, r.col, r.rows, 1 }, c->glyphs->vrule, INK_DIM);
	heading_draw(c, r.row - 1, r.col, r.cols, false, "Choices", NULL);
	canvas_fill(c, (struct rect){ r.row - 1, r.col, 1, 1 }, c->glyphs->tee_down, INK_DIM);
	if (!inquiry_fact(o->v.q, o->cursor, &f))
		return;
	for (int i = 0; i < ALTERNATIVES && i < r.rows && f.alt[i] >= 0; i++) {
		struct str one = {0};
		double p = exp((double)f.alt_logprob[i]);
		add_choice(s, f.alt[i], c, &one);
		enum ink ink = f.alt[i] == f.token ? INK_ACCENT : INK_TEXT;
		char percent[16];
		snprintf(percent, sizeof(percent), "%.1f%%", 100 * p);
		canvas_str(c, r.row + i, r.col + 2, 12, ink, one.s);
		str_free(&one);
		canvas_right(c, r.row + i, r.col + 14, 7, INK_DIM, percent);
		canvas_bar(c, r.row + i, r.col + 22, SIDE_COLS - 23, ink == INK_ACCENT ? INK_ACCENT : INK_DIM, p, 1);
	}
}

void
output_draw_facts(struct output_view *o, struct canvas *c, const struct plan *p)
{
	struct str title = {0}, token = {0};
	struct inquiry *q = o->v.q;
	str_clear(&title);
	str_clear(&token);
	if (o->n > 0) {
		facts_span(o, c, &title);
		facts_token(o, c, &token);
	}
	/* One line for both where there is room, else what the cursor is on counts for more. */
	bool fits = (int)(text_width(title.s, title.len) + text_width(token.s, token.len)) + 10 < p->facts.cols;
	heading_draw(c, p->facts.row, 0, p->facts.cols, false,
		fits || o->pane != PANE_TEXT || !q->span_whole ? title.s : token.s, fits ? token.s : NULL);
	if (p->facts.rows > 1 && o->n > 0)
		draw_choices(o, c, (struct rect){ p->facts.row + 1, 0, p->facts.rows - 1, p->facts.cols });
	str_free(&title);
	str_free(&token);
}
