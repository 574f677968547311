/* metrics_draw: what is resampled in a bootstrap: how often each query and each member counts. */
#ifndef BYLINE_TRUST_METRICS_DRAW_H
#define BYLINE_TRUST_METRICS_DRAW_H

#include <stdbool.h>

#include "byline/trust_metrics.h"

struct draw {
	int *query, *member;		/* counts: queries, members */
	int *used, n_used;		/* the queries that count */
};

void draw_new(struct draw *d, const struct measure *m);
void draw_free(struct draw *d);
/* Everything once. */
void draw_all(struct draw *d, const struct measure *m);
/* The number-th draw of the seed: as many queries as count, with replacement; members likewise, or each once. */
void draw_take(struct draw *d, const struct measure *m, int number, bool members);

#endif
