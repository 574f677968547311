/*
 * verbatim_compare: how long a run of words two works have in common by chance: what a span is held against.
 *
 * From seeded places in the texts, how many words go on as they do somewhere in another work. A corpus that repeats
 * itself (a licence at the head of every file, a page and its copy) makes long spans less of a surprise, as it should.
 */
#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/rng.h"

#include "verbatim_private.h"
#include "verbatim_word.h"

enum {
	PLACES = 16384,			/* all of them when there are fewer */
	BYTES_MAX = 4096,		/* compared from each place; 255 words are some 1,500 */
	SEED = 6
};

struct reading { const char *p; size_t n; struct word word[VERBATIM_LENGTHS - 1]; size_t n_words; };

/* The words from `at` on, to the end of its work, as far as they are counted. */
static void
read_on(const struct corpus *c, size_t at, struct reading *r)
{
	size_t end = (size_t)c->start[corpus_work(c, at) + 1] - 1, from = 0;
	r->p = c->text + at;
	r->n = end - at < BYTES_MAX ? end - at : BYTES_MAX;
	const char *stop = memchr(r->p, VERBATIM_END, r->n);
	if (stop)
		r->n = (size_t)(stop - r->p);
	for (r->n_words = 0; r->n_words < VERBATIM_LENGTHS - 1; r->n_words++) {
		struct word *w = &r->word[r->n_words];
		if (!word_next(r->p, r->n, from, w))
			break;
		from = w->to;
	}
}

/* How many of the words stand at place k. *upto: how many would, did the last of them end there. */
static size_t
words_at(const struct corpus *c, const struct reading *r, size_t k, size_t *upto)
{
	size_t at = corpus_place(c, k), same = corpus_common(c, at, r->p, r->n), n = 0;
	while (n < r->n_words && r->word[n].to <= same)
		n++;
	*upto = n;
	if (n > 0 && !corpus_stands(c, at, r->p, r->word[n - 1].to, r->word[n - 1].alone))
		n--;
	return n;
}

/* Entry by entry away from `k`, the first of another work, as long as more words can be found than were. */
static size_t
words_beside(const struct corpus *c, const struct reading *r, size_t own, size_t k, ptrdiff_t step, size_t best)
{
	for (; k < c->n_words; k += (size_t)step) {
		size_t upto, n = words_at(c, r, k, &upto);
		if (upto <= best)
			break;
		if (n > best && corpus_work(c, corpus_place(c, k)) != own)
			best = n;
	}
	return best;
}

/* Where runs of entries of one work begin, and the end. */
static enum err
find_runs(const struct corpus *c, uint32_t **out, size_t *n)
{
	uint32_t *run = NULL;
	size_t last = SIZE_MAX;
	*n = 0;
	TRY(mem_array(&run, c->n_words + 1, sizeof(*run), "runs of words"));
	for (size_t k = 0; k < c->n_words; k++) {
		size_t work = corpus_work(c, corpus_place(c, k));
		if (work != last)
			run[(*n)++] = (uint32_t)k;
		last = work;
	}
	run[*n] = (uint32_t)c->n_words;
	*out = run;
	return OK;
}

/* The run that entry k is in. */
static const uint32_t *
run_of(const uint32_t *run, size_t n, size_t k)
{
	size_t from = 0, to = n;
	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;
		if (run[middle] <= k)
			from = middle;
		else
			to = middle;
	}
	return run + from;
}

enum err
verbatim_compare(const struct corpus *c, struct job *job, int64_t longest[VERBATIM_LENGTHS])
{
	uint32_t *run = NULL;
	size_t n_runs, places = c->n_words < PLACES ? c->n_words : PLACES;
	struct rng rng;
	memset(longest, 0, VERBATIM_LENGTHS * sizeof(*longest));
	if (c->n_works < 2)
		return OK;
	TRY(find_runs(c, &run, &n_runs));
	rng_init(&rng, SEED, 0);
	job_phase(job, "comparing texts", places);
	enum err err = OK;
	for (size_t i = 0; i < places && err == OK; i++) {
		size_t k = places == c->n_words ? i : (size_t)rng_below(&rng, c->n_words), at = corpus_place(c, k);
		const uint32_t *own = run_of(run, n_runs, k);
		struct reading r;
		read_on(c, at, &r);
		size_t best = words_beside(c, &r, corpus_work(c, at), (size_t)own[0] - 1, -1, 0);
		best = words_beside(c, &r, corpus_work(c, at), own[1], 1, best);
		longest[best]++;
		job_step(job, i);
		err = job_check(job);
	}
	free(run);
	return err;
}

double
verbatim_chance(const struct verbatim *v, size_t n_words)
{
	int64_t n = 0;
	if (v->n_compared == 0)
		return (double)NAN;
	for (size_t i = n_words < VERBATIM_LENGTHS ? n_words : VERBATIM_LENGTHS - 1; i < VERBATIM_LENGTHS; i++)
		n += v->longest[i];
	return (double)(1 + n) / (double)(1 + v->n_compared);
}
