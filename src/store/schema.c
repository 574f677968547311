/* schema: the tables, and the check against a database made from the same steps. */
#include "schema.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

static const char version_1[] =
	"CREATE TABLE dictionaries(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	sha256 TEXT NOT NULL,\n"
	"	data BLOB NOT NULL\n"
	") STRICT;\n"
	"CREATE TABLE texts(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	sha256 TEXT NOT NULL UNIQUE,\n"
	"	bytes INTEGER NOT NULL,\n"
	"	dictionary INTEGER REFERENCES dictionaries(id),\n"
	"	frame BLOB NOT NULL\n"
	") STRICT;\n"
	"CREATE TABLE licences(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	name TEXT NOT NULL UNIQUE\n"
	") STRICT;\n"
	"CREATE TABLE contributors(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	name TEXT NOT NULL UNIQUE,\n"
	"	opted_out INTEGER NOT NULL DEFAULT 0,\n"
	"	opt_out_note TEXT\n"
	") STRICT;\n"
	"CREATE TABLE works(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	key TEXT NOT NULL UNIQUE,\n"
	"	text INTEGER NOT NULL REFERENCES texts(id),\n"
	"	title TEXT,\n"
	"	licence INTEGER NOT NULL REFERENCES licences(id),\n"
	"	licence_from TEXT,\n"
	"	source TEXT,\n"
	"	date TEXT\n"
	") STRICT;\n"
	"CREATE TABLE shares(\n"
	"	work INTEGER NOT NULL REFERENCES works(id),\n"
	"	contributor INTEGER NOT NULL REFERENCES contributors(id),\n"
	"	position INTEGER NOT NULL,\n"
	"	share REAL NOT NULL,\n"
	"	PRIMARY KEY(work, contributor)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX shares_by_contributor ON shares(contributor, work);\n"
	"CREATE TABLE runs(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	name TEXT NOT NULL UNIQUE,\n"
	"	n_ctx INTEGER NOT NULL,\n"
	"	vocab INTEGER NOT NULL,\n"
	"	bos INTEGER NOT NULL,\n"
	"	heldout REAL NOT NULL,\n"
	"	seed INTEGER NOT NULL,\n"
	"	dataset TEXT NOT NULL,\n"
	"	n_examples INTEGER NOT NULL,\n"
	"	n_train INTEGER NOT NULL,\n"
	"	tokens_train INTEGER NOT NULL,\n"
	"	tokens_heldout INTEGER NOT NULL,\n"
	"	trained INTEGER NOT NULL DEFAULT 0,\n"
	"	indexed INTEGER NOT NULL DEFAULT 0,\n"
	"	recipe TEXT\n"
	") STRICT;\n"
	"CREATE TABLE examples(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,\n"
	"	work INTEGER NOT NULL REFERENCES works(id),\n"
	"	byte_from INTEGER NOT NULL,\n"
	"	byte_to INTEGER NOT NULL,\n"
	"	heldout INTEGER NOT NULL,\n"
	"	tokens BLOB NOT NULL\n"
	") STRICT;\n"
	"CREATE INDEX examples_by_run ON examples(run);\n"
	"CREATE TABLE files(\n"
	"	run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,\n"
	"	path TEXT NOT NULL,\n"
	"	bytes INTEGER NOT NULL,\n"
	"	sha256 TEXT NOT NULL,\n"
	"	PRIMARY KEY(run, path)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE queries(\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,\n"
	"	prompt TEXT NOT NULL,\n"
	"	settings TEXT NOT NULL,\n"
	"	output TEXT,\n"
	"	result TEXT,\n"
	"	created INTEGER NOT NULL,\n"
	"	UNIQUE(run, prompt, settings)\n"
	") STRICT;\n";

const char *const schema_steps[] = { version_1 };
const int schema_version = ARRAY_LEN(schema_steps);

/* ---- the full-text tables, one a run ---- */

char *
schema_words_name(int64_t run)
{
	assert(run > 0);
	return xasprintf("words_%" PRId64, run);
}

/* Contentless: the words are those of the texts, which we have. Accents are folded; marks belong to their word in every
 * script, or each vowel sign would end one. */
