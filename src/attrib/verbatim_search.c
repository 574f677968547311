/* verbatim_search: binary search over word starts, and the comparison that makes a place a fact. */
#include "verbatim_search.h"

#include "verbatim_word.h"

size_t
corpus_work(const struct corpus *c, size_t at)
{
	size_t from = 0, to = c->n_works;
	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;
		if (c->start[middle] <= at)
			from = middle;
		else
			to = middle;
	}
	return from;
}

size_t
corpus_common(const struct corpus *c, size_t at, const char *p, size_t n)
{
	size_t i = 0;
	if (at >= c->n)
		return 0;
	if (n > c->n - at)
		n = c->n - at;
	/* A word at a time for what is long, as copies are. */
	for (uint64_t x, y; i + sizeof(x) <= n; i += sizeof(x)) {
		memcpy(&x, c->text + at + i, sizeof(x));
		memcpy(&y, p + i, sizeof(y));
		if (x != y)
			break;
	}
	while (i < n && c->text[at + i] == p[i])
		i++;
	return i;
}

/* The first entry that p comes before or (unless `after`) begins. What both neighbours share with p is skipped (Manber
 * and Myers, section 2); in an array out of order that may lead astray, never outside. */
static size_t
bound(const struct corpus *c, const char *p, size_t n, bool after)
{
	size_t from = 0, to = c->n_words, left = 0, right = 0;
	while (from < to) {
		size_t middle = from + (to - from) / 2, at = corpus_place(c, middle);
		size_t same = left < right ? left : right;
		if (at < c->n && same < c->n - at)
			same += corpus_common(c, at + same, p + same, n - same);
		bool less = same == n ? after
			: at >= c->n || same >= c->n - at || (uint8_t)c->text[at + same] < (uint8_t)p[same];
		if (less) {
			from = middle + 1;
			left = same;
		} else {
			to = middle;
			right = same;
		}
	}
	return from;
}

size_t
corpus_longest(const struct corpus *c, const char *p, size_t n)
{
	size_t k = bound(c, p, n, false), best = 0;
	for (size_t i = k > 0 ? k - 1 : 0; i <= k && i < c->n_words; i++) {
		size_t same = corpus_common(c, corpus_place(c, i), p, n);
		best = same > best ? same : best;
	}
	return best;
}

void
corpus_range(const struct corpus *c, const char *p, size_t n, size_t *from, size_t *to)
{
	*from = bound(c, p, n, false);
	*to = bound(c, p, n, true);
	if (*to < *from)
		*to = *from;
}

bool
corpus_stands(const struct corpus *c, size_t at, const char *p, size_t n, bool alone)
{
	if (at >= c->n)
		return false;
	size_t end = (size_t)c->start[corpus_work(c, at) + 1] - 1;
	if (end < at || n > end - at || memcmp(c->text + at, p, n) != 0)
		return false;
	return !word_goes_on(alone, c->text + at + n, end - at - n);
}
