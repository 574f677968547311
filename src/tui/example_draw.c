/* example_draw: head, standing, and the text with a mark under each token. */
#include "view_example.h"

#include <math.h>
#include <string.h>

#include "describe.h"
#include "rows.h"

enum { ROOMY = 14 };

struct painter { const struct example_view *e; bool marks; double largest; };

static enum ink
paint_ink(void *arg, int32_t token, uint32_t byte)
{
	const struct example_view *e = ((struct painter *)arg)->e;
	if (e->focus == FOCUS_IN && token == e->in)
		return INK_CURSOR;
	return e->match != (size_t)-1 && byte >= e->match && byte < e->match + e->match_len ? INK_MATCH : INK_TEXT;
}

static int
paint_level(void *arg, int32_t token)
{
	const struct painter *p = arg;
	double v;
	return example_mark(p->e, token, &v) ? describe_level(v, p->largest) : 0;
}

static bool
paint_under(void *arg, int32_t token, uint32_t byte)
{
	const struct example_view *e = ((struct painter *)arg)->e;
	(void)token;
	return e->same && byte < e->text.len && e->same[byte];
}

static enum ink
head_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)token;
	(void)byte;
	return *(const enum ink *)arg;
}

/* As many of the rows as it takes; the last is cut where there are too few. */
static int
draw_wrapped(struct example_view *e, struct canvas *c, struct rect r, enum ink ink, const struct str *s)
{
	const struct flow_text text = { .s = s->s, .n = s->len, .ascii = c->glyphs->ascii };
	const struct flow_paint paint = { .arg = &ink, .ink = head_ink };
	flow_lay(&e->flow, &text, r.cols);
	if (e->flow.rows <= r.rows) {
		flow_draw(&e->flow, c, r, 0, &paint);
		return e->flow.rows;
	}
	if (r.rows == 1) {
		canvas_str(c, r.row, r.col, r.cols, ink, s->s);
		return 1;
	}
	flow_draw(&e->flow, c, r, 0, &paint);
	return r.rows;
}

/* Who, what, and on what terms; returns the rows taken. */
static int
draw_head(struct example_view *e, struct canvas *c, struct rect r)
{
	const struct work *w = example_work(e);
	const struct example *x = e->v.q->source->ops->example(e->v.q->source, e->example);
	const char *dot = c->glyphs->dot;
	struct str s = {0}, title = {0};
	describe_title(w, &title);
	str_adds(&s, " by ");
	describe_people(w, &s);
	int used = canvas_str(c, r.row, 1, r.cols - 2, INK_TITLE, title.s);
	canvas_str(c, r.row, 1 + used, r.cols - 2 - used, INK_TEXT, s.s);
	str_clear(&s);
	bool known = strcmp(describe_licence(w), UNKNOWN) != 0;
	str_adds(&s, known ? describe_licence(w) : "licence unknown");
	if (known && w->licence_from && *w->licence_from)
		str_addf(&s, " (%s)", w->licence_from);
	if (w && w->date && *w->date)
		str_addf(&s, " %s %s", dot, w->date);
	if (w && w->source && *w->source)
		str_addf(&s, " %s %s", dot, w->source);
	if (x)
		str_addf(&s, " %s %u tokens", dot, x->n_tokens);
	if (x && !x->heldout && !x->opted_out && e->v.q->source->info.epochs > 0)
		str_addf(&s, " %s seen %d times", dot, e->v.q->source->info.epochs);
	if (x && (x->heldout || x->opted_out))
		str_addf(&s, " %s never trained on (%s)", dot, x->opted_out ? "opted out" : "held out");
	int rows = draw_wrapped(e, c, (struct rect){ r.row + 1, 1, r.rows >= ROOMY ? 2 : 1, r.cols - 2 }, INK_DIM, &s);
	str_free(&s);
	str_free(&title);
	return 1 + rows;
}

/* "proponent #1 of 6"; "#3-5 of 6" when ranks 3 to 5 cannot be told apart. */
static void
describe_rank(const struct standing *st, size_t row, const struct glyphs *g, struct str *out)
{
	size_t first, last;
	bool opposes = st->row[row].score < 0;
	rows_bracket(st, row, &first, &last);
	str_addf(out, opposes ? "opponent #-%zu" : "proponent #%zu", first);
	if (last > first)
		str_addf(out, "%s%zu", g->dash, last);
	str_addf(out, " of %zu", opposes ? st->ranking->n_bottom : st->ranking->n_top);
}

