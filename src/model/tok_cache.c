/* Pieces that were encoded before: words come again and again. */
#include "tok.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

enum { KEYS_MAX = 1 << 18 };

size_t
cache_get(const struct cache *c, const char *s, size_t n, const int32_t **tokens)
{
	int32_t at = str_map_get(&c->index, s, n);
	if (at < 0)
		return 0;
	*tokens = c->tokens + at + 1;
	return (size_t)c->tokens[at];
}

int32_t *
cache_put(struct cache *c, const char *s, size_t n, size_t k)
{
	if (!c->keys)
		c->keys = xmalloc(KEYS_MAX);
	if (c->keys_n + n > KEYS_MAX) {
		str_map_free(&c->index);
		c->keys_n = c->tokens_n = 0;
	}
	mem_grow(&c->tokens, &c->tokens_cap, c->tokens_n + 1 + 2 * k, sizeof(*c->tokens));
	str_map_put(&c->index, memcpy(c->keys + c->keys_n, s, n), n, (int32_t)c->tokens_n);
	int32_t *room = c->tokens + c->tokens_n + 1;
	room[-1] = (int32_t)k;
	c->keys_n += n;
	c->tokens_n += 1 + 2 * k;
	return room;
}

void
cache_free(struct cache *c)
{
	str_map_free(&c->index);
	free(c->keys);
	free(c->tokens);
}
