/* act: from a key to an action, and the actions that every view has. */
#include "app.h"

#include "byline/mem.h"

static void
act_back(struct app *app)
{
	struct view *v = app_top(app);
	/* In its own view, Esc is about the verification. */
	if (v->ops->place == V_VERIFY && v->ops->act(v, ACT_BACK))
		return;
	if (app_progress_shown(app)) {
		app_say(app, INK_WARN, "%s was stopped", app->worker.what);
		if (v->q && v->q->stage != STAGE_NONE)
			inquiry_halt(v->q);
		else
			worker_cancel(&app->worker);
	} else if (!v->ops->act(v, ACT_BACK)) {
		if (app->depth > 1)
			app_back(app);
		else
			app_say(app, INK_DIM, "this is the first view; q leaves");
	}
}

static void
act_close(struct app *app)
{
	if (app->depth > 1)
		app_back(app);
	else
		app_leave(app);
}

static void act_quit(struct app *app) { app_leave(app); }
static void act_verify(struct app *app) { verify_open_last(app); }
static void act_output(struct app *app) { app_go(app, V_OUTPUT); }
static void act_examples(struct app *app) { app_go(app, V_EXAMPLES); }
static void act_contributors(struct app *app) { app_go(app, V_CONTRIBUTORS); }
static void act_queries(struct app *app) { app_go(app, V_QUERIES); }
static void act_runs(struct app *app) { app_go(app, V_RUNS); }
static void act_trust(struct app *app) { app_go(app, V_TRUST); }
static void act_verbatim(struct app *app) { app_go(app, V_VERBATIM); }
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
	while (!source_able(info, &info->methods[at]) && &info->methods[at] != q->wish.method);
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
	{ ACT_GOTO_RUNS, act_runs }, { ACT_GOTO_TRUST, act_trust },
	{ ACT_GOTO_VERBATIM, act_verbatim },
	{ ACT_HELP, act_help }, { ACT_COMMAND, act_command }, { ACT_SEARCH, act_search },
	{ ACT_FILTER, act_filter }, { ACT_EXPORT, act_export }, { ACT_SAVE, act_save }, { ACT_REDRAW, act_redraw },
	{ ACT_VERIFY, act_verify }, { ACT_COPY, act_copy }, { ACT_METHOD, act_method }, { ACT_EXACT, act_exact },
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
		line_confirm(app, key);
		return;
	}
	struct edit *e = app->line != LINE_NONE ? &app->edit : v->ops->editing ? v->ops->editing(v) : NULL;
	if (e && line_key(app, e, key))
		return;
	enum action a = keymap_find(&app->keys, key, e ? V_TYPING : v->ops->place);
	if (e && a == ACT_NONE)
		a = keymap_find(&app->keys, key, v->ops->place);
	if (a != ACT_NONE)
		app_act(app, a);
	else
		app_unknown(app, key);
}
