/*
 * meta: numbers in the metadata of a safetensors file, where everything is a string and the file a stranger's.
 */
#ifndef BYLINE_ATTRIB_META_H
#define BYLINE_ATTRIB_META_H

#include <stdint.h>

#include "byline/safetensors.h"

enum err meta_text(const struct st_file *f, const char *key, const char **out);
enum err meta_u64(const struct st_file *f, const char *key, uint64_t min, uint64_t max, uint64_t *out);
enum err meta_real(const struct st_file *f, const char *key, double min, double max, double *out);
/* ERR_MISMATCH unless the file's `key` is `want`. */
enum err meta_same(const struct st_file *f, const char *key, const char *want);

#endif
