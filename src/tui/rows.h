/* rows: the ranked examples of an inquiry as a listing. */
#ifndef TUI_ROWS_H
#define TUI_ROWS_H

#include "inquiry.h"
#include "listing.h"

enum { ROWS_COLUMNS = 9 };

struct rows {
	struct inquiry *q;
	const struct glyphs *glyphs;
	struct listing l;
	struct column column[ROWS_COLUMNS];	/* as wide as this ranking needs */
	uint64_t seen;			/* version of the inquiry, plus one */
	bool raw;			/* as the inquiry said at the last update */
	uint32_t example;		/* under the cursor at the last update */
	int decimals;
	double error;			/* the largest of a score */
};

void rows_init(struct rows *r, struct inquiry *q, const struct glyphs *g);
void rows_free(struct rows *r);
void rows_update(struct rows *r);	/* takes in a new ranking; a cursor that was moved stays with its example */
bool rows_at(const struct rows *r, uint32_t *example);	/* under the cursor; false: no rows */
/* First and last rank that cannot be told from this row's, from 1; the same when it stands alone. */
void rows_bracket(const struct standing *st, size_t row, size_t *first, size_t *last);

/* rows_draw.c: the heading, `before` before the method's name and, when counted, the place in the list behind it, with
 * the method's LDS and what else there is room for; below it the list, or that nothing stands above the noise floor. */
void rows_draw(struct rows *r, struct canvas *c, struct rect at, bool focus, const char *before, bool counted);

#endif
