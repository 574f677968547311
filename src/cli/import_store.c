/* import_store: see import_store.h. */
#include "config.h"

#include "import_store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/verbatim.h"

/* What a folder that is there already may get. */
static const char *const parts[] = { "store.db", "runs", VERBATIM_FILE };

/* ---- folders ---- */

/* Bytes of the part of s->dir that is there, without a '/' at its end. */
static size_t
length_there(const char *dir)
{
	char *path = xstrdup(dir);
	size_t n = strlen(path);
	while (n > 0 && !file_exists(path)) {
		while (n > 0 && path[n - 1] != '/')
			n--;
		while (n > 1 && path[n - 1] == '/')
			n--;
		path[n] = '\0';
	}
	free(path);
	return n;
}

/* Those that were made, as long as they are empty: somebody else's store may stand there by now. */
static void
remove_folders(const struct import_store *s)
{
	char *path = xstrdup(s->dir);
	while (strlen(path) > s->there && rmdir(path) == 0) {
		size_t n = strlen(path);
		while (n > 0 && path[n - 1] != '/')
			n--;
		while (n > 1 && path[n - 1] == '/')
			n--;
		path[n] = '\0';
	}
	free(path);
}

/* ---- the store ---- */

static enum err
make(struct import_store *s)
{
	enum err err = OK;
	for (size_t i = 0; err == OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *path = path_join(s->dir, parts[i]);
		if (!file_exists(path) && !file_is_link(path))
			err = undo_add(&s->made, path);
		free(path);
	}
	if (err == OK)
		err = store_create(s->dir, &s->store);
	/* That leaves nothing of its own when it fails, and what is there is somebody else's. */
	return err == OK ? OK : undo_drop(&s->made, err);
}

enum err
import_store_open(const char *dir, struct import_store *s)
{
	*s = (struct import_store){ .dir = xstrdup(dir) };
	for (size_t n = strlen(dir); n > 1 && dir[n - 1] == '/'; n--)
		s->dir[n - 1] = '\0';
	if (file_is_link(s->dir) && !file_exists(s->dir))
		return err_set(ERR_MISSING, "%s is a link that leads nowhere", dir);
	s->there = length_there(s->dir);
	bool fresh = !file_in_dir(s->dir, "store.db") && (!file_exists(s->dir) || file_is_dir(s->dir));
	return fresh ? make(s) : store_open(dir, false, &s->store);
}

struct ending { struct import_store *s; enum err err; };

/* While nobody else can have put anything there. */
static void
end(void *arg)
{
	struct ending *e = arg;
	(void)undo_end(&e->s->made, e->err);
}

enum err
import_store_close(struct import_store *s, enum err err)
{
	struct ending e = { s, err };
	char *message = xstrdup(err_message());
	if (s->store)
		store_close_with(s->store, end, &e);
	if (err != OK) {
		remove_folders(s);
		err_set(err, "%s", message);
	}
	free(s->dir);
	free(message);
	*s = (struct import_store){0};
	return err;
}
