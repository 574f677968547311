/* runs: making, finding, listing and deleting them. */
#include "byline/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "cut.h"
#include "db.h"
#include "runs.h"

enum { RUN_NAME_MAX = 64, N_CTX_MAX = 1 << 24 };

void
run_free(struct run *r)
{
	free(r->name);
	free(r->dir);
	free(r->recipe);
	*r = (struct run){0};
}

/* A run's name is a folder's name too, and may come from a stranger's store. */
static bool
name_good(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(name);
	return n > 0 && n <= RUN_NAME_MAX && strspn(name, allowed) == n && name[0] != '.' && name[0] != '-';
}

/* ---- reading ---- */

#define RUN_COLUMNS \
	"SELECT id, name, n_ctx, n_examples, n_train, tokens_train, tokens_heldout, seed, dataset, trained, indexed," \
	" recipe, bos FROM runs"

static enum err
run_read(struct store *s, sqlite3_stmt *st, struct run *r)
{
	int64_t n_ctx, seed, bos;
	*r = (struct run){0};
	enum err err = db_read(s, st, "itnnnnnihffti", &r->id, &r->name, &n_ctx, &r->n_examples, &r->n_train,
		&r->tokens_train, &r->tokens_heldout, &seed, r->dataset, &r->trained, &r->indexed, &r->recipe,
		&bos);
	if (err == OK && (!name_good(r->name) || n_ctx < 1 || n_ctx > N_CTX_MAX || bos < -1 || bos > INT32_MAX))
		err = db_damaged(s, "run %" PRId64 " is not one byline made", r->id);
	if (err != OK) {
		run_free(r);
		return err;
	}
	r->n_ctx = (int)n_ctx;
	r->bos = (int32_t)bos;
	r->seed = (uint64_t)seed;
	char *below = path_join("runs", r->name);
	r->dir = path_join(s->dir, below);
	free(below);
	return OK;
}

/* The first row of a query for runs; *found false when there is none. */
static enum err
run_first(struct store *s, sqlite3_stmt *st, struct run *r, bool *found)
{
	TRY(db_next(s, st, found));
	return *found ? run_read(s, st, r) : OK;
}

enum err
store_run(struct store *s, int64_t id, struct run *r)
{
	sqlite3_stmt *st = NULL;
	bool found;
	*r = (struct run){0};
	enum err err = db_query(s, &st, RUN_COLUMNS " WHERE id = ?1", "i", id);
	if (err == OK)
		err = run_first(s, st, r, &found);
	if (err == OK && !found)
		err = err_set(ERR_MISSING, "%s: there is no run %" PRId64, s->dir, id);
	sqlite3_finalize(st);
	return err;
}

enum err
store_each_run(struct store *s, enum err (*fn)(void *arg, const struct run *r), void *arg)
{
	sqlite3_stmt *st = NULL;
	bool row;
	enum err err = db_query(s, &st, RUN_COLUMNS " ORDER BY id", "");
	while (err == OK && (err = db_next(s, st, &row)) == OK && row) {
		struct run r;
		err = run_read(s, st, &r);
		if (err == OK)
			err = fn(arg, &r);
		run_free(&r);
	}
	sqlite3_finalize(st);
	return err;
}

static enum err
add_name(void *arg, const struct run *r)
{
	struct str *names = arg;
	str_addf(names, "%s%s", names->len ? ", " : "", r->name);
	return OK;
}

static enum err
no_run(struct store *s, const char *name)
{
	struct str names = {0};
	str_adds(&names, "");
	enum err err = store_each_run(s, add_name, &names);
	if (err == OK && names.len == 0)
		err = err_set(ERR_MISSING, "%s has no runs yet; byline train makes one", s->dir);
	else if (err == OK)
		err = err_set(ERR_MISSING, "%s: there is no run \"%s\"; there are: %s", s->dir, name, names.s);
	str_free(&names);
	return err;
}

enum err
store_find_run(struct store *s, const char *name, struct run *r)
{
	sqlite3_stmt *st = NULL;
	bool found;
	*r = (struct run){0};
	enum err err = name ? db_query(s, &st, RUN_COLUMNS " WHERE name = ?1", "t", name)
		: db_query(s, &st, RUN_COLUMNS " ORDER BY trained AND indexed DESC, id DESC LIMIT 1", "");
	if (err == OK)
		err = run_first(s, st, r, &found);
	if (err == OK && !found)
		err = no_run(s, name);
	sqlite3_finalize(st);
	return err;
}

