/*
 * theme: how each ink looks, for monochrome, 8 and 256 colours. One accent; nothing is said by colour alone.
 */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "canvas.h"

enum theme_depth { THEME_MONO, THEME_8, THEME_256 };

enum { LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_UNDERLINE = 4, LOOK_REVERSE = 8 };

/* colour: an index of the terminal's palette, -1 its own foreground. */
struct look { int colour; unsigned attrs; };

struct look theme_look(enum theme_depth depth, enum ink ink);

#endif
