/* view_verbatim: stretches of the output that stand word for word in the corpus, and where; another kind of evidence
 * than influence. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"
#include "flow.h"

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

struct verbatim_view {
	struct view v;
	struct listing spans, places;
	bool second;			/* the works have the focus */
	uint64_t seen;			/* version of the inquiry, plus one */
	size_t shown;			/* span whose works are listed */
	struct flow flow;
};

static struct verbatim_view *
self(struct view *v)
{
	return (struct verbatim_view *)v;
}

static const struct verbatim_span *
span_shown(const struct verbatim_view *k)
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

static const struct work *
place_work(const struct verbatim_view *k, size_t i)
{
	const struct verbatim_span *s = span_shown(k);
	struct source *source = k->v.app->source;
	return s && i < s->n_works ? source->ops->work(source, s->work[i]) : NULL;
}

static void
place_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct verbatim_view *k = arg;
	const struct verbatim_span *s = span_shown(k);
	const struct work *w = place_work(k, i);
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
	const struct verbatim_span *s = span_shown(k);
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
		listing_fill(&k->places, span_shown(k) ? span_shown(k)->n_works : 0, (size_t)-1);
	k->shown = row;
}

/* ---- counts of everybody and every licence ---- */

struct tally { const char *name; size_t places; };

static void
tally_add(struct tally *t, size_t *n, const char *name, size_t places)
{
	size_t i = 0;
	while (i < *n && strcmp(t[i].name, name) != 0)
		i++;
	*n += i == *n;
	t[i].name = name;
	t[i].places += places;
}

static int
tally_cmp(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	return x->places != y->places ? (x->places < y->places) - (x->places > y->places) : strcmp(x->name, y->name);
}

static void
tally_show(struct tally *t, size_t n, struct str *out)
{
	qsort(t, n, sizeof(*t), tally_cmp);
	for (size_t i = 0; i < n && i < 8; i++)
		str_addf(out, "%s%s %zu", i > 0 ? ", " : "", t[i].name, t[i].places);
	if (n > 8)
		str_addf(out, " and %zu more", n - 8);
}

static void
tallies(const struct verbatim_view *k, const struct verbatim_span *s, struct str *people, struct str *licences)
{
	size_t most = 1, n = 0, m = 0;
	for (size_t i = 0; i < s->n_works; i++)
		most += 1 + (place_work(k, i) ? place_work(k, i)->n_authors : 0);
	struct tally *person = xcalloc(most, sizeof(*person)), *licence = xcalloc(most, sizeof(*licence));
	for (size_t i = 0; i < s->n_works; i++) {
		const struct work *w = place_work(k, i);
		for (size_t a = 0; w && a < w->n_authors; a++)
			tally_add(person, &n, w->authors[a].name, s->work_places[i]);
		if (!w || w->n_authors == 0)
			tally_add(person, &n, UNKNOWN, s->work_places[i]);
		tally_add(licence, &m, describe_licence(w), s->work_places[i]);
	}
	tally_show(person, n, people);
	tally_show(licence, m, licences);
	free(person);
	free(licence);
}

/* ---- drawing ---- */

static enum ink
words_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)arg;
	(void)token;
	(void)byte;
	return INK_TEXT;
}

/* Returns the rows taken. */
static int
draw_wrapped(struct verbatim_view *k, struct canvas *c, struct rect r, const char *s, size_t n)
{
	const struct flow_text text = { .s = s, .n = n, .ascii = c->glyphs->ascii };
	const struct flow_paint paint = { .ink = words_ink };
	flow_lay(&k->flow, &text, r.cols > 100 ? 100 : r.cols);
	return flow_draw(&k->flow, c, r, 0, &paint);
}

static int
draw_words(struct verbatim_view *k, struct canvas *c, struct rect r, const struct verbatim_span *s)
{
	struct str words = {0}, people = {0}, licences = {0};
	str_clear(&people);
	str_clear(&licences);
	tallies(k, s, &people, &licences);
	str_addf(&words, "These %zu words stand just so %zu time%s in the corpus. By contributor: %s. By licence: %s.",
		s->n_words, s->n_places, s->n_places == 1 ? "" : "s", people.s, licences.s);
	if (*s->first_seen)
		str_addf(&words, " First seen %s.", s->first_seen);
	if (isfinite(s->chance))
		str_addf(&words, " How surprising: of the places in the corpus itself, %.2g%% go on as another work "
			"does for as many words.", 100 * s->chance);
	int rows = draw_wrapped(k, c, r, words.s, words.len);
	str_free(&words);
	str_free(&people);
	str_free(&licences);
	return rows;
}

static void
draw_none(struct verbatim_view *k, struct canvas *c, struct rect r)
{
	const struct inquiry *q = k->v.q;
	const char *s = !q->prompt ? "nothing was asked yet: 1 goes to the prompt"
		: !q->verbatim.done ? "being looked for" : q->verbatim.failed[0] ? q->verbatim.failed
		: "No stretch of four words or more of the output stands word for word in the corpus. What was learned "
		"from an example need not show in its words.";
	draw_wrapped(k, c, r, s, strlen(s));
	canvas_park(c, r.row, 0, false);
}

static void
verbatim_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct verbatim_view *k = self(v);
	const struct verbatim_span *s = span_shown(k);
	struct str title = {0};
	int rows = (int)k->spans.n_all + 1, half = (r.rows - 2) / 3;
	rows = rows < 3 ? 3 : rows > half && half >= 3 ? half : rows;
	if (!s) {
		heading_draw(c, r.row, 0, r.cols, true, "Verbatim", NULL);
		draw_none(k, c, (struct rect){ r.row + 1, 1, r.rows - 1, r.cols - 2 });
		return;
	}
	listing_draw(&k->spans, c, (struct rect){ r.row + 1, 0, rows, r.cols }, !k->second);
	str_adds(&title, "Verbatim  ");
	listing_status(&k->spans, &title);
	heading_draw(c, r.row, 0, r.cols, !k->second, title.s, "not the same as influence");
	struct rect below = { r.row + 1 + rows, 0, r.rows - 1 - rows, r.cols };
	struct rect at = { below.row + 1, 1, below.rows - 5, r.cols - 2 };
	int words = below.rows >= 9 ? draw_words(k, c, at, s) : 0;
	if (words > 0)
		canvas_rule(c, below.row, 0, r.cols);
	below.row += words + (words > 0);
	below.rows -= words + (words > 0);
	listing_draw(&k->places, c, (struct rect){ below.row + 1, 0, below.rows - 1, r.cols }, k->second);
	str_clear(&title);
	str_adds(&title, "Where  ");
	listing_status(&k->places, &title);
	heading_draw(c, below.row, 0, r.cols, k->second, title.s, NULL);
	str_free(&title);
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
	const struct verbatim_span *s = span_shown(k);
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
