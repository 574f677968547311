/* theme: a table. The 256-colour picks keep about 4.5:1 contrast on black and on white alike. */
#include "theme.h"

#include <assert.h>

enum { TEAL = 30, RUST = 131, OCHRE = 136, GREY = 243 };

enum {
	BOLD = LOOK_BOLD, DIM = LOOK_DIM, LINE = LOOK_UNDERLINE, REVERSE = LOOK_REVERSE,
	BOLD_LINE = BOLD | LINE, BOLD_REVERSE = BOLD | REVERSE
};

static const struct look looks[INKS][3] = {
	/*                monochrome              8 colours              256 colours */
	[INK_TEXT]    = { { -1, 0 },              { -1, 0 },             { -1, 0 } },
	[INK_DIM]     = { { -1, DIM },            { -1, DIM },           { GREY, 0 } },
	[INK_TITLE]   = { { -1, BOLD },           { -1, BOLD },          { -1, BOLD } },
	[INK_HEAD]    = { { -1, 0 },              { -1, 0 },             { GREY, 0 } },
	[INK_FOCUS]   = { { -1, BOLD },           { 6, BOLD },           { TEAL, BOLD } },
	[INK_SELECT]  = { { -1, REVERSE },        { -1, REVERSE },       { -1, REVERSE } },
	[INK_CURSOR]  = { { -1, BOLD_REVERSE },   { 6, BOLD_REVERSE },   { TEAL, BOLD_REVERSE } },
	[INK_SPAN]    = { { -1, BOLD_LINE },      { -1, BOLD_LINE },     { -1, BOLD_LINE } },
	[INK_MATCH]   = { { -1, LINE },           { 3, LINE },           { OCHRE, LINE } },
	[INK_ACCENT]  = { { -1, 0 },              { 6, 0 },              { TEAL, 0 } },
	[INK_HELPED]  = { { -1, 0 },              { 6, 0 },              { TEAL, 0 } },
	[INK_OPPOSED] = { { -1, 0 },              { 1, 0 },              { RUST, 0 } },
	[INK_WARN]    = { { -1, BOLD },           { 3, BOLD },           { OCHRE, BOLD } },
	[INK_BAD]     = { { -1, BOLD },           { 1, BOLD },           { RUST, BOLD } },
};

struct look
theme_look(enum theme_depth depth, enum ink ink)
{
	assert(ink < INKS && depth <= THEME_256);
	return looks[ink][depth];
}
