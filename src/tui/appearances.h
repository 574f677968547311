/* appearances: where one contributor stands in every saved query, as a listing. */
#ifndef TUI_APPEARANCES_H
#define TUI_APPEARANCES_H

#include "listing.h"
#include "source.h"

/* rank 0: no share, or one of at most below; error NaN: none was saved */
struct appearance { int64_t query; char *prompt, *method; double share, below, error; size_t rank, of; };

enum { APPEARANCE_COLUMNS = 6 };

struct appearances {
	struct appearance *a;
	size_t n, cap;
	double largest, error;		/* of the shares */
	size_t with_share, without;	/* in which they have some; which carry nobody's */
	bool least;			/* in some there may be more than is listed */
	const struct glyphs *glyphs;
	struct listing l;
	struct column column[APPEARANCE_COLUMNS];	/* as wide as these shares need */
	char *name;			/* of the contributor: names outlive ids */
};

/* Reads all saved queries of the source. */
void appearances_init(struct appearances *p, struct source *s, const char *name, const struct glyphs *g);
void appearances_free(struct appearances *p);

#endif
