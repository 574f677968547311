/* connect: a connection to a database, and what SQLite is told before it reads a stranger's file. */
#include "db.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "texts.h"

enum { BUSY_MS = 10000 };

static const struct { int op, value; } switches[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
	{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	{ SQLITE_DBCONFIG_DQS_DML, 0 },
	{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
};

static const struct { int id, value; } limits[] = {
	{ SQLITE_LIMIT_LENGTH, TEXT_MAX + (64 << 20) },
	{ SQLITE_LIMIT_SQL_LENGTH, 1 << 16 },
	{ SQLITE_LIMIT_COLUMN, 64 },
	{ SQLITE_LIMIT_EXPR_DEPTH, 64 },
	{ SQLITE_LIMIT_COMPOUND_SELECT, 8 },
	{ SQLITE_LIMIT_FUNCTION_ARG, 16 },
	{ SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64 },
	{ SQLITE_LIMIT_VARIABLE_NUMBER, 64 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 4 },
	{ SQLITE_LIMIT_WORKER_THREADS, 0 },
};

/* A name in a URI, so that a '?' in it means itself. */
static char *
uri_make(const char *path, const char *mode)
{
	struct str out = {0};
	str_adds(&out, "file:");
	for (const char *p = path; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("/._-", *p))
			str_addc(&out, *p);
		else
			str_addf(&out, "%%%02X", (unsigned)(unsigned char)*p);
	}
	str_adds(&out, mode);
	return str_take(&out);
}

void
db_close(struct store *s)
{
	texts_reset(s);
	db_forget(s);
	sqlite3_close(s->db);
	s->db = NULL;
}

enum err
db_open(struct store *s, const char *path, const char *mode)
{
	/* No connection is used by two threads at a time, so it needs no lock of its own. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
	char *uri = uri_make(path, mode);
	int code = sqlite3_open_v2(uri, &s->db, flags, NULL);
	free(uri);
	if (!s->db)
		return err_set(ERR_MEMORY, "%s: no memory", path);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	for (size_t i = 0; code == SQLITE_OK && i < ARRAY_LEN(switches); i++)
		code = sqlite3_db_config(s->db, switches[i].op, switches[i].value, NULL);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		sqlite3_limit(s->db, limits[i].id, limits[i].value);
	if (code != SQLITE_OK)
		return db_fail(s, code);
	/* None of these looks at the file, so that what is wrong with it is told by check_application. */
	return db_exec(s, "PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
}
