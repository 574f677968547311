/* works: what the importers and the verifier need of works beyond store.h. Private to the store floor. */
#ifndef BYLINE_STORE_WORKS_H
#define BYLINE_STORE_WORKS_H

#include "byline/hash.h"
#include "byline/store.h"

/* Whether a record makes sense; the error is the record's fault, never the store's. */
enum err works_check(const struct work_in *w);
/* The key the work should have, made again from what is stored. */
enum err works_key(struct store *s, int64_t id, char key[HASH_HEX]);

#endif
