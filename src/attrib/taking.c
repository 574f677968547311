/* taking: see taking.h. */
#include "taking.h"

#include <stdlib.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/verbatim.h"

enum err
taking_begin(struct taking *t, struct store *s)
{
	*t = (struct taking){ .store = s };
	return store_stage(s);
}

/* A corpus too large to be looked up word for word is imported all the same; a file of other works is of no use. */
static enum err
bring_words(struct taking *t, struct job *job)
{
	char *path = path_join(store_dir(t->store), VERBATIM_FILE);
	enum err err = undo_add(&t->files, path);
	if (err == OK)
		err = verbatim_build(t->store, job);
	if (err == ERR_LIMIT) {
		unlink(path);
		err_clear();
		err = OK;
	}
	free(path);
	return err;
}

enum err
taking_end(struct taking *t, enum err err, struct job *job)
{
	if (err == OK)
		err = bring_words(t, job);
	err = undo_end(&t->files, store_stage_end(t->store, err));
	if (err == OK)
		verbatim_tidy(t->store);
	return err;
}
