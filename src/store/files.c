/* files: the SHA-256 of every file of a run, taken when the run was finished and compared when the store is
 * verified. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "db.h"
#include "runs.h"

/* Folders whose files are made and remade long after the run was finished, and carry their own sums. */
static const char *const growing[] = { "bank/", "whatif/" };

struct recorder { struct store *s; int64_t run; const char *dir; };

/* What is there only while somebody works in the folder. */
static bool
is_passing(const char *rel)
{
	return strcmp(path_base(rel), "lock") == 0 || strstr(rel, ".tmp.");
}

static bool
is_growing(const char *rel)
{
	for (size_t i = 0; i < ARRAY_LEN(growing); i++)
		if (strncmp(rel, growing[i], strlen(growing[i])) == 0)
			return true;
	return false;
}

static enum err
file_record(void *arg, const char *rel)
{
	const struct recorder *r = arg;
	if (is_passing(rel) || is_growing(rel))
		return OK;
	char hex[HASH_HEX], *path = path_join(r->dir, rel);
	uint64_t size;
	enum err err = file_size(path, &size);
	if (err == OK)
		err = hash_file(path, hex);
	if (err == OK)
		err = db_run(r->s, "INSERT INTO files(run, path, bytes, sha256) VALUES (?1, ?2, ?3, ?4)", "itit",
			r->run, rel, (int64_t)size, hex);
	free(path);
	return err;
}

/* ---- how the weights are read ---- */

#define CHECKPOINT "checkpoint"
#define TOKENIZER "tokenizer.json"
#define BELOW CHECKPOINT "/"

/* What tokens are made from where there is no tokenizer.json. */
static const char *const pair[] = {
	"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
};

/* Calls fn for each of the files that say how the weights in the folder `at` are to be read, those that are not there
 * included. */
static enum err
each_reading(const struct recorder *r, const char *at,
	enum err (*fn)(const struct recorder *r, const char *at, const char *name))
{
	TRY(fn(r, at, "config.json"));
	TRY(fn(r, at, TOKENIZER));
	for (size_t i = 0; i < ARRAY_LEN(pair) && !file_in_dir(at, TOKENIZER); i++)
		TRY(fn(r, at, pair[i]));
	return OK;
}

static enum err
reading_record(const struct recorder *r, const char *at, const char *name)
{
	if (!file_in_dir(at, name))
		return OK;
	char *rel = path_join(CHECKPOINT, name);
	enum err err = file_record((void *)(uintptr_t)r, rel);
	free(rel);
	return err;
}

/* Where checkpoint/ leads to, in fresh memory; NULL: it is no link. */
static char *
link_target(const char *run_dir)
{
	char to[PATH_MAX], *path = path_join(run_dir, CHECKPOINT);
	ssize_t n = readlink(path, to, sizeof(to));
	free(path);
	return n > 0 && (size_t)n < sizeof(to) ? xstrndup(to, (size_t)n) : NULL;
}

/* A walk never follows links, and a checkpoint from elsewhere is one. Its weights are held against the index. */
enum err
files_record(struct store *s, int64_t run, const char *dir)
{
	struct recorder r = { s, run, dir };
	enum err err = OK;
	if (!file_exists(dir))
		return OK;
	TRY(file_walk(dir, file_record, &r));
	char *path = path_join(dir, CHECKPOINT), *to = link_target(dir);
	if (to && file_is_dir(path))
		err = each_reading(&r, path, reading_record);
	free(to);
	free(path);
	return err;
}

/* ---- checking ---- */

static enum err
recorded(const struct recorder *r, const char *rel, bool *found, char hex[HASH_HEX])
{
	return db_one(r->s, found, "SELECT sha256 FROM files WHERE run = ?1 AND path = ?2", "it>h", r->run, rel, hex);
}

/* What makes a run of its own of what has changed: examples are cut into tokens once, when a run is made. */
static const char *
else_do(const struct recorder *r)
{
	char *to = link_target(r->dir);
	bool linked = to != NULL;
	free(to);
	return linked ? "index the checkpoint under another name (--checkpoint PATH --run NAME)" : "make another run";
}

/* The file at `path` against what was recorded of `rel`. */
static enum err
recorded_check(const struct recorder *r, const char *path, const char *rel)
{
	char want[HASH_HEX], got[HASH_HEX];
	bool known;
	TRY(recorded(r, rel, &known, want));
	if (!known && !file_exists(path))
		return OK;
	if (!known)
		return err_set(ERR_MISMATCH, "%s was not there when this run was finished: take it away, or %s", path,
			else_do(r));
	TRY(hash_file(path, got));
	return strcmp(want, got) == 0 ? OK : err_set(ERR_MISMATCH,
		"%s is not the file this run was finished with: put it back, or %s", path, else_do(r));
}

static enum err
reading_check(const struct recorder *r, const char *at, const char *name)
{
	char *path = path_join(at, name), *rel = path_join(CHECKPOINT, name);
	enum err err = recorded_check(r, path, rel);
	free(path);
	free(rel);
	return err;
}

/* A store written before these were recorded has none of them. */
static enum err
readings_recorded(const struct recorder *r, bool *any)
{
	int64_t n = 0;
	bool found;
	TRY(db_one(r->s, &found, "SELECT count(*) FROM files WHERE run = ?1 AND path IN ('" BELOW "config.json', '"
		BELOW TOKENIZER "', '" BELOW "vocab.json', '" BELOW "merges.txt')", "i>n", r->run, &n));
	*any = n > 0;
	return OK;
}

enum err
store_check_readings(struct store *s, const struct run *run)
{
	struct recorder r = { s, run->id, run->dir };
	bool any;
	TRY(readings_recorded(&r, &any));
	if (!any)
		return OK;
	char *at = path_join(run->dir, CHECKPOINT);
	enum err err = each_reading(&r, at, reading_check);
	free(at);
	return err;
}

static enum err
reading_absent(const struct recorder *r, const char *at, const char *name)
{
	(void)r;
	return !file_in_dir(at, name) ? OK : err_set(ERR_MISMATCH, "%s/%s: nothing was recorded that it could be "
		"compared with", at, name);
}

enum err
store_check_readings_in(struct store *s, const struct run *run, const char *at)
{
	struct recorder r = { s, run->id, run->dir };
	bool any;
	TRY(readings_recorded(&r, &any));
	return each_reading(&r, at, any ? reading_check : reading_absent);
}

enum err
store_check_file(struct store *s, const struct run *run, const char *rel)
{
	struct recorder r = { s, run->id, run->dir };
	char hex[HASH_HEX];
	bool known;
	TRY(recorded(&r, rel, &known, hex));
	if (!known)
		return OK;
	char *path = path_join(run->dir, rel);
	enum err err = recorded_check(&r, path, rel);
	free(path);
	return err;
}

/* ---- a checkpoint that lies elsewhere ---- */

char *
store_linked_checkpoint(const struct run *run)
{
	return link_target(run->dir);
}

enum err
store_check_checkpoint(struct store *s, const struct run *run)
{
	char *path = path_join(run->dir, CHECKPOINT), *to = link_target(run->dir);
	enum err err = file_exists(path) ? OK : to
		? err_set(ERR_MISSING, "run %s: its checkpoint is no more where it was, %s: put it back, or say where"
			" it is now: byline index %s --checkpoint PATH --run %s", run->name, to, s->dir, run->name)
		: err_set(ERR_MISSING, "run %s has no weights yet (%s): run `byline train %s --run %s`", run->name,
			path, s->dir, run->name);
	free(path);
	free(to);
	return err;
}
