/*
 * edit: one line of text being typed: UTF-8, by grapheme, with history. For prompts, commands and searches.
 */
#ifndef TUI_EDIT_H
#define TUI_EDIT_H

#include "byline/str.h"
#include "canvas.h"
#include "history.h"
#include "keys.h"

struct edit {
	struct str text;
	size_t at;		/* byte the cursor is before, always on a grapheme boundary */
	size_t left;		/* first byte shown */
	struct history *history;/* borrowed, may be NULL */
	size_t older;		/* how far back in it; 0: at the line being typed */
	char *typed;		/* that line while looking at older ones */
};

void edit_init(struct edit *e, struct history *history);
void edit_free(struct edit *e);
void edit_set(struct edit *e, const char *text);	/* the cursor goes to the end */
/* Replaces bytes [from, to) and leaves the cursor behind them. */
void edit_replace(struct edit *e, size_t from, size_t to, const char *text, size_t n);
void edit_insert(struct edit *e, int32_t cp);
void edit_done(struct edit *e);				/* the line was used: it becomes history */
/* False when the action is not one of typing. */
bool edit_act(struct edit *e, enum action a);
/* Draws in one line, scrolled so that the cursor is seen; parks the cursor there when `typing`. */
void edit_draw(struct edit *e, struct canvas *c, int row, int col, int cols, enum ink ink, bool typing);

#endif
