/* open: making, opening and closing a store. */
#include "config.h"

#include "byline/store.h"

#include <assert.h>
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

#define SUFFIX ".byline"

/* ---- connection ---- */

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
	/* A folder that went with the lock may be there again, with somebody else's. */
	if (same_file(s->lock, path))
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
store_close_with(struct store *s, void (*last)(void *arg), void *arg)
{
	if (s->opened && !s->read_only) {
		s->staged = false;
		store_rollback(s);
		db_forget(s);
		sqlite3_busy_timeout(s->db, 100);
		sqlite3_exec(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
		sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	}
	db_close(s);
	if (last)
		last(arg);
	lock_drop(s);
	free(s->dir);
	free(s->path);
	free(s->name);
	free(s);
}

void
store_close(struct store *s)
{
	if (s)
		store_close_with(s, NULL, NULL);
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
open_as(struct store *s, const char *mode)
{
	if (s->db)
		db_close(s);
	TRY(db_open(s, s->path, mode));
	return check_application(s);
}

/* Whoever was killed while switching the log on left a journal, which only a connection that may write rolls back.
 * SQLite itself knows it from the journal of one that lives. */
static bool
is_half_written(const struct store *s)
{
	char *journal = xasprintf("%s-journal", s->path);
	bool left = file_exists(journal) && access(s->path, W_OK) == 0;
	free(journal);
	return left;
}

static enum err
open_reading(struct store *s)
{
	enum err err = open_as(s, "?mode=ro");
	if (err == ERR_IO && is_half_written(s) && open_as(s, "?mode=rw") == OK)
		err = open_as(s, "?mode=ro");
	if (err == ERR_IO && is_frozen(s))
		err = open_as(s, "?mode=ro&immutable=1");
	return err;
}

static enum err
open_writing(struct store *s)
{
	if (s->lock < 0)
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

static enum err
open_all(struct store *s)
{
	TRY(check_place(s));
	TRY(s->read_only ? open_reading(s) : open_writing(s));
	TRY(check_version(s));
	TRY(schema_check(s));
	/* Readers go on while a writer writes. Where a file system cannot do it, SQLite stays with what it can. With a
	 * log, a killed process loses nothing committed; a power cut may cost the last transactions, never the
	 * store. */
	TRY(db_exec(s, s->read_only ? "PRAGMA query_only = ON"
		: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000"));
	TRY(db_exec(s, "PRAGMA cache_size = -65536"));
	s->opened = true;
	return OK;
}

enum err
store_open(const char *dir, bool read_only, struct store **out)
{
	struct store *s = store_new(dir, read_only);
	enum err err = open_all(s);
	*out = err == OK ? s : NULL;
	if (err != OK)
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
	if (err != OK)
		unlink(fresh);
	free(fresh);
	free(set);
	return err;
}

/* A database that cannot be opened after all goes while it is nobody else's. */
static enum err
create_opened(struct store *s)
{
	TRY(create_database(s));
	enum err err = open_all(s);
	if (err == OK)
		return OK;
	if (s->db)
		db_close(s);
	unlink(s->path);
	return err;
}

enum err
store_create(const char *dir, struct store **out)
{
	struct store *s = store_new(dir, false);
	enum err err = file_mkdirs(s->dir);
	if (err == OK)
		err = lock_take(s);
	if (err == OK)
		err = create_check(s);
	if (err == OK)
		err = create_opened(s);
	*out = err == OK ? s : NULL;
	if (err != OK)
		store_close(s);
	else {
		free(s->name);
		s->name = name_of(s->dir);
	}
	return err;
}
