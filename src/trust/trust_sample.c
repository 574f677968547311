/* trust_sample: a seeded sample of the examples that a run was trained on. */
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/rng.h"
#include "trust_private.h"

size_t
sample_trained(const struct bank *b, uint64_t stream, size_t most, uint32_t *example)
{
	const struct session *s = b->session;
	uint32_t *order = xcalloc(s->data.n + 1, sizeof(*order));
	struct rng rng;
	size_t n = 0;
	for (size_t i = 0; i < s->data.n; i++)
		if (session_trained_on(s, i))
			order[n++] = (uint32_t)i;
	rng_init(&rng, b->options.seed, stream);
	rng_shuffle(&rng, order, n);
	n = n < most ? n : most;
	memcpy(example, order, n * sizeof(*order));
	free(order);
	return n;
}
