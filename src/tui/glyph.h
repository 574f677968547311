/*
 * glyph: the signs the screen is drawn with, once for UTF-8 terminals and once for ASCII ones.
 */
#ifndef TUI_GLYPH_H
#define TUI_GLYPH_H

#include <stdbool.h>

enum { GLYPH_LEVELS = 9 };	/* of a ribbon: 0 is nothing, 8 the most */

struct glyphs {
	bool ascii;
	const char *rule, *vrule, *tee_down, *tee_up;
	const char *crumb, *here, *dot, *times, *dash, *ellipsis, *plus_minus, *space, *open_quote, *close_quote;
	const char *helped[GLYPH_LEVELS];	/* strength of a push towards, by level */
	const char *opposed[GLYPH_LEVELS];	/* and away: other shapes, so that the sign needs no colour */
	const char *bar[GLYPH_LEVELS];		/* eighths of one cell, from the left */
	const char *hatch;			/* a cell of the residual's bar */
	const char *whisker_lo, *whisker, *whisker_hi;
	const char *flat, *rising, *falling;		/* a cell of a line in a plot */
	const char *rail_first, *rail, *rail_last;	/* beside rows that belong together */
};

const struct glyphs *glyphs_for(bool ascii);

#endif
