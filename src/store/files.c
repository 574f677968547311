/* files: the SHA-256 of every file of a run, taken when the run was finished and compared when the store is
 * verified. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

enum err
files_record(struct store *s, int64_t run, const char *dir)
{
	struct recorder r = { s, run, dir };
	return file_exists(dir) ? file_walk(dir, file_record, &r) : OK;
}

enum err
store_check_file(struct store *s, const struct run *r, const char *rel)
{
	char want[HASH_HEX], got[HASH_HEX];
	bool recorded;
	TRY(db_one(s, &recorded, "SELECT sha256 FROM files WHERE run = ?1 AND path = ?2", "it>h", r->id, rel, want));
	if (!recorded)
		return OK;
	char *path = path_join(r->dir, rel);
	enum err err = hash_file(path, got);
	if (err == OK && strcmp(want, got) != 0)
		err = err_set(ERR_MISMATCH,
			"%s is not the file this run was finished with: put it back, or train or index again", path);
	free(path);
	return err;
}
