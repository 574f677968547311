/* bergson_files: the files of an index on their way into a run's folder. */
#ifndef BYLINE_ATTRIB_BERGSON_FILES_H
#define BYLINE_ATTRIB_BERGSON_FILES_H

#include "byline/hash.h"
#include "byline/job.h"
#include "bergson_info.h"

enum err bergson_real(const char *dir, char **out);		/* the caller's */
/* `link`, where nothing is, leads to the folder afterwards. */
enum err bergson_link(const char *dir, const char *link);
/* Those of the files that are there come into the folder `to`. */
enum err bergson_copy(const char *dir, const char *to, struct job *job);
/* Takes away what bergson.json does not name, and what writers left that were killed. */
void bergson_tidy(const char *run_dir);
/* One pass over gradients.bin: its hash, and how many rows have numbers that are not finite. */
enum err bergson_check_rows(const char *dir, const struct bergson_info *info, struct job *job, uint64_t *broken,
	char hex[HASH_HEX]);

#endif
