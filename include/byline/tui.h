/*
 * tui: the explorer, from prompt to output to examples to contributors and back, in a terminal.
 */
#ifndef BYLINE_TUI_H
#define BYLINE_TUI_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/generate.h"

enum tui_color { TUI_COLOR_AUTO, TUI_COLOR_ALWAYS, TUI_COLOR_NEVER };

struct tui_options {
	const char *store;		/* folder NAME.byline */
	const char *run;		/* NULL: the newest one that is trained and indexed */
	const char *prompt;		/* asked at once; NULL: none */
	const char *target;		/* continuation to attribute instead of a generated one; NULL: none */
	const char *method;		/* NULL: the default one */
	int from, to;			/* span of output tokens selected at first; to = 0: all */
	int64_t query;			/* saved query opened at once; 0: none. Beats prompt */
	struct sample_options sample;	/* stop and n_stop are not used */
	int exact;			/* best candidates rescored exactly; 0: none */
	enum tui_color color;		/* AUTO obeys $NO_COLOR */
	bool ascii;			/* no signs beyond ASCII, whatever the locale */
	int threads;			/* 0: as pool_new() chooses */
	const char *script;		/* file of keys to press, for demonstrations and tests; NULL: none */
};

void tui_defaults(struct tui_options *o);

/* Runs until the user leaves. Prints its own errors, one line, on standard error. Returns the exit status: 0, 2 when
 * the terminal or the options cannot be used, 3 when the store cannot. The locale must have been set (LC_CTYPE). */
int tui_run(const struct tui_options *o);

#endif
