/*
 * bm25: full-text search over the examples of a run, by SQLite's FTS5.
 * Robertson, Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009, eq. 3.15, k1 = 1.2, b = 0.75.
 */
#include "byline/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "db.h"
#include "runs.h"
#include "schema.h"
#include "split.h"

enum { WORDS_MAX = 256 };

/* ---- the tables ---- */

static enum err
exec_free(struct store *s, char *sql)
{
	enum err err = db_exec(s, sql);
	free(sql);
	return err;
}

enum err
words_create(struct store *s, int64_t run)
{
	return exec_free(s, schema_words_sql(run));
}

enum err
words_drop(struct store *s, int64_t run)
{
	return exec_free(s, xasprintf("DROP TABLE IF EXISTS words_%" PRId64, run));
}

enum err
words_insert(struct store *s, int64_t run, sqlite3_stmt **st)
{
	char *sql = xasprintf("INSERT INTO words_%" PRId64 "(rowid, text) VALUES (?1, ?2)", run);
	*st = NULL;
	enum err err = db_query(s, st, sql, "");
	free(sql);
	return err;
}

/* ---- the query ---- */

/* Distinct words as they were written, and folded for telling them apart. */
struct words { char *folded[WORDS_MAX]; struct { const char *s; size_t n; } v[WORDS_MAX]; size_t n; };

static void
words_note(void *arg, const char *word, size_t n)
{
	struct words *w = arg;
	if (w->n == WORDS_MAX)
		return;
	char *folded = split_fold(word, n);
	bool known = *folded == '\0';
	for (size_t i = 0; i < w->n && !known; i++)
		known = strcmp(w->folded[i], folded) == 0;
	if (known) {
		free(folded);
		return;
	}
	w->v[w->n].s = word;
	w->v[w->n].n = n;
	w->folded[w->n++] = folded;
}

/* "tide" OR "bell": quoted, and without any character that is not part of a word, so that nothing in a query is
 * syntax. */
static void
match_make(const char *query, size_t n, struct str *match)
{
	struct words words = {0};
	split_words(query, n, words_note, &words);
	str_adds(match, "");
	for (size_t i = 0; i < words.n; i++) {
		str_adds(match, i ? " OR \"" : "\"");
		str_add(match, words.v[i].s, words.v[i].n);
		str_addc(match, '"');
		free(words.folded[i]);
	}
}

struct hit { uint32_t example; double score; };

static enum err
hits_read(struct store *s, const struct run_shape *run, sqlite3_stmt *st, struct hit **hits, size_t *n)
{
	int64_t first;
	size_t cap = 0;
	bool row;
	enum err err;
	TRY(examples_first(s, run->id, &first));
	while ((err = db_next(s, st, &row)) == OK && row) {
		int64_t id;
		double score;
		TRY(db_read(s, st, "id", &id, &score));
		if (id < first || id - first >= run->n_examples || id - first > UINT32_MAX)
			return db_damaged(s, "the words of run %" PRId64 " belong to no example of it", run->id);
		mem_grow(hits, &cap, *n + 1, sizeof(**hits));
		/* FTS5 gives the negative, so that the best comes first in ascending order. */
		(*hits)[(*n)++] = (struct hit){ (uint32_t)(id - first), -score };
	}
	return err;
}

enum err
store_bm25(struct store *s, int64_t run, const char *query, size_t n, size_t k,
	enum err (*fn)(void *arg, uint32_t example, double score), void *arg)
{
	struct run_shape shape;
	struct str match = {0};
	struct hit *hits = NULL;
	size_t n_hits = 0;
	sqlite3_stmt *st = NULL;
	TRY(run_shape(s, run, &shape));
	match_make(query, n, &match);
	char *sql = xasprintf("SELECT rowid, bm25(words_%" PRId64 ") FROM words_%" PRId64
		" WHERE words_%" PRId64 " MATCH ?1 ORDER BY 2, 1 LIMIT ?2", run, run, run);
	enum err err = OK;
	if (match.len == 0 || k == 0)
		goto out;
	TRY_OUT(db_query(s, &st, sql, "ti", match.s, k < INT32_MAX ? (int64_t)k : (int64_t)INT32_MAX));
	TRY_OUT(hits_read(s, &shape, st, &hits, &n_hits));
	for (size_t i = 0; err == OK && i < n_hits; i++)
		if (hits[i].score > 0)
			err = fn(arg, hits[i].example, hits[i].score);
out:
	sqlite3_finalize(st);
	str_free(&match);
	free(hits);
	free(sql);
	return err;
}
