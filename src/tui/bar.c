/* bar: the first line says where we are, the last what happens and what can be done. */
#include "app.h"

#include <math.h>
#include <string.h>

#include "byline/utf8.h"
#include "flow.h"

enum { MESSAGE_ROWS = 5 };

/* ---- first line ---- */

static void
bar_crumbs(struct app *app, const struct glyphs *g, struct str *out)
{
	str_addf(out, "byline  %s", app->source ? app->source->info.store : "");
	for (int i = 0; i < app->depth; i++) {
		struct view *v = app->stack[i];
		str_addf(out, " %s ", g->crumb);
		if (v->ops->title)
			v->ops->title(v, out);
		else
			str_adds(out, v->ops->name);
	}
}

/* Bytes to leave out on the left, so that the view we are in is always named. */
static size_t
crumbs_skip(const struct canvas *c, const struct str *s, int cols)
{
	size_t skip = 0;
	struct str shown = {0};
	int extra = (int)canvas_shown(c, &shown, s->s, s->len) - cols;
	str_free(&shown);
	while (extra > 0 && skip < s->len) {
		extra -= ((unsigned char)s->s[skip] & 0xc0) != 0x80;
		skip++;
	}
	while (skip < s->len && ((unsigned char)s->s[skip] & 0xc0) == 0x80)
		skip++;
	return skip;
}

/* What goes on behind the views takes the place of what is loaded. */
static void
bar_trial(struct app *app, int cols, struct str *out)
{
	double part = trial_part(&app->trial);
	str_adds(out, "verifying");
	if (isfinite(part))
		str_addf(out, " %.0f%%", 100 * part);
	if ((int)out->len > cols)
		str_clear(out);
}

/* What is loaded, as much of it as fits. */
static void
bar_world(struct app *app, const struct glyphs *g, int cols, struct str *out)
{
	if (!app->source)
		return;
	const struct source_info *i = &app->source->info;
	if (app->trial.state == TRIAL_RUNNING) {
		bar_trial(app, cols, out);
		return;
	}
	str_addf(out, "%s %s %zu works %s %zu contributors", i->model, g->dot, i->n_works, g->dot, i->n_contributors);
	if ((int)text_width(out->s, out->len) <= cols)
		return;
	str_clear(out);
	str_adds(out, (int)strlen(i->model) <= cols ? i->model : "");
}

void
bar_draw_top(struct app *app, struct canvas *c)
{
	struct str crumbs = {0}, world = {0};
	str_clear(&world);
	bar_crumbs(app, c->glyphs, &crumbs);
	struct str shown = {0};
	int need = (int)canvas_shown(c, &shown, crumbs.s, crumbs.len), room = c->cols - 2;
	bar_world(app, c->glyphs, room - need - 3, &world);
	canvas_right(c, 0, 1, room, app->trial.state == TRIAL_RUNNING ? INK_WARN : INK_DIM, world.s);
	size_t skip = crumbs_skip(c, &crumbs, room);
	canvas_text(c, 0, 1, room, INK_TITLE, crumbs.s + skip, crumbs.len - skip);
	str_free(&shown);
	str_free(&crumbs);
	str_free(&world);
}

/* ---- last line ---- */

/* The name of an action in a hint is its name with the dashes gone. */
static void
hint_add(struct app *app, enum action a, struct str *out)
{
	char key[KEY_NAME_MAX];
	int32_t k = keymap_key(&app->keys, a, 0);
	if (k == K_NONE)
		return;
	key_label(k, key);
	str_addf(out, "%s%s ", out->len > 0 ? "  " : "", key);
	for (const char *s = action_info(a)->name; *s; s++)
		str_addc(out, *s == '-' ? ' ' : *s);
}

/* While something is typed in the view, its own keys are far away. */
static void
typing_hints(struct app *app, struct str *out)
{
	static const struct { enum action action; const char *does; } hints[] = {
		{ ACT_EDIT_ACCEPT, "ask" }, { ACT_EDIT_OLDER, "earlier prompts" }, { ACT_EDIT_COMPLETE, "next pane" },
		{ ACT_EDIT_CANCEL, "leave" },
	};
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		char key[KEY_NAME_MAX];
		key_label(keymap_key(&app->keys, hints[i].action, 0), key);
		str_addf(out, "%s%s %s", i > 0 ? "  " : "", key, hints[i].does);
	}
}

