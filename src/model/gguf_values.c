/* gguf: the values of the metadata. All were checked to lie within the file when it was opened. */
#include "byline/gguf.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gguf_parts.h"

static int
name_cmp(const void *name, const void *b)
{
	const struct gguf_key *y = b;
	return strcmp(name, y->name);
}

const struct gguf_key *
gguf_find(const struct gguf *g, const char *name)
{
	return g->n_keys ? bsearch(name, g->keys, g->n_keys, sizeof(*g->keys), name_cmp) : NULL;
}

static enum err
wrong(const struct gguf *g, const char *name, const char *what)
{
	return err_set(ERR_FORMAT, "%s: \"%s\" is not %s", g->path, name, what);
}

/* ---- numbers ---- */

#define LOAD(type, at) load_##type(at)
#define LOADER(type) \
	static type \
	load_##type(const uint8_t *at) \
	{ \
		type v; \
		memcpy(&v, at, sizeof(v)); \
		return v; \
	}
LOADER(uint16_t)
LOADER(int16_t)
LOADER(uint32_t)
LOADER(int32_t)
LOADER(uint64_t)
LOADER(int64_t)
LOADER(float)
LOADER(double)

/* false: not a whole number that int64_t holds */
static bool
whole(enum gguf_kind kind, const uint8_t *at, int64_t *out)
{
	uint64_t big;
	switch (kind) {
	case GGUF_U8: *out = *at; return true;
	case GGUF_I8: *out = (int8_t)*at; return true;
	case GGUF_U16: *out = LOAD(uint16_t, at); return true;
	case GGUF_I16: *out = LOAD(int16_t, at); return true;
	case GGUF_U32: *out = LOAD(uint32_t, at); return true;
	case GGUF_I32: *out = LOAD(int32_t, at); return true;
	case GGUF_I64: *out = LOAD(int64_t, at); return true;
	case GGUF_U64:
		big = LOAD(uint64_t, at);
		*out = (int64_t)(big & INT64_MAX);
		return big <= INT64_MAX;
	default: return false;
	}
}

enum err
gguf_int(const struct gguf *g, const char *name, int64_t min, int64_t max, int64_t def, int64_t *out)
{
	const struct gguf_key *key = gguf_find(g, name);
	*out = def;
	if (!key)
		return OK;
	if (!whole(key->kind, key->at, out))
		return wrong(g, name, "a whole number");
	if (*out < min || *out > max)
		return err_set(ERR_FORMAT, "%s: \"%s\" is %" PRId64 ", must be from %" PRId64 " to %" PRId64, g->path,
			name, *out, min, max);
	return OK;
}

static double
number(enum gguf_kind kind, const uint8_t *at)
{
	int64_t v = 0;
	if (kind == GGUF_F32)
		return LOAD(float, at);
	if (kind == GGUF_F64)
		return LOAD(double, at);
	if (kind == GGUF_U64)
		return (double)LOAD(uint64_t, at);
	if (kind == GGUF_BOOL)
		return *at;
	whole(kind, at, &v);
	return (double)v;
}

double
gguf_number(const struct gguf_key *array, uint64_t i)
{
	assert(i < array->n && gguf_kind_size(array->of) > 0);
	return number(array->of, array->at + i * gguf_kind_size(array->of));
}

enum err
gguf_real(const struct gguf *g, const char *name, double def, double *out)
{
	const struct gguf_key *key = gguf_find(g, name);
	*out = def;
	if (!key)
		return OK;
	if (key->kind == GGUF_STRING || key->kind == GGUF_ARRAY || key->kind == GGUF_BOOL)
		return wrong(g, name, "a number");
	*out = number(key->kind, key->at);
	return isfinite(*out) ? OK : wrong(g, name, "a finite number");
}

enum err
gguf_bool(const struct gguf *g, const char *name, bool def, bool *out)
{
	const struct gguf_key *key = gguf_find(g, name);
	*out = def;
	if (!key)
		return OK;
	if (key->kind != GGUF_BOOL)
		return wrong(g, name, "true or false");
	*out = *key->at != 0;
	return OK;
}

/* ---- strings and arrays ---- */

enum err
gguf_str(const struct gguf *g, const char *name, const char **s, size_t *n)
{
	const struct gguf_key *key = gguf_find(g, name);
	*s = NULL;
	*n = 0;
	if (!key)
		return OK;
	if (key->kind != GGUF_STRING)
		return wrong(g, name, "a string");
	*s = (const char *)key->at + 8;
	*n = (size_t)LOAD(uint64_t, key->at);
	return OK;
}

enum err
gguf_array(const struct gguf *g, const char *name, enum gguf_kind of, const struct gguf_key **out)
{
	const struct gguf_key *key = gguf_find(g, name);
	*out = key;
	if (key && (key->kind != GGUF_ARRAY || key->of != of)) {
		*out = NULL;
		return wrong(g, name, of == GGUF_STRING ? "a list of strings" : "a list of the right type");
	}
	return OK;
}

bool
gguf_next_string(const struct gguf_key *array, const uint8_t **at, const char **s, size_t *n)
{
	const uint8_t *p = *at ? *at : array->at;
	assert(array->of == GGUF_STRING);
	if (p == array->end)
		return false;
	*n = (size_t)LOAD(uint64_t, p);
	*s = (const char *)p + 8;
	*at = p + 8 + *n;
	return true;
}
