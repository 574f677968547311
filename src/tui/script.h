/*
 * script: keys from a file, for demonstrations and tests.
 *
 * A line is names of keys ("j j Enter Ctrl-D"), or one of
 *	:wait			until no job runs
 *	:type TEXT		its characters as keys
 *	:pause SECONDS
 *	:save-screen FILE	what is on the screen, as text; :save-inks marks what each part means
 * Any other line that begins with ':' is typed on the command line. Lines that begin with '#' are comments.
 */
#ifndef TUI_SCRIPT_H
#define TUI_SCRIPT_H

#include "byline/err.h"
#include "byline/str.h"

struct app;

struct script {
	struct str text;
	const char *name;
	size_t at;			/* the next line */
	int line;
	struct str keys;		/* what is left of the line: keys as UTF-8 text to type, or names */
	size_t key_at;
	bool typing;
	double until;			/* a pause */
	bool active;
};

enum err script_open(struct script *s, const char *path);
void script_close(struct script *s);
/* Does the next thing. pending: jobs still run. Returns true when it did something and may have more to do at once. */
enum err script_step(struct script *s, struct app *app, bool pending, bool *acted);
double script_wait(const struct script *s);	/* seconds it will pause; < 0: it waits for a job, or has ended */

#endif
