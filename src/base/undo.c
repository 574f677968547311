/* undo: see undo.h. */
#include "config.h"

#include "byline/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"

struct undo_entry {
	char *path;
	char *before;			/* what was there, under this name; NULL: nothing was */
	size_t there;			/* bytes of its longest parent that was there */
};

enum kind { NOTHING, FILE_ITSELF, FOLDER, OTHER };

static enum kind
kind_of(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return NOTHING;
	return S_ISREG(st.st_mode) ? FILE_ITSELF : S_ISDIR(st.st_mode) ? FOLDER : OTHER;
}

static enum err
fail(const char *verb, const char *path)
{
	return err_set(ERR_IO, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* ---- remembering ---- */

/* Length of the longest parent that is there. */
static size_t
parent_there(const char *path)
{
	char *parent = xstrdup(path);
	size_t n = strlen(parent);
	while (n > 0) {
		while (n > 0 && parent[n - 1] == '/')
			n--;
		while (n > 0 && parent[n - 1] != '/')
			n--;
		parent[n] = '\0';
		if (n > 0 && file_exists(parent))
			break;
	}
	free(parent);
	return n;
}

/* A file keeps its name beside the other, so that nobody who reads misses it; links and folders move. */
static enum err
set_aside(const char *path, const char *before)
{
	TRY(file_remove_any(before));
	if (kind_of(path) == FILE_ITSELF && link(path, before) == 0)
		return OK;
	return rename(path, before) == 0 ? OK : fail("rename", path);
}

enum err
undo_add(struct undo *u, const char *path)
{
	size_t n = strlen(path);
	enum err err = OK;
	while (n > 1 && path[n - 1] == '/')
		n--;
	struct undo_entry e = { .path = xstrndup(path, n) };
	e.there = parent_there(e.path);
	if (kind_of(e.path) != NOTHING) {
		e.before = xasprintf("%s.tmp.before", e.path);
		err = set_aside(e.path, e.before);
	}
	if (err != OK) {
		free(e.path);
		free(e.before);
		return err;
	}
	mem_grow(&u->entry, &u->cap, u->n + 1, sizeof(*u->entry));
	u->entry[u->n++] = e;
	return OK;
}

/* ---- ending ---- */

static void
remove_parents(const struct undo_entry *e)
{
	char *parent = xstrdup(e->path);
	for (;;) {
		char *slash = strrchr(parent, '/');
		if (!slash)
			break;
		*slash = '\0';
		if (strlen(parent) <= e->there || rmdir(parent) != 0)
			break;
	}
	free(parent);
}

static void
put_back(const struct undo_entry *e)
{
	if (file_remove_any(e->path) != OK)
		return;
	if (e->before)
		(void)rename(e->before, e->path);
	else
		remove_parents(e);
}

static void
undo_free(struct undo *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->entry[i].path);
		free(u->entry[i].before);
	}
	free(u->entry);
	*u = (struct undo){0};
}

static void
keep(const struct undo_entry *e)
{
	if (e->before)
		(void)file_remove_any(e->before);
}

static enum err
end_all(struct undo *u, enum err err, void (*end)(const struct undo_entry *e))
{
	char *message = xstrdup(err_message());
	for (size_t i = u->n; i-- > 0;)
		end(&u->entry[i]);
	undo_free(u);
	if (err != OK)
		err_set(err, "%s", message);
	free(message);
	return err;
}

enum err
undo_end(struct undo *u, enum err err)
{
	return end_all(u, err, err == OK ? keep : put_back);
}

enum err
undo_drop(struct undo *u, enum err err)
{
	return end_all(u, err, keep);
}
