/* loop: waits for keys, signals and the worker; nothing else in the explorer waits. */
#include "config.h"	/* ppoll */

#include "app.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "byline/clock.h"
#include "byline/mem.h"
#include "byline/utf8.h"
#include "restore.h"
#include "script.h"

enum { EXIT_USAGE = 2, EXIT_FAILED = 3, SIZE_MOST = 1024 };
static const double frame = 0.05;	/* at most 20 a second when nobody presses anything */

struct loop {
	struct app *app;
	struct script script;
	sigset_t mask;			/* while waiting */
	int signals;			/* readable when one came */
	bool dirty, urgent;		/* the screen is stale; because of a key */
	double drawn;
	enum err (*open)(const struct tui_options *o, struct source **out);
	struct source *opened;
	enum err err;
	char error[ERR_MESSAGE];
};

/* ---- opening ---- */

static enum err
job_open(struct job *job, void *arg)
{
	struct loop *l = arg;
	(void)job;
	return l->open(l->app->options, &l->opened);
}

static void
loop_fail(struct loop *l, enum err err)
{
	l->err = err;
	err_copy(l->error, sizeof(l->error));
	l->app->quit = true;
}

static enum err __attribute__((format(printf, 2, 3)))
command_fmt(struct app *app, const char *fmt, ...)
{
	struct str line = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	enum err err = command_run(app, line.s);
	str_free(&line);
	return err;
}

/* What the command line asked for, done as a person would. */
static enum err
first_inquiry(struct app *app)
{
	const struct tui_options *o = app->options;
	struct inquiry *q = inquiry_new(app->source, &app->worker);
	q->sample = o->sample;
	q->wish.exact = o->exact > 0 ? (size_t)o->exact : 0;
	if (o->prompt && o->query <= 0) {
		inquiry_ask(q, o->prompt, o->target, &o->sample);
		inquiry_span(q, o->from, o->to);
	}
	app_push(app, view_output_new(app, q));
	if (o->method)
		TRY(command_fmt(app, "method %s", o->method));
	else if (q->wish.method != app->source->info.methods)
		app_say(app, INK_DIM, "the run has no index of byline's own: %s answers", q->wish.method->title);
	/* Without a model there is nothing to type a prompt for. */
	int64_t query = o->query <= 0 && !o->prompt ? app->source->info.first_query : o->query;
	return query > 0 ? command_fmt(app, "query %lld", (long long)query) : OK;
}

static void
open_done(void *arg, enum err err)
{
	struct loop *l = arg;
	if (err == OK) {
		l->app->source = l->opened;
		err = first_inquiry(l->app);
	}
	if (err != OK)
		loop_fail(l, err);
}

/* ---- one turn ---- */

static void
loop_resize(struct loop *l)
{
	int rows, cols;
	terminal_size(l->app->terminal, &rows, &cols);
	canvas_resize(&l->app->canvas, rows < SIZE_MOST ? rows : SIZE_MOST, cols < SIZE_MOST ? cols : SIZE_MOST);
	/* The terminal may have moved what it showed, and we may have written for the old size. */
	terminal_redraw(l->app->terminal);
	l->dirty = l->urgent = true;
}

static void
loop_interrupt(struct app *app)
{
	struct view *v = app_top(app);
	bool verifying = app->trial.state == TRIAL_RUNNING;
	if ((!app->worker.busy && !verifying) || !v || app->interrupted) {
		app->quit = true;
		return;
	}
	app->interrupted = true;
	if (!app->worker.busy) {
		app_say(app, INK_WARN, "a verification is running: once more stops it and leaves");
		return;
	}
	app_say(app, INK_WARN, "%s was stopped; once more leaves", app->worker.what);
	if (v->q && v->q->stage != STAGE_NONE)
		inquiry_halt(v->q);
	else
		worker_cancel(&app->worker);
}

static void
loop_signals(struct loop *l)
{
	struct noticed seen = restore_noticed();
	if (seen.suspend) {
		terminal_suspend(l->app->terminal);
		loop_resize(l);
	}
	if (seen.resize)
		loop_resize(l);
	if (seen.resume)
		terminal_redraw(l->app->terminal);
	if (seen.interrupt)
		loop_interrupt(l->app);
	if (seen.suspend || seen.resume || seen.interrupt)
		l->dirty = l->urgent = true;
}

static void
loop_keys(struct loop *l)
{
	for (int32_t key; (key = terminal_key(l->app->terminal)) != K_NONE;) {
		if (key == K_RESIZE)
			loop_resize(l);
		else if (app_top(l->app))
			app_key(l->app, key);
		else if (key == 'q' || key == 'Q')
			l->app->quit = true;
		l->dirty = l->urgent = true;
	}
}

/* True when it went a step further. */
static bool
loop_trial(struct app *app)
{
	struct trial *t = &app->trial;
	bool ran = t->state == TRIAL_RUNNING;
	worker_hush(&t->worker);
	if (!worker_collect(&t->worker))
		return false;
	char key[KEY_NAME_MAX];
	key_label(keymap_key(&app->keys, ACT_VERIFY, 0), key);
	if (ran && t->state == TRIAL_DONE && app_top(app)->ops->place != V_VERIFY)
		app_say(app, INK_ACCENT, "verified: %s (%s on it shows what came of it)", t->ask.removed, key);
	else if (ran && t->state == TRIAL_FAILED)
		app_say(app, INK_BAD, "%s", t->error);
	return true;
}

