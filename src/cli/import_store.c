/* import_store: see import_store.h. */
#include "import_store.h"

#include <stdbool.h>
#include <stdlib.h>

#include "byline/file.h"
#include "byline/verbatim.h"

/* What a folder that is there already may get. */
static const char *const parts[] = { "store.db", "runs", VERBATIM_FILE };

static enum err
make(const char *dir, struct import_store *s)
{
	enum err err = OK;
	if (!file_exists(dir))
		err = undo_add(&s->made, dir);
	for (size_t i = 0; err == OK && file_exists(dir) && i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *path = path_join(dir, parts[i]);
		if (!file_exists(path))
			err = undo_add(&s->made, path);
		free(path);
	}
	if (err == OK)
		err = store_create(dir, &s->store);
	/* One that somebody else is making is not ours to remove. */
	return err == ERR_BUSY || err == ERR_EXISTS ? undo_drop(&s->made, err) : err;
}

enum err
import_store_open(const char *dir, struct import_store *s)
{
	char *db = path_join(dir, "store.db");
	bool fresh = !file_exists(db) && (!file_exists(dir) || file_is_dir(dir));
	free(db);
	*s = (struct import_store){0};
	return fresh ? make(dir, s) : store_open(dir, false, &s->store);
}

enum err
import_store_close(struct import_store *s, enum err err)
{
	store_close(s->store);
	s->store = NULL;
	return undo_end(&s->made, err);
}
