/* transaction: a unit of changes, units inside a stage, and savepoints inside either. */
#include "db.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "texts.h"

/* A full disk may have ended the whole transaction already; then there is nothing to undo. */
static void
undo_to(struct store *s, const char *sql)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	texts_reset(s);
}

/* ---- savepoints ---- */

enum err
db_save(struct store *s)
{
	return db_run(s, "SAVEPOINT unit", "");
}

enum err
db_release(struct store *s)
{
	return db_run(s, "RELEASE unit", "");
}

enum err
db_undo(struct store *s, enum err err)
{
	char *message = xstrdup(err_message());
	undo_to(s, "ROLLBACK TO unit; RELEASE unit");
	err_set(err, "%s", message);
	free(message);
	return err;
}

/* ---- units ---- */

enum err
store_begin(struct store *s)
{
	TRY(db_writable(s));
	bool open = !sqlite3_get_autocommit(s->db);
	if (open != s->staged || s->nested)
		return open ? err_set(ERR_USAGE, "%s: a transaction is open already", s->path)
			: err_set(ERR_IO, "%s: what was begun has been ended by a failure", s->path);
	TRY(db_exec(s, open ? "SAVEPOINT nested" : "BEGIN IMMEDIATE"));
	s->nested = open;
	return OK;
}

enum err
store_commit(struct store *s)
{
	enum err err = db_exec(s, s->staged ? "RELEASE nested" : "COMMIT");
	s->nested = s->nested && err != OK;
	return err;
}

void
store_rollback(struct store *s)
{
	if (!s->staged)
		undo_to(s, "ROLLBACK");
	else if (s->nested)
		undo_to(s, "ROLLBACK TO nested; RELEASE nested");
	s->nested = false;
}

/* ---- a stage ---- */

/* Files change with what is staged, and what they were is removed after it: by then it must outlive a power cut. */
enum err
store_stage(struct store *s)
{
	if (s->staged)
		return err_set(ERR_USAGE, "%s: a stage is open already", s->path);
	if (sqlite3_get_autocommit(s->db))
		TRY(db_exec(s, "PRAGMA synchronous = FULL"));
	enum err err = store_begin(s);
	s->staged = err == OK;
	return err;
}

static void
hurry_again(struct store *s)
{
	sqlite3_exec(s->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
}

enum err
store_stage_end(struct store *s, enum err err)
{
	char *message = xstrdup(err_message());
	s->staged = s->nested = false;
	if (err == OK) {
		err = store_commit(s);
		if (err != OK)
			store_rollback(s);
	} else {
		store_rollback(s);
		err_set(err, "%s", message);
	}
	hurry_again(s);
	free(message);
	return err;
}
