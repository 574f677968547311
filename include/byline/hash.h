/*
 * hash: SHA-256 by libsodium, as lower-case hex. Used for identity (texts, checkpoints, files), never for secrets.
 */
#ifndef BYLINE_HASH_H
#define BYLINE_HASH_H

#include <stddef.h>

#include "byline/err.h"

#define HASH_HEX 65	/* 64 digits and the NUL */

void hash_bytes(const void *data, size_t n, char hex[HASH_HEX]);
enum err hash_file(const char *path, char hex[HASH_HEX]);

/* Several pieces, one hash; lengths are mixed in, so ("ab","c") and ("a","bc") differ. */
struct hash_state { _Alignas(64) unsigned char opaque[256]; };
void hash_init(struct hash_state *h);
void hash_add(struct hash_state *h, const void *data, size_t n);
void hash_final(struct hash_state *h, char hex[HASH_HEX]);

#endif
