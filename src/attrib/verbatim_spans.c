/*
 * verbatim_spans: the maximal spans of a text that stand in the corpus.
 *
 * A span that stands has only words that stand, so how far one reaches never moves back as its beginning moves on: from
 * one maximal span the next is the longest that also has the word after it. Work is thus proportional to what is found,
 * and a text that is a copy costs no more than one that is not.
 */
#include <assert.h>
#include <stdlib.h>

#include "byline/mem.h"

#include "verbatim_private.h"
#include "verbatim_word.h"

enum { ASKED_MAX = 16 << 20 };

/* A part of the text without VERBATIM_END, and its words. */
struct asked {
	const struct corpus *c;
	const char *s;
	size_t n, base;			/* base: where it begins in the whole text */
	struct word *word;
	size_t n_words, cap;
	size_t min;
};

struct spans { const struct verbatim *v; struct verbatim_span *v_span; size_t n, cap; };

/* ---- one span ---- */

/* Words [i, end) as a pattern. */
static const char *
pattern(const struct asked *a, size_t i, size_t end, size_t *n)
{
	*n = a->word[end - 1].to - a->word[i].from;
	return a->s + a->word[i].from;
}

static bool
stands(const struct asked *a, size_t i, size_t end)
{
	size_t n, from, to;
	const char *p = pattern(a, i, end, &n);
	corpus_range(a->c, p, n, &from, &to);
	for (size_t k = from; k < to; k++)
		if (corpus_stands(a->c, corpus_place(a->c, k), p, n, a->word[end - 1].alone))
			return true;
	return false;
}

/* One past the last word of the longest span from word i; i when there is none of a->min words. */
static size_t
reach(const struct asked *a, size_t i)
{
	size_t end = i, same = corpus_longest(a->c, a->s + a->word[i].from, a->n - a->word[i].from);
	while (end < a->n_words && a->word[end].to <= a->word[i].from + same)
		end++;
	for (; end >= i + a->min; end--)
		if (stands(a, i, end))
			return end;
	return i;
}

/* The first word after i from which a span reaches past word `end`; of those that would be long enough by then. */
static size_t
next_from(const struct asked *a, size_t i, size_t end)
{
	size_t last = end + 2 - a->min, from = i + 1;	/* [last - 1, end] has a->min words */
	if (last <= from)
		return from;
	/* No span reaches there from `low`, one does from `high`, or high is `last`: double the step, then halve it. */
	size_t high = last, low = i;
	for (size_t step = 1; high > from; step *= 2) {
		size_t at = high - from > step ? high - step : from;
		if (!stands(a, at, end + 1)) {
			low = at;
			break;
		}
		high = at;
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (stands(a, middle, end + 1))
			high = middle;
		else
			low = middle;
	}
	return high;
}

/* ---- all of them ---- */

/* The bytes of the corpus where words [i, end) stand. */
static enum err
places(const struct asked *a, size_t i, size_t end, uint32_t **out, size_t *n_out)
{
	size_t n, from, to;
	uint32_t *at;
	const char *p = pattern(a, i, end, &n);
	corpus_range(a->c, p, n, &from, &to);
	TRY(mem_array(&at, to - from, sizeof(*at), "places of a span"));
	*n_out = 0;
	for (size_t k = from; k < to; k++)
		if (corpus_stands(a->c, corpus_place(a->c, k), p, n, a->word[end - 1].alone))
			at[(*n_out)++] = (uint32_t)corpus_place(a->c, k);
	*out = at;
	return OK;
}

static enum err
add(struct spans *all, const struct asked *a, size_t i, size_t end)
{
	uint32_t *at = NULL;
	size_t n;
	mem_grow(&all->v_span, &all->cap, all->n + 1, sizeof(*all->v_span));
	struct verbatim_span *span = &all->v_span[all->n];
	*span = (struct verbatim_span){ .from = (uint32_t)(a->base + a->word[i].from),
		.to = (uint32_t)(a->base + a->word[end - 1].to), .n_words = end - i };
	all->n++;
	TRY(places(a, i, end, &at, &n));
	enum err err = verbatim_count(all->v, at, n, span);
	span->chance = verbatim_chance(all->v, span->n_words);
	free(at);
	return err;
}

static enum err
search(struct spans *all, struct asked *a)
{
	struct word w = {0};
	a->n_words = 0;
	while (word_next(a->s, a->n, w.to, &w)) {
		mem_grow(&a->word, &a->cap, a->n_words + 1, sizeof(*a->word));
		a->word[a->n_words++] = w;
	}
	for (size_t i = 0; i + a->min <= a->n_words;) {
		size_t end = reach(a, i);
		if (end == i) {
			i++;
			continue;
		}
		TRY(add(all, a, i, end));
		if (end == a->n_words)
			break;
		i = next_from(a, i, end);
	}
	return OK;
}

enum err
verbatim_spans(const struct verbatim *v, const char *text, size_t n, int min_words, struct verbatim_span **out,
	size_t *n_out)
{
	struct spans all = { .v = v };
	struct asked a = { .c = &v->corpus, .min = min_words > 0 ? (size_t)min_words : 1 };
	enum err err = OK;
	*out = NULL;
	*n_out = 0;
	if (n > ASKED_MAX)
		return err_set(ERR_LIMIT, "a text of %zu bytes is too long to be looked up; at most %d", n, ASKED_MAX);
	for (size_t at = 0; at < n && err == OK; at += a.n + 1) {
		const char *stop = memchr(text + at, VERBATIM_END, n - at);
		a.s = text + at;
		a.n = stop ? (size_t)(stop - a.s) : n - at;
		a.base = at;
		err = search(&all, &a);
	}
	free(a.word);
	if (err != OK) {
		verbatim_spans_free(all.v_span, all.n);
		return err;
	}
	*out = all.v_span;
	*n_out = all.n;
	return OK;
}

void
verbatim_spans_free(struct verbatim_span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(spans[i].place);
		free(spans[i].work);
		free(spans[i].work_places);
	}
	free(spans);
}
