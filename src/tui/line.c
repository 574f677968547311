/* line: what is typed on the last line: commands, searches, filters, answers. */
#include "app.h"

#include <stdlib.h>

#include "byline/mem.h"

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

void
line_confirm(struct app *app, int32_t key)
{
	app->line = LINE_NONE;
	if (key == 'y' || key == 'Y')
		app->confirmed(app, app->confirm_arg);
	else
		app_say(app, INK_DIM, "nothing was changed");
}

bool
line_key(struct app *app, struct edit *e, int32_t key)
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
