/* gguf_maker: GGUF files with one thing wrong, for tests. */
#ifndef BYLINE_TESTS_GGUF_MAKER_H
#define BYLINE_TESTS_GGUF_MAKER_H

#include <stdint.h>
#include <string.h>

#include "byline/gguf.h"
#include "byline/str.h"

static inline void
gguf_put(struct str *out, uint64_t v, size_t bytes)
{
	str_add(out, (const char *)&v, bytes);
}

static inline void
gguf_put_text(struct str *out, const char *s)
{
	gguf_put(out, strlen(s), 8);
	str_adds(out, s);
}

/* A key and its type; the value follows. */
static inline void
gguf_put_key(struct str *out, const char *name, enum gguf_kind kind)
{
	gguf_put_text(out, name);
	gguf_put(out, (uint64_t)kind, 4);
}

static inline void
gguf_put_array(struct str *out, const char *name, enum gguf_kind of, uint64_t n)
{
	gguf_put_key(out, name, GGUF_ARRAY);
	gguf_put(out, (uint64_t)of, 4);
	gguf_put(out, n, 8);
}

static inline void
gguf_put_tensor(struct str *out, const char *name, int n_dims, const uint64_t *dims, uint32_t type, uint64_t offset)
{
	gguf_put_text(out, name);
	gguf_put(out, (uint64_t)n_dims, 4);
	for (int i = 0; i < n_dims; i++)
		gguf_put(out, dims[i], 8);
	gguf_put(out, type, 4);
	gguf_put(out, offset, 8);
}

static inline void
gguf_put_head(struct str *out, uint32_t version, uint64_t tensors, uint64_t keys)
{
	str_adds(out, "GGUF");
	gguf_put(out, version, 4);
	gguf_put(out, tensors, 8);
	gguf_put(out, keys, 8);
}

#endif
