/* describe: works, people and numbers as short text, the same everywhere. Results are untrusted text. */
#ifndef TUI_DESCRIBE_H
#define TUI_DESCRIBE_H

#include "byline/store.h"
#include "canvas.h"
#include "table.h"

/* "work 12, untitled" where it has none: narrow columns cut the end, which tells less. */
void describe_title(const struct work *w, struct str *out);
void describe_people(const struct work *w, struct str *out);	/* "A, B and C" */
const char *describe_licence(const struct work *w);
/* Decimals that give the largest of a list three digits that matter. */
int describe_decimals(double largest);
void describe_score(double score, int decimals, bool exact, struct str *out);	/* "+0.412", "~+0.412" when not exact */
/* " +-.012"; as wide as `largest`, that of its list, would be: " +-0.3" beside 1.2, "  +-0.3" beside 12.0. */
void describe_error(double error, double largest, int decimals, const struct glyphs *g, struct str *out);
/* In per cent, "54.4 +-1.2", "54.4" when the error is NaN. */
void describe_share(double share, double error, double largest, const struct glyphs *g, struct str *out);
/* Makes room for it in its column. */
void share_widen(struct column *c, double share, double error, double largest, const struct glyphs *g);
/* How many noise floors: "34", "2.1"; "" when it is not known. */
void describe_times(double score, double floor, struct str *out);
void describe_duration(double seconds, struct str *out);	/* "about 4 minutes" */
void describe_count(int64_t n, const char *one, const char *many, struct str *out);	/* "1 work", "3,412 tokens" */
void describe_day(int64_t time, struct str *out);	/* 2026-01-31 12:00 */
enum { HEADING_TAKES = 7 };	/* columns, beside those of its title and note */
/* A line across with a title in it, and a note at its right end, when there is room for it. */
void heading_draw(struct canvas *c, int row, int col, int cols, bool focus, const char *title, const char *note);
/* -8..8 for a ribbon: v of the largest. */
int describe_level(double v, double largest);

#endif
