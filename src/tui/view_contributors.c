/* view_contributors: everybody, by share, and what is left to nobody. */
#include <stdlib.h>

#include "app.h"
#include "byline/mem.h"
#include "byline/utf8.h"
#include "describe.h"
#include "measured.h"
#include "people.h"

struct contributors_view {
	struct view v;
	struct people people;
};

static struct contributors_view *
self(struct view *v)
{
	return (struct contributors_view *)v;
}

static void
contributors_update(struct view *v)
{
	people_update(&self(v)->people);
}

/* How the method was measured is said in full, in brief, or not at all. */
enum note { NOTE_FULL, NOTE_BRIEF, NOTE_BARE, NOTES };

static void
contributors_note(const struct contributors_view *k, const struct glyphs *g, enum note how, struct str *out)
{
	const struct standing *st = k->v.q->standing;
	if (!st) {
		str_adds(out, "nothing was asked yet");
		return;
	}
	str_adds(out, st->ranking->method->title);
	if (how != NOTE_BARE) {
		str_adds(out, ", ");
		measured_note(k->v.q->source, st->ranking->method, g, how == NOTE_BRIEF, out);
	}
	if (st->ranking->n_runs > 1)
		str_addf(out, ", mean of %d runs", st->ranking->n_runs);
	if (st->nothing)
		str_adds(out, ", nothing stands out");
}

static void
contributors_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct contributors_view *k = self(v);
	struct str title = {0}, note = {0};
	people_draw(&k->people, c, (struct rect){ r.row + 1, 0, r.rows - 1, r.cols }, true);
	str_adds(&title, "Contributors  ");
	listing_status(&k->people.l, &title);
	int room = r.cols - (int)text_width(title.s, title.len) - HEADING_TAKES;
	for (int how = NOTE_FULL; how < NOTES &&
		(how == NOTE_FULL || (int)text_width(note.s, note.len) > room); how++) {
		str_clear(&note);
		contributors_note(k, c->glyphs, how, &note);
	}
	heading_draw(c, r.row, 0, r.cols, true, title.s, note.s);
	str_free(&title);
	str_free(&note);
}

static bool
contributors_act(struct view *v, enum action a)
{
	const struct contribution *at = people_at(&self(v)->people);
	if ((a != ACT_OPEN && a != ACT_VERIFY) || !at)
		return false;
	if (a == ACT_VERIFY)
		verify_contributor(v->app, v->q, at->contributor);
	else
		app_push(v->app, view_contributor_new(v->app, v->q, at->contributor));
	return true;
}

static struct listing *
contributors_listing(struct view *v)
{
	return &self(v)->people.l;
}

static void
contributors_free(struct view *v)
{
	people_free(&self(v)->people);
	free(v);
}

static const struct view_ops contributors_ops = {
	.name = "contributors", .place = V_CONTRIBUTORS,
	.hints = { ACT_OPEN, ACT_VERIFY, ACT_METHOD, ACT_SORT, ACT_REVERSE, ACT_FILTER, ACT_SEARCH, ACT_EXPORT },
	.free = contributors_free, .update = contributors_update, .draw = contributors_draw, .act = contributors_act,
	.listing = contributors_listing,
};

struct view *
view_contributors_new(struct app *app, struct inquiry *q)
{
	struct contributors_view *k = xcalloc(1, sizeof(*k));
	k->v = (struct view){ .ops = &contributors_ops, .app = app, .q = q };
	people_init(&k->people, q, app->canvas.glyphs);
	return &k->v;
}
