/* works: adding one, reading them back, the identity of the corpus. */
#include "byline/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "db.h"
#include "names.h"
#include "texts.h"
#include "works.h"

/* A record made ready: everything cleaned, checked and owned. */
struct entry {
	struct authors authors;
	char *title, *licence, *licence_from, *source, *date;
	char text_hash[HASH_HEX], key[HASH_HEX];
};

static void
entry_free(struct entry *e)
{
	authors_free(&e->authors);
	free(e->title);
	free(e->licence);
	free(e->licence_from);
	free(e->source);
	free(e->date);
}

static int
by_string(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Text, title and the set of authors: in whatever order they were named, with whatever shares. */
static void
key_make(const char *text_hash, const char *title, const struct authors *a, char key[HASH_HEX])
{
	struct hash_state h;
	const char **names = xcalloc(a->n, sizeof(*names));
	for (size_t i = 0; i < a->n; i++)
		names[i] = a->v[i].name;
	qsort(names, a->n, sizeof(*names), by_string);
	hash_init(&h);
	hash_add(&h, text_hash, HASH_HEX - 1);
	hash_add(&h, title, strlen(title));
	for (size_t i = 0; i < a->n; i++)
		hash_add(&h, names[i], strlen(names[i]));
	hash_final(&h, key);
	free(names);
}

static enum err
entry_check(const struct entry *e)
{
	const struct { const char *name, *value; int max; } fields[] = {
		{ "title", e->title, FIELD_LIMIT }, { "licence", e->licence, NAME_LIMIT },
		{ "licence_from", e->licence_from, NAME_LIMIT }, { "source", e->source, FIELD_LIMIT },
		{ "date", e->date, NAME_LIMIT },
	};
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strlen(fields[i].value) > (size_t)fields[i].max)
			return err_set(ERR_LIMIT, "the %s is longer than %d bytes", fields[i].name, fields[i].max);
	return OK;
}

static enum err
entry_make(struct entry *e, const struct work_in *w)
{
	*e = (struct entry){0};
	if (w->text_len > TEXT_MAX)
		return err_set(ERR_LIMIT, "the text is longer than %d bytes", TEXT_MAX);
	TRY(authors_make(&e->authors, w->authors, w->n_authors));
	e->title = field_clean(w->title);
	e->licence = name_or_unknown(w->licence);
	e->licence_from = field_clean(w->licence_from);
	e->source = field_clean(w->source);
	e->date = field_clean(w->date);
	enum err err = entry_check(e);
	if (err != OK)
		entry_free(e);
	return err;
}

static void
entry_hash(struct entry *e, const struct work_in *w)
{
	hash_bytes(w->text, w->text_len, e->text_hash);
	key_make(e->text_hash, e->title, &e->authors, e->key);
}

enum err
works_check(const struct work_in *w)
{
	struct entry e;
	TRY(entry_make(&e, w));
	entry_free(&e);
	return OK;
}

/* ---- adding ---- */

static enum err
licence_id(struct store *s, const char *name, int64_t *id)
{
	bool found;
	TRY(db_one(s, &found, "SELECT id FROM licences WHERE name = ?1", "t>i", name, id));
	if (found)
		return OK;
	TRY(db_run(s, "INSERT INTO licences(name) VALUES (?1)", "t", name));
	*id = sqlite3_last_insert_rowid(s->db);
	return OK;
}

static enum err
contributor_id(struct store *s, const char *name, int64_t *id)
{
	bool found;
	TRY(db_one(s, &found, "SELECT id FROM contributors WHERE name = ?1", "t>i", name, id));
	if (found)
		return OK;
	TRY(db_run(s, "INSERT INTO contributors(name) VALUES (?1)", "t", name));
	*id = sqlite3_last_insert_rowid(s->db);
	return OK;
}

static enum err
shares_insert(struct store *s, int64_t work, const struct authors *a)
{
	for (size_t i = 0; i < a->n; i++) {
		int64_t who;
		TRY(contributor_id(s, a->v[i].name, &who));
		TRY(db_run(s, "INSERT INTO shares(work, contributor, position, share) VALUES (?1, ?2, ?3, ?4)", "iiid",
			work, who, (int64_t)i, a->v[i].share));
	}
	return OK;
}

static const char *
or_null(const char *text)
{
	return *text ? text : NULL;
}

static enum err
entry_insert(struct store *s, const struct entry *e, const struct work_in *w, int64_t *id)
{
	int64_t text, licence;
	TRY(texts_add(s, w->text, w->text_len, e->text_hash, &text));
	TRY(licence_id(s, e->licence, &licence));
	TRY(db_run(s, "INSERT INTO works(key, text, title, licence, licence_from, source, date)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "titittt", e->key, text, or_null(e->title), licence,
		or_null(e->licence_from), or_null(e->source), or_null(e->date)));
	*id = sqlite3_last_insert_rowid(s->db);
	return shares_insert(s, *id, &e->authors);
}

static enum err
entry_add(struct store *s, const struct entry *e, const struct work_in *w, int64_t *id, bool *added)
{
	bool found;
	*added = false;
	TRY(db_one(s, &found, "SELECT id FROM works WHERE key = ?1", "t>i", e->key, id));
	if (found)
		return OK;
	TRY(db_save(s));
	enum err err = entry_insert(s, e, w, id);
	if (err == OK)
		err = db_release(s);
	*added = err == OK;
	return err == OK ? OK : db_undo(s, err);
}

