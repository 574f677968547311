/* open: making, opening and closing a store; what SQLite is told before it reads a stranger's file. */
#include "config.h"

#include "byline/store.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "db.h"
#include "schema.h"
#include "texts.h"

#define SUFFIX ".byline"

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

/* ---- connection ---- */

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

static void
db_close(struct store *s)
{
	texts_reset(s);
	db_forget(s);
	sqlite3_close(s->db);
	s->db = NULL;
}

/* mode: "?mode=rwc" and so on. */
static enum err
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

static enum err
check_application(struct store *s)
{
	bool found;
	int64_t id;
	TRY(db_one(s, &found, "PRAGMA application_id", ">i", &id));
	if (id != APPLICATION_ID)
		return err_set(ERR_FORMAT, "%s is a database, but not one that byline made", s->path);
	return OK;
}

/* ---- lock ---- */

static bool
same_file(int fd, const char *path)
{
	struct stat a, b;
	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A store at rest has no lock file, so who locks may hold one that its last owner is just removing: look again. */
static enum err
lock_take(struct store *s)
{
	char *path = path_join(s->dir, "lock");
	enum err err;
	while ((err = file_lock(path, &s->lock)) == OK && !same_file(s->lock, path))
		file_unlock(s->lock);
	if (err == ERR_BUSY)
		err = err_set(ERR_BUSY, "%s: another byline is writing to this store; wait for it to end", s->dir);
	if (err != OK)
		s->lock = -1;
	free(path);
	return err;
}

static void
lock_drop(struct store *s)
{
	if (s->lock < 0)
		return;
	char *path = path_join(s->dir, "lock");
	unlink(path);
	free(path);
	file_unlock(s->lock);
	s->lock = -1;
}

/* ---- the struct ---- */

static char *
name_of(const char *dir)
{
	char *real = realpath(dir, NULL);
	const char *base = path_base(real ? real : dir);
	size_t n = strlen(base), tail = strlen(SUFFIX);
	char *name = xstrndup(base, n > tail && strcmp(base + n - tail, SUFFIX) == 0 ? n - tail : n);
	free(real);
	return name;
}

static struct store *
store_new(const char *dir, bool read_only)
{
	struct store *s = xcalloc(1, sizeof(*s));
	size_t n = strlen(dir);
	while (n > 1 && dir[n - 1] == '/')
		n--;
	s->dir = xstrndup(dir, n);
	s->path = path_join(s->dir, "store.db");
	s->name = name_of(s->dir);
	s->read_only = read_only;
	s->lock = -1;
	return s;
}

/* At rest a store is one file: the log of a writer is merged and switched off, unless a reader is still using it. */
void
store_close(struct store *s)
{
	if (!s)
		return;
	if (s->opened && !s->read_only) {
		store_rollback(s);
		db_forget(s);
		sqlite3_busy_timeout(s->db, 100);
		sqlite3_exec(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
		sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	}
	db_close(s);
	lock_drop(s);
	free(s->dir);
	free(s->path);
	free(s->name);
	free(s);
}

const char *
store_dir(const struct store *s)
{
	return s->dir;
}

const char *
store_name(const struct store *s)
{
	return s->name;
}

/* ---- opening ---- */

static enum err
check_place(const struct store *s)
{
	struct stat st;
	if (!file_exists(s->dir))
		return err_set(ERR_MISSING, "there is no store at %s; byline import makes one", s->dir);
	if (!file_is_dir(s->dir))
		return err_set(ERR_FORMAT, "%s is a file; a store is a folder NAME.byline", s->dir);
	if (stat(s->path, &st) != 0)
		return err_set(ERR_FORMAT, "%s is not a store: it holds no store.db", s->dir);
	/* A pipe would make the open wait for ever. */
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_FORMAT, "%s is not a regular file", s->path);
	return OK;
}

/* A database whose last writer was killed, or which still had a reader when it ended, and that was then put where
 * nothing can be written: without a log beside it, it is whole and will not change. */
static bool
is_frozen(const struct store *s)
{
	char *wal = xasprintf("%s-wal", s->path);
	uint64_t size = 0;
	bool frozen = access(s->dir, W_OK) != 0 && (!file_exists(wal) || (file_size(wal, &size) == OK && size == 0));
	free(wal);
	return frozen;
}

static enum err
open_reading(struct store *s)
{
	TRY(db_open(s, s->path, "?mode=ro"));
	enum err err = check_application(s);
	if (err == ERR_IO && is_frozen(s)) {
		db_close(s);
		TRY(db_open(s, s->path, "?mode=ro&immutable=1"));
		err = check_application(s);
	}
	return err;
}

static enum err
open_writing(struct store *s)
{
	TRY(lock_take(s));
	TRY(db_open(s, s->path, "?mode=rw"));
	return check_application(s);
}

static enum err
check_version(struct store *s)
{
	int64_t version;
	TRY(schema_read_version(s, &version));
	if (version > schema_version)
		return err_set(ERR_UNSUPPORTED, "%s has version %" PRId64 ", this byline knows %d: use a newer one",
			s->path, version, schema_version);
	if (version < 1)
		return err_set(ERR_FORMAT, "%s has version %" PRId64 ", which never was", s->path, version);
	if (version < schema_version && s->read_only)
		return err_set(ERR_UNSUPPORTED, "%s has the older version %" PRId64 ": open it once for writing",
			s->path, version);
	return version < schema_version ? schema_migrate(s, schema_steps, (int)version, schema_version) : OK;
}

enum err
store_open(const char *dir, bool read_only, struct store **out)
{
	struct store *s = store_new(dir, read_only);
	enum err err;
	*out = NULL;
	TRY_OUT(check_place(s));
	TRY_OUT(read_only ? open_reading(s) : open_writing(s));
	TRY_OUT(check_version(s));
	TRY_OUT(schema_check(s));
	/* Readers go on while a writer writes. Where a file system cannot do it, SQLite stays with what it can. With a
	 * log, a killed process loses nothing committed; a power cut may cost the last transactions, never the
	 * store. */
	TRY_OUT(db_exec(s, read_only ? "PRAGMA query_only = ON"
		: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000"));
	TRY_OUT(db_exec(s, "PRAGMA cache_size = -65536"));
	s->opened = true;
	*out = s;
	return OK;
out:
	store_close(s);
	return err;
}

/* ---- creating ---- */

static enum err
nothing_else(void *arg, const char *rel)
{
	(void)arg;
	/* What a creation that was killed left. */
	if (strcmp(rel, "lock") == 0 || strncmp(rel, "store.db.new", 12) == 0)
		return OK;
	return err_set(ERR_EXISTS, "%s is there already", rel);
}

static enum err
create_check(const struct store *s)
{
	if (file_exists(s->path))
		return err_set(ERR_EXISTS, "%s is a store already", s->dir);
	enum err err = file_walk(s->dir, nothing_else, NULL);
	return err == ERR_EXISTS ? err_prefix(err, "%s is a folder of something else", s->dir) : err;
}

/* The database is made under another name, so that a store.db is always a whole one. */
static enum err
create_database(struct store *s)
{
	char *fresh = xasprintf("%s.new", s->path), *set = xasprintf("PRAGMA application_id = %d", APPLICATION_ID);
	enum err err;
	if (file_exists(fresh) && unlink(fresh) != 0) {
		err = err_set(ERR_IO, "cannot remove %s", fresh);
		goto out;
	}
	TRY_OUT(db_open(s, fresh, "?mode=rwc"));
	TRY_OUT(db_exec(s, set));
	TRY_OUT(schema_migrate(s, schema_steps, 0, schema_version));
	db_close(s);
	if (rename(fresh, s->path) != 0)
		err = err_set(ERR_IO, "cannot rename %s to store.db", fresh);
out:
	if (s->db)
		db_close(s);
	free(fresh);
	free(set);
	return err;
}

enum err
store_create(const char *dir, struct store **out)
{
	struct store *s = store_new(dir, false);
	*out = NULL;
	enum err err = file_mkdirs(s->dir);
	if (err == OK)
		err = lock_take(s);
	if (err == OK)
		err = create_check(s);
	if (err == OK)
		err = create_database(s);
	store_close(s);
	return err == OK ? store_open(dir, false, out) : err;
}
