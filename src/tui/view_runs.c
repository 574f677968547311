/* view_runs: the runs of the store, and what is loaded: model, corpus, methods, and how far they were measured. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"

enum { COL_NAME, COL_STATE, COL_EXAMPLES, COL_TOKENS, COL_HELDOUT, COL_CTX, COL_SEED, COLS, RUNS_MAX = 6 };

static const struct column columns[COLS] = {
	[COL_NAME] = { "run", 12, 3, false, true, 9 },
	[COL_STATE] = { "state", 20, 0, false, true, 8 },
	[COL_EXAMPLES] = { "examples", 9, 0, true, true, 7 },
	[COL_TOKENS] = { "tokens trained", 14, 0, true, true, 5 },
	[COL_HELDOUT] = { "held out", 9, 0, true, true, 3 },
	[COL_CTX] = { "context", 7, 0, true, true, 2 },
	[COL_SEED] = { "seed", 6, 0, true, true, 1 },
};

struct known_run {
	char *name;
	int64_t examples, tokens, heldout;
	int n_ctx;
	uint64_t seed;
	bool trained, indexed, loaded;
};
struct fact { char *label, *value; };	/* value NULL: a heading */

struct runs_view {
	struct view v;
	struct known_run *run;
	size_t n, cap;
	struct fact *fact;
	size_t n_facts, fact_cap;
	struct listing l;
	struct list scroll;		/* of the facts */
};

static struct runs_view *
self(struct view *v)
{
	return (struct runs_view *)v;
}

static void
run_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct known_run *r = &((struct runs_view *)arg)->run[i];
	const int64_t numbers[COLS] = {
		[COL_EXAMPLES] = r->examples, [COL_TOKENS] = r->tokens, [COL_HELDOUT] = r->heldout,
		[COL_CTX] = r->n_ctx, [COL_SEED] = (int64_t)r->seed,
	};
	if (column == COL_NAME)
		str_adds(&out->text, r->name);
	else if (column == COL_STATE)
		str_adds(&out->text, r->loaded ? "loaded" : r->indexed ? "indexed" : r->trained ? "trained, not indexed"
			: "unfinished");
	else
		str_addf(&out->text, "%lld", (long long)numbers[column]);
	out->ink = r->loaded ? INK_TEXT : INK_DIM;
}

static enum err
run_add(void *arg, const struct run *r)
{
	struct runs_view *v = arg;
	mem_grow(&v->run, &v->cap, v->n + 1, sizeof(*v->run));
	v->run[v->n++] = (struct known_run){
		.name = xstrdup(r->name), .examples = r->n_examples, .tokens = r->tokens_train,
		.heldout = r->tokens_heldout,
		.n_ctx = r->n_ctx, .seed = r->seed, .trained = r->trained, .indexed = r->indexed,
		.loaded = strcmp(r->name, v->v.app->source->info.run) == 0,
	};
	return OK;
}

static void
fact_add(void *arg, const char *label, const char *value)
{
	struct runs_view *v = arg;
	mem_grow(&v->fact, &v->fact_cap, v->n_facts + 1, sizeof(*v->fact));
	v->fact[v->n_facts++] = (struct fact){ xstrdup(label), value ? xstrdup(value) : NULL };
}

static void
draw_facts(struct runs_view *v, struct canvas *c, struct rect r)
{
	int label = r.cols >= 80 ? 24 : 16;
	list_show(&v->scroll, r.rows);
	for (int k = 0; k < r.rows && v->scroll.top + (size_t)k < v->n_facts; k++) {
		const struct fact *f = &v->fact[v->scroll.top + (size_t)k];
		if (!f->value) {
			canvas_str(c, r.row + k, 1, r.cols - 2, INK_FOCUS, f->label);
			continue;
		}
		canvas_str(c, r.row + k, 3, label - 2, INK_DIM, f->label);
		canvas_str(c, r.row + k, 3 + label, r.cols - label - 4, INK_TEXT, f->value);
	}
}

static void
runs_draw(struct view *view, struct canvas *c, struct rect r)
{
	struct runs_view *v = self(view);
	int rows = v->n < RUNS_MAX ? (int)v->n : RUNS_MAX;
	struct str title = {0};
	str_addf(&title, "Runs of %s", view->app->source->info.store);
	heading_draw(c, r.row, 0, r.cols, true, title.s, NULL);
	listing_draw(&v->l, c, (struct rect){ r.row + 1, 0, rows + 1 < 3 ? 3 : rows + 1, r.cols }, false);
	int at = r.row + 2 + rows + (rows < 2);
	struct str note = {0};
	v->scroll.height = (size_t)(r.rows - (at - r.row) - 1);
	if (v->n_facts > v->scroll.height)
		str_addf(&note, "%zu to %zu of %zu lines", v->scroll.top + 1,
			v->scroll.top + v->scroll.height < v->n_facts ? v->scroll.top + v->scroll.height : v->n_facts,
			v->n_facts);
	str_clear(&title);
	str_addf(&title, "Loaded: %s", view->app->source->info.run);
	heading_draw(c, at, 0, r.cols, false, title.s, note.s);
	draw_facts(v, c, (struct rect){ at + 1, 0, r.rows - (at + 1 - r.row), r.cols });
	canvas_park(c, at + 1, 1, false);
	str_free(&title);
	str_free(&note);
}

static bool
runs_act(struct view *view, enum action a)
{
	struct runs_view *v = self(view);
	/* Scrolling moves the first line seen, not a cursor in the middle of the page. */
	struct list l = v->scroll;
	l.cursor = l.top;
	l.n = v->n_facts > l.height ? v->n_facts - l.height + 1 : 1;
	if (!list_act(&l, a))
		return false;
	v->scroll.top = v->scroll.cursor = l.cursor;
	return true;
}

static void
runs_free(struct view *view)
{
	struct runs_view *v = self(view);
	for (size_t i = 0; i < v->n; i++)
		free(v->run[i].name);
	for (size_t i = 0; i < v->n_facts; i++) {
		free(v->fact[i].label);
		free(v->fact[i].value);
	}
	free(v->run);
	free(v->fact);
	listing_free(&v->l);
	free(v);
}

static const struct view_ops runs_ops = {
	.name = "runs", .place = V_RUNS, .hints = { ACT_DOWN, ACT_UP, ACT_BACK },
	.free = runs_free, .draw = runs_draw, .act = runs_act,
};

struct view *
view_runs_new(struct app *app, struct inquiry *q)
{
	struct runs_view *v = xcalloc(1, sizeof(*v));
	struct source *s = app->source;
	v->v = (struct view){ .ops = &runs_ops, .app = app, .q = q };
	listing_init(&v->l, columns, COLS, v, run_cell, NULL);
	app_fail(app, s->ops->each_run(s, run_add, v));
	app_fail(app, s->ops->facts(s, fact_add, v));
	listing_fill(&v->l, v->n, (size_t)-1);
	list_resize(&v->scroll, v->n_facts);
	return &v->v;
}
