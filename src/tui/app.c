/* app: the stack of views, messages, the whole screen. */
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
	case V_VERBATIM:
		return view_verbatim_new(app, top->q);
	case V_TRUST:
		return view_trust_new(app, top->q);
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

static void
leave_confirmed(struct app *app, int64_t arg)
{
	(void)arg;
	app->quit = true;
}

void
app_leave(struct app *app)
{
	if (app->trial.state == TRIAL_RUNNING)
		app_confirm(app, leave_confirmed, 0, "a verification is running: stop it and leave?");
	else
		app->quit = true;
}

/* Lists must hold what is there now before a key is applied to them. */
void
app_refresh(struct app *app)
{
	struct view *v = app_top(app);
	if (v->ops->update)
		v->ops->update(v);
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
	if (app->trial.state == TRIAL_RUNNING)
		return 1.0;
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