enum err
run_shape(struct store *s, int64_t id, struct run_shape *out)
{
	bool found;
	TRY(db_one(s, &found, "SELECT id, vocab, n_ctx, n_examples, dataset FROM runs WHERE id = ?1", "i>innnh", id,
		&out->id, &out->vocab, &out->n_ctx, &out->n_examples, out->dataset));
	if (!found)
		return err_set(ERR_MISSING, "%s: there is no run %" PRId64, s->dir, id);
	if (out->vocab < 1 || out->vocab > INT32_MAX || out->n_ctx < 1 || out->n_ctx > N_CTX_MAX)
		return db_damaged(s, "run %" PRId64 " is not one byline made", id);
	return OK;
}

/* ---- making ---- */

enum err
run_name_check(struct store *s, const char *name)
{
	bool taken;
	int64_t id;
	if (!name || !name_good(name))
		return err_set(ERR_USAGE,
			"a run's name has at most %d letters, digits, '.', '_' and '-', and begins with no '.' or '-'",
			RUN_NAME_MAX);
	TRY(db_one(s, &taken, "SELECT id FROM runs WHERE name = ?1", "t>i", name, &id));
	return taken ? err_set(ERR_EXISTS, "%s has a run \"%s\" already", s->dir, name) : OK;
}

static enum err
spec_check(struct store *s, const struct run_spec *spec)
{
	int least = CUT_ROOM_MIN + (spec->bos >= 0);
	if (spec->max_tokens < least || spec->max_tokens > N_CTX_MAX)
		return err_set(ERR_USAGE, "examples of %d tokens are not possible; from %d to %d", spec->max_tokens,
			least, N_CTX_MAX);
	if (!(spec->heldout >= 0 && spec->heldout < 1))
		return err_set(ERR_USAGE, "a held-out fraction of %g is not possible; from 0 to below 1",
			spec->heldout);
	if (spec->bos >= tokenizer_size(spec->tokenizer))
		return err_set(ERR_USAGE, "the tokenizer has no token %d", (int)spec->bos);
	return run_name_check(s, spec->name);
}

static enum err
run_insert(struct store *s, const struct run_spec *spec, int64_t *id)
{
	TRY(db_run(s,
		"INSERT INTO runs(name, n_ctx, vocab, bos, heldout, seed, dataset, n_examples, n_train, tokens_train,"
		" tokens_heldout, recipe) VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', 0, 0, 0, 0, ?7)", "tiiidit", spec->name,
		(int64_t)spec->max_tokens, (int64_t)tokenizer_size(spec->tokenizer), (int64_t)spec->bos, spec->heldout,
		(int64_t)spec->seed, spec->recipe));
	*id = sqlite3_last_insert_rowid(s->db);
	return OK;
}

static enum err
run_update(struct store *s, int64_t id, const struct dataset *data)
{
	char hex[HASH_HEX];
	int64_t train = 0;
	for (size_t i = 0; i < data->n; i++)
		train += !data->heldout[i];
	if (train == 0)
		return err_set(ERR_USAGE,
			"%s holds nothing to train on: no text that nobody opted out of and that is not held out",
			s->dir);
	dataset_hash(data, hex);
	return db_run(s,
		"UPDATE runs SET dataset = ?1, n_examples = ?2, n_train = ?3, tokens_train = ?4, tokens_heldout = ?5"
		" WHERE id = ?6", "tiiiii", hex, (int64_t)data->n, train, (int64_t)dataset_tokens(data, false),
		(int64_t)dataset_tokens(data, true), id);
}

static enum err
run_make(struct store *s, const struct run_spec *spec, struct job *job, int64_t *id)
{
	struct dataset data = {0};
	enum err err;
	TRY_OUT(run_insert(s, spec, id));
	TRY_OUT(words_create(s, *id));
	TRY_OUT(examples_cut(s, *id, spec, job, &data));
	err = run_update(s, *id, &data);
out:
	dataset_free(&data);
	return err;
}

