/*
 * sealed: JSON files that say what their own content must hash to, for files that come and go after the store has
 * taken its sums.
 */
#ifndef BYLINE_TRUST_SEALED_H
#define BYLINE_TRUST_SEALED_H

#include <jansson.h>

#include "byline/err.h"

/* Adds "sha256", of the object without it as compact JSON, and replaces the file. Steals the reference. */
enum err sealed_write(const char *path, json_t *object);

/* ERR_FORMAT, naming the file, when it is none of ours or not what was written. *out is the caller's to json_decref,
 * without the seal. */
enum err sealed_read(const char *path, json_t **out);

#endif
