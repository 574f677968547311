/*
 * grid: a program on a terminal that is not there: a pty, with libvterm to say what a person would see.
 *
 * Waiting is always for a condition, with a deadline far beyond what a slow machine needs; a deadline that passes fails
 * the test and prints the screen.
 */
#ifndef BYLINE_TEST_GRID_H
#define BYLINE_TEST_GRID_H

#include <stdbool.h>
#include <sys/types.h>

#include <vterm.h>

#include "byline/str.h"

struct grid {
	int rows, cols, fd;
	pid_t pid;
	VTerm *vt;
	VTermScreen *screen;
	bool alternate;
	struct str raw;			/* every byte the program wrote */
	bool ended;
	int status;			/* of waitpid, once ended */
};

/* env: "NAME=value", or "NAME" to unset, NULL ends. argv[0] is executed. */
void grid_start(struct grid *g, int rows, int cols, char *const argv[], const char *const env[]);
void grid_stop(struct grid *g);			/* kills what still runs */

void grid_send(struct grid *g, const char *bytes);
void grid_resize(struct grid *g, int rows, int cols);
void grid_signal(struct grid *g, int sig);

/* Each fails the test when the condition does not come true. */
void grid_wait_text(struct grid *g, const char *text);		/* somewhere on the screen */
void grid_wait_gone(struct grid *g, const char *text);
void grid_wait_file(struct grid *g, const char *path);		/* exists; then takes in all that was written before */
void grid_wait_end(struct grid *g);
void grid_wait(struct grid *g, bool (*cond)(struct grid *g, const void *arg), const void *arg, const char *what);

bool grid_has(struct grid *g, const char *text);
bool grid_cursor_visible(const struct grid *g);
void grid_row(struct grid *g, int row, struct str *out);	/* trailing blanks cut */
/* The whole screen, each row ended by a bar. Runs of one look are {a:text}; below come the legend and the cursor's
 * place. */
void grid_print(struct grid *g, struct str *out);

#endif
