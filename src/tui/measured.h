/* measured: how far a method's rankings can be trusted, in a few characters, wherever one is shown. */
#ifndef TUI_MEASURED_H
#define TUI_MEASURED_H

#include "glyph.h"
#include "source.h"

/* "LDS 0.28 +-.03"; "LDS not measured: byline eval", brief: "LDS: byline eval"; "no LDS: not trained here",
 * brief: "LDS: none". */
void measured_note(struct source *s, const struct method *m, const struct glyphs *g, bool brief, struct str *out);

#endif
