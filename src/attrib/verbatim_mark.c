/* verbatim_mark: what speaks for an example of a ranking: its bytes, its score, or both. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "byline/attrib.h"

#include "verbatim_private.h"
#include "verbatim_word.h"

const char *const verbatim_mark_names[] = { "", "verbatim", "influential", "both" };

static int
by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Whether [at, at + n) of the text are whole words: a search by bytes also meets them inside others. */
static bool
is_whole(const char *text, size_t len, size_t at, size_t n)
{
	struct word w = { .to = (uint32_t)at };
	if (!word_begins(text, len, at))
		return false;
	while (w.to < at + n && word_next(text, len, w.to, &w))
		;
	return w.to == at + n;
}

int64_t
verbatim_in_example(const struct verbatim *v, const char *text, const struct verbatim_span *span,
	const struct example *e, uint32_t from)
{
	const int64_t *id = v->corpus.n_works == 0 ? NULL
		: bsearch(&e->work, v->id, v->corpus.n_works, sizeof(e->work), by_id);
	if (!id || !span->n_works || !bsearch(&e->work, span->work, span->n_works, sizeof(e->work), by_id))
		return -1;
	size_t work = (size_t)(id - v->id), len = v->start[work + 1] - v->start[work] - 1, n = span->to - span->from;
	const char *whole = v->corpus.text + v->start[work];
	size_t end = e->to < len ? e->to : len;
	for (size_t at = (size_t)e->from + from; at < end && n <= end - at; at++) {
		const char *hit = memmem(whole + at, end - at, text + span->from, n);
		if (!hit)
			return -1;
		at = (size_t)(hit - whole);
		if (is_whole(whole, len, at, n))
			return (int64_t)(at - e->from);
	}
	return -1;
}

enum verbatim_mark
verbatim_mark(const struct verbatim *v, const char *text, const struct verbatim_span *spans, size_t n,
	const struct example *e, double score, double floor)
{
	bool influential = score > NOISE_FLOORS * floor, there = false;
	for (size_t i = 0; i < n && !there; i++)
		there = verbatim_in_example(v, text, &spans[i], e, 0) >= 0;
	return (there ? MARK_VERBATIM : MARK_NONE) | (influential ? MARK_INFLUENTIAL : MARK_NONE);
}
