/* stats: the k best of many, in one pass with a heap whose root is the worst that is kept. */
#include "byline/stats.h"

#include <math.h>
#include <stdbool.h>

struct heap {
	const float *v;
	int sign;
	uint32_t *at;
	size_t n;
};

/* Is a ranked before b? NaN comes last. */
static bool
before(const struct heap *h, uint32_t a, uint32_t b)
{
	float x = isnan(h->v[a]) ? -(float)INFINITY : (float)h->sign * h->v[a];
	float y = isnan(h->v[b]) ? -(float)INFINITY : (float)h->sign * h->v[b];
	return x != y ? x > y : a < b;
}

static void
sift_down(struct heap *h, size_t i)
{
	for (;;) {
		size_t worst = i, left = 2 * i + 1, right = left + 1;
		if (left < h->n && before(h, h->at[worst], h->at[left]))
			worst = left;
		if (right < h->n && before(h, h->at[worst], h->at[right]))
			worst = right;
		if (worst == i)
			return;
		uint32_t t = h->at[i];
		h->at[i] = h->at[worst];
		h->at[worst] = t;
		i = worst;
	}
}

size_t
stats_top(const float *v, size_t n, size_t k, int sign, uint32_t *out)
{
	struct heap h = {v, sign, out, k < n ? k : n};
	size_t kept = h.n;
	for (size_t i = 0; i < kept; i++)
		out[i] = (uint32_t)i;
	for (size_t i = kept / 2; i-- > 0;)
		sift_down(&h, i);
	for (size_t i = kept; kept > 0 && i < n; i++)
		if (before(&h, (uint32_t)i, out[0])) {
			out[0] = (uint32_t)i;
			sift_down(&h, 0);
		}
	/* The worst goes to the end, then the next worst before it. */
	while (h.n > 1) {
		h.n--;
		uint32_t t = out[0];
		out[0] = out[h.n];
		out[h.n] = t;
		sift_down(&h, 0);
	}
	return kept;
}
