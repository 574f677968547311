/* relink: a run whose checkpoint lies elsewhere, after that was moved. */
#include "byline/attrib.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "bergson_index.h"
#include "index_info.h"

/* SHA-256 of the weights that what the run's folder holds was made with; *known is false where it holds nothing yet. */
static enum err
weights_recorded(const struct run *run, bool *known, char hex[HASH_HEX])
{
	struct index_info info = {0};
	struct bergson_record record = {0};
	*known = false;
	if (bergson_index_there(run)) {
		TRY(bergson_record_read(run->dir, (size_t)run->n_examples, false, &record));
		memcpy(hex, record.checkpoint, HASH_HEX);
		*known = true;
		bergson_record_free(&record);
		return OK;
	}
	enum err err = index_info_read(run->dir, &info);
	if (err == ERR_MISSING) {
		err_clear();
		return OK;
	}
	TRY(err);
	for (int i = 0; i < info.n_checkpoints && !*known; i++) {
		*known = strcmp(info.checkpoint[i].path, "checkpoint") == 0;
		memcpy(hex, info.checkpoint[i].sha256, HASH_HEX);
	}
	index_info_free(&info);
	return OK;
}

static enum err
check_weights(const struct run *run, const char *to)
{
	char want[HASH_HEX], got[HASH_HEX];
	bool known;
	TRY(weights_recorded(run, &known, want));
	TRY(checkpoint_hash(to, got));
	return !known || strcmp(want, got) == 0 ? OK : err_set(ERR_MISMATCH, "run %s is there, and has other weights"
		" than %s: name another with --run", run->name, to);
}

/* In one step, so that there always is a link. */
static enum err
link_replace(const struct run *run, const char *to)
{
	char *link = path_join(run->dir, "checkpoint"), *tmp = path_join(run->dir, "checkpoint.tmp.link");
	(void)unlink(tmp);
	bool done = symlink(to, tmp) == 0 && rename(tmp, link) == 0;
	enum err err = done ? OK : err_set(ERR_IO, "%s: cannot make the link", link);
	if (!done)
		(void)unlink(tmp);
	free(link);
	free(tmp);
	return err;
}

enum err
index_relink(struct store *s, const struct run *run, const char *path)
{
	char real[PATH_MAX], *now = store_linked_checkpoint(run);
	enum err err = OK;
	if (!now)
		return err_set(ERR_EXISTS, "run %s is there, and was not made of a checkpoint from elsewhere: give "
			"another --run NAME", run->name);
	if (!realpath(path, real))
		TRY_OUT(err_set(ERR_MISSING, "%s: there is no such checkpoint", path));
	if (strcmp(real, now) == 0)
		goto out;
	err = check_weights(run, real);
	if (err == OK)
		err = store_check_readings_in(s, run, real);
	if (err != OK)
		TRY_OUT(err_prefix(err, "run %s was made of %s", run->name, now));
	TRY_OUT(link_replace(run, real));
out:
	free(now);
	return err;
}
