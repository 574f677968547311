/* bergson_files: the files of an index on their way into a run's folder. */
#ifndef BYLINE_ATTRIB_BERGSON_FILES_H
#define BYLINE_ATTRIB_BERGSON_FILES_H

#include "byline/hash.h"
#include "byline/job.h"
#include "bergson_info.h"

enum err bergson_real(const char *dir, char **out);		/* the caller's */
/* `link` leads to the folder afterwards, in place of whatever link or copy was there. */
enum err bergson_link(const char *dir, const char *link);
/* Those of the files that are there come into the folder `to`, in place of a link. */
enum err bergson_copy(const char *dir, const char *to, struct job *job);
/* One pass over gradients.bin: its hash, and how many rows have numbers that are not finite. */
enum err bergson_check_rows(const char *dir, const struct bergson_info *info, struct job *job, uint64_t *broken,
	char hex[HASH_HEX]);

#endif
