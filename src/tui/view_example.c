/* view_example: one example whole, with what each of its tokens contributes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"
#include "find.h"
#include "flow.h"

enum { ROOMY = 14 };

struct example_view {
	struct view v;
	uint32_t example;
	struct str text;
	uint32_t *byte_of;
	int n;
	struct flow flow;
	int top, rows_seen;
	char *search;
	size_t match, match_len;	/* bytes; match == -1: none */
};

static struct example_view *
self(struct view *v)
{
	return (struct example_view *)v;
}

static const struct work *
example_work(const struct example_view *e)
{
	struct source *s = e->v.q->source;
	const struct example *x = s->ops->example(s, e->example);
	return x ? s->ops->work(s, x->work) : NULL;
}

static void
example_open(struct example_view *e, uint32_t example)
{
	struct source *s = e->v.q->source;
	e->example = example;
	e->top = 0;
	e->match = (size_t)-1;
	free(e->byte_of);
	e->byte_of = NULL;
	e->n = 0;
	str_clear(&e->text);
	enum err err = s->ops->example_text(s, example, &e->text, &e->byte_of, &e->n);
	if (err != OK)
		app_fail(e->v.app, err);
	inquiry_mark(e->v.q, example);
}

static void
example_update(struct view *v)
{
	/* The span may have changed since. */
	if (v->q->query && !v->q->halted)
		inquiry_mark(v->q, self(v)->example);
}

/* ---- drawing ---- */

static const struct marks *
example_marks(const struct example_view *e)
{
	const struct marks *m = &e->v.q->marks;
	return m->ready && m->example == e->example ? m : NULL;
}

static const struct ranked *
example_ranked(const struct example_view *e, size_t *rank)
{
	const struct standing *st = e->v.q->standing;
	for (size_t i = 0; st && i < st->n; i++)
		if (st->row[i].example == e->example) {
			*rank = i + 1;
			return &st->row[i];
		}
	return NULL;
}

struct painter { const struct example_view *e; const struct marks *marks; double largest; };

static enum ink
paint_ink(void *arg, int32_t token, uint32_t byte)
{
	const struct example_view *e = ((struct painter *)arg)->e;
	(void)token;
	return e->match != (size_t)-1 && byte >= e->match && byte < e->match + e->match_len ? INK_MATCH : INK_TEXT;
}

static int
paint_level(void *arg, int32_t token)
{
	const struct painter *p = arg;
	return p->marks && token < p->e->n ? describe_level((double)p->marks->mark[token], p->largest) : 0;
}

static enum ink
head_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)arg;
	(void)token;
	(void)byte;
	return INK_DIM;
}

/* As many of the rows as it takes; the last is cut where there are too few. */
static int
draw_wrapped(struct example_view *e, struct canvas *c, struct rect r, const struct str *s)
{
	const struct flow_text text = { .s = s->s, .n = s->len, .ascii = c->glyphs->ascii };
	const struct flow_paint paint = { .ink = head_ink };
	flow_lay(&e->flow, &text, r.cols);
	if (e->flow.rows <= r.rows) {
		flow_draw(&e->flow, c, r, 0, &paint);
		return e->flow.rows;
	}
	if (r.rows == 1) {
		canvas_str(c, r.row, r.col, r.cols, INK_DIM, s->s);
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
	int rows = draw_wrapped(e, c, (struct rect){ r.row + 1, 1, r.rows >= ROOMY ? 2 : 1, r.cols - 2 }, &s);
	str_free(&s);
	str_free(&title);
	return 1 + rows;
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
	if (row->score < 0)
		str_addf(out, "opponent #-%zu of %zu", q->standing->n - rank + 1, r->n_bottom);
	else
		str_addf(out, "proponent #%zu of %zu", rank, r->n_top);
	str_addf(out, " %s ", g->dot);
	describe_score((double)row->score, describe_decimals(fabs((double)row->score)),
		row->exact || r->method->rescore == RESCORE_NONE, out);
	str_addf(out, " %s", r->method->unit);
	if (!(r->floor > 0))
		return;
	str_addf(out, " %s ", g->dot);
	describe_times((double)row->score, r->floor, out);
	str_addf(out, "%s the noise floor%s", g->times, fabs((double)row->score) < q->standing->threshold
		? ": not told from chance" : "");
}

static void
marks_note(const struct example_view *e, const struct marks *m, double largest, const struct glyphs *g, struct str *out)
{
	const struct inquiry *q = e->v.q;
	if (m)
		str_addf(out, "%s %+.2g helps  %s opposes", g->helped[8], largest, g->opposed[8]);
	else if (q->stage == STAGE_MARKS)
		str_adds(out, "marks are being worked out");
	else if (!q->source->info.indexed)
		str_adds(out, "no marks: the run has no index");
	else if (!q->query)
		str_adds(out, "no marks: nothing was asked");
}

static void
example_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct example_view *e = self(v);
	struct painter painter = { .e = e, .marks = example_marks(e) };
	for (int i = 0; painter.marks && i < e->n; i++)
		painter.largest = fmax(painter.largest, fabs((double)painter.marks->mark[i]));
	struct str standing = {0}, note = {0};
	str_clear(&note);
	int head = draw_head(e, c, r);
	describe_standing(e, c->glyphs, &standing);
	marks_note(e, painter.marks, painter.largest, c->glyphs, &note);
	canvas_str(c, r.row + head, 1, r.cols - 2, INK_ACCENT, standing.s);
	struct rect body = { r.row + head + 2, 1, r.rows - head - 2, r.cols - 2 };
	/* Short lines read better. */
	if (body.cols > 100)
		body.cols = 100;
	struct flow_text text = { .s = e->text.s, .n = e->text.len, .byte_of = e->byte_of, .n_tokens = e->n,
		.ascii = c->glyphs->ascii };
	struct flow_paint paint = { .arg = &painter, .ink = paint_ink, .level = painter.marks ? paint_level : NULL };
	flow_lay(&e->flow, &text, body.cols);
	e->rows_seen = flow_fits(&body, paint.level != NULL);
	if (e->top + e->rows_seen > e->flow.rows)
		e->top = e->flow.rows > e->rows_seen ? e->flow.rows - e->rows_seen : 0;
	struct str title = {0};
	if (e->flow.rows > e->rows_seen)
		str_addf(&title, "lines %d to %d of %d", e->top + 1, e->top + e->rows_seen, e->flow.rows);
	else
		str_adds(&title, "Text");
	heading_draw(c, body.row - 1, 0, r.cols, true, title.s, note.s);
	flow_draw(&e->flow, c, body, e->top, &paint);
	canvas_park(c, body.row, body.col, false);
	str_free(&standing);
	str_free(&note);
	str_free(&title);
}

