/*
 * app: the explorer as a whole: a stack of views over a source, a worker, a line at the bottom.
 */
#ifndef TUI_APP_H
#define TUI_APP_H

#include "byline/tui.h"
#include "edit.h"
#include "terminal.h"
#include "trial.h"
#include "view.h"

enum { APP_DEPTH = 32, MIN_ROWS = 10, MIN_COLS = 40 };

/* What the last line is being used for. */
enum line_kind { LINE_NONE, LINE_COMMAND, LINE_SEARCH, LINE_FILTER, LINE_CONFIRM, LINE_EXPORT };

struct app {
	const struct tui_options *options;
	struct source *source;
	struct worker worker;
	struct trial trial;
	struct terminal *terminal;
	struct keymap keys;
	struct canvas canvas;
	struct view *stack[APP_DEPTH];
	int depth;

	struct history prompts, commands, searches;
	enum line_kind line;
	struct edit edit;
	void (*confirmed)(struct app *app, int64_t arg);
	int64_t confirm_arg;
	char *question;

	char message[2048];
	enum ink message_ink;
	bool quit, interrupted;		/* Ctrl-C was pressed once */
	int status;			/* exit status */
};

struct view *app_top(const struct app *app);
void app_push(struct app *app, struct view *v);
void app_back(struct app *app);				/* the last view stays */
void app_leave(struct app *app);			/* asks first while something is being verified */
void app_go(struct app *app, unsigned place);		/* back to that view if it is open, else opens it */
void app_open_query(struct app *app, const struct saved_query *q);

void app_say(struct app *app, enum ink ink, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void app_fail(struct app *app, enum err err);		/* shows err_message() */
void app_confirm(struct app *app, void (*fn)(struct app *app, int64_t arg), int64_t arg, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

void app_key(struct app *app, int32_t key);		/* K_RESIZE and its like are the loop's */
void app_act(struct app *app, enum action a);
void app_line(struct app *app, enum line_kind kind, const char *text);
void app_refresh(struct app *app);			/* lists take in what is new: before a key acts on them */
void app_draw(struct app *app);				/* on the canvas */
bool app_busy(const struct app *app);			/* something is still to be done */
bool app_progress_shown(const struct app *app);
double app_frame_wait(const struct app *app);		/* seconds until the screen changes by itself; < 0: never */

/* line.c */
bool line_key(struct app *app, struct edit *e, int32_t key);	/* true: it was for the line being typed */
void line_confirm(struct app *app, int32_t key);

/* command.c: the lines after ':' */
enum err command_run(struct app *app, const char *line);
/* Completes the word before the cursor; says what is possible when that is more than one thing. */
void command_complete(struct app *app, struct edit *e);
/* The i-th command for the help, false after the last. */
bool command_line_info(int i, const char **name, const char **args, const char **help);

/* export.c */
enum err export_write(struct app *app, struct inquiry *q, const char *path);
enum err query_save(struct app *app, struct inquiry *q);
/* Command line that comes back to this inquiry. */
void query_link(const struct app *app, const struct inquiry *q, struct str *out);

/* bar.c */
void bar_draw_top(struct app *app, struct canvas *c);
void bar_draw_bottom(struct app *app, struct canvas *c);

/* loop.c: shows and waits until app->quit. open runs in the worker while the first screen is up. */
int explorer_run(const struct tui_options *o, enum err (*open)(const struct tui_options *o, struct source **out));

#endif
