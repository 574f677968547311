/* import_files: a walk over files, each handed over whole. */
#include "import_files.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"

enum { SNIFF = 4096 };

struct walk { struct importer *im; const char *root; bool packed; file_taker take; uint64_t seen; };

/* Hidden means a component that begins with a dot; version control keeps its folders that way, but for CVS. */
static bool
is_hidden(const char *rel)
{
	for (const char *p = rel; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (*p == '.' || strncmp(p, "CVS/", 4) == 0)
			return true;
	return false;
}

static bool
is_binary(const struct walk *w, const struct str *bytes)
{
	if (w->packed && bytes->len > 2 && memcmp(bytes->s, "\x1f\x8b", 2) == 0)
		return false;
	return bytes->len > 0 && memchr(bytes->s, '\0', bytes->len < SNIFF ? bytes->len : SNIFF);
}

static enum err
take_one(struct walk *w, const char *path, const char *rel)
{
	struct str bytes = {0};
	enum err err = file_read(path, w->im->max_bytes, &bytes);
	if (err == ERR_LIMIT)
		err = importer_skip(w->im, path, 0, "text too long", NULL);
	else if (err != OK)
		err = importer_skip(w->im, path, 0, "cannot be read", err_message());
	else if (is_binary(w, &bytes))
		err = importer_skip(w->im, path, 0, "not a text", NULL);
	else
		err = w->take(w->im, path, rel, &bytes);
	str_free(&bytes);
	return err;
}

static enum err
walk_file(void *arg, const char *rel)
{
	struct walk *w = arg;
	if (is_hidden(rel))
		return OK;
	TRY(job_check(w->im->job));
	job_step(w->im->job, ++w->seen);
	char *path = path_join(w->root, rel);
	enum err err = take_one(w, path, rel);
	free(path);
	return err;
}

static enum err
count_file(void *arg, const char *rel)
{
	*(uint64_t *)arg += !is_hidden(rel);
	return OK;
}

enum err
import_files(struct importer *im, const char *path, bool packed, file_taker take)
{
	struct walk w = {.im = im, .root = path, .packed = packed, .take = take};
	uint64_t total = 0;
	if (!file_is_dir(path)) {
		if (!file_exists(path))
			return err_set(ERR_MISSING, "%s: there is no such file or folder", path);
		return take_one(&w, path, path_base(path));
	}
	TRY(file_walk(path, count_file, &total));
	job_phase(im->job, "importing", total);
	return file_walk(path, walk_file, &w);
}

char *
file_stem(const char *rel)
{
	const char *base = path_base(rel), *dot = strrchr(base, '.');
	return xstrndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}