enum err
store_create_run(struct store *s, const struct run_spec *spec, struct job *job, int64_t *id)
{
	TRY(db_writable(s));
	TRY(spec_check(s, spec));
	TRY(store_begin(s));
	enum err err = run_make(s, spec, job, id);
	if (err == OK)
		err = store_commit(s);
	if (err != OK)
		store_rollback(s);
	return err;
}

/* ---- repeating ---- */

/* Who opted out after a run was made stays in it, but nobody may be trained on again. */
static enum err
check_opted_out(struct store *s, const struct run *like)
{
	char *name = NULL;
	bool found;
	TRY(db_one(s, &found, "SELECT k.name FROM examples e JOIN shares h ON h.work = e.work"
		" JOIN contributors k ON k.id = h.contributor WHERE e.run = ?1 AND k.opted_out = 1 LIMIT 1", "i>t",
		like->id, &name));
	if (!found)
		return OK;
	err_set(ERR_MISMATCH, "%s has opted out since run %s was made, whose examples hold works of theirs: "
		"train a run of its own", name, like->name);
	free(name);
	return ERR_MISMATCH;
}

static enum err
repeat_insert(struct store *s, const struct run *like, const struct run_spec *spec, int64_t *id)
{
	TRY(db_run(s,
		"INSERT INTO runs(name, n_ctx, vocab, bos, heldout, seed, dataset, n_examples, n_train, tokens_train,"
		" tokens_heldout, recipe) SELECT ?1, n_ctx, vocab, bos, heldout, ?2, dataset, n_examples, n_train,"
		" tokens_train, tokens_heldout, ?3 FROM runs WHERE id = ?4", "titi", spec->name, (int64_t)spec->seed,
		spec->recipe, like->id));
	*id = sqlite3_last_insert_rowid(s->db);
	return OK;
}

static enum err
run_repeat(struct store *s, const struct run *like, const struct run_spec *spec, struct job *job, int64_t *id)
{
	TRY(check_opted_out(s, like));
	TRY(repeat_insert(s, like, spec, id));
	TRY(words_create(s, *id));
	return examples_copy(s, *id, like->id, job);
}

enum err
store_repeat_run(struct store *s, int64_t like, const struct run_spec *spec, struct job *job, int64_t *id)
{
	struct run r;
	TRY(db_writable(s));
	TRY(run_name_check(s, spec->name));
	TRY(store_run(s, like, &r));
	enum err err = store_begin(s);
	if (err == OK) {
		err = run_repeat(s, &r, spec, job, id);
		if (err == OK)
			err = store_commit(s);
		if (err != OK)
			store_rollback(s);
	}
	run_free(&r);
	return err;
}

/* ---- changing ---- */

static enum err
state_write(struct store *s, const struct run *r, bool trained, bool indexed)
{
	TRY(db_run(s, "UPDATE runs SET trained = ?1, indexed = ?2 WHERE id = ?3", "iii", (int64_t)trained,
		(int64_t)indexed, r->id));
	TRY(db_run(s, "DELETE FROM files WHERE run = ?1", "i", r->id));
	return trained || indexed ? files_record(s, r->id, r->dir) : OK;
}

enum err
store_set_run_state(struct store *s, int64_t id, bool trained, bool indexed)
{
	struct run r;
	TRY(db_writable(s));
	TRY(store_run(s, id, &r));
	enum err err = db_save(s);
	if (err == OK) {
		err = state_write(s, &r, trained, indexed);
		if (err == OK)
			err = db_release(s);
		if (err != OK)
			err = db_undo(s, err);
	}
	run_free(&r);
	return err;
}

static enum err
run_delete(struct store *s, int64_t id)
{
	TRY(words_drop(s, id));
	TRY(db_run(s, "DELETE FROM queries WHERE run = ?1", "i", id));
	TRY(db_run(s, "DELETE FROM files WHERE run = ?1", "i", id));
	TRY(db_run(s, "DELETE FROM examples WHERE run = ?1", "i", id));
	return db_run(s, "DELETE FROM runs WHERE id = ?1", "i", id);
}

enum err
store_delete_run(struct store *s, int64_t id)
{
	struct run_shape shape;
	TRY(db_writable(s));
	TRY(run_shape(s, id, &shape));
	TRY(db_save(s));
	enum err err = run_delete(s, id);
	if (err == OK)
		err = db_release(s);
	return err == OK ? OK : db_undo(s, err);
}
