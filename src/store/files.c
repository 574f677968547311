/* files: the SHA-256 of every file of a run, taken when the run was finished and compared when the store is
 * verified. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
#define CONFIG CHECKPOINT "/config.json"
#define TOKENIZER CHECKPOINT "/tokenizer.json"

/* What tokens are made from where there is no tokenizer.json. */
static const char *const pair[] = {
	CHECKPOINT "/vocab.json", CHECKPOINT "/merges.txt", CHECKPOINT "/tokenizer_config.json",
	CHECKPOINT "/special_tokens_map.json", CHECKPOINT "/added_tokens.json",
};

/* Calls fn for each of the files that say how the weights in the folder are to be read, those that are not there
 * included. */
static enum err
each_reading(const struct recorder *r, enum err (*fn)(const struct recorder *r, const char *rel))
{
	TRY(fn(r, CONFIG));
	TRY(fn(r, TOKENIZER));
	for (size_t i = 0; i < ARRAY_LEN(pair) && !file_in_dir(r->dir, TOKENIZER); i++)
		TRY(fn(r, pair[i]));
	return OK;
}

static enum err
reading_record(const struct recorder *r, const char *rel)
{
	return file_in_dir(r->dir, rel) ? file_record((void *)(uintptr_t)r, rel) : OK;
}

/* A walk never follows links, and a checkpoint from elsewhere is one. Its weights are held against the index. */
enum err
files_record(struct store *s, int64_t run, const char *dir)
{
	struct recorder r = { s, run, dir };
	struct stat st;
	if (!file_exists(dir))
		return OK;
	TRY(file_walk(dir, file_record, &r));
	char *path = path_join(dir, CHECKPOINT);
	bool link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && file_is_dir(path);
	free(path);
	return link ? each_reading(&r, reading_record) : OK;
}

/* ---- checking ---- */

static enum err
recorded(const struct recorder *r, const char *rel, bool *found, char hex[HASH_HEX])
{
	return db_one(r->s, found, "SELECT sha256 FROM files WHERE run = ?1 AND path = ?2", "it>h", r->run, rel, hex);
}

static enum err
reading_check(const struct recorder *r, const char *rel)
{
	char want[HASH_HEX], got[HASH_HEX];
	bool known;
	TRY(recorded(r, rel, &known, want));
	if (!known && !file_in_dir(r->dir, rel))
		return OK;
	char *path = path_join(r->dir, rel);
	enum err err = known ? hash_file(path, got) : OK;
	if (err == OK && !known)
		err = err_set(ERR_MISMATCH, "%s was not there when this run was finished: take it away, or train or "
			"index again", path);
	else if (err == OK && strcmp(want, got) != 0)
		err = err_set(ERR_MISMATCH,
			"%s is not the file this run was finished with: put it back, or train or index again", path);
	free(path);
	return err;
}

enum err
store_check_readings(struct store *s, const struct run *run)
{
	struct recorder r = { s, run->id, run->dir };
	char hex[HASH_HEX];
	bool known;
	TRY(recorded(&r, CONFIG, &known, hex));
	return known ? each_reading(&r, reading_check) : OK;
}

enum err
store_check_file(struct store *s, const struct run *run, const char *rel)
{
	struct recorder r = { s, run->id, run->dir };
	char hex[HASH_HEX];
	bool known;
	TRY(recorded(&r, rel, &known, hex));
	return known ? reading_check(&r, rel) : OK;
}
