/* kv: feeding a cache with the logits of every token. Private to the model floor. */
#ifndef BYLINE_MODEL_KV_H
#define BYLINE_MODEL_KV_H

#include "byline/generate.h"

/* Feeds n tokens. `each`, when not NULL, sees the logits after each token i; otherwise those of the last are left in
 * logits.
 * logits (vocab) is the caller's. */
enum err kv_feed(struct kv *kv, const int32_t *token, int n, void (*each)(void *arg, int i, const float *logits),
	void *arg, float *logits);

#endif
