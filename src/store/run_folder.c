/* run_folder: where a run's folder will be, cleared of what runs that never came to be have left. */
#include "config.h"

#include "byline/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "db.h"
#include "runs.h"

/* Is `path` the folder, or below it, once all links are followed? */
static bool
is_within(const char *path, const char *dir)
{
	char *p = realpath(path, NULL), *d = realpath(dir, NULL);
	size_t n = d ? strlen(d) : 0;
	bool within = p && d && strncmp(p, d, n) == 0 && (p[n] == '/' || p[n] == '\0');
	free(p);
	free(d);
	return within;
}

static enum err
clear(const struct store *s, const char *dir, const char *const *sources)
{
	char *runs = path_join(s->dir, "runs");
	bool elsewhere = file_is_link(runs);
	free(runs);
	if (!file_exists(dir) && !file_is_link(dir))
		return OK;
	if (elsewhere)
		return err_set(ERR_EXISTS, "%s is no run's, and is not in the store, but where runs/ leads: take it "
			"away", dir);
	if (file_is_link(dir))
		return unlink(dir) == 0 ? OK : err_set(ERR_IO, "cannot remove %s: %s", dir, strerror(errno));
	if (file_in_dir(dir, "journal.jsonl"))
		return err_set(ERR_EXISTS, "%s holds a training that no run of the store owns: take it away, or "
			"name another run", dir);
	for (; *sources; sources++)
		if (is_within(*sources, dir))
			return err_set(ERR_EXISTS, "%s is in the folder of a run that never came to be: move it "
				"elsewhere first", *sources);
	return file_remove_tree(dir);
}

enum err
store_clear_run(struct store *s, const char *name, const char *const *sources)
{
	TRY(db_writable(s));
	TRY(run_name_check(s, name));
	char *below = path_join("runs", name), *dir = path_join(s->dir, below);
	enum err err = clear(s, dir, sources);
	free(below);
	free(dir);
	return err;
}

enum err
store_forget_files(struct store *s, int64_t id, const char *folder)
{
	char *below = path_join(folder, "");
	enum err err = db_writable(s);
	if (err == OK)
		err = db_run(s, "DELETE FROM files WHERE run = ?1 AND substr(path, 1, length(?2)) = ?2", "it", id,
			below);
	free(below);
	return err;
}
