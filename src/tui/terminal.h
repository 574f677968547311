/*
 * terminal: the only file that knows the screen library. Shows a canvas, hands over keys.
 */
#ifndef TUI_TERMINAL_H
#define TUI_TERMINAL_H

#include "byline/err.h"
#include "byline/tui.h"
#include "canvas.h"

struct terminal;

/* ERR_USAGE when standard input or output is no terminal, or is one that cannot show the explorer. */
enum err terminal_open(struct terminal **t, enum tui_color color, bool ascii);
void terminal_close(struct terminal *t);	/* the terminal is as it was; safe on NULL */
bool terminal_ascii(const struct terminal *t);
void terminal_size(struct terminal *t, int *rows, int *cols);	/* as it is now */
void terminal_show(struct terminal *t, const struct canvas *c);
void terminal_redraw(struct terminal *t);	/* the next show paints every cell */
void terminal_suspend(struct terminal *t);	/* returns when continued */
int32_t terminal_key(struct terminal *t);	/* K_NONE when none is waiting */
int terminal_fd(const struct terminal *t);
/* Puts text on the terminal's clipboard (OSC 52), where the terminal allows it. */
void terminal_copy(struct terminal *t, const char *text, size_t n);

#endif
