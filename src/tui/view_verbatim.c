/* view_verbatim: stretches of the output that stand word for word in the corpus, and where; another kind of evidence
 * than influence. */
#include "view_verbatim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"

enum { COL_TEXT, COL_WORDS, COL_PLACES, COL_WORKS, COL_PEOPLE, COL_SEEN, COL_CHANCE, COLS };
static const struct column columns[COLS] = {
	[COL_TEXT] = { "in the output", 16, 4, false, true, 9 },
	[COL_WORDS] = { "words", 5, 0, true, true, 7 },
	[COL_PLACES] = { "places", 6, 0, true, true, 8 },
	[COL_WORKS] = { "works", 5, 0, true, true, 5 },
	[COL_PEOPLE] = { "people", 6, 0, true, true, 4 },
	[COL_SEEN] = { "first seen", 10, 0, false, true, 3 },
	[COL_CHANCE] = { "chance", 7, 0, true, true, 6 },
};

enum { PLACE_COUNT, PLACE_WORK, PLACE_PEOPLE, PLACE_LICENCE, PLACE_DATE, PLACE_COLS };
static const struct column place_columns[PLACE_COLS] = {
	[PLACE_COUNT] = { "places", 6, 0, true, true, 8 },
	[PLACE_WORK] = { "work", 16, 4, false, true, 9 },
	[PLACE_PEOPLE] = { "contributors", 12, 3, false, true, 7 },
	[PLACE_LICENCE] = { "licence", 12, 1, false, true, 6 },
	[PLACE_DATE] = { "date", 10, 0, false, true, 3 },
};

static struct verbatim_view *
self(struct view *v)
{
	return (struct verbatim_view *)v;
}

const struct verbatim_span *
verbatim_span_shown(const struct verbatim_view *k)
{
	size_t row = listing_row(&k->spans);
	const struct spans *v = &k->v.q->verbatim;
	return row < v->n ? &v->span[row] : NULL;
}

static void
span_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct verbatim_view *k = arg;
	const struct verbatim_span *s = &k->v.q->verbatim.span[i];
	const size_t count[COLS] = { [COL_WORDS] = s->n_words, [COL_PLACES] = s->n_places, [COL_WORKS] = s->n_works,
		[COL_PEOPLE] = s->n_contributors };
	if (column == COL_TEXT)
		str_add(&out->text, k->v.q->query->output.s + s->from, s->to - s->from);
	else if (column == COL_SEEN)
		str_adds(&out->text, s->first_seen);
	else if (column == COL_CHANCE && isfinite(s->chance))
		str_addf(&out->text, "%.2g%%", 100 * s->chance);
	else if (column != COL_CHANCE)
		str_addf(&out->text, "%zu", count[column]);
}

static int
descending(double a, double b)
{
	return a > b ? -1 : a < b;
}

static int
span_compare(void *arg, int column, size_t a, size_t b)
{
	const struct verbatim_span *s = ((struct verbatim_view *)arg)->v.q->verbatim.span, *x = &s[a], *y = &s[b];
	switch (column) {
	case COL_WORDS: return descending((double)x->n_words, (double)y->n_words);
	case COL_PLACES: return descending((double)x->n_places, (double)y->n_places);
	case COL_WORKS: return descending((double)x->n_works, (double)y->n_works);
	case COL_PEOPLE: return descending((double)x->n_contributors, (double)y->n_contributors);
	case COL_SEEN: return strcmp(x->first_seen, y->first_seen);
	case COL_CHANCE: return descending(y->chance, x->chance);
	default: return x->from < y->from ? -1 : x->from > y->from;
	}
}

const struct work *
verbatim_place_work(const struct verbatim_view *k, size_t i)
{
	const struct verbatim_span *s = verbatim_span_shown(k);
	struct source *source = k->v.app->source;
	return s && i < s->n_works ? source->ops->work(source, s->work[i]) : NULL;
}

static void
place_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct verbatim_view *k = arg;
	const struct verbatim_span *s = verbatim_span_shown(k);
	const struct work *w = verbatim_place_work(k, i);
	if (!s || i >= s->n_works)
		return;
	if (column == PLACE_COUNT)
		str_addf(&out->text, "%zu", s->work_places[i]);
	else if (column == PLACE_WORK)
		describe_title(w, &out->text);
	else if (column == PLACE_PEOPLE)
		describe_people(w, &out->text);
	else if (column == PLACE_LICENCE)
		str_adds(&out->text, describe_licence(w));
	else
		str_adds(&out->text, w && w->date ? w->date : "");
}