enum err
store_add_work(struct store *s, const struct work_in *w, int64_t *id, bool *added)
{
	struct entry e;
	TRY(db_writable(s));
	TRY(entry_make(&e, w));
	entry_hash(&e, w);
	enum err err = entry_add(s, &e, w, id, added);
	entry_free(&e);
	return err;
}

/* ---- reading ---- */

void
work_free(struct work *w)
{
	for (size_t i = 0; i < w->n_authors; i++)
		free(w->authors[i].name);
	free(w->authors);
	free(w->title);
	free(w->licence);
	free(w->licence_from);
	free(w->source);
	free(w->date);
	free(w->sha256);
	*w = (struct work){0};
}

/* A row for each author of each work, so that all works are one statement. */
#define WORK_COLUMNS \
	"SELECT w.id, w.title, l.name, w.licence_from, w.source, w.date, t.sha256, t.bytes," \
	" c.id, c.name, h.share, c.opted_out" \
	" FROM works w JOIN licences l ON l.id = w.licence JOIN texts t ON t.id = w.text" \
	" LEFT JOIN shares h ON h.work = w.id LEFT JOIN contributors c ON c.id = h.contributor"
enum { AUTHOR_COLUMN = 8 };

static enum err
work_head(struct store *s, sqlite3_stmt *st, struct work *w)
{
	TRY(db_read(s, st, "ittttttn----", &w->id, &w->title, &w->licence, &w->licence_from, &w->source, &w->date,
		&w->sha256, &w->bytes));
	return w->bytes <= TEXT_MAX ? OK
		: db_damaged(s, "work %" PRId64 " says it has %" PRId64 " bytes", w->id, w->bytes);
}

static enum err
work_author(struct store *s, sqlite3_stmt *st, struct work *w)
{
	bool out;
	size_t i = w->n_authors;
	if (sqlite3_column_type(st, AUTHOR_COLUMN) == SQLITE_NULL)
		return OK;
	w->authors = xreallocarray(w->authors, i + 1, sizeof(*w->authors));
	w->authors[i].name = NULL;
	w->n_authors++;
	TRY(db_read(s, st, "--------itdf", &w->authors[i].contributor, &w->authors[i].name, &w->authors[i].share,
		&out));
	w->opted_out = w->opted_out || out;
	return w->authors[i].share >= 0 && w->authors[i].share <= 1 ? OK
		: db_damaged(s, "a share of work %" PRId64 " is %g", w->id, w->authors[i].share);
}

/* The next work of `st`; *row tells whether st stands on a row, before and after. */
static enum err
work_next(struct store *s, sqlite3_stmt *st, struct work *w, bool *row)
{
	*w = (struct work){0};
	enum err err = work_head(s, st, w);
	while (err == OK && *row && sqlite3_column_int64(st, 0) == w->id) {
		err = work_author(s, st, w);
		if (err == OK)
			err = db_next(s, st, row);
	}
	if (err != OK)
		work_free(w);
	return err;
}

static enum err
no_work(struct store *s, int64_t id)
{
	return err_set(ERR_MISSING, "%s: there is no work %" PRId64, s->dir, id);
}

enum err
store_work(struct store *s, int64_t id, struct work *w)
{
	sqlite3_stmt *st = NULL;
	bool row;
	*w = (struct work){0};
	enum err err = db_query(s, &st, WORK_COLUMNS " WHERE w.id = ?1 ORDER BY h.position", "i", id);
	if (err == OK)
		err = db_next(s, st, &row);
	if (err == OK)
		err = row ? work_next(s, st, w, &row) : no_work(s, id);
	sqlite3_finalize(st);
	return err;
}

enum err
store_each_work(struct store *s, enum err (*fn)(void *arg, const struct work *w), void *arg)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum err err = db_query(s, &st, WORK_COLUMNS " ORDER BY w.id, h.position", "");
	if (err == OK)
		err = db_next(s, st, &row);
	while (err == OK && row) {
		struct work w;
		err = work_next(s, st, &w, &row);
		if (err == OK)
			err = fn(arg, &w);
		work_free(&w);
	}
	sqlite3_finalize(st);
	return err;
}

enum err
store_work_text(struct store *s, int64_t id, struct str *out)
{
	bool found;
	int64_t text;
	TRY(db_one(s, &found, "SELECT text FROM works WHERE id = ?1", "i>i", id, &text));
	return found ? texts_read(s, text, out) : no_work(s, id);
}

enum err
store_hash(struct store *s, char hex[HASH_HEX])
{
	sqlite3_stmt *st = NULL;
	struct hash_state h;
	bool row;
	hash_init(&h);
	enum err err = db_query(s, &st, "SELECT key FROM works ORDER BY id", "");
	while (err == OK && (err = db_next(s, st, &row)) == OK && row) {
		char key[HASH_HEX];
		err = db_read(s, st, "h", key);
		if (err == OK)
			hash_add(&h, key, HASH_HEX - 1);
	}
	sqlite3_finalize(st);
	hash_final(&h, hex);
	return err;
}

enum err
works_key(struct store *s, int64_t id, char key[HASH_HEX])
{
	struct work w;
	TRY(store_work(s, id, &w));
	struct authors a = { .v = xcalloc(w.n_authors, sizeof(*a.v)), .n = w.n_authors };
	for (size_t i = 0; i < w.n_authors; i++)
		a.v[i].name = xstrdup(w.authors[i].name);
	key_make(w.sha256, w.title, &a, key);
	authors_free(&a);
	work_free(&w);
	return OK;
}
