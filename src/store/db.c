/* db: statements, bindings, columns, and what SQLite's errors mean to a person. */
#include "db.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

/* ---- errors ---- */

static const struct meaning {
	int code;
	enum err err;
	const char *say;
} meanings[] = {
	{ SQLITE_BUSY, ERR_BUSY, "another process is writing to it; try again when that has ended" },
	{ SQLITE_LOCKED, ERR_BUSY, "another process is writing to it; try again when that has ended" },
	{ SQLITE_INTERRUPT, ERR_CANCELLED, "cancelled" },
	{ SQLITE_NOTADB, ERR_FORMAT, "this is not a database" },
	{ SQLITE_CORRUPT, ERR_FORMAT, "the database is damaged; take it from a backup or import again" },
	{ SQLITE_FULL, ERR_IO, "the disk is full; nothing was changed" },
	{ SQLITE_READONLY, ERR_IO,
		"it cannot be written to, or was left in the middle of a write; open it once for writing" },
	{ SQLITE_CANTOPEN, ERR_IO,
		"it cannot be opened, or was left in the middle of a write; open it once for writing" },
	{ SQLITE_IOERR, ERR_IO, "reading or writing failed" },
	{ SQLITE_PERM, ERR_IO, "no permission" },
	{ SQLITE_NOMEM, ERR_MEMORY, "no memory" },
	{ SQLITE_TOOBIG, ERR_LIMIT, "a value is too large" },
	{ SQLITE_CONSTRAINT, ERR_FORMAT, "a rule of the schema was broken" },
};

enum err
db_fail(struct store *s, int code)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (meanings[i].code == (code & 0xff))
			return err_set(meanings[i].err, "%s: %s (%s)", s->path, meanings[i].say, sqlite3_errmsg(s->db));
	return err_set(ERR_FORMAT, "%s: %s", s->path, sqlite3_errmsg(s->db));
}

enum err
db_damaged(struct store *s, const char *fmt, ...)
{
	struct str what = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&what, fmt, ap);
	va_end(ap);
	err_set(ERR_FORMAT, "%s is damaged: %s", s->path, what.s);
	str_free(&what);
	return ERR_FORMAT;
}

enum err
db_writable(struct store *s)
{
	return s->read_only ? err_set(ERR_USAGE, "%s was opened read-only", s->path) : OK;
}

/* ---- binding ---- */

static int
bind_blob(sqlite3_stmt *st, int at, const void *data, size_t n)
{
	/* An empty blob is not null, whatever its address. */
	return n > 0 ? sqlite3_bind_blob64(st, at, data, n, SQLITE_STATIC) : sqlite3_bind_zeroblob(st, at, 0);
}

static int
bind_text(sqlite3_stmt *st, int at, const char *text, size_t n)
{
	return sqlite3_bind_text64(st, at, text, n, SQLITE_STATIC, SQLITE_UTF8);
}

/* Binds up to the end or '>' of fmt. Borrowed by pointer, so that the caller can go on reading its arguments. */
static int
bind_all(sqlite3_stmt *st, const char *fmt, va_list *ap)
{
	int code = SQLITE_OK;
	for (int at = 1; code == SQLITE_OK && *fmt && *fmt != '>'; fmt++, at++) {
		if (*fmt == 'i') {
			code = sqlite3_bind_int64(st, at, va_arg(*ap, int64_t));
		} else if (*fmt == 'd') {
			code = sqlite3_bind_double(st, at, va_arg(*ap, double));
		} else if (*fmt == 't') {
			const char *text = va_arg(*ap, const char *);
			code = text ? bind_text(st, at, text, strlen(text)) : sqlite3_bind_null(st, at);
		} else {
			assert(*fmt == 's' || *fmt == 'b');
			const void *data = va_arg(*ap, const void *);
			size_t n = va_arg(*ap, size_t);
			code = *fmt == 's' ? bind_text(st, at, data ? data : "", n) : bind_blob(st, at, data, n);
		}
	}
	return code;
}

/* ---- columns ---- */

static bool
is_hash(const char *text, int n)
{
	return n == HASH_HEX - 1 && strspn(text, "0123456789abcdef") == (size_t)n;
}

static bool
read_int(sqlite3_stmt *st, int at, char kind, va_list *ap)
{
	int64_t v = sqlite3_column_int64(st, at);
	if (sqlite3_column_type(st, at) != SQLITE_INTEGER)
		return false;
	if (kind == 'u') {
		*va_arg(*ap, uint32_t *) = (uint32_t)v;
		return v >= 0 && v <= UINT32_MAX;
	}
	if (kind == 'f') {
		*va_arg(*ap, bool *) = v != 0;
		return v == 0 || v == 1;
	}
	*va_arg(*ap, int64_t *) = v;
	return kind == 'i' || v >= 0;
}

static bool
read_text(sqlite3_stmt *st, int at, char **out)
{
	int type = sqlite3_column_type(st, at);
	const char *text = type == SQLITE_TEXT ? (const char *)sqlite3_column_text(st, at) : "";
	if ((type != SQLITE_TEXT && type != SQLITE_NULL) || !text)
		return false;
	/* A NUL inside would make two readers see two different strings. */
	if (type == SQLITE_TEXT && strlen(text) != (size_t)sqlite3_column_bytes(st, at))
		return false;
	*out = xstrdup(text);
	return true;
}

