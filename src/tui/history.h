/*
 * history: lines typed before, newest last, kept in the user's state folder. A history that cannot be written is no
 * error: it then lasts as long as the program.
 */
#ifndef TUI_HISTORY_H
#define TUI_HISTORY_H

#include <stddef.h>

struct history {
	char *path;		/* NULL: nowhere */
	char **line;
	size_t n, cap;
};

void history_open(struct history *h, const char *name);	/* "prompts" */
void history_add(struct history *h, const char *line);	/* and writes; a repeated line moves to the end */
void history_free(struct history *h);

#endif
