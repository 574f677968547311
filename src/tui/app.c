/* app: the stack of views, keys to actions, messages. */
#include "app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"

/* A job shorter than this is not worth a word. */
static const double progress_after = 0.2;

/* ---- the stack ---- */

struct view *
app_top(const struct app *app)
{
	return app->depth > 0 ? app->stack[app->depth - 1] : NULL;
}

void
app_push(struct app *app, struct view *v)
{
	if (app->depth == APP_DEPTH) {
		app_say(app, INK_WARN, "%d views deep: go back a few first", APP_DEPTH);
		if (v->owns_q)
			inquiry_free(v->q);
		v->ops->free(v);
		return;
	}
	/* A worker serves one inquiry at a time; the one left behind goes on when we come back to it. */
	struct view *top = app_top(app);
	if (top && top->q && top->q != v->q && top->q->stage != STAGE_NONE)
		worker_stop(&app->worker);
	app->stack[app->depth++] = v;
}

static void
app_pop(struct app *app)
{
	struct view *v = app->stack[--app->depth];
	struct inquiry *q = v->owns_q ? v->q : NULL;
	v->ops->free(v);
	inquiry_free(q);
}

void
app_back(struct app *app)
{
	if (app->depth > 1)
		app_pop(app);
}

static struct view *
view_new(struct app *app, unsigned place)
{
	struct view *top = app_top(app);
	switch (place) {
	case V_EXAMPLES:
		return view_examples_new(app, top->q);
	case V_CONTRIBUTORS:
		return view_contributors_new(app, top->q);
	case V_RUNS:
		return view_runs_new(app, top->q);
	case V_QUERIES:
		return view_queries_new(app, top->q);
	default:
		return view_help_new(app, top->q, top->ops->place);
	}
}

void
app_go(struct app *app, unsigned place)
{
	/* Help is beside the way, not on it. */
	if (app_top(app)->ops->place == V_HELP && place != V_HELP)
		app_back(app);
	for (int i = app->depth - 1; i >= 0; i--)
		if (app->stack[i]->ops->place == place) {
			while (app->depth > i + 1)
				app_pop(app);
			return;
		}
	if (place != V_OUTPUT)
		app_push(app, view_new(app, place));
}

/* ---- saying ---- */

void
app_say(struct app *app, enum ink ink, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(app->message, sizeof(app->message), fmt, ap);
	va_end(ap);
	app->message_ink = ink;
}

void
app_fail(struct app *app, enum err err)
{
	if (err != OK)
		app_say(app, err == ERR_CANCELLED ? INK_WARN : INK_BAD, "%s", err_message());
}

void
app_confirm(struct app *app, void (*fn)(struct app *app, int64_t arg), int64_t arg, const char *fmt, ...)
{
	struct str s = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	free(app->question);
	app->question = str_take(&s);
	app->confirmed = fn;
	app->confirm_arg = arg;
	app->line = LINE_CONFIRM;
}

/* Lists must hold what is there now before a key is applied to them. */
static void
app_refresh(struct app *app)
{
	struct view *v = app_top(app);
	if (v->ops->update)
		v->ops->update(v);
}

/* ---- the last line ---- */

static struct history *
line_history(struct app *app, enum line_kind kind)
{
	bool searching = kind == LINE_SEARCH || kind == LINE_FILTER;
	return kind == LINE_COMMAND ? &app->commands : searching ? &app->searches : NULL;
}

void
app_line(struct app *app, enum line_kind kind, const char *text)
{
	edit_free(&app->edit);
	edit_init(&app->edit, line_history(app, kind));
	edit_set(&app->edit, text ? text : "");
	app->line = kind;
}

static void
app_search(struct app *app, const char *text)
{
	struct view *v = app_top(app);
	struct listing *l = v->ops->listing ? v->ops->listing(v) : NULL;
	bool found = l ? listing_search(l, text) : v->ops->search && v->ops->search(v, text);
	if (!found)
		app_say(app, INK_WARN, "no match for '%s'", text);
}

static void
app_filter(struct app *app, const char *text)
{
	struct view *v = app_top(app);
	struct listing *l = v->ops->listing ? v->ops->listing(v) : NULL;
	if (!l)
		return;
	listing_filter(l, text);
	if (l->list.n == 0 && l->n_all > 0)
		app_say(app, INK_WARN, "no row contains '%s'", text);
}