/* ---- acting ---- */

static void
example_step(struct example_view *e, int by)
{
	const struct standing *st = e->v.q->standing;
	size_t rank;
	if (!example_ranked(e, &rank))
		rank = by > 0 ? 0 : 2;
	size_t next = rank - 1 + (size_t)by;
	if (!st || next >= st->n)
		app_say(e->v.app, INK_DIM, by > 0 ? "this is the last of the ranking"
			: "this is the first of the ranking");
	else
		example_open(e, st->row[next].example);
}

static bool
example_scroll(struct example_view *e, enum action a)
{
	/* The list's arithmetic, with the first line seen for a cursor. */
	struct list l = { .n = (size_t)e->flow.rows, .cursor = (size_t)e->top,
		.height = (size_t)(e->rows_seen > 0 ? e->rows_seen : 1) };
	if (!list_act(&l, a))
		return false;
	e->top = (int)l.cursor;
	return true;
}

static bool
example_act(struct view *v, enum action a)
{
	struct example_view *e = self(v);
	const struct work *w = example_work(e);
	if (a == ACT_NEXT_EXAMPLE || a == ACT_PREV_EXAMPLE) {
		example_step(e, a == ACT_NEXT_EXAMPLE ? 1 : -1);
		return true;
	}
	if (a == ACT_OPEN || a == ACT_CONTRIBUTOR || a == ACT_OTHER_WORKS) {
		if (w && w->n_authors > 0)
			app_push(v->app, view_contributor_new(v->app, v->q, w->authors[0].contributor));
		return true;
	}
	return example_scroll(e, a);
}

static bool
example_find(struct example_view *e, size_t from)
{
	e->match = e->search ? text_find(e->text.s, e->text.len, from, e->search, &e->match_len) : (size_t)-1;
	if (e->match == (size_t)-1)
		return false;
	int row = flow_byte_row(&e->flow, (uint32_t)e->match);
	if (row < e->top || row >= e->top + e->rows_seen)
		e->top = row;
	return true;
}

static bool
example_search(struct view *v, const char *text)
{
	struct example_view *e = self(v);
	free(e->search);
	e->search = *text ? xstrdup(text) : NULL;
	return !e->search || example_find(e, 0);
}

/* Backwards: the last match before the one we are at, by walking from the beginning. */
static bool
example_search_step(struct view *v, bool forward)
{
	struct example_view *e = self(v);
	size_t here = e->match, last = (size_t)-1;
	if (!e->search)
		return false;
	if (forward)
		return example_find(e, here + 1) || example_find(e, 0);
	for (size_t at = 0; example_find(e, at); at = e->match + 1) {
		if (e->match >= here && last != (size_t)-1)
			break;
		last = e->match;
	}
	return last != (size_t)-1 && example_find(e, last);
}

static void
example_title(struct view *v, struct str *out)
{
	describe_title(example_work(self(v)), out);
}

static void
example_free(struct view *v)
{
	struct example_view *e = self(v);
	v->q->marks.wanted = false;
	str_free(&e->text);
	free(e->byte_of);
	free(e->search);
	flow_free(&e->flow);
	free(e);
}

static const struct view_ops example_ops = {
	.name = "example", .place = V_EXAMPLE,
	.hints = { ACT_NEXT_EXAMPLE, ACT_PREV_EXAMPLE, ACT_CONTRIBUTOR, ACT_OTHER_WORKS, ACT_SEARCH, ACT_BACK },
	.free = example_free, .update = example_update, .draw = example_draw, .act = example_act,
	.title = example_title, .search = example_search, .search_step = example_search_step,
};

struct view *
view_example_new(struct app *app, struct inquiry *q, uint32_t example)
{
	struct example_view *e = xcalloc(1, sizeof(*e));
	e->v = (struct view){ .ops = &example_ops, .app = app, .q = q };
	example_open(e, example);
	return &e->v;
}
