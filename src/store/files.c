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

struct recorder { struct store *s; int64_t run; const char *dir; };

/* What is there only while somebody works in the folder. */
static bool
is_passing(const char *rel)
{
	return strcmp(path_base(rel), "lock") == 0 || strstr(path_base(rel), ".tmp.");
}

static enum err
file_record(void *arg, const char *rel)
{
	const struct recorder *r = arg;
	if (is_passing(rel))
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
