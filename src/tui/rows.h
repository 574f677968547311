/* rows: the ranked examples of an inquiry as a listing. */
#ifndef TUI_ROWS_H
#define TUI_ROWS_H

#include "inquiry.h"
#include "listing.h"

struct rows {
	struct inquiry *q;
	struct listing l;
	uint64_t seen;			/* version of the inquiry, plus one */
	uint32_t example;		/* under the cursor at the last update */
	int decimals;
};

void rows_init(struct rows *r, struct inquiry *q);
void rows_free(struct rows *r);
void rows_update(struct rows *r);	/* takes in a new ranking; a cursor that was moved stays with its example */
bool rows_at(const struct rows *r, uint32_t *example);	/* under the cursor; false: no rows */
/* "influence, nats (predicted)" and "noise floor +-0.012, approximate so far" */
void rows_title(const struct rows *r, struct str *out);
void rows_note(const struct rows *r, const struct glyphs *g, struct str *out);

#endif