/* True while the view in front still has something to find out. */
static bool
loop_work(struct loop *l)
{
	struct app *app = l->app;
	worker_hush(&app->worker);
	bool ended = worker_collect(&app->worker), tried = loop_trial(app);
	struct view *v = app_top(app);
	if (ended && v && v->q && v->q->err != OK && v->q->err != ERR_CANCELLED)
		app_say(app, INK_BAD, "%s", v->q->error);
	l->dirty |= ended | tried;
	bool pending = v && v->q && inquiry_step(v->q);
	return pending || app->worker.busy || trial_busy(&app->trial);
}

static void
loop_draw(struct loop *l)
{
	double now = clock_monotonic();
	if (!l->dirty || (!l->urgent && now - l->drawn < frame))
		return;
	app_draw(l->app);
	terminal_show(l->app->terminal, &l->app->canvas);
	l->dirty = l->urgent = false;
	l->drawn = now;
}

static double
sooner(double a, double b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static void
loop_wait(struct loop *l)
{
	double left = app_frame_wait(l->app);
	left = sooner(left, script_wait(&l->script));
	if (l->dirty)
		left = sooner(left, l->drawn + frame > clock_monotonic() ? l->drawn + frame - clock_monotonic() : 0);
	struct timespec t = { .tv_sec = (time_t)left, .tv_nsec = (long)((left - (double)(time_t)left) * 1e9) };
	struct pollfd fds[] = {
		{ .fd = terminal_fd(l->app->terminal), .events = POLLIN },
		{ .fd = l->app->worker.pipe[0], .events = POLLIN }, { .fd = l->signals, .events = POLLIN },
		{ .fd = l->app->trial.worker.pipe[0], .events = POLLIN },
	};
	int n = ppoll(fds, ARRAY_LEN(fds), left < 0 ? NULL : &t, &l->mask);
	/* A terminal that is gone has nobody before it. */
	if (n > 0 && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		l->app->quit = true;
	if (n == 0 || (n > 0 && (fds[1].revents || fds[3].revents)))
		l->dirty = true;
}

static void
loop_run(struct loop *l)
{
	loop_resize(l);
	loop_draw(l);
	enum err err = worker_start(&l->app->worker, "opening", job_open, open_done, l);
	if (err != OK)
		loop_fail(l, err);
	while (!l->app->quit) {
		bool acted = false, pending = loop_work(l);
		err = app_top(l->app) ? script_step(&l->script, l->app, pending, &acted) : OK;
		if (err != OK)
			loop_fail(l, err);
		if (acted) {
			l->dirty = l->urgent = true;
			continue;
		}
		loop_draw(l);
		loop_wait(l);
		loop_signals(l);
		loop_keys(l);
	}
}

/* ---- the whole ---- */

static void
app_close(struct app *app)
{
	worker_close(&app->worker);
	trial_close(&app->trial);
	while (app->depth > 0) {
		struct view *v = app->stack[--app->depth];
		struct inquiry *q = v->owns_q ? v->q : NULL;
		v->ops->free(v);
		inquiry_free(q);
	}
	if (app->source)
		app->source->ops->close(app->source);
	history_free(&app->prompts);
	history_free(&app->commands);
	history_free(&app->searches);
	edit_free(&app->edit);
	canvas_free(&app->canvas);
	free(app->question);
}

static enum err
explorer_show(struct loop *l)
{
	struct app *app = l->app;
	TRY(worker_open(&app->worker));
	enum err err = trial_open(&app->trial);
	if (err != OK) {
		worker_close(&app->worker);
		return err;
	}
	err = restore_watch(&l->mask, &l->signals);
	if (err != OK) {
		worker_close(&app->worker);
		trial_close(&app->trial);
		return err;
	}
	err = terminal_open(&app->terminal, app->options->color, app->options->ascii);
	if (err == OK) {
		app->canvas.glyphs = glyphs_for(terminal_ascii(app->terminal));
		history_open(&app->prompts, "prompts");
		history_open(&app->commands, "commands");
		history_open(&app->searches, "searches");
		edit_init(&app->edit, NULL);
		loop_run(l);
		err = l->err == OK ? OK : err_set(l->err, "%s", l->error);
	}
	terminal_close(app->terminal);
	app_close(app);
	restore_unwatch();
	return err;
}

static void
print_error(const char *message)
{
	struct str s = {0};
	text_escape(&s, message, strlen(message), ESCAPE_NEWLINE | ESCAPE_TAB_CODE);
	fprintf(stderr, "byline: %s\n", s.s);
	str_free(&s);
}

int
explorer_run(const struct tui_options *o, enum err (*open)(const struct tui_options *o, struct source **out))
{
	struct app app = { .options = o };
	struct loop l = { .app = &app, .open = open };
	keymap_defaults(&app.keys);
	enum err err = keymap_load(&app.keys);
	if (err == OK)
		err = script_open(&l.script, o->script);
	if (err == OK)
		err = explorer_show(&l);
	if (err != OK)
		print_error(err_message());
	script_close(&l.script);
	keymap_free(&app.keys);
	return err == OK ? 0 : err == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}
