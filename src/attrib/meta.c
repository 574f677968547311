/* meta: checked metadata. */
#include "meta.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum err
meta_text(const struct st_file *f, const char *key, const char **out)
{
	*out = st_meta(f, key);
	return *out ? OK : err_set(ERR_FORMAT, "%s: metadata \"%s\" is missing; index the run again with --force",
		f->path, key);
}

enum err
meta_u64(const struct st_file *f, const char *key, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *text;
	char *end;
	TRY(meta_text(f, key, &text));
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || *out < min || *out > max)
		return err_set(ERR_FORMAT, "%s: metadata \"%s\" must be a number from %" PRIu64 " to %" PRIu64, f->path,
			key, min, max);
	return OK;
}

enum err
meta_real(const struct st_file *f, const char *key, double min, double max, double *out)
{
	const char *text;
	char *end;
	TRY(meta_text(f, key, &text));
	*out = strtod(text, &end);
	if (end == text || *end || !(*out >= min && *out <= max))
		return err_set(ERR_FORMAT, "%s: metadata \"%s\" must be a number from %g to %g", f->path, key, min,
			max);
	return OK;
}

enum err
meta_same(const struct st_file *f, const char *key, const char *want)
{
	const char *got;
	TRY(meta_text(f, key, &got));
	if (strcmp(got, want) != 0)
		return err_set(ERR_MISMATCH, "%s: made for another \"%s\"; index the run again with --force", f->path,
			key);
	return OK;
}