static void
describe_standing(struct example_view *e, const struct glyphs *g, struct str *out)
{
	struct inquiry *q = e->v.q;
	const struct ranking *r = q->standing ? q->standing->ranking : NULL;
	size_t rank;
	const struct ranked *row = example_ranked(e, &rank);
	if (!row) {
		str_adds(out, r ? "not in the ranking" : "nothing was ranked yet");
		return;
	}
	describe_rank(q->standing, rank - 1, g, out);
	str_addf(out, " %s ", g->dot);
	describe_score((double)row->score, describe_decimals(fabs((double)row->score)),
		row->exact || r->method->rescore == RESCORE_NONE, out);
	if (r->error)
		describe_error((double)row->error, 0, describe_decimals(fabs((double)row->score)), g, out);
	str_addf(out, " %s", r->method->unit);
	if (!(r->floor > 0))
		return;
	str_addf(out, " %s ", g->dot);
	describe_times((double)row->score, r->floor, out);
	str_addf(out, "%s the noise floor%s", g->times, fabs((double)row->score) < q->standing->threshold
		? ": not told from chance" : "");
}

static void
marks_note(const struct example_view *e, bool marks, double largest, const struct glyphs *g, struct str *out)
{
	const struct inquiry *q = e->v.q;
	if (e->same)
		str_adds(out, "= verbatim  ");
	if (marks)
		str_addf(out, "%s %+.2g helps  %s opposes", g->helped[8], largest, g->opposed[8]);
	else if (q->stage == STAGE_MARKS)
		str_adds(out, "marks are being worked out");
	else if (!q->source->info.indexed)
		str_adds(out, "no marks: the run has no index");
	else if (!q->query)
		str_adds(out, "no marks: nothing was asked");
}

/* The text, or the layers in its place. */
static void
draw_body(struct example_view *e, struct canvas *c, struct rect body)
{
	struct painter painter = { .e = e };
	struct str title = {0}, note = {0};
	double v;
	for (int i = 0; i < e->n; i++)
		if (example_mark(e, i, &v)) {
			painter.marks = true;
			painter.largest = fmax(painter.largest, fabs(v));
		}
	const struct flow_text text = { .s = e->text.s, .n = e->text.len, .byte_of = e->byte_of, .n_tokens = e->n,
		.ascii = c->glyphs->ascii };
	const struct flow_paint paint = { .arg = &painter, .ink = paint_ink,
		.level = painter.marks ? paint_level : NULL, .under = e->same ? paint_under : NULL };
	flow_lay(&e->flow, &text, body.cols);
	flow_measure(&e->flow, &paint);
	int row = e->focus == FOCUS_IN ? flow_token_row(&e->flow, e->in) : e->top;
	e->top = flow_scroll(&e->flow, e->top, body.rows, row);
	e->rows_seen = flow_seen(&e->flow, e->top, body.rows);
	str_clear(&note);
	marks_note(e, painter.marks, painter.largest, c->glyphs, &note);
	if (e->layers)
		str_adds(&title, "Layers and modules");
	else if (e->flow.rows > e->rows_seen)
		str_addf(&title, "lines %d to %d of %d", e->top + 1, e->top + e->rows_seen, e->flow.rows);
	else
		str_adds(&title, "Text");
	heading_draw(c, body.row - 1, 0, c->cols, e->focus != FOCUS_OUT, title.s, e->layers ? "" : note.s);
	if (e->layers)
		example_layers_draw(e, c, body);
	else
		flow_draw(&e->flow, c, body, e->top, &paint);
	canvas_park(c, body.row + (e->focus == FOCUS_IN ? flow_below(&e->flow, e->top, row) : 0),
		body.col + (e->focus == FOCUS_IN ? flow_token_col(&e->flow, e->in) : 0), false);
	str_free(&title);
	str_free(&note);
}

void
example_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct example_view *e = (struct example_view *)v;
	struct str standing = {0};
	int head = draw_head(e, c, r);
	describe_standing(e, c->glyphs, &standing);
	head += draw_wrapped(e, c, (struct rect){ r.row + head, 1, r.rows >= ROOMY ? 2 : 1, r.cols - 2 }, INK_ACCENT,
		&standing);
	/* Short lines read better. */
	struct rect body = { r.row + head + 1, 1, r.rows - head - 1, r.cols - 2 > 100 ? 100 : r.cols - 2 };
	int strip = example_strip_rows(e, c, r.rows, body.cols);
	body.rows -= strip;
	draw_body(e, c, body);
	if (strip > 0)
		example_strip_draw(e, c, (struct rect){ body.row + body.rows, 1, strip, body.cols });
	str_free(&standing);
}
