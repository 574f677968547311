/* view_trust: how far the rankings can be trusted, as measured; one long page that scrolls. */
#include "view_trust.h"

#include <stdlib.h>

#include "app.h"
#include "byline/mem.h"

struct trust_view {
	struct view v;
	struct page page;
	bool stale;
};

static struct trust_view *
self(struct view *v)
{
	return (struct trust_view *)v;
}

/* Nothing was measured: why that matters, and what to do. */
static void
page_unmeasured(struct page *p, const char *folder)
{
	page_say(p, INK_WARN, "Not measured in this store.");
	page_say(p, INK_TEXT, "Scores are predictions of what would happen without an example; how well they foretell "
		"what does happen is found out by training again without parts of the corpus.");
	p->row++;
	page_say(p, INK_ACCENT, "byline eval %s", folder);
	p->row++;
	page_say(p, INK_TEXT, "does that, in as many sittings as you like, and says first how long it will take. This "
		"view then shows each method's score against real retraining (LDS), its calibration, and the noise "
		"floor.");
}

/* Nothing can be measured either. */
static void
page_unmeasurable(struct page *p)
{
	page_say(p, INK_WARN, "Not measured, and not to be measured here.");
	page_say(p, INK_TEXT, "Scores are predictions of what would happen without an example; how well they foretell "
		"what does happen is found out by training again without parts of the corpus. This model was not "
		"trained here, so nobody can train it again in the same way, and its LDS cannot be measured.");
	p->row++;
	page_say(p, INK_TEXT, "What can be told is whether a score stands above the noise floor, and what of an output "
		"the corpus holds word for word.");
}

/* The page is there before a key acts on it. */
static void
trust_update(struct view *v)
{
	struct trust_view *t = self(v);
	struct source *s = v->app->source;
	const struct trust *m = s->ops->trust(s, false, &t->stale);
	page_begin(&t->page, &v->app->canvas);
	if (m)
		trust_draw(&t->page, m);
	else if (s->info.foreign)
		page_unmeasurable(&t->page);
	else
		page_unmeasured(&t->page, s->info.folder);
	page_end(&t->page);
}

static void
trust_view_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct trust_view *t = self(v);
	page_show(&t->page, c, r, t->stale ? "Trust, as measured with an earlier index" : "Trust");
}

static bool
trust_view_act(struct view *v, enum action a)
{
	return page_act(&self(v)->page, a);
}

static void
trust_view_free(struct view *v)
{
	page_free(&self(v)->page);
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
	t->v = (struct view){ .ops = &trust_ops, .app = app, .q = q };
	/* Somebody may have measured since. */
	(void)app->source->ops->trust(app->source, true, &t->stale);
	return &t->v;
}
