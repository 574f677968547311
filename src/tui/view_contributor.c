/* view_contributor: one person: works in this answer, the place in every saved one, and plain words for both. */
#include "view_contributor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"

enum { COL_TITLE, COL_SCORE, COL_PART, COL_LICENCE, COL_DATE, COLS };

static const struct column columns[COLS] = {
	[COL_TITLE] = { "work", 14, 4, false, true, 9 },
	[COL_SCORE] = { "score", 9, 0, true, true, 9 },
	[COL_PART] = { "part %", 6, 0, true, true, 3 },
	[COL_LICENCE] = { "licence", 12, 0, false, true, 2 },
	[COL_DATE] = { "date", 10, 0, false, true, 1 },
};

static struct contributor_view *
self(struct view *v)
{
	return (struct contributor_view *)v;
}

static const char *
licence_of(const struct contributor_view *k, size_t i)
{
	return describe_licence(k->work[i].work);
}

static void
work_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct contributor_view *k = arg;
	const struct work_score *w = &k->work[i];
	bool noise = !k->ranked || !(fabs(w->score) >= k->threshold);
	out->ink = noise ? INK_DIM : INK_TEXT;
	if (column == COL_TITLE)
		describe_title(w->work, &out->text);
	else if (column == COL_PART)
		str_addf(&out->text, "%.0f", 100 * w->part);
	else if (column == COL_LICENCE)
		str_adds(&out->text, licence_of(k, i));
	else if (column == COL_DATE)
		str_adds(&out->text, w->work->date ? w->work->date : "");
	else if (k->ranked) {
		describe_score(w->score, k->decimals, true, &out->text);
		out->ink = noise ? INK_DIM : w->score < 0 ? INK_OPPOSED : INK_HELPED;
	}
}

static int
work_compare(void *arg, int column, size_t a, size_t b)
{
	const struct contributor_view *k = arg;
	const struct work_score *x = &k->work[a], *y = &k->work[b];
	if (column == COL_SCORE || column == COL_PART) {
		double p = column == COL_SCORE ? x->score : x->part, q = column == COL_SCORE ? y->score : y->part;
		return p > q ? -1 : p < q;
	}
	if (column == COL_LICENCE)
		return strcmp(licence_of(k, a), licence_of(k, b));
	const char *s = column == COL_TITLE ? x->work->title : x->work->date,
		*t = column == COL_TITLE ? y->work->title : y->work->date;
	return strcmp(s ? s : "", t ? t : "");
}

/* ---- what is known ---- */

/* For somebody who never heard of a log-probability. */
static void
plain_words(struct contributor_view *k)
{
	struct str *out = &k->words;
	size_t above = 0;
	for (size_t i = 0; i < k->n; i++)
		above += k->ranked && k->threshold > 0 && k->work[i].score > k->threshold;
	str_clear(out);
	str_adds(out, "In plain words: ");
	if (k->now.opted_out)
		str_adds(out, "this contributor has opted out, so the model was not trained on these works.");
	else if (!k->ranked)
		str_adds(out, "nothing was asked yet, so nothing can be said about an output.");
	else if (k->now.share <= 0)
		str_adds(out, "these works do not stand out here: what they did to this passage cannot be told from "
			"chance.");
	else {
		str_adds(out, k->now.score < 0 ? "some of these works helped this passage and others opposed it more: "
			"without them all the model would have found it more likely, as far as can be predicted. "
			: "without these works the model would have found this passage less likely, as far as can be "
			"predicted. ");
		str_addf(out, "Of all the help it got from anybody, %.0f parts in 100", 100 * k->now.share);
		if (isfinite(k->now.error))
			str_addf(out, ", give or take %.0f,", ceil(100 * k->now.error));
		str_addf(out, " are credited to %s", k->now.name);
		if (above > 0)
			str_addf(out, "; %zu of %zu works stand out from chance", above, k->n);
		str_adds(out, ". The size was predicted, not measured by training again without them.");
	}
}

