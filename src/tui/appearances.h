/* appearances: where one contributor stands in every saved query, as a listing. */
#ifndef TUI_APPEARANCES_H
#define TUI_APPEARANCES_H

#include "listing.h"
#include "source.h"

struct appearance { int64_t query; char *prompt, *method; double share; size_t rank, of; };	/* rank 0: no share */

struct appearances {
	struct appearance *a;
	size_t n, cap;
	double largest;
	size_t with_share;
	struct listing l;
	char *name;			/* of the contributor: names outlive ids */
};

/* Reads all saved queries of the source. */
void appearances_init(struct appearances *p, struct source *s, const char *name);
void appearances_free(struct appearances *p);

#endif