static void
app_line_accept(struct app *app)
{
	enum line_kind kind = app->line;
	edit_done(&app->edit);
	char *text = xstrdup(app->edit.text.s);
	app->line = LINE_NONE;
	if (kind == LINE_COMMAND)
		app_fail(app, command_run(app, text));
	else if (kind == LINE_SEARCH)
		app_search(app, text);
	else if (kind == LINE_FILTER)
		app_filter(app, text);
	else if (kind == LINE_EXPORT && *text)
		app_fail(app, export_write(app, app_top(app)->q, text));
	free(text);
}

static void
app_confirm_key(struct app *app, int32_t key)
{
	app->line = LINE_NONE;
	if (key == 'y' || key == 'Y')
		app->confirmed(app, app->confirm_arg);
	else
		app_say(app, INK_DIM, "nothing was changed");
}

/* True when the key was for the line being typed. */
static bool
app_typing(struct app *app, struct edit *e, int32_t key)
{
	enum action a = keymap_find(&app->keys, key, V_TYPING);
	if (a == ACT_EDIT_ACCEPT && app->line != LINE_NONE)
		app_line_accept(app);
	else if (a == ACT_EDIT_CANCEL && app->line != LINE_NONE)
		app->line = LINE_NONE;
	else if (a == ACT_EDIT_COMPLETE && app->line == LINE_COMMAND)
		command_complete(app, e);
	else if (a == ACT_EDIT_BACKSPACE && app->line != LINE_NONE && e->text.len == 0)
		app->line = LINE_NONE;
	else if (a != ACT_NONE)
		return edit_act(e, a) || app->line != LINE_NONE;
	else if (key >= ' ' && key < K_UP && key != 0x7f)
		edit_insert(e, key);
	else
		return app->line != LINE_NONE;
	return true;
}

/* ---- actions everybody has ---- */

static void
act_back(struct app *app)
{
	struct view *v = app_top(app);
	if (app_progress_shown(app)) {
		app_say(app, INK_WARN, "%s was stopped", app->worker.what);
		if (v->q && v->q->stage != STAGE_NONE)
			inquiry_halt(v->q);
		else
			worker_cancel(&app->worker);
	} else if (!v->ops->act(v, ACT_BACK)) {
		if (app->depth > 1)
			app_pop(app);
		else
			app_say(app, INK_DIM, "this is the first view; q leaves");
	}
}

static void
act_close(struct app *app)
{
	if (app->depth > 1)
		app_pop(app);
	else
		app->quit = true;
}

static void act_quit(struct app *app) { app->quit = true; }
static void act_output(struct app *app) { app_go(app, V_OUTPUT); }
static void act_examples(struct app *app) { app_go(app, V_EXAMPLES); }
static void act_contributors(struct app *app) { app_go(app, V_CONTRIBUTORS); }
static void act_queries(struct app *app) { app_go(app, V_QUERIES); }
static void act_runs(struct app *app) { app_go(app, V_RUNS); }
static void act_help(struct app *app) { app_go(app, V_HELP); }
static void act_command(struct app *app) { app_line(app, LINE_COMMAND, ""); }
static void act_search(struct app *app) { app_line(app, LINE_SEARCH, ""); }
static void act_filter(struct app *app) { app_line(app, LINE_FILTER, ""); }
static void act_export(struct app *app) { app_line(app, LINE_EXPORT, ""); }
static void act_save(struct app *app) { app_fail(app, query_save(app, app_top(app)->q)); }

static void
act_redraw(struct app *app)
{
	if (app->terminal)
		terminal_redraw(app->terminal);
}

static void
act_copy(struct app *app)
{
	struct str link = {0};
	query_link(app, app_top(app)->q, &link);
	app_say(app, INK_ACCENT, "%s", link.s);
	if (app->terminal)
		terminal_copy(app->terminal, link.s, link.len);
	str_free(&link);
}

static void
act_method(struct app *app)
{
	struct inquiry *q = app_top(app)->q;
	const struct source_info *info = &app->source->info;
	int at = (int)(q->wish.method - info->methods);
	do
		at = (at + 1) % info->n_methods;
	while (info->methods[at].needs_index && !info->indexed && &info->methods[at] != q->wish.method);
	inquiry_method(q, &info->methods[at]);
	app_say(app, INK_ACCENT, "method: %s", info->methods[at].title);
}

