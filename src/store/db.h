/*
 * db: the SQLite connection of a store and the few ways its statements are run. Private to the store floor.
 *
 * Formats: letters before '>' bind parameters, letters after it read columns of the row into pointers.
 *   bind    i int64_t   d double   t const char * (NULL: null)
 *           s const char *, size_t as text   b const void *, size_t as blob
 *   read    i int64_t *   n int64_t *, not negative   u uint32_t *   f bool *   d double *, finite
 *           h char[HASH_HEX], 64 hex digits   t char **, the caller's to free, null gives ""
 *           b struct str *, appended   - nothing, this column is passed over
 * What a column holds comes from a stranger: the wrong type or range is ERR_FORMAT. Bound memory must live as long as
 * the statement is stepped.
 */
#ifndef BYLINE_STORE_DB_H
#define BYLINE_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/store.h"

struct codec;

struct store {
	sqlite3 *db;
	char *dir, *name, *path;	/* path: DIR/store.db, for messages */
	bool read_only, opened;		/* opened: it is a store, and ours to tidy */
	bool staged, nested;		/* in a stage; in a unit of it */
	int lock;			/* -1: none */
	struct codec *codec;		/* texts.c */
	struct { const char *sql; sqlite3_stmt *st; } *cache;
	size_t n_cache, cap_cache;
};

/* mode: "?mode=rwc" and so on. */
enum err db_open(struct store *s, const char *path, const char *mode);
void db_close(struct store *s);

/* The error that belongs to what SQLite last said. */
enum err db_fail(struct store *s, int code);
/* ERR_FORMAT: the store says something that cannot be. */
enum err db_damaged(struct store *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* ERR_USAGE when the store was opened read-only. */
enum err db_writable(struct store *s);

/* Statements without parameters, one after the other. */
enum err db_exec(struct store *s, const char *sql);
/* Runs a writing statement. `sql` must be a literal: the prepared statement is kept under its address. */
enum err db_run(struct store *s, const char *sql, const char *fmt, ...);
/* The first row of a literal statement, "binds>reads". Without a row *found is false and nothing is read. */
enum err db_one(struct store *s, bool *found, const char *sql, const char *fmt, ...);
/* Reading many rows: db_query, then db_next until *row is false, then sqlite3_finalize (safe on NULL). */
enum err db_query(struct store *s, sqlite3_stmt **st, const char *sql, const char *fmt, ...);
enum err db_next(struct store *s, sqlite3_stmt *st, bool *row);
enum err db_read(struct store *s, sqlite3_stmt *st, const char *fmt, ...);

/* A transaction inside whatever transaction there is. db_undo gives back the first error it was called with. */
enum err db_save(struct store *s);
enum err db_release(struct store *s);
enum err db_undo(struct store *s, enum err err);

void db_forget(struct store *s);	/* finalizes the kept statements */

#endif
