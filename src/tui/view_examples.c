/* view_examples: every ranked example, proponents first, opponents last. */
#include <stdlib.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"
#include "flow.h"
#include "rows.h"

enum { PREVIEW_FROM = 140, PREVIEW_COLS = 60 };

struct examples_view {
	struct view v;
	struct rows rows;
	uint32_t previewed;
	bool has_preview;
	struct str preview;
	struct flow flow;
};

static struct examples_view *
self(struct view *v)
{
	return (struct examples_view *)v;
}

static void
examples_update(struct view *v)
{
	rows_update(&self(v)->rows);
}

/* Text is read from the store only when the cursor has come to rest on another row. */
static void
preview_fetch(struct examples_view *e, uint32_t example)
{
	struct source *s = e->v.q->source;
	uint32_t *byte_of = NULL;
	int n;
	if (e->has_preview && e->previewed == example)
		return;
	str_clear(&e->preview);
	if (s->ops->example_text(s, example, &e->preview, &byte_of, &n) != OK)
		str_adds(&e->preview, err_message());
	free(byte_of);
	e->previewed = example;
	e->has_preview = true;
}

static enum ink
preview_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)arg;
	(void)token;
	(void)byte;
	return INK_TEXT;
}

static void
preview_draw(struct examples_view *e, struct canvas *c, struct rect r)
{
	uint32_t example;
	canvas_fill(c, (struct rect){ r.row, r.col, r.rows, 1 }, c->glyphs->vrule, INK_DIM);
	canvas_fill(c, (struct rect){ r.row - 1, r.col, 1, 1 }, c->glyphs->tee_down, INK_DIM);
	if (!rows_at(&e->rows, &example))
		return;
	preview_fetch(e, example);
	struct flow_text text = { .s = e->preview.s, .n = e->preview.len, .ascii = c->glyphs->ascii };
	struct flow_paint paint = { .ink = preview_ink };
	flow_lay(&e->flow, &text, r.cols - 3);
	flow_draw(&e->flow, c, (struct rect){ r.row, r.col + 2, r.rows, r.cols - 3 }, 0, &paint);
}

static void
examples_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct examples_view *e = self(v);
	int side = r.cols >= PREVIEW_FROM ? PREVIEW_COLS : 0;
	rows_draw(&e->rows, c, (struct rect){ r.row, 0, r.rows, r.cols - side - (side > 0) }, true, "", true);
	if (side > 0)
		canvas_rule(c, r.row, r.cols - side - 1, side + 1);
	if (side > 0)
		preview_draw(e, c, (struct rect){ r.row + 1, r.cols - side, r.rows - 1, side });
	if (!v->q->standing)
		canvas_str(c, r.row + 2, 2, r.cols - 4, INK_DIM,
			v->q->prompt ? "nothing is ranked yet" : "nothing was asked yet: 1 goes to the prompt");
	else if (v->q->standing->n == 0)
		canvas_str(c, r.row + 2, 2, r.cols - 4, INK_DIM,
			"no example scores above or below zero with this method");
}

static bool
examples_act(struct view *v, enum action a)
{
	uint32_t i;
	struct source *s = v->q->source;
	if (a == ACT_NOISE)
		v->q->raw = !v->q->raw;
	if (a == ACT_VERIFY)
		verify_top(v->app, v->q);
	if (a == ACT_NOISE || a == ACT_VERIFY)
		return true;
	if ((a != ACT_OPEN && a != ACT_CONTRIBUTOR) || !rows_at(&self(v)->rows, &i))
		return false;
	const struct work *w = s->ops->work(s, s->ops->example(s, i)->work);
	if (a == ACT_OPEN)
		app_push(v->app, view_example_new(v->app, v->q, i));
	else if (w && w->n_authors > 0)
		app_push(v->app, view_contributor_new(v->app, v->q, w->authors[0].contributor));
	return true;
}

static struct listing *
examples_listing(struct view *v)
{
	return &self(v)->rows.l;
}

static void
examples_free(struct view *v)
{
	struct examples_view *e = self(v);
	rows_free(&e->rows);
	str_free(&e->preview);
	flow_free(&e->flow);
	free(e);
}

static const struct view_ops examples_ops = {
	.name = "examples", .place = V_EXAMPLES,
	.hints = { ACT_OPEN, ACT_VERIFY, ACT_CONTRIBUTOR, ACT_METHOD, ACT_SORT, ACT_FILTER, ACT_SEARCH },
	.free = examples_free, .update = examples_update, .draw = examples_draw, .act = examples_act,
	.listing = examples_listing,
};

struct view *
view_examples_new(struct app *app, struct inquiry *q)
{
	struct examples_view *e = xcalloc(1, sizeof(*e));
	e->v = (struct view){ .ops = &examples_ops, .app = app, .q = q };
	rows_init(&e->rows, q, app->canvas.glyphs);
	str_clear(&e->preview);
	return &e->v;
}
