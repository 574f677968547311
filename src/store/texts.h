/*
 * texts: the bytes of the works, each once, as zstd frames; with a dictionary, kept in the database, once there are
 * enough to train one. Private to the store floor.
 */
#ifndef BYLINE_STORE_TEXTS_H
#define BYLINE_STORE_TEXTS_H

#include <stdint.h>

#include "byline/hash.h"
#include "byline/store.h"
#include "byline/str.h"

enum { TEXT_MAX = 256 << 20 };		/* bytes of one text: offsets into it fit 32 bits with room to spare */

/* Stores a text unless it is there; *id either way. `sha256` is its hash. */
enum err texts_add(struct store *s, const char *text, size_t n, const char *sha256, int64_t *id);
/* Appends the text after checking its length and hash. */
enum err texts_read(struct store *s, int64_t id, struct str *out);
/* The text of a work, borrowed until the next call: the last one is kept, since examples of one work are read
 * together. */
enum err texts_of_work(struct store *s, int64_t work, const struct str **out);
/* Forgets dictionaries and texts in memory: after a rollback they may not be in the database. */
void texts_reset(struct store *s);

#endif
