/* theme: a table. The 256-colour picks keep about 4.5:1 contrast on black and on white alike. */
#include "theme.h"

#include <assert.h>

enum { TEAL = 30, RUST = 131, OCHRE = 136, GREY = 243 };

static const struct look looks[INKS][3] = {
	/*                mono                                8                              256 */
	[INK_TEXT]    = { { -1, 0 },                          { -1, 0 },                     { -1, 0 } },
	[INK_DIM]     = { { -1, LOOK_DIM },                   { -1, LOOK_DIM },              { GREY, 0 } },
	[INK_TITLE]   = { { -1, LOOK_BOLD },                  { -1, LOOK_BOLD },             { -1, LOOK_BOLD } },
	[INK_HEAD]    = { { -1, 0 },                          { -1, 0 },                     { GREY, 0 } },
	[INK_FOCUS]   = { { -1, LOOK_BOLD },                  { 6, LOOK_BOLD },              { TEAL, LOOK_BOLD } },
	[INK_SELECT]  = { { -1, LOOK_REVERSE },               { -1, LOOK_REVERSE },          { -1, LOOK_REVERSE } },
	[INK_CURSOR]  = { { -1, LOOK_REVERSE | LOOK_BOLD },   { 6, LOOK_REVERSE | LOOK_BOLD }, { TEAL, LOOK_REVERSE | LOOK_BOLD } },
	[INK_SPAN]    = { { -1, LOOK_BOLD | LOOK_UNDERLINE }, { -1, LOOK_BOLD | LOOK_UNDERLINE }, { -1, LOOK_BOLD | LOOK_UNDERLINE } },
	[INK_MATCH]   = { { -1, LOOK_UNDERLINE },             { 3, LOOK_UNDERLINE },         { OCHRE, LOOK_UNDERLINE } },
	[INK_ACCENT]  = { { -1, 0 },                          { 6, 0 },                      { TEAL, 0 } },
	[INK_HELPED]  = { { -1, 0 },                          { 6, 0 },                      { TEAL, 0 } },
	[INK_OPPOSED] = { { -1, 0 },                          { 1, 0 },                      { RUST, 0 } },
	[INK_WARN]    = { { -1, LOOK_BOLD },                  { 3, LOOK_BOLD },              { OCHRE, LOOK_BOLD } },
	[INK_BAD]     = { { -1, LOOK_BOLD },                  { 1, LOOK_BOLD },              { RUST, LOOK_BOLD } },
};

struct look
theme_look(enum theme_depth depth, enum ink ink)
{
	assert(ink < INKS && depth <= THEME_256);
	return looks[ink][depth];
}
