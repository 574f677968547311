/*
 * Method "tfidf": cosine of word counts weighed by rarity, of the words that bm25 takes (method_bm25_words) and the
 * example's, blind to the model:
 *
 *   weight of word w in a text: count * log(N / examples with w),   s_i = cosine of the two texts' weights
 *
 * Salton, Buckley 1988, "Term-weighting approaches in automatic text retrieval", "tfc x tfc". Words are cut and folded
 * as for bm25, but counted here, once a session, over the examples that were trained on: that the index of bm25 keeps
 * its own counts is SQLite's business. A word that no example has says nothing.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "query_private.h"
#include "span.h"
#include "tables.h"

struct posting { uint32_t example, count; };

struct words_table {
	struct str pool;		/* every distinct word, with its NUL */
	const char **word;		/* n, sorted; into pool */
	size_t *start;			/* n + 1: postings of word i are [start[i], start[i + 1]) */
	size_t n, n_postings, trained;
	struct posting *posting;
	double *length;			/* data.n: of an example's weights */
};

/* ---- gathering ---------------------------------------------------------------------------------------------- */

struct mention { size_t at; const char *word; uint32_t example; };	/* at: in the pool */

struct gathering {
	struct str pool;
	struct mention *mention;
	size_t n, cap;
	uint32_t example;
};

static void
gather_word(void *arg, const char *word)
{
	struct gathering *g = arg;
	mem_grow(&g->mention, &g->cap, g->n + 1, sizeof(*g->mention));
	g->mention[g->n++] = (struct mention){ .at = g->pool.len, .example = g->example };
	str_add(&g->pool, word, strlen(word) + 1);
}

static int
mention_cmp(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;
	int c = strcmp(x->word, y->word);
	return c ? c : (x->example > y->example) - (x->example < y->example);
}

/* All mentions of a word stand together afterwards, by example. */
static void
gather_sort(struct gathering *g)
{
	for (size_t i = 0; i < g->n; i++)
		g->mention[i].word = g->pool.s + g->mention[i].at;
	if (g->n > 0)
		qsort(g->mention, g->n, sizeof(*g->mention), mention_cmp);
}

static void
gather_free(struct gathering *g)
{
	str_free(&g->pool);
	free(g->mention);
}

static enum err
gather_examples(const struct session *s, struct store *store, struct gathering *g, struct job *job)
{
	struct str text = {0};
	enum err err = OK;
	job_phase(job, "words of all examples", s->data.n);
	for (size_t i = 0; i < s->data.n; i++) {
		if (!session_trained_on(s, i))
			continue;
		TRY_OUT(job_check(job));
		str_clear(&text);
		TRY_OUT(store_example_text(store, &s->examples[i], &text));
		g->example = (uint32_t)i;
		store_words(text.s ? text.s : "", text.len, gather_word, g);
		TRY_OUT(table_room("tfidf", g->n, sizeof(struct mention) + sizeof(struct posting), g->pool.len));
		job_step(job, i + 1);
	}
out:
	str_free(&text);
	return err;
}

/* ---- the session's table ------------------------------------------------------------------------------------ */

static void
words_free(void *table)
{
	struct words_table *t = table;
	if (!t)
		return;
	str_free(&t->pool);
	free(t->word);
	free(t->start);
	free(t->posting);
	free(t->length);
	free(t);
}

static double
rarity(const struct words_table *t, size_t word)
{
	return log((double)t->trained / (double)(t->start[word + 1] - t->start[word]));
}

static void
words_count(struct words_table *t, const struct gathering *g)
{
	for (size_t i = 0; i < g->n; i++) {
		bool again = i > 0 && strcmp(g->mention[i].word, g->mention[i - 1].word) == 0;
		if (!again) {
			t->start[t->n] = t->n_postings;
			t->word[t->n++] = g->mention[i].word;
		}
		if (!again || g->mention[i].example != g->mention[i - 1].example)
			t->posting[t->n_postings++].example = g->mention[i].example;
		t->posting[t->n_postings - 1].count++;
	}
	t->start[t->n] = t->n_postings;
}

static void
words_lengths(struct words_table *t, size_t examples)
{
	for (size_t w = 0; w < t->n; w++)
		for (size_t i = t->start[w]; i < t->start[w + 1]; i++) {
			double x = t->posting[i].count * rarity(t, w);
			t->length[t->posting[i].example] += x * x;
		}
	for (size_t i = 0; i < examples; i++)
		t->length[i] = sqrt(t->length[i]);
}

static enum err
words_make(const struct session *s, struct job *job, void **out)
{
	struct words_table *t = xcalloc(1, sizeof(*t));
	struct gathering g = {0};
	struct store *store = NULL;
	enum err err = OK;
	TRY_OUT(store_open(store_dir(s->store), true, &store));
	TRY_OUT(gather_examples(s, store, &g, job));
	gather_sort(&g);
	TRY_OUT(mem_array(&t->word, g.n + 1, sizeof(*t->word), "words"));
	TRY_OUT(mem_array(&t->start, g.n + 1, sizeof(*t->start), "words"));
	TRY_OUT(mem_array(&t->posting, g.n + 1, sizeof(*t->posting), "words"));
	t->length = xcalloc(s->data.n + 1, sizeof(*t->length));
	t->trained = session_trained(s);
	words_count(t, &g);
	words_lengths(t, s->data.n);
	/* The words point into it. */
	t->pool = g.pool;
	g.pool = (struct str){0};
	*out = t;
	t = NULL;
out:
	gather_free(&g);
	words_free(t);
	store_close(store);
	return err;
}

/* ---- queries ------------------------------------------------------------------------------------------------ */

static int
word_cmp(const void *key, const void *word)
{
	return strcmp(key, *(const char *const *)word);
}

/* One distinct word of the query, `count` times in it. Returns its squared weight. */
static double
word_score(const struct words_table *t, const char *word, size_t count, double *dot)
{
	const char **found = t->n > 0 ? bsearch(word, t->word, t->n, sizeof(*t->word), word_cmp) : NULL;
	if (!found)
		return 0;
	size_t w = (size_t)(found - t->word);
	double weight = (double)count * rarity(t, w);
	for (size_t i = t->start[w]; i < t->start[w + 1]; i++)
		dot[t->posting[i].example] += weight * t->posting[i].count * rarity(t, w);
	return weight * weight;
}

static void
words_score(const struct words_table *t, const struct session *s, const struct str *text, float *scores)
{
	struct gathering g = {0};
	double *dot = xcalloc(s->data.n + 1, sizeof(*dot)), length = 0;
	store_words(text->s ? text->s : "", text->len, gather_word, &g);
	gather_sort(&g);
	for (size_t i = 0, next; i < g.n; i = next) {
		for (next = i + 1; next < g.n && strcmp(g.mention[i].word, g.mention[next].word) == 0;)
			next++;
		length += word_score(t, g.mention[i].word, next - i, dot);
	}
	length = sqrt(length);
	for (size_t i = 0; i < s->data.n; i++)
		scores[i] = dot[i] > 0 ? (float)(dot[i] / length / t->length[i]) : 0;
	free(dot);
	gather_free(&g);
}

enum err
method_tfidf_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	static const struct table_kind kind = { TABLE_WORDS, words_make, words_free };
	struct str text = {0};
	void *table;
	TRY(span_check(q, from, to));
	TRY(table_of(q->session, &kind, job, &table));
	method_bm25_words(q, from, to, &text);
	words_score(table, q->session, &text, scores);
	str_free(&text);
	return job_check(job);
}
