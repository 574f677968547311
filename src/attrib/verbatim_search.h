/*
 * verbatim_search: looking bytes up in a suffix array of word starts. It may be a stranger's: a position outside the
 * text is met as a place where nothing stands, and nothing is believed that was not compared.
 *
 * A pattern holds no byte VERBATIM_END, which stands after every text: none goes across two works.
 */
#ifndef BYLINE_ATTRIB_VERBATIM_SEARCH_H
#define BYLINE_ATTRIB_VERBATIM_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct corpus {
	const char *text;		/* n bytes: the texts, each with VERBATIM_END after it */
	size_t n;
	const uint8_t *word;		/* n_words U32, perhaps unaligned: word starts by what follows them */
	size_t n_words;
	const uint32_t *start;		/* n_works + 1: where each text begins; the last is n */
	size_t n_works;
};

/* The k-th place; n and more: none. */
static inline size_t
corpus_place(const struct corpus *c, size_t k)
{
	uint32_t at;
	memcpy(&at, c->word + k * sizeof(at), sizeof(at));
	return at;
}

/* Which work byte `at` < n is of. */
size_t corpus_work(const struct corpus *c, size_t at);
/* How many bytes from `at` on are the same as p[0..n). */
size_t corpus_common(const struct corpus *c, size_t at, const char *p, size_t n);
/* The most bytes of p[0..n) that stand anywhere. */
size_t corpus_longest(const struct corpus *c, const char *p, size_t n);
/* The entries that begin with p[0..n): [*from, *to). */
void corpus_range(const struct corpus *c, const char *p, size_t n, size_t *from, size_t *to);
/* Whether p[0..n), its last word `alone` or not, stands at byte `at` within one work and ends with a word there. */
bool corpus_stands(const struct corpus *c, size_t at, const char *p, size_t n, bool alone);

#endif
