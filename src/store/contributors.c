/* contributors: who they are, what they made, who opted out; and the totals. */
#include "byline/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "db.h"
#include "names.h"

#define CONTRIBUTOR_COLUMNS \
	"SELECT c.id, c.name, c.opted_out, count(h.work), cast(round(total(h.share * t.bytes)) AS INTEGER)" \
	" FROM contributors c LEFT JOIN shares h ON h.contributor = c.id LEFT JOIN works w ON w.id = h.work" \
	" LEFT JOIN texts t ON t.id = w.text"

void
contributor_free(struct contributor *c)
{
	free(c->name);
	*c = (struct contributor){0};
}

static enum err
contributor_read(struct store *s, sqlite3_stmt *st, struct contributor *c)
{
	*c = (struct contributor){0};
	enum err err = db_read(s, st, "itfnn", &c->id, &c->name, &c->opted_out, &c->n_works, &c->bytes);
	if (err != OK)
		contributor_free(c);
	return err;
}

static enum err
no_contributor(struct store *s, int64_t id)
{
	return err_set(ERR_MISSING, "%s: there is no contributor %" PRId64, s->dir, id);
}

enum err
store_contributor(struct store *s, int64_t id, struct contributor *c)
{
	sqlite3_stmt *st = NULL;
	bool row;
	*c = (struct contributor){0};
	enum err err = db_query(s, &st, CONTRIBUTOR_COLUMNS " WHERE c.id = ?1 GROUP BY c.id", "i", id);
	if (err == OK)
		err = db_next(s, st, &row);
	if (err == OK)
		err = row ? contributor_read(s, st, c) : no_contributor(s, id);
	sqlite3_finalize(st);
	return err;
}

enum err
store_find_contributor(struct store *s, const char *name, int64_t *id)
{
	char *clean = name_or_unknown(name);
	bool found;
	enum err err = db_one(s, &found, "SELECT id FROM contributors WHERE name = ?1", "t>i", clean, id);
	if (err == OK && !found)
		err = err_set(ERR_MISSING, "%s: there is no contributor called \"%s\"", s->dir, clean);
	free(clean);
	return err;
}

enum err
store_each_contributor(struct store *s, enum err (*fn)(void *arg, const struct contributor *c), void *arg)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(s, &st, CONTRIBUTOR_COLUMNS " GROUP BY c.id ORDER BY c.id", "");
	while (err == OK && (err = db_next(s, st, &row)) == OK && row) {
		struct contributor c;
		err = contributor_read(s, st, &c);
		if (err == OK)
			err = fn(arg, &c);
		contributor_free(&c);
	}
	sqlite3_finalize(st);
	return err;
}

enum err
store_set_opt_out(struct store *s, int64_t contributor, bool opted_out, const char *note)
{
	bool found;
	char *name = NULL;
	TRY(db_writable(s));
	TRY(db_one(s, &found, "SELECT name FROM contributors WHERE id = ?1", "i>t", contributor, &name));
	if (!found)
		return no_contributor(s, contributor);
	enum err err = strcmp(name, UNKNOWN) == 0
		? err_set(ERR_USAGE, "the unknown author is nobody in particular and cannot opt out")
		: db_run(s, "UPDATE contributors SET opted_out = ?1, opt_out_note = ?2 WHERE id = ?3", "iti",
			(int64_t)opted_out, note, contributor);
	free(name);
	return err;
}

/* ---- totals ---- */

enum err
store_count(struct store *s, struct store_totals *t)
{
	const struct { int64_t *n; const char *sql; } counts[] = {
		{ &t->works, "SELECT count(*) FROM works" },
		{ &t->contributors, "SELECT count(*) FROM contributors WHERE name <> '" UNKNOWN "'" },
		{ &t->licences, "SELECT count(*) FROM licences WHERE name <> '" UNKNOWN "'" },
		{ &t->runs, "SELECT count(*) FROM runs" },
		{ &t->queries, "SELECT count(*) FROM queries" },
		{ &t->bytes, "SELECT ifnull(sum(t.bytes), 0) FROM works w JOIN texts t ON t.id = w.text" },
		{ &t->unknown_author, "SELECT count(*) FROM shares WHERE contributor ="
			" (SELECT id FROM contributors WHERE name = '" UNKNOWN "')" },
		{ &t->unknown_licence, "SELECT count(*) FROM works WHERE licence ="
			" (SELECT id FROM licences WHERE name = '" UNKNOWN "')" },
		{ &t->opted_out, "SELECT count(*) FROM contributors WHERE opted_out = 1" },
	};
	bool found;
	*t = (struct store_totals){0};
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		TRY(db_one(s, &found, counts[i].sql, ">n", counts[i].n));
	return OK;
}

enum err
store_each_licence(struct store *s, enum err (*fn)(void *arg, const char *licence, int64_t works), void *arg)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(s, &st, "SELECT l.name, count(*) FROM works w JOIN licences l ON l.id = w.licence"
		" GROUP BY l.id ORDER BY count(*) DESC, l.name", "");
	while (err == OK && (err = db_next(s, st, &row)) == OK && row) {
		char *name = NULL;
		int64_t works;
		err = db_read(s, st, "tn", &name, &works);
		if (err == OK)
			err = fn(arg, name, works);
		free(name);
	}
	sqlite3_finalize(st);
	return err;
}