static int
place_compare(void *arg, int column, size_t a, size_t b)
{
	struct verbatim_view *k = arg;
	const struct verbatim_span *s = verbatim_span_shown(k);
	struct table_cell x = {0}, y = {0};
	if (column == PLACE_COUNT)
		return descending((double)s->work_places[a], (double)s->work_places[b]);
	str_clear(&x.text);
	str_clear(&y.text);
	place_cell(k, a, column, &x);
	place_cell(k, b, column, &y);
	int order = strcmp(x.text.s, y.text.s);
	str_free(&x.text);
	str_free(&y.text);
	return order;
}

static void
verbatim_update(struct view *v)
{
	struct verbatim_view *k = self(v);
	bool fresh = k->seen != v->q->version + 1;
	if (fresh)
		listing_fill(&k->spans, v->q->verbatim.n, k->seen ? listing_row(&k->spans) : (size_t)-1);
	k->seen = v->q->version + 1;
	size_t row = listing_row(&k->spans);
	if (fresh || row != k->shown)
		listing_fill(&k->places, verbatim_span_shown(k) ? verbatim_span_shown(k)->n_works : 0, (size_t)-1);
	k->shown = row;
}

/* ---- acting ---- */

/* The tokens of a stretch, as a selection: what is behind them in the other sense. */
static void
span_select(struct verbatim_view *k, const struct verbatim_span *s)
{
	struct inquiry *q = k->v.q;
	int from = 0, to = q->query->n_out;
	while (from < to && q->query->byte_of[from + 1] <= s->from)
		from++;
	while (to > from + 1 && q->query->byte_of[to - 1] >= s->to)
		to--;
	inquiry_span(q, from, to);
	app_go(k->v.app, V_OUTPUT);
}

static void
place_open(struct verbatim_view *k, const struct verbatim_span *s)
{
	struct source *source = k->v.app->source;
	size_t row = listing_row(&k->places);
	for (uint32_t i = 0; row < s->n_works && i < source->info.n_examples; i++)
		if (source->ops->example(source, i)->work == s->work[row]
			&& source->ops->verbatim_in(source, k->v.q->query, s, i, 0) >= 0) {
			app_push(k->v.app, view_example_new(k->v.app, k->v.q, i));
			return;
		}
	app_say(k->v.app, INK_WARN, "no example of this run holds all of it");
}

static bool
verbatim_act(struct view *v, enum action a)
{
	struct verbatim_view *k = self(v);
	const struct verbatim_span *s = verbatim_span_shown(k);
	if (a == ACT_NEXT_PANE || a == ACT_PREV_PANE)
		k->second = !k->second;
	else if (a == ACT_OPEN && s && k->second)
		place_open(k, s);
	else if (a == ACT_OPEN && s)
		span_select(k, s);
	else
		return false;
	return true;
}

static struct listing *
verbatim_listing(struct view *v)
{
	return self(v)->second ? &self(v)->places : &self(v)->spans;
}

static void
verbatim_free(struct view *v)
{
	struct verbatim_view *k = self(v);
	listing_free(&k->spans);
	listing_free(&k->places);
	flow_free(&k->flow);
	free(k);
}

static const struct view_ops verbatim_ops = {
	.name = "verbatim", .place = V_VERBATIM, .hints = { ACT_OPEN, ACT_NEXT_PANE, ACT_SORT, ACT_BACK },
	.free = verbatim_free, .update = verbatim_update, .draw = verbatim_draw, .act = verbatim_act,
	.listing = verbatim_listing,
};

struct view *
view_verbatim_new(struct app *app, struct inquiry *q)
{
	struct verbatim_view *k = xcalloc(1, sizeof(*k));
	k->v = (struct view){ .ops = &verbatim_ops, .app = app, .q = q };
	listing_init(&k->spans, columns, COLS, k, span_cell, span_compare);
	listing_init(&k->places, place_columns, PLACE_COLS, k, place_cell, place_compare);
	return &k->v;
}
