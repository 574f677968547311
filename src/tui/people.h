/* people: contributors and their shares as a listing, with the residual always below them. */
#ifndef TUI_PEOPLE_H
#define TUI_PEOPLE_H

#include "inquiry.h"
#include "listing.h"

enum { PEOPLE_COLUMNS = 7 };

struct people {
	struct inquiry *q;
	const struct glyphs *glyphs;
	struct listing l;
	struct column column[PEOPLE_COLUMNS];	/* as wide as these shares need */
	uint64_t seen;			/* version of the inquiry, plus one */
	struct shares everyone;		/* shown while there is no ranking; owned */
	int64_t contributor;		/* under the cursor at the last update */
	double largest, error;		/* of the shares, residual included */
	int decimals;
};

void people_init(struct people *p, struct inquiry *q, const struct glyphs *g);
void people_free(struct people *p);
void people_update(struct people *p);
const struct contribution *people_at(const struct people *p);	/* under the cursor; NULL: nobody */
const struct shares *people_shares(const struct people *p);
/* The listing in all rows but the last, which is the residual's. */
void people_draw(struct people *p, struct canvas *c, struct rect r, bool focus);

#endif
