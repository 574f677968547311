/*
 * verbatim: what of a text stands word for word in the corpus, where, and how surprising that is. Another kind of
 * evidence than influence, and never mixed with it.
 *
 * A suffix array (libdivsufsort; U. Manber, G. Myers: "Suffix arrays: a new method for on-line string searches", 1990)
 * over the texts of all works of the store, those of contributors who opted out and those held out of a run included:
 * what is in the store is evidence. It lies with the texts in text.safetensors of the store's folder, see
 * byline-store(5), has one entry a word, and is mapped, never read whole: about 1.8 bytes of file and 5.2 bytes of
 * memory while it is built for a byte of text.
 *
 * Bytes are compared as they are. A word is a run of letters, digits, marks and connecting punctuation (by their
 * Unicode categories), with apostrophes inside; an ideograph, a kana, and a letter of another script that is written
 * without spaces is a word each; a byte that is not UTF-8 counts as a letter. The byte 0xff, which no UTF-8 holds, ends
 * every span.
 *
 * The file is a stranger's: no search leaves it, and every place that is reported was compared byte by byte with a text
 * whose SHA-256 is the store's.
 */
#ifndef BYLINE_VERBATIM_H
#define BYLINE_VERBATIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/job.h"
#include "byline/store.h"

#define VERBATIM_FILE "text.safetensors"
#define VERBATIM_WORDS 4	/* fewer words in a row stand everywhere; what callers ask for unless told otherwise */

struct verbatim;

/* Builds text.safetensors, atomically; OK at once when the one there is of the same works. The store must be open for
 * writing. ERR_LIMIT beyond 2 GiB of text. The same works give the same bytes. */
enum err verbatim_build(struct store *s, struct job *job);
/* Takes away what was left beside it by writers that were killed. The store must be open for writing. */
void verbatim_tidy(const struct store *s);
/* Maps and checks it. ERR_MISSING: none, or of other works; the message says which command builds it. Uses the store
 * while it opens, and never after. */
enum err verbatim_open(struct store *s, struct verbatim **out);
void verbatim_close(struct verbatim *v);
/* Builds it again in memory and compares, when there is one. Each finding goes to fn and is added to *n_findings. */
enum err verbatim_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings);

size_t verbatim_words(const struct verbatim *v);		/* entries: words of all texts */
size_t verbatim_places_compared(const struct verbatim *v);	/* places `chance` rests on; 0: nothing to compare */

struct verbatim_place { int64_t work; uint32_t from; };	/* byte of the work's text */

struct verbatim_span {
	uint32_t from, to;		/* bytes of the text asked about; maximal: neither end can grow by a word */
	size_t n_words;
	size_t n_places;		/* occurrences in all */
	struct verbatim_place *place;	/* the first n_listed of them, by work and place */
	size_t n_listed;
	size_t n_works, n_contributors, n_licences;	/* the unknown contributor and licence count as one each */
	int64_t *work;			/* n_works ids, ascending */
	size_t *work_places;		/* n_works: occurrences in each */
	int64_t first_work;		/* the work with the earliest date; 0: no dates */
	char first_seen[16];		/* that date, as far as it is YYYY-MM-DD; "" when none is known */
	/* Of seeded places in the corpus' own texts, the part where the text goes on word for word as some other work
	 * does, for at least so many words: (1 + how many) / (1 + places). Small: surprising. The lengths of 255 words
	 * and more are one. NaN when there is nothing to compare with. */
	double chance;
};

/* Maximal spans of text[0..n) that begin and end at word boundaries and have at least `min_words` words, in order of
 * `from`; they may overlap. Threads may share v. The result and its arrays are the caller's: verbatim_spans_free.
 * ERR_LIMIT beyond 16 MiB of text; ERR_FORMAT, ERR_MISMATCH: the file is damaged. */
enum err verbatim_spans(const struct verbatim *v, const char *text, size_t n, int min_words, struct verbatim_span **out,
	size_t *n_out);
void verbatim_spans_free(struct verbatim_span *spans, size_t n);

/* Where a span of `text` stands in an example: from which byte of the example, the first at or after `from`; -1 when it
 * does not stand whole in what follows. */
int64_t verbatim_in_example(const struct verbatim *v, const char *text, const struct verbatim_span *span,
	const struct example *e, uint32_t from);

/* What speaks for a ranked example: its bytes, its score, or both. */
enum verbatim_mark { MARK_NONE, MARK_VERBATIM, MARK_INFLUENTIAL, MARK_BOTH };
extern const char *const verbatim_mark_names[];	/* "", "verbatim", "influential", "both" */
/* Verbatim: one of the spans stands in it. Influential: the score is above NOISE_FLOORS (attrib.h) times the floor,
 * which is never true of an unknown floor (NaN). v may be NULL when n is 0. */
enum verbatim_mark verbatim_mark(const struct verbatim *v, const char *text, const struct verbatim_span *spans,
	size_t n, const struct example *e, double score, double floor);

#endif