static void
act_exact(struct app *app)
{
	struct inquiry *q = app_top(app)->q;
	size_t n = app->options->exact > 0 ? (size_t)app->options->exact : 64;
	/* After it was stopped, the key means going on. */
	if (q->wish.exact > 0 && !(q->halted && !inquiry_current(q)))
		n = 0;
	inquiry_exact(q, n);
	if (n > 0)
		app_say(app, INK_ACCENT, "the best %zu candidates are rescored exactly", n);
	else
		app_say(app, INK_ACCENT, "exact rescoring is off");
}

static const struct { enum action action; void (*fn)(struct app *app); } common[] = {
	{ ACT_BACK, act_back }, { ACT_CLOSE, act_close }, { ACT_QUIT, act_quit }, { ACT_GOTO_OUTPUT, act_output },
	{ ACT_GOTO_EXAMPLES, act_examples }, { ACT_GOTO_CONTRIBUTORS, act_contributors },
	{ ACT_GOTO_QUERIES, act_queries },
	{ ACT_GOTO_RUNS, act_runs }, { ACT_HELP, act_help }, { ACT_COMMAND, act_command }, { ACT_SEARCH, act_search },
	{ ACT_FILTER, act_filter }, { ACT_EXPORT, act_export }, { ACT_SAVE, act_save }, { ACT_REDRAW, act_redraw },
	{ ACT_COPY, act_copy }, { ACT_METHOD, act_method }, { ACT_EXACT, act_exact },
};

void
app_act(struct app *app, enum action a)
{
	struct view *v = app_top(app);
	struct listing *l = v->ops->listing ? v->ops->listing(v) : NULL;
	if (a != ACT_BACK && v->ops->act(v, a))
		return;
	if (l && listing_act(l, a))
		return;
	if ((a == ACT_SEARCH_NEXT || a == ACT_SEARCH_PREV) && v->ops->search_step
		&& v->ops->search_step(v, a == ACT_SEARCH_NEXT))
		return;
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (common[i].action == a) {
			common[i].fn(app);
			return;
		}
}

static void
app_unknown(struct app *app, int32_t key)
{
	char name[KEY_NAME_MAX], help[KEY_NAME_MAX];
	key_label(key, name);
	key_label(keymap_key(&app->keys, ACT_HELP, 0), help);
	app_say(app, INK_WARN, "%s does nothing here: press %s for help", name, help);
}

void
app_key(struct app *app, int32_t key)
{
	struct view *v = app_top(app);
	app_refresh(app);
	app->message[0] = '\0';
	app->interrupted = false;
	if (app->line == LINE_CONFIRM) {
		app_confirm_key(app, key);
		return;
	}
	struct edit *e = app->line != LINE_NONE ? &app->edit : v->ops->editing ? v->ops->editing(v) : NULL;
	if (e && app_typing(app, e, key))
		return;
	enum action a = keymap_find(&app->keys, key, e ? V_TYPING : v->ops->place);
	if (e && a == ACT_NONE)
		a = keymap_find(&app->keys, key, v->ops->place);
	if (a != ACT_NONE)
		app_act(app, a);
	else
		app_unknown(app, key);
}

/* ---- drawing ---- */

bool
app_busy(const struct app *app)
{
	return app->worker.busy;
}

bool
app_progress_shown(const struct app *app)
{
	return app->worker.busy && worker_seconds(&app->worker) >= progress_after;
}

double
app_frame_wait(const struct app *app)
{
	if (!app->worker.busy)
		return -1;
	double seconds = worker_seconds(&app->worker);
	return seconds < progress_after ? progress_after - seconds : 1.0;
}

static void
draw_small(struct canvas *c)
{
	canvas_fmt(c, 0, 0, c->cols, INK_WARN, "terminal too small (need %dx%d)", MIN_COLS, MIN_ROWS);
}

static void
draw_opening(struct app *app, struct canvas *c)
{
	canvas_fmt(c, 0, 1, c->cols - 2, INK_TITLE, "byline");
	canvas_fmt(c, c->rows / 2, 1, c->cols - 2, INK_DIM, "opening %s %s", app->options->store, c->glyphs->ellipsis);
}

void
app_draw(struct app *app)
{
	struct canvas *c = &app->canvas;
	struct view *v = app_top(app);
	canvas_clear(c);
	if (c->rows < MIN_ROWS || c->cols < MIN_COLS) {
		draw_small(c);
		return;
	}
	if (!v) {
		draw_opening(app, c);
		return;
	}
	app_refresh(app);
	bar_draw_top(app, c);
	v->ops->draw(v, c, (struct rect){ 1, 0, c->rows - 2, c->cols });
	bar_draw_bottom(app, c);
}
