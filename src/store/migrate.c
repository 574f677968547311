/* migrate: from one version of the schema to the next, all or nothing. */
#include "schema.h"

#include <inttypes.h>
#include <stdlib.h>

#include "byline/mem.h"

enum err
schema_read_version(struct store *s, int64_t *version)
{
	bool found;
	return db_one(s, &found, "PRAGMA user_version", ">i", version);
}

/* A pragma takes no parameter. */
static enum err
write_version(struct store *s, int version)
{
	char *sql = xasprintf("PRAGMA user_version = %d", version);
	enum err err = db_exec(s, sql);
	free(sql);
	return err;
}

enum err
schema_migrate(struct store *s, const char *const *steps, int from, int to)
{
	enum err err;
	int64_t version;
	TRY(db_exec(s, "BEGIN EXCLUSIVE"));
	TRY_OUT(schema_read_version(s, &version));
	if (version != from) {
		err = err_set(ERR_BUSY, "%s changed from version %d to %" PRId64 " meanwhile; try again", s->path, from,
			version);
		goto out;
	}
	for (int i = from; err == OK && i < to; i++)
		if ((err = db_exec(s, steps[i])) != OK)
			err = err_prefix(err, "from version %d to %d", i, i + 1);
	if (err == OK)
		err = write_version(s, to);
	if (err == OK)
		err = store_commit(s);
out:
	if (err != OK)
		store_rollback(s);
	return err;
}
