/*
 * verbatim: what of a text stands word for word in the corpus, where, and how surprising that is. Another kind of
 * evidence than influence, and never mixed with it.
 *
 * A suffix array (libdivsufsort) over the texts of all works, in text.safetensors of the store. Bytes are compared as
 * they are.
 */
#ifndef BYLINE_VERBATIM_H
#define BYLINE_VERBATIM_H

#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/job.h"
#include "byline/store.h"

struct verbatim;

/* Builds text.safetensors, atomically; OK at once when the one there is of the same works. ERR_LIMIT beyond 2 GiB of
 * text. */
enum err verbatim_build(struct store *s, struct job *job);
/* Maps and checks it. ERR_MISSING: none, or of other works; the message says which command builds it. */
enum err verbatim_open(struct store *s, struct verbatim **out);
void verbatim_close(struct verbatim *v);

struct verbatim_place { int64_t work; uint32_t from; };	/* byte of the work's text */

struct verbatim_span {
	uint32_t from, to;		/* bytes of the text asked about; maximal: neither end can grow */
	size_t n_places;		/* occurrences in all */
	struct verbatim_place *place;	/* the first n_listed of them, by work and place */
	size_t n_listed;
	size_t n_works, n_contributors, n_licences;
	int64_t *work;			/* n_works ids, ascending */
	int64_t first_work;		/* the work with the earliest date; 0: no dates */
	char first_seen[16];		/* that date, "" when none is known */
	/* Of a sample of places in the corpus, the part where a match with the other works is at least this long.
	 * Small: surprising. NaN when there is nothing to compare with. */
	double chance;
};

/* Maximal spans of text[0..n) that begin and end at word boundaries and have at least `min_words` words, in order of
 * `from`. The result and its arrays are the caller's: verbatim_spans_free. */
enum err verbatim_spans(const struct verbatim *v, const char *text, size_t n, int min_words, struct verbatim_span **out,
	size_t *n_out);
void verbatim_spans_free(struct verbatim_span *spans, size_t n);

#endif
