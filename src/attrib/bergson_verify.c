/* bergson_verify: imported indexes rechecked, and what imports left that were killed told of, or taken away. */
#include "config.h"

#include "byline/bergson.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/verbatim.h"
#include "bergson_files.h"
#include "bergson_index.h"
#include "leftovers.h"

/* ---- leftovers of a run ----------------------------------------------------------------------------------------- */

static const char *const stems[] = { "bergson", "checkpoint" };

/* Folders that bergson.json does not name. */
static void
each_unnamed(const char *run_dir, void (*fn)(void *arg, const char *path), void *arg)
{
	const char *named = bergson_record_folder(run_dir);
	for (int i = 0; i < BERGSON_FOLDERS; i++) {
		char *path = path_join(run_dir, bergson_folders[i]);
		if (bergson_folders[i] != named && (file_exists(path) || file_is_link(path)))
			fn(arg, path);
		free(path);
	}
}

static void
remove_one(void *arg, const char *path)
{
	(void)arg;
	(void)file_remove_any(path);
	err_clear();
}

void
bergson_tidy(const char *run_dir)
{
	each_unnamed(run_dir, remove_one, NULL);
	for (size_t i = 0; i < ARRAY_LEN(stems); i++)
		leftovers_remove(run_dir, stems[i]);
}

/* ---- verifying -------------------------------------------------------------------------------------------------- */

struct verifying { struct store *s; struct leftovers_note note; int64_t *n; struct job *job; };

static bool
is_finding(enum err err)
{
	return err == ERR_FORMAT || err == ERR_MISSING || err == ERR_MISMATCH || err == ERR_LIMIT || err == ERR_IO
		|| err == ERR_UNSUPPORTED;
}

/* The store verifies what is in it; where a link leads to, it does not look. */
static enum err
verify_linked(struct verifying *v, const struct run *r)
{
	struct bergson_record record = {0};
	const char *folder = bergson_record_folder(r->dir);
	char *path = folder ? path_join(r->dir, folder) : NULL;
	enum err err = OK;
	if (path && (file_is_link(path) || !file_is_dir(path)))
		err = bergson_record_read(r->dir, (size_t)r->n_examples, true, &record);
	bergson_record_free(&record);
	free(path);
	if (!is_finding(err))
		return err;
	v->note.fn(v->note.arg, err_message());
	++*v->n;
	return OK;
}

static enum err
verify_run(void *arg, const struct run *r)
{
	struct verifying *v = arg;
	TRY(job_check(v->job));
	TRY(verify_linked(v, r));
	each_unnamed(r->dir, leftovers_tell, &v->note);
	for (size_t i = 0; i < ARRAY_LEN(stems); i++)
		leftovers_each(r->dir, stems[i], leftovers_tell, &v->note);
	return OK;
}

static void
tell_unowned(struct verifying *v, const char *runs, const char *name)
{
	struct run run = {0};
	if (store_find_run(v->s, name, &run) == ERR_MISSING) {
		char *line = xasprintf("%s/%s belongs to no run", runs, name);
		v->note.fn(v->note.arg, line);
		free(line);
	}
	err_clear();
	run_free(&run);
}

static void
tell_folders(struct verifying *v)
{
	char *runs = path_join(store_dir(v->s), "runs");
	DIR *d = opendir(runs);
	const struct dirent *e;
	while (d && (e = readdir(d)))
		if (*e->d_name != '.')
			tell_unowned(v, runs, e->d_name);
	if (d)
		closedir(d);
	free(runs);
}

enum err
bergson_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings)
{
	struct verifying v = { s, { fn, arg }, n_findings, job };
	job_phase(job, "checking imported indexes", 0);
	TRY(store_each_run(s, verify_run, &v));
	tell_folders(&v);
	leftovers_each(store_dir(s), VERBATIM_FILE, leftovers_tell, &v.note);
	return OK;
}
