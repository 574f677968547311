/* lanes: balancing the examples of a batch. */
#include "lanes.h"

#include <stdlib.h>

#include "byline/mem.h"

struct card {
	uint64_t tokens;
	size_t place, lane;
};

static int
card_compare(const void *a, const void *b)
{
	const struct card *x = a, *y = b;
	if (x->tokens != y->tokens)
		return x->tokens > y->tokens ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

static int
card_by_place(const void *a, const void *b)
{
	const struct card *x = a, *y = b;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

static size_t
emptiest(const uint64_t *tokens, size_t lanes)
{
	size_t best = 0;
	for (size_t l = 1; l < lanes; l++)
		if (tokens[l] < tokens[best])
			best = l;
	return best;
}

size_t
lanes_deal(const struct dataset *d, const uint32_t *example, size_t n, size_t lanes, uint32_t *out, size_t *start)
{
	struct card *card = xcalloc(n, sizeof(*card));
	uint64_t *tokens = xcalloc(lanes, sizeof(*tokens));
	for (size_t i = 0; i < n; i++)
		card[i] = (struct card){ .tokens = d->start[example[i] + 1] - d->start[example[i]], .place = i };
	qsort(card, n, sizeof(*card), card_compare);
	for (size_t i = 0; i < n; i++) {
		card[i].lane = emptiest(tokens, lanes);
		tokens[card[i].lane] += card[i].tokens;
	}
	qsort(card, n, sizeof(*card), card_by_place);
	size_t at = 0;
	for (size_t l = 0; l < lanes; l++) {
		start[l] = at;
		for (; at < n && card[at].lane == l; at++)
			out[at] = example[card[at].place];
	}
	start[lanes] = at;
	free(tokens);
	free(card);
	return n < lanes ? n : lanes;
}