char *
schema_words_sql(int64_t run)
{
	return xasprintf("CREATE VIRTUAL TABLE words_%" PRId64 " USING fts5(text, content='', "
		"tokenize=\"unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\")", run);
}

/* ---- the check ---- */

static const char list_sql[] =
	"SELECT type, name, ifnull(sql, '') FROM sqlite_schema"
	" WHERE NOT (type = 'index' AND name LIKE 'sqlite_autoindex%')"
	" AND name NOT IN ('sqlite_stat1', 'sqlite_stat4') ORDER BY name";

struct entry { char *type, *name, *sql; };
struct entries { struct entry *v; size_t n, cap; };

static void
entries_free(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].type);
		free(e->v[i].name);
		free(e->v[i].sql);
	}
	free(e->v);
}

static enum err
entries_read(struct store *s, struct entries *e)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(s, &st, list_sql, "");
	while (err == OK && (err = db_next(s, st, &row)) == OK && row) {
		mem_grow(&e->v, &e->cap, e->n + 1, sizeof(*e->v));
		struct entry *one = &e->v[e->n++];
		*one = (struct entry){0};
		err = db_read(s, st, "ttt", &one->type, &one->name, &one->sql);
	}
	sqlite3_finalize(st);
	return err;
}

/* What the steps make, from a database in memory made by them. */
static enum err
entries_expected(struct entries *e)
{
	struct store fresh = { .path = (char []){ "memory" }, .lock = -1 };
	enum err err;
	int code = sqlite3_open(":memory:", &fresh.db);
	if (code != SQLITE_OK) {
		err = db_fail(&fresh, code);
		goto out;
	}
	TRY_OUT(schema_migrate(&fresh, schema_steps, 0, schema_version));
	err = entries_read(&fresh, e);
out:
	db_forget(&fresh);
	sqlite3_close(fresh.db);
	return err;
}

/* The run that a full-text table, or one of the tables FTS5 keeps behind it, belongs to; 0: it is none. */
static int64_t
words_run(const char *name, const char **rest)
{
	char *end;
	if (strncmp(name, "words_", 6) != 0 || !isdigit((unsigned char)name[6]))
		return 0;
	int64_t run = strtoll(name + 6, &end, 10);
	*rest = end;
	return run > 0 && run < INT64_MAX ? run : 0;
}

static bool
words_allowed(const struct entry *e)
{
	static const char *const behind[] = { "_data", "_idx", "_content", "_docsize", "_config" };
	const char *rest;
	int64_t run = words_run(e->name, &rest);
	if (run == 0 || strcmp(e->type, "table") != 0)
		return false;
	if (*rest == '\0') {
		char *want = schema_words_sql(run);
		bool same = strcmp(want, e->sql) == 0;
		free(want);
		return same;
	}
	for (size_t i = 0; i < ARRAY_LEN(behind); i++)
		if (strcmp(rest, behind[i]) == 0)
			return strncmp(e->sql, "CREATE TABLE ", 13) == 0;
	return false;
}

static enum err
no_store(struct store *s, const struct entry *e, const char *what)
{
	return err_set(ERR_FORMAT, "%s is no store byline made: the %s \"%s\" is %s", s->path, e->type, e->name, what);
}

/* Both lists are in order of the names. */
static enum err
entries_compare(struct store *s, const struct entries *want, const struct entries *have)
{
	size_t found = 0;
	for (size_t i = 0; i < have->n; i++) {
		const struct entry *e = &have->v[i];
		int order = found < want->n ? strcmp(want->v[found].name, e->name) : 1;
		if (order < 0)
			break;
		bool same = order == 0 && strcmp(e->type, want->v[found].type) == 0
			&& strcmp(e->sql, want->v[found].sql) == 0;
		if (!same && (order == 0 || !words_allowed(e)))
			return no_store(s, e, "not as byline makes it");
		found += same;
	}
	return found < want->n ? no_store(s, &want->v[found], "missing") : OK;
}

enum err
schema_check(struct store *s)
{
	struct entries want = {0}, have = {0};
	enum err err;
	TRY_OUT(entries_expected(&want));
	TRY_OUT(entries_read(s, &have));
	err = entries_compare(s, &want, &have);
out:
	entries_free(&want);
	entries_free(&have);
	return err;
}
