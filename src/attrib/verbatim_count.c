/* verbatim_count: the places of a span, by work, contributor and licence, and the earliest of them. */
#include <inttypes.h>
#include <stdlib.h>

#include "byline/mem.h"

#include "verbatim_private.h"

enum { LISTED_MAX = 64 };

static int
by_place(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static int
by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static size_t
count_distinct(int64_t *v, size_t n)
{
	size_t distinct = 0;
	if (n > 0)
		qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || v[i] != v[i - 1];
	return distinct;
}

/* The file holds copies of the store's texts; before one is believed it is compared with the hash the store has.
 * Threads may do so twice. */
static enum err
check_text(const struct verbatim *v, size_t work)
{
	char hex[HASH_HEX];
	const struct verbatim_work *w = &v->work[work];
	if (atomic_load_explicit(&v->checked[work], memory_order_relaxed))
		return OK;
	hash_bytes(v->corpus.text + v->start[work], (size_t)w->bytes, hex);
	if (strcmp(hex, w->sha256) != 0)
		return err_set(ERR_MISMATCH, "%s: the text of work %" PRId64 " is not the store's; "
			"byline verbatim STORE --build makes it again", v->path, w->id);
	atomic_store_explicit(&v->checked[work], 1, memory_order_relaxed);
	return OK;
}

/* Works, by their places in ascending order. */
static enum err
count_works(const struct verbatim *v, const uint32_t *at, size_t n, struct verbatim_span *span)
{
	size_t cap = 0, cap_places = 0, last = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		size_t work = corpus_work(&v->corpus, at[i]);
		if (work != last) {
			TRY(check_text(v, work));
			mem_grow(&span->work, &cap, span->n_works + 1, sizeof(*span->work));
			mem_grow(&span->work_places, &cap_places, span->n_works + 1, sizeof(*span->work_places));
			span->work[span->n_works] = v->id[work];
			span->work_places[span->n_works++] = 0;
		}
		span->work_places[span->n_works - 1]++;
		if (i < LISTED_MAX)
			span->place[i] = (struct verbatim_place){ v->id[work], at[i] - v->start[work] };
		last = work;
	}
	return OK;
}

static const struct verbatim_work *
work_of(const struct verbatim *v, int64_t id)
{
	const int64_t *at = bsearch(&id, v->id, v->corpus.n_works, sizeof(id), by_number);
	return &v->work[at - v->id];
}

static void
count_people(const struct verbatim *v, struct verbatim_span *span)
{
	int64_t *people = NULL, *licences = xcalloc(span->n_works, sizeof(*licences));
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < span->n_works; i++) {
		const struct verbatim_work *w = work_of(v, span->work[i]);
		licences[i] = (int64_t)w->licence;
		mem_grow(&people, &cap, n + w->n_authors, sizeof(*people));
		for (size_t a = 0; a < w->n_authors; a++)
			people[n++] = w->author[a];
		if (*w->date && (!*span->first_seen || strcmp(w->date, span->first_seen) < 0)) {
			span->first_work = w->id;
			memcpy(span->first_seen, w->date, sizeof(w->date));
		}
	}
	span->n_contributors = count_distinct(people, n);
	span->n_licences = count_distinct(licences, span->n_works);
	free(people);
	free(licences);
}

enum err
verbatim_count(const struct verbatim *v, uint32_t *at, size_t n, struct verbatim_span *span)
{
	span->n_places = n;
	span->n_listed = n < LISTED_MAX ? n : LISTED_MAX;
	span->place = xcalloc(span->n_listed, sizeof(*span->place));
	if (n > 0)
		qsort(at, n, sizeof(*at), by_place);
	TRY(count_works(v, at, n, span));
	count_people(v, span);
	return OK;
}
