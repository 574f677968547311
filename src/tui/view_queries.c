/* view_queries: what was asked before and kept; each can be asked again and gives the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "describe.h"
#include "setting.h"

enum { COL_ID, COL_WHEN, COL_PROMPT, COL_OUTPUT, COL_FIRST, COL_SEED, COLS };

static const struct column columns[COLS] = {
	[COL_ID] = { "#", 4, 0, true, true, 9 },
	[COL_WHEN] = { "saved (UTC)", 16, 0, false, true, 2 },
	[COL_PROMPT] = { "prompt", 22, 3, false, true, 9 },
	[COL_OUTPUT] = { "output", 18, 4, false, true, 5 },
	[COL_FIRST] = { "largest share", 16, 2, false, true, 3 },
	[COL_SEED] = { "seed", 6, 0, true, true, 1 },
};

struct kept { int64_t id, created; char *prompt, *output, *first; uint64_t seed; };

struct queries_view {
	struct view v;
	struct kept *k;
	size_t n, cap;
	struct listing l;
	bool stale;
};

static struct queries_view *
self(struct view *v)
{
	return (struct queries_view *)v;
}

static void
query_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct kept *k = &((struct queries_view *)arg)->k[i];
	if (column == COL_ID)
		str_addf(&out->text, "%lld", (long long)k->id);
	else if (column == COL_WHEN)
		describe_day(k->created, &out->text);
	else if (column == COL_SEED)
		str_addf(&out->text, "%llu", (unsigned long long)k->seed);
	else
		str_adds(&out->text, column == COL_PROMPT ? k->prompt : column == COL_OUTPUT ? k->output : k->first);
	out->ink = column == COL_WHEN || column == COL_OUTPUT ? INK_DIM : INK_TEXT;
}

static int
query_compare(void *arg, int column, size_t a, size_t b)
{
	const struct kept *x = &((struct queries_view *)arg)->k[a], *y = &((struct queries_view *)arg)->k[b];
	switch (column) {
	case COL_WHEN:
		return (x->created < y->created) - (x->created > y->created);
	case COL_SEED:
		return (x->seed > y->seed) - (x->seed < y->seed);
	case COL_PROMPT:
		return strcmp(x->prompt, y->prompt);
	case COL_OUTPUT:
		return strcmp(x->output, y->output);
	case COL_FIRST:
		return strcmp(x->first, y->first);
	default:
		return (x->id > y->id) - (x->id < y->id);
	}
}

/* "Ada Marsh 31%" */
static char *
largest_share(const char *result)
{
	json_t *root = NULL;
	struct str out = {0};
	str_clear(&out);
	if (result && json_parse(result, strlen(result), "saved query", &root) == OK) {
		const json_t *first = json_array_get(json_object_get(root, "contributors"), 0);
		const char *name = json_string_value(json_object_get(first, "name"));
		if (name)
			str_addf(&out, "%s %.0f%%", name, 100 * json_number_value(json_object_get(first, "share")));
	}
	json_decref(root);
	err_clear();
	return str_take(&out);
}

static enum err
query_add(void *arg, const struct saved_query *q)
{
	struct queries_view *v = arg;
	struct question question = {0};
	if (!q->settings || question_parse(q->settings, &question) != OK)
		err_clear();
	mem_grow(&v->k, &v->cap, v->n + 1, sizeof(*v->k));
	v->k[v->n++] = (struct kept){
		.id = q->id, .created = q->created, .prompt = xstrdup(q->prompt ? q->prompt : ""),
		.output = xstrdup(q->output ? q->output : ""), .first = largest_share(q->result),
		.seed = question.sample.seed,
	};
	question_free(&question);
	return OK;
}

static void
queries_clear(struct queries_view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->k[i].prompt);
		free(v->k[i].output);
		free(v->k[i].first);
	}
	v->n = 0;
}