static void
contributor_fetch(struct contributor_view *k)
{
	struct inquiry *q = k->v.q;
	struct source *s = q->source;
	const struct standing *st = q->standing;
	free(k->work);
	k->work = NULL;
	k->n = 0;
	k->ranked = st != NULL;
	k->threshold = st ? st->threshold : 0;
	enum err err = s->ops->works_of(s, st ? st->ranking : NULL, k->contributor, &k->work, &k->n);
	if (err != OK)
		app_fail(k->v.app, err);
	double largest = 0;
	for (size_t i = 0; i < k->n; i++)
		largest = fmax(largest, fabs(k->work[i].score));
	k->decimals = describe_decimals(largest);
	struct shares everyone = {0};
	s->ops->everyone(s, &everyone);
	const struct shares *sh = st ? &st->shares : &everyone;
	for (size_t i = 0; i < sh->n; i++)
		if (sh->c[i].contributor == k->contributor) {
			k->now = sh->c[i];
			k->rank = i + 1;
		}
	k->of = sh->n;
	k->n_runs = st ? sh->n_runs : 0;
	s->ops->free_shares(&everyone);
}

static void
contributor_update(struct view *v)
{
	struct contributor_view *k = self(v);
	if (k->seen == v->q->version + 1)
		return;
	size_t keep = k->seen ? listing_row(&k->works) : (size_t)-1;
	k->seen = v->q->version + 1;
	contributor_fetch(k);
	plain_words(k);
	listing_fill(&k->works, k->n, keep);
}

/* ---- acting ---- */

/* The example of the work that stands highest, else its first one. */
static bool
example_of_work(const struct contributor_view *k, int64_t work, uint32_t *out)
{
	const struct inquiry *q = k->v.q;
	struct source *s = q->source;
	for (size_t i = 0; q->standing && i < q->standing->n; i++) {
		*out = q->standing->row[i].example;
		if (s->ops->example(s, *out)->work == work)
			return true;
	}
	for (size_t i = 0; i < s->info.n_examples; i++) {
		*out = (uint32_t)i;
		if (s->ops->example(s, *out)->work == work)
			return true;
	}
	return false;
}

static void
contributor_open(struct contributor_view *k)
{
	struct app *app = k->v.app;
	size_t row = listing_row(k->second ? &k->where.l : &k->works);
	uint32_t example;
	char line[48];
	if (row == (size_t)-1)
		return;
	if (k->second) {
		snprintf(line, sizeof(line), "query %lld", (long long)k->where.a[row].query);
		app_fail(app, command_run(app, line));
	} else if (example_of_work(k, k->work[row].work->id, &example))
		app_push(app, view_example_new(app, k->v.q, example));
	else
		app_say(app, INK_WARN, "this work is in no example of this run");
}

static bool
contributor_act(struct view *v, enum action a)
{
	struct contributor_view *k = self(v);
	if (a == ACT_OPEN)
		contributor_open(k);
	else if (a == ACT_NEXT_PANE || a == ACT_PREV_PANE)
		k->second = !k->second;
	else if (a == ACT_VERIFY)
		verify_contributor(v->app, v->q, k->contributor);
	else
		return false;
	return true;
}

static struct listing *
contributor_listing(struct view *v)
{
	return self(v)->second ? &self(v)->where.l : &self(v)->works;
}

static void
contributor_title(struct view *v, struct str *out)
{
	str_adds(out, self(v)->where.name);
}

static void
contributor_view_free(struct view *v)
{
	struct contributor_view *k = self(v);
	listing_free(&k->works);
	appearances_free(&k->where);
	str_free(&k->words);
	flow_free(&k->flow);
	free(k->work);
	free(k);
}

static const struct view_ops contributor_ops = {
	.name = "contributor", .place = V_CONTRIBUTOR,
	.hints = { ACT_OPEN, ACT_NEXT_PANE, ACT_VERIFY, ACT_BACK },
	.free = contributor_view_free, .update = contributor_update, .draw = contributor_draw, .act = contributor_act,
	.title = contributor_title, .listing = contributor_listing,
};

struct view *
view_contributor_new(struct app *app, struct inquiry *q, int64_t contributor)
{
	struct contributor_view *k = xcalloc(1, sizeof(*k));
	k->v = (struct view){ .ops = &contributor_ops, .app = app, .q = q };
	k->contributor = contributor;
	listing_init(&k->works, columns, COLS, k, work_cell, work_compare);
	contributor_fetch(k);
	appearances_init(&k->where, q->source, k->now.name ? k->now.name : UNKNOWN, app->canvas.glyphs);
	return &k->v;
}
