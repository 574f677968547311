/* view_trust: how far the rankings can be trusted, as measured; one long page that scrolls. */
#include "view_trust.h"

#include <math.h>
#include <stdlib.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"
#include "flow.h"
#include "measured.h"

struct trust_view {
	struct view v;
	struct canvas page;
	int top, height;
	bool stale;
};

static struct trust_view *
self(struct view *v)
{
	return (struct trust_view *)v;
}

static enum ink
text_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)token;
	return byte < *(const uint32_t *)arg ? INK_WARN : INK_TEXT;
}

/* Nothing was measured: why that matters, and what to do. */
static void
page_unmeasured(struct trust_view *t, int cols)
{
	struct str s = {0};
	struct flow f = {0};
	str_adds(&s, "Not measured in this store.");
	uint32_t first = (uint32_t)s.len;
	str_addf(&s, " Scores are predictions of what would happen without an example; how well they foretell what "
		"does happen is found out by training again without parts of the corpus.\n\nbyline eval %s\n\ndoes "
		"that, in as many sittings as you like, and says first how long it will take. This view then shows "
		"each method's score against real retraining (LDS), its calibration, and the noise floor.",
		t->v.app->source->info.folder);
	const struct flow_text text = { .s = s.s, .n = s.len, .ascii = t->page.glyphs->ascii };
	const struct flow_paint paint = { .arg = &first, .ink = text_ink };
	flow_lay(&f, &text, cols - 2 < 90 ? cols - 2 : 90);
	canvas_resize(&t->page, f.rows, cols);
	flow_draw(&f, &t->page, (struct rect){ 0, 1, f.rows, cols - 2 }, 0, &paint);
	flow_free(&f);
	str_free(&s);
}

/* The page is there before a key acts on it. */
static void
trust_update(struct view *v)
{
	struct trust_view *t = self(v);
	struct source *s = v->app->source;
	const struct trust *m = s->ops->trust(s, false, &t->stale);
	t->page.glyphs = v->app->canvas.glyphs;
	if (m)
		trust_draw(&t->page, v->app->canvas.cols, m);
	else
		page_unmeasured(t, v->app->canvas.cols);
	/* Without the two bars and the heading. */
	t->height = v->app->canvas.rows - 3;
	if (t->top > t->page.rows - t->height)
		t->top = t->page.rows > t->height ? t->page.rows - t->height : 0;
}

static void
trust_view_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct trust_view *t = self(v);
	struct str note = {0};
	str_clear(&note);
	canvas_copy(c, (struct rect){ r.row + 1, 0, r.rows - 1, r.cols }, &t->page, t->top);
	if (t->page.rows > t->height)
		str_addf(&note, "lines %d to %d of %d", t->top + 1, t->top + t->height, t->page.rows);
	heading_draw(c, r.row, 0, r.cols, true, t->stale ? "Trust, as measured with an earlier index" : "Trust",
		note.s);
	canvas_park(c, r.row + 1, 0, false);
	str_free(&note);
}

static bool
trust_view_act(struct view *v, enum action a)
{
	struct trust_view *t = self(v);
	int most = t->page.rows > t->height ? t->page.rows - t->height : 0;
	/* The list's arithmetic, with the first line seen for a cursor. */
	struct list l = { .n = (size_t)most + 1, .cursor = (size_t)t->top, .height = (size_t)t->height };
	if (!list_act(&l, a))
		return false;
	t->top = (int)l.cursor;
	return true;
}

static void
trust_view_free(struct view *v)
{
	canvas_free(&self(v)->page);
	free(v);
}

static const struct view_ops trust_ops = {
	.name = "trust", .place = V_TRUST, .hints = { ACT_DOWN, ACT_UP, ACT_PAGE_DOWN, ACT_BACK },
	.free = trust_view_free, .update = trust_update, .draw = trust_view_draw, .act = trust_view_act,
};

struct view *
view_trust_new(struct app *app, struct inquiry *q)
{
	struct trust_view *t = xcalloc(1, sizeof(*t));
	bool stale;
	t->v = (struct view){ .ops = &trust_ops, .app = app, .q = q };
	/* Somebody may have measured since. */
	(void)app->source->ops->trust(app->source, true, &stale);
	return &t->v;
}
