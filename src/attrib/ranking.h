/* ranking: what the files that make a ranking share. */
#ifndef BYLINE_ATTRIB_RANKING_H
#define BYLINE_ATTRIB_RANKING_H

#include "byline/attrib.h"

/* Examples whose scores were computed again exactly; ascending once the ranking is made. */
struct rescored {
	uint32_t *example;
	float *exact;			/* (runs, n) */
	size_t n;
};

/* r->top, r->bottom and r->n_above from r->scores, r->error and r->floor, at most `want` a list. */
void ranking_lists(struct ranking *r, size_t n, size_t want, const struct rescored *done);
/* Going down a list, a new bracket begins where the score differs from the bracket's first by more than two standard
 * errors of the difference; an unknown error counts as none. */
void ranking_brackets(struct ranked *list, size_t n);

#endif
