/* subset: random halves, and other fractions, of a run's examples. */
#include "byline/retrain.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/rng.h"

/* "subset", so that no other use of the seed meets these numbers. */
static const uint64_t stream_subset = UINT64_C(0x7375627365740000);

void
retrain_subset(const struct dataset *data, double alpha, uint64_t seed, int number, uint8_t *drop)
{
	uint32_t *order = xcalloc(data->n + 1, sizeof(*order));
	struct rng rng;
	size_t n = 0;
	for (size_t i = 0; i < data->n; i++) {
		drop[i] = !data->heldout[i];
		if (!data->heldout[i])
			order[n++] = (uint32_t)i;
	}
	size_t keep = (size_t)llround(alpha * (double)n);
	keep = keep > 0 ? keep : 1;
	rng_init(&rng, seed, stream_subset + (uint64_t)number);
	rng_shuffle(&rng, order, n);
	for (size_t i = 0; i < keep && i < n; i++)
		drop[order[i]] = 0;
	free(order);
}
