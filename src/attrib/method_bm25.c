/*
 * Method "bm25": the words of the span against the words of the examples, blind to the model (Robertson, Zaragoza 2009,
 * eq. 3.15, as SQLite's FTS5 computes it). What every other method has to beat.
 *
 * A span of few words says little: it is widened to whole words, then to the left, into the prompt if need be, until it
 * has SPAN_WORDS of them.
 */
#include "byline/attrib.h"

#include <ctype.h>
#include <string.h>

#include "query_private.h"

enum { SPAN_WORDS = 8 };

static bool
space_at(const struct str *text, size_t i)
{
	return isspace((unsigned char)text->s[i]) != 0;
}

/* Start of the word before byte `at`, or 0. */
static size_t
word_before(const struct str *text, size_t at)
{
	while (at > 0 && space_at(text, at - 1))
		at--;
	while (at > 0 && !space_at(text, at - 1))
		at--;
	return at;
}

static size_t
words_in(const struct str *text, size_t from, size_t to)
{
	size_t n = 0;
	for (size_t i = from; i < to; i++)
		n += !space_at(text, i) && (i == from || space_at(text, i - 1)) ? 1 : 0;
	return n;
}

void
method_bm25_words(const struct query *q, int from, int to, struct str *out)
{
	struct str text = {0};
	str_adds(&text, q->prompt);
	size_t output = text.len;
	str_add(&text, q->output.s, q->output.len);
	size_t a = output + q->byte_of[from], b = output + q->byte_of[to];
	if (a < text.len && !space_at(&text, a) && a > 0 && !space_at(&text, a - 1))
		a = word_before(&text, a);
	while (b > a && b < text.len && !space_at(&text, b) && !space_at(&text, b - 1))
		b++;
	while (a > 0 && words_in(&text, a, b) < SPAN_WORDS)
		a = word_before(&text, a);
	str_add(out, text.s + a, b - a);
	str_free(&text);
}

struct hits { float *scores; size_t n; };

static enum err
hit(void *arg, uint32_t example, double score)
{
	const struct hits *h = arg;
	if (example < h->n)
		h->scores[example] = (float)score;
	return OK;
}

enum err
method_bm25_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	const struct session *s = q->session;
	struct hits hits = { scores, s->data.n };
	struct str words = {0};
	struct store *store = NULL;
	enum err err = OK;
	job_phase(job, "words", 0);
	memset(scores, 0, s->data.n * sizeof(*scores));
	method_bm25_words(q, from, to, &words);
	/* The session's handle belongs to the thread that opened it, and this may be another. */
	TRY_OUT(store_open(store_dir(s->store), true, &store));
	TRY_OUT(store_bm25(store, s->run.id, words.s, words.len, s->data.n, hit, &hits));
	err = job_check(job);
out:
	store_close(store);
	str_free(&words);
	return err;
}