static void
queries_update(struct view *view)
{
	struct queries_view *v = self(view);
	if (!v->stale)
		return;
	size_t keep = listing_row(&v->l);
	v->stale = false;
	queries_clear(v);
	app_fail(view->app, view->app->source->ops->each_query(view->app->source, query_add, v));
	listing_fill(&v->l, v->n, keep < v->n ? keep : v->n > 0 ? v->n - 1 : 0);
}

static void
queries_draw(struct view *view, struct canvas *c, struct rect r)
{
	struct queries_view *v = self(view);
	struct str title = {0};
	listing_draw(&v->l, c, (struct rect){ r.row + 1, 0, r.rows - 1, r.cols }, true);
	str_adds(&title, "Saved queries  ");
	listing_status(&v->l, &title);
	heading_draw(c, r.row, 0, r.cols, true, title.s, view->app->source->info.store);
	if (v->n == 0)
		canvas_str(c, r.row + 2, 2, r.cols - 4, INK_DIM,
			"no query is saved in this store yet: S on an output saves it");
	str_free(&title);
}

static void
query_forget(struct app *app, int64_t id)
{
	enum err err = app->source->ops->forget(app->source, id);
	app_fail(app, err);
	if (err == OK)
		app_say(app, INK_ACCENT, "query %lld is gone", (long long)id);
	self(app_top(app))->stale = true;
}

static bool
queries_act(struct view *view, enum action a)
{
	struct queries_view *v = self(view);
	size_t row = listing_row(&v->l);
	if ((a != ACT_OPEN && a != ACT_DELETE) || row == (size_t)-1)
		return false;
	long long id = (long long)v->k[row].id;
	char line[48];
	if (a == ACT_DELETE) {
		app_confirm(view->app, query_forget, id, "Delete saved query %lld? It cannot be brought back.", id);
		return true;
	}
	snprintf(line, sizeof(line), "query %lld", id);
	app_fail(view->app, command_run(view->app, line));
	return true;
}

static struct listing *
queries_listing(struct view *view)
{
	return &self(view)->l;
}

static void
queries_free(struct view *view)
{
	struct queries_view *v = self(view);
	queries_clear(v);
	free(v->k);
	listing_free(&v->l);
	free(v);
}

static const struct view_ops queries_ops = {
	.name = "saved queries", .place = V_QUERIES,
	.hints = { ACT_OPEN, ACT_DELETE, ACT_SORT, ACT_FILTER, ACT_SEARCH, ACT_BACK },
	.free = queries_free, .update = queries_update, .draw = queries_draw, .act = queries_act,
	.listing = queries_listing,
};

struct view *
view_queries_new(struct app *app, struct inquiry *q)
{
	struct queries_view *v = xcalloc(1, sizeof(*v));
	v->v = (struct view){ .ops = &queries_ops, .app = app, .q = q };
	v->stale = true;
	listing_init(&v->l, columns, COLS, v, query_cell, query_compare);
	return &v->v;
}

static void
open_method(struct app *app, struct inquiry *q, const char *name)
{
	for (int i = 0; name && i < app->source->info.n_methods; i++) {
		const struct method *m = &app->source->info.methods[i];
		if (strcmp(m->name, name) == 0 && source_able(&app->source->info, m))
			q->wish.method = m;
	}
}

/* A saved query is asked again, and its output compared with what it was. */
void
app_open_query(struct app *app, const struct saved_query *s)
{
	struct view *top = app_top(app);
	struct question question = { .sample = app->options->sample };
	enum err err = s->settings ? question_parse(s->settings, &question) : OK;
	if (err != OK) {
		app_fail(app, err);
		return;
	}
	bool fresh = !top->q->prompt && top->ops->place == V_OUTPUT;
	struct inquiry *q = fresh ? top->q : inquiry_new(app->source, &app->worker);
	q->wish.exact = top->q->wish.exact;
	open_method(app, q, question.method);
	inquiry_ask(q, s->prompt ? s->prompt : "", question.target, &question.sample);
	inquiry_span(q, question.from, question.to);
	q->expected = s->output ? xstrdup(s->output) : NULL;
	q->saved_id = s->id;
	if (!fresh)
		app_push(app, view_output_new(app, q));
	question_free(&question);
}