static bool
read_hash(sqlite3_stmt *st, int at, char *out)
{
	bool is_text = sqlite3_column_type(st, at) == SQLITE_TEXT;
	const char *text = is_text ? (const char *)sqlite3_column_text(st, at) : NULL;
	if (!text || !is_hash(text, sqlite3_column_bytes(st, at)))
		return false;
	memcpy(out, text, HASH_HEX);
	return true;
}

static bool
read_blob(sqlite3_stmt *st, int at, struct str *out)
{
	if (sqlite3_column_type(st, at) != SQLITE_BLOB)
		return false;
	const void *data = sqlite3_column_blob(st, at);
	str_add(out, data, (size_t)sqlite3_column_bytes(st, at));
	return true;
}

static bool
read_real(sqlite3_stmt *st, int at, double *out)
{
	*out = sqlite3_column_double(st, at);
	return sqlite3_column_type(st, at) == SQLITE_FLOAT && isfinite(*out);
}

static bool
read_one(sqlite3_stmt *st, int at, char kind, va_list *ap)
{
	switch (kind) {
	case 't': return read_text(st, at, va_arg(*ap, char **));
	case 'h': return read_hash(st, at, va_arg(*ap, char *));
	case 'b': return read_blob(st, at, va_arg(*ap, struct str *));
	case 'd': return read_real(st, at, va_arg(*ap, double *));
	default: return read_int(st, at, kind, ap);
	}
}

static enum err
read_all(struct store *s, sqlite3_stmt *st, const char *fmt, va_list *ap)
{
	assert((int)strlen(fmt) == sqlite3_column_count(st));
	for (int at = 0; fmt[at]; at++)
		if (fmt[at] != '-' && !read_one(st, at, fmt[at], ap))
			return db_damaged(s, "the column \"%s\" holds what it never should",
				sqlite3_column_name(st, at));
	return OK;
}

enum err
db_read(struct store *s, sqlite3_stmt *st, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	enum err err = read_all(s, st, fmt, &ap);
	va_end(ap);
	return err;
}

/* ---- running ---- */

static enum err
db_kept(struct store *s, const char *sql, sqlite3_stmt **st)
{
	for (size_t i = 0; i < s->n_cache; i++) {
		if (s->cache[i].sql == sql) {
			*st = s->cache[i].st;
			return OK;
		}
	}
	int code = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (code != SQLITE_OK)
		return db_fail(s, code);
	mem_grow(&s->cache, &s->cap_cache, s->n_cache + 1, sizeof(*s->cache));
	s->cache[s->n_cache].sql = sql;
	s->cache[s->n_cache++].st = *st;
	return OK;
}

void
db_forget(struct store *s)
{
	for (size_t i = 0; i < s->n_cache; i++)
		sqlite3_finalize(s->cache[i].st);
	free(s->cache);
	s->cache = NULL;
	s->n_cache = s->cap_cache = 0;
}

enum err
db_exec(struct store *s, const char *sql)
{
	int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? OK : db_fail(s, code);
}

enum err
db_next(struct store *s, sqlite3_stmt *st, bool *row)
{
	int code = sqlite3_step(st);
	*row = code == SQLITE_ROW;
	return code == SQLITE_ROW || code == SQLITE_DONE ? OK : db_fail(s, code);
}

static enum err
db_start(struct store *s, sqlite3_stmt *st, const char *fmt, va_list *ap, bool *row)
{
	*row = false;
	int code = bind_all(st, fmt, ap);
	return code == SQLITE_OK ? db_next(s, st, row) : db_fail(s, code);
}

static void
db_finish(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

enum err
db_run(struct store *s, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *st;
	bool row;
	TRY(db_writable(s));
	TRY(db_kept(s, sql, &st));
	va_list ap;
	va_start(ap, fmt);
	enum err err = db_start(s, st, fmt, &ap, &row);
	va_end(ap);
	db_finish(st);
	return err;
}

enum err
db_one(struct store *s, bool *found, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *st;
	*found = false;
	TRY(db_kept(s, sql, &st));
	va_list ap;
	va_start(ap, fmt);
	enum err err = db_start(s, st, fmt, &ap, found);
	if (err == OK && *found)
		err = read_all(s, st, strchr(fmt, '>') + 1, &ap);
	va_end(ap);
	db_finish(st);
	return err;
}

enum err
db_query(struct store *s, sqlite3_stmt **st, const char *sql, const char *fmt, ...)
{
	int code = sqlite3_prepare_v2(s->db, sql, -1, st, NULL);
	if (code != SQLITE_OK)
		return db_fail(s, code);
	va_list ap;
	va_start(ap, fmt);
	code = bind_all(*st, fmt, &ap);
	va_end(ap);
	return code == SQLITE_OK ? OK : db_fail(s, code);
}

void
store_interrupt(struct store *s)
{
	sqlite3_interrupt(s->db);
}