static void
bar_hints(struct app *app, struct canvas *c, int row, int cols)
{
	struct view *v = app_top(app);
	struct str help = {0}, line = {0};
	str_clear(&help);
	str_clear(&line);
	bool typing = v && v->ops->editing && v->ops->editing(v);
	if (typing)
		typing_hints(app, &line);
	else
		hint_add(app, ACT_HELP, &help);
	int taken = (int)text_width(help.s, help.len);
	canvas_right(c, row, 1, cols - 2, INK_DIM, help.s);
	for (int i = 0; v && !typing && i < VIEW_HINTS && v->ops->hints[i] != ACT_NONE; i++) {
		size_t len = line.len;
		hint_add(app, v->ops->hints[i], &line);
		if ((int)text_width(line.s, line.len) + 4 + taken <= cols - 2)
			continue;
		line.len = len;		/* no room: leave the last one out */
		line.s[len] = '\0';
		break;
	}
	canvas_str(c, row, 1, cols - 2 - taken, INK_DIM, line.s);
	str_free(&help);
	str_free(&line);
}

static void
bar_progress(struct app *app, struct canvas *c, int row, int cols)
{
	struct job_view look;
	struct str s = {0};
	char esc[KEY_NAME_MAX];
	job_look(&app->worker.job, &look);
	key_label(keymap_key(&app->keys, ACT_BACK, 0), esc);
	str_addf(&s, "%s", app->worker.what);
	if (look.phase[0] && strcmp(look.phase, app->worker.what) != 0)
		str_addf(&s, ": %s", look.phase);
	if (look.total > 0)
		str_addf(&s, "  %llu of %llu", (unsigned long long)look.done, (unsigned long long)look.total);
	if (look.note[0])
		str_addf(&s, "  %s", look.note);
	int used = canvas_str(c, row, 1, cols - 14, INK_ACCENT, s.s);
	str_clear(&s);
	str_addf(&s, "%s stops it", esc);
	int right = (int)s.len, bar = cols - 2 - used - 2 - right - 2;
	canvas_right(c, row, 1, cols - 2, INK_DIM, s.s);
	if (look.total > 0 && bar >= 6)
		canvas_bar(c, row, used + 3, bar < 30 ? bar : 30, INK_ACCENT, (double)look.done, (double)look.total);
	str_free(&s);
}

static void
bar_line(struct app *app, struct canvas *c, int row, int cols)
{
	static const char *const marks[] = {
		[LINE_COMMAND] = ":", [LINE_SEARCH] = "/", [LINE_FILTER] = "filter: ",
		[LINE_EXPORT] = "write to file: ",
	};
	if (app->line == LINE_CONFIRM) {
		int used = canvas_fmt(c, row, 1, cols - 2, INK_WARN, "%s y or n: ", app->question);
		canvas_park(c, row, 1 + used, true);
		return;
	}
	int used = canvas_str(c, row, 1, cols - 2, INK_FOCUS, marks[app->line]);
	edit_draw(&app->edit, c, row, 1 + used, cols - 2 - used, INK_TEXT, true);
}

static enum ink
message_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)token;
	(void)byte;
	return ((struct app *)arg)->message_ink;
}

/* A long message takes lines from the view above; the next key gives them back. */
static void
bar_message(struct app *app, struct canvas *c, int last)
{
	struct flow f = {0};
	const struct flow_text text = { .s = app->message, .n = strlen(app->message), .ascii = c->glyphs->ascii };
	const struct flow_paint paint = { .arg = app, .ink = message_ink };
	flow_lay(&f, &text, c->cols - 2);
	int rows = f.rows < MESSAGE_ROWS ? f.rows : MESSAGE_ROWS, first = last - rows + 1;
	canvas_fill(c, (struct rect){ first, 0, rows, c->cols }, " ", INK_TEXT);
	if (rows > 1)
		canvas_rule(c, first - 1, 0, c->cols);
	flow_draw(&f, c, (struct rect){ first, 1, rows, c->cols - 2 }, 0, &paint);
	flow_free(&f);
}

void
bar_draw_bottom(struct app *app, struct canvas *c)
{
	int row = c->rows - 1;
	if (app->message[0])
		bar_message(app, c, app->line == LINE_NONE ? row : row - 1);
	if (app->line != LINE_NONE)
		bar_line(app, c, row, c->cols);
	else if (!app->message[0] && app_progress_shown(app))
		bar_progress(app, c, row, c->cols);
	else if (!app->message[0])
		bar_hints(app, c, row, c->cols);
}
