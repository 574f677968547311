/* verify: everything a store claims, compared with what it holds. A finding is no error: the next thing is looked at
 * too. */
#include "byline/store.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "db.h"
#include "texts.h"
#include "works.h"

struct verifier {
	struct store *s;
	struct job *job;
	void (*fn)(void *arg, const char *finding);
	void *arg;
	int64_t n;
	uint64_t done;
};

static void
found(struct verifier *v, const char *finding)
{
	v->n++;
	if (v->fn)
		v->fn(v->arg, finding);
}

/* Turns what is wrong with the data into a finding, and passes on what kept us from looking. */
static enum err
judge(struct verifier *v, enum err err)
{
	if (err != ERR_FORMAT && err != ERR_MISSING && err != ERR_MISMATCH && err != ERR_LIMIT)
		return err;
	found(v, err_message());
	return OK;
}

/* Calls fn for every id the query gives. */
static enum err
each_id(struct verifier *v, const char *phase, const char *sql, enum err (*fn)(struct verifier *v, int64_t id))
{
	sqlite3_stmt *st = NULL;
	bool row;
	v->done = 0;
	job_phase(v->job, phase, 0);
	enum err err = db_query(v->s, &st, sql, "");
	while (err == OK && (err = db_next(v->s, st, &row)) == OK && row) {
		int64_t id;
		err = db_read(v->s, st, "i", &id);
		if (err == OK)
			err = judge(v, fn(v, id));
		job_step(v->job, ++v->done);
		if (err == OK)
			err = job_check(v->job);
	}
	sqlite3_finalize(st);
	return judge(v, err);
}

/* ---- the database ---- */

static enum err
check_database(struct verifier *v)
{
	sqlite3_stmt *st = NULL;
	bool row;
	job_phase(v->job, "checking the database", 0);
	enum err err = db_query(v->s, &st, "PRAGMA integrity_check", "");
	while (err == OK && (err = db_next(v->s, st, &row)) == OK && row) {
		char *line = NULL;
		err = db_read(v->s, st, "t", &line);
		if (err == OK && strcmp(line, "ok") != 0)
			found(v, line);
		free(line);
	}
	sqlite3_finalize(st);
	return judge(v, err);
}

static enum err
check_references(struct verifier *v)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(v->s, &st, "SELECT \"table\", parent FROM pragma_foreign_key_check", "");
	while (err == OK && (err = db_next(v->s, st, &row)) == OK && row) {
		char *table = NULL, *parent = NULL;
		err = db_read(v->s, st, "tt", &table, &parent);
		if (err == OK) {
			char *line = xasprintf("a row of %s names a row of %s that is not there", table, parent);
			found(v, line);
			free(line);
		}
		free(table);
		free(parent);
	}
	sqlite3_finalize(st);
	return judge(v, err);
}

/* ---- texts and works ---- */

static enum err
check_text(struct verifier *v, int64_t id)
{
	struct str text = {0};
	enum err err = texts_read(v->s, id, &text);
	str_free(&text);
	return err;
}

static enum err
check_work(struct verifier *v, int64_t id)
{
	char want[HASH_HEX], got[HASH_HEX];
	struct work w;
	double sum = 0;
	bool there;
	TRY(db_one(v->s, &there, "SELECT key FROM works WHERE id = ?1", "i>h", id, got));
	TRY(works_key(v->s, id, want));
	if (strcmp(want, got) != 0)
		return err_set(ERR_MISMATCH,
			"work %" PRId64 ": title, authors or text are not those it was stored with", id);
	TRY(store_work(v->s, id, &w));
	for (size_t i = 0; i < w.n_authors; i++)
		sum += w.authors[i].share;
	work_free(&w);
	return fabs(sum - 1) < 1e-6 ? OK : err_set(ERR_MISMATCH, "work %" PRId64 ": its shares add up to %g", id, sum);
}

/* ---- runs ---- */

static enum err
check_words(struct verifier *v, const struct run *r)
{
	sqlite3_stmt *st = NULL;
	int64_t n = 0;
	bool row;
	char *sql = xasprintf("SELECT count(*) FROM words_%" PRId64, r->id);
	enum err err = db_query(v->s, &st, sql, "");
	if (err == OK)
		err = db_next(v->s, st, &row);
	if (err == OK)
		err = db_read(v->s, st, "n", &n);
	if (err == OK && n != r->n_examples)
		err = err_set(ERR_MISMATCH, "run \"%s\": the text index has %" PRId64 " examples of %" PRId64, r->name,
			n, r->n_examples);
	sqlite3_finalize(st);
	free(sql);
	return err;
}

static bool
path_inside(const char *rel)
{
	return *rel && *rel != '/' && strcmp(rel, "..") != 0 && strncmp(rel, "../", 3) != 0 && !strstr(rel, "/../");
}

static enum err
check_file(struct verifier *v, const struct run *r, const char *rel, const char *want)
{
	char got[HASH_HEX];
	if (!path_inside(rel))
		return db_damaged(v->s, "run \"%s\" names a file outside its folder", r->name);
	char *path = path_join(r->dir, rel);
	enum err err = hash_file(path, got);
	if (err == ERR_IO)
		err = ERR_MISSING;	/* a file nobody can read is not there */
	else if (err == OK && strcmp(got, want) != 0)
		err = err_set(ERR_MISMATCH, "%s is not the file the run was finished with (its SHA-256 differs)", path);
	free(path);
	return err;
}

static enum err
check_files(struct verifier *v, const struct run *r)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(v->s, &st, "SELECT path, sha256 FROM files WHERE run = ?1 ORDER BY path", "i", r->id);
	while (err == OK && (err = db_next(v->s, st, &row)) == OK && row) {
		char *rel = NULL, want[HASH_HEX];
		err = db_read(v->s, st, "th", &rel, want);
		if (err == OK)
			err = judge(v, check_file(v, r, rel, want));
		free(rel);
		if (err == OK)
			err = job_check(v->job);
	}
	sqlite3_finalize(st);
	return err;
}

static enum err
check_run(struct verifier *v, int64_t id)
{
	struct run r;
	struct dataset data;
	struct example *examples;
	TRY(store_run(v->s, id, &r));
	enum err err = judge(v, store_run_dataset(v->s, id, &data, &examples));
	dataset_free(&data);
	free(examples);
	if (err == OK)
		err = judge(v, check_words(v, &r));
	if (err == OK)
		err = check_files(v, &r);
	run_free(&r);
	return err;
}

static enum err
check_query(struct verifier *v, int64_t id)
{
	struct saved_query q;
	enum err err = store_query(v->s, id, &q);
	saved_query_free(&q);
	return err;
}

static enum err
check_all(struct verifier *v)
{
	TRY(check_database(v));
	TRY(check_references(v));
	TRY(each_id(v, "checking texts", "SELECT id FROM texts ORDER BY id", check_text));
	TRY(each_id(v, "checking works", "SELECT id FROM works ORDER BY id", check_work));
	TRY(each_id(v, "checking runs", "SELECT id FROM runs ORDER BY id", check_run));
	return each_id(v, "checking saved queries", "SELECT id FROM queries ORDER BY id", check_query);
}

enum err
store_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings)
{
	struct verifier v = { .s = s, .job = job, .fn = fn, .arg = arg };
	enum err err = check_all(&v);
	*n_findings = v.n;
	return err;
}
