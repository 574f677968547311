/* queries: what was asked of a run and is worth opening again. */
#include "byline/store.h"

#include <inttypes.h>
#include <stdlib.h>

#include "byline/clock.h"
#include "byline/mem.h"
#include "db.h"
#include "runs.h"

#define QUERY_COLUMNS "SELECT id, run, created, prompt, settings, output, result FROM queries"

void
saved_query_free(struct saved_query *q)
{
	free(q->prompt);
	free(q->settings);
	free(q->output);
	free(q->result);
	*q = (struct saved_query){0};
}

static enum err
query_read(struct store *s, sqlite3_stmt *st, struct saved_query *q)
{
	*q = (struct saved_query){0};
	enum err err = db_read(s, st, "iiitttt", &q->id, &q->run, &q->created, &q->prompt, &q->settings, &q->output,
		&q->result);
	if (err != OK)
		saved_query_free(q);
	return err;
}

static enum err
no_query(struct store *s, int64_t id)
{
	return err_set(ERR_MISSING, "%s: there is no saved query %" PRId64, s->dir, id);
}

static const char *
or_empty(const char *text)
{
	return text ? text : "";
}

enum err
store_save_query(struct store *s, const struct saved_query *q, int64_t *id)
{
	struct run_shape run;
	bool found;
	const char *prompt = or_empty(q->prompt), *settings = or_empty(q->settings);
	TRY(db_writable(s));
	TRY(run_shape(s, q->run, &run));
	TRY(db_run(s,
		"INSERT INTO queries(run, prompt, settings, output, result, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
		" ON CONFLICT(run, prompt, settings) DO UPDATE SET output = ?4, result = ?5, created = ?6", "itttti",
		q->run, prompt, settings, or_empty(q->output), or_empty(q->result),
		q->created ? q->created : clock_now()));
	TRY(db_one(s, &found, "SELECT id FROM queries WHERE run = ?1 AND prompt = ?2 AND settings = ?3", "itt>i",
		q->run, prompt, settings, id));
	return found ? OK : db_damaged(s, "a query that was just saved is not there");
}

enum err
store_query(struct store *s, int64_t id, struct saved_query *q)
{
	sqlite3_stmt *st = NULL;
	bool row;
	*q = (struct saved_query){0};
	enum err err = db_query(s, &st, QUERY_COLUMNS " WHERE id = ?1", "i", id);
	if (err == OK)
		err = db_next(s, st, &row);
	if (err == OK)
		err = row ? query_read(s, st, q) : no_query(s, id);
	sqlite3_finalize(st);
	return err;
}

enum err
store_each_query(struct store *s, int64_t run, enum err (*fn)(void *arg, const struct saved_query *q), void *arg)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(s, &st, QUERY_COLUMNS " WHERE ?1 IN (0, run) ORDER BY created DESC, id DESC", "i", run);
	while (err == OK && (err = db_next(s, st, &row)) == OK && row) {
		struct saved_query q;
		err = query_read(s, st, &q);
		if (err == OK)
			err = fn(arg, &q);
		saved_query_free(&q);
	}
	sqlite3_finalize(st);
	return err;
}

enum err
store_delete_query(struct store *s, int64_t id)
{
	TRY(db_run(s, "DELETE FROM queries WHERE id = ?1", "i", id));
	return sqlite3_changes(s->db) == 1 ? OK : no_query(s, id);
}
