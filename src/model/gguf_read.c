/* gguf: opening a file that a stranger wrote, and its metadata. */
#include "byline/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "gguf_parts.h"
#include "weights_parts.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian and is read as it lies");

enum { KEYS_MAX = 1 << 16, KEY_MAX = 65535, DEPTH_MAX = 8,
	ALIGNMENT_DEFAULT = 32, ALIGNMENT_MAX = 1 << 20 };

static const size_t kind_sizes[GGUF_KINDS] = {	/* 0: no fixed size */
	[GGUF_U8] = 1, [GGUF_I8] = 1, [GGUF_U16] = 2, [GGUF_I16] = 2, [GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_F32] = 4,
	[GGUF_BOOL] = 1, [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
};

size_t
gguf_kind_size(enum gguf_kind kind)
{
	return kind_sizes[kind];
}

/* ---- a reader that cannot run past the end ---- */

size_t
gguf_room(const struct gguf_cursor *c)
{
	return (size_t)(c->end - c->at);
}

enum err
gguf_cut_short(const struct gguf_cursor *c, const char *where)
{
	return err_set(ERR_FORMAT, "%s: ends inside %s: the file is truncated or broken", c->path, where);
}

enum err
gguf_take(struct gguf_cursor *c, void *out, size_t n, const char *where)
{
	if (gguf_room(c) < n)
		return gguf_cut_short(c, where);
	memcpy(out, c->at, n);
	c->at += n;
	return OK;
}

enum err
gguf_take_string(struct gguf_cursor *c, const char **s, uint64_t *n, const char *where)
{
	TRY(gguf_take(c, n, sizeof(*n), where));
	if (*n > gguf_room(c))
		return gguf_cut_short(c, where);
	*s = (const char *)c->at;
	c->at += *n;
	return OK;
}

/* In fresh memory, NUL-terminated; what cannot be a C string is no name. */
enum err
gguf_take_name(struct gguf_cursor *c, char **out, uint64_t max, const char *where)
{
	const char *s;
	uint64_t n;
	TRY(gguf_take_string(c, &s, &n, where));
	if (n == 0 || n > max || memchr(s, '\0', n))
		return err_set(ERR_FORMAT, "%s: %s: a name of %" PRIu64 " bytes%s is not one", c->path, where, n,
			n > 0 && n <= max ? " with a NUL among them" : "");
	*out = xstrndup(s, n);
	return OK;
}

/* ---- metadata ---- */

static enum err
skip_elements(struct gguf_cursor *c, const char *key, enum gguf_kind kind, uint64_t n, int depth);

static enum err
check_bools(const struct gguf_cursor *c, const char *key, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (c->at[i] > 1)
			return err_set(ERR_FORMAT, "%s: \"%s\" is %d, and should be true or false (1 or 0)", c->path,
				key, c->at[i]);
	return OK;
}

static enum err
check_kind(const struct gguf_cursor *c, const char *key, uint32_t kind)
{
	if (kind >= GGUF_KINDS)
		return err_set(ERR_FORMAT, "%s: \"%s\" is of type %" PRIu32 ", which there is not", c->path, key, kind);
	return OK;
}

static enum err
take_array(struct gguf_cursor *c, const char *key, enum gguf_kind *of, uint64_t *n, int depth)
{
	uint32_t kind = 0;
	if (depth > DEPTH_MAX)
		return err_set(ERR_LIMIT, "%s: \"%s\" has arrays nested more than %d deep", c->path, key, DEPTH_MAX);
	TRY(gguf_take(c, &kind, sizeof(kind), key));
	TRY(check_kind(c, key, kind));
	TRY(gguf_take(c, n, sizeof(*n), key));
	*of = (enum gguf_kind)kind;
	return OK;
}

static enum err
skip_one(struct gguf_cursor *c, const char *key, enum gguf_kind kind, int depth)
{
	const char *s;
	uint64_t n;
	enum gguf_kind of;
	if (kind == GGUF_STRING)
		return gguf_take_string(c, &s, &n, key);
	TRY(take_array(c, key, &of, &n, depth));
	return skip_elements(c, key, of, n, depth + 1);
}

static enum err
skip_elements(struct gguf_cursor *c, const char *key, enum gguf_kind kind, uint64_t n, int depth)
{
	size_t size = kind_sizes[kind];
	/* The smallest string is its length, the smallest array its type and length. */
	if (n > gguf_room(c) / (size > 0 ? size : 8))
		return gguf_cut_short(c, key);
	if (kind == GGUF_BOOL)
		TRY(check_bools(c, key, n));
	if (size > 0) {
		c->at += n * size;
		return OK;
	}
	for (uint64_t i = 0; i < n; i++)
		TRY(skip_one(c, key, kind, depth));
	return OK;
}

static enum err
parse_key(struct gguf_cursor *c, struct gguf_key *key)
{
	uint32_t kind = 0;
	TRY(gguf_take_name(c, &key->name, KEY_MAX, "the metadata"));
	TRY(gguf_take(c, &kind, sizeof(kind), key->name));
	TRY(check_kind(c, key->name, kind));
	key->kind = key->of = (enum gguf_kind)kind;
	key->n = 1;
	if (key->kind == GGUF_ARRAY)
		TRY(take_array(c, key->name, &key->of, &key->n, 1));
	key->at = c->at;
	TRY(skip_elements(c, key->name, key->of, key->n, 2));
	key->end = c->at;
	return OK;
}

static int
key_cmp(const void *a, const void *b)
{
	const struct gguf_key *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static enum err
parse_keys(struct gguf *g, struct gguf_cursor *c, uint64_t n)
{
	enum { SMALLEST = 8 + 1 + 4 + 1 };
	if (n > KEYS_MAX)
		return err_set(ERR_LIMIT, "%s: says it has %" PRIu64 " keys, at most %d are read", g->path, n,
			KEYS_MAX);
	if (n > gguf_room(c) / SMALLEST)
		return gguf_cut_short(c, "the metadata");
	TRY(mem_array(&g->keys, n, sizeof(*g->keys), "metadata"));
	while (g->n_keys < n)
		TRY(parse_key(c, &g->keys[g->n_keys++]));
	if (n > 0)
		qsort(g->keys, n, sizeof(*g->keys), key_cmp);
	for (size_t i = 1; i < n; i++)
		if (strcmp(g->keys[i - 1].name, g->keys[i].name) == 0)
			return err_set(ERR_FORMAT, "%s: \"%s\" is there twice", g->path, g->keys[i].name);
	return OK;
}

/* ---- the file ---- */

static enum err
parse_alignment(struct gguf *g)
{
	int64_t v;
	TRY(gguf_int(g, "general.alignment", 1, ALIGNMENT_MAX, ALIGNMENT_DEFAULT, &v));
	if ((v & (v - 1)) != 0)
		return err_set(ERR_FORMAT, "%s: general.alignment is %" PRId64 ", must be a power of 2", g->path, v);
	g->alignment = (uint64_t)v;
	return OK;
}

static enum err
parse_version(struct gguf *g, struct gguf_cursor *c)
{
	TRY(gguf_take(c, &g->version, sizeof(g->version), "the header"));
	if (g->version == 2 || g->version == 3)
		return OK;
	if (g->version != 0 && (g->version & 0xffffff) == 0)
		return err_set(ERR_UNSUPPORTED, "%s: is a big-endian GGUF file, only little-endian ones are read",
			g->path);
	return err_set(ERR_UNSUPPORTED, "%s: is of GGUF version %" PRIu32 ", only 2 and 3 are read", g->path,
		g->version);
}

static enum err
parse_file(struct gguf *g)
{
	struct gguf_cursor c = { .path = g->path };
	char magic[4];
	uint64_t tensors = 0, keys = 0;
	TRY(pointer_refuse(g->path, g->map.data, g->map.size, "the weights"));
	if (g->map.size < sizeof(magic) || memcmp(g->map.data, "GGUF", sizeof(magic)) != 0)
		return err_set(ERR_FORMAT, "%s: does not begin as a GGUF file does", g->path);
	c.at = g->map.data;	/* an empty file has none */
	c.end = c.at + g->map.size;
	TRY(gguf_take(&c, magic, sizeof(magic), "the header"));
	TRY(parse_version(g, &c));
	TRY(gguf_take(&c, &tensors, sizeof(tensors), "the header"));
	TRY(gguf_take(&c, &keys, sizeof(keys), "the header"));
	TRY(parse_keys(g, &c, keys));
	TRY(parse_alignment(g));
	TRY(gguf_parse_tensors(g, &c, tensors));
	return gguf_place_tensors(g, (uint64_t)(c.at - g->map.data));
}

enum err
gguf_open(struct gguf *g, const char *path)
{
	memset(g, 0, sizeof(*g));
	g->path = xstrdup(path);
	enum err err = file_map_open(path, &g->map);
	if (err == OK)
		err = parse_file(g);
	if (err != OK)
		gguf_close(g);
	return err;
}

void
gguf_close(struct gguf *g)
{
	for (size_t i = 0; i < g->n_keys; i++)
		free(g->keys[i].name);
	for (size_t i = 0; i < g->n_tensors; i++)
		free(g->tensors[i].name);
	free(g->keys);
	free(g->tensors);
	file_map_close(&g->map);
	free(g->path);
	memset(g, 0, sizeof(*g));
}
