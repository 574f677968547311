/* gguf: opening a file that a stranger wrote. */
#include "byline/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "gguf_parts.h"
#include "weights_parts.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian and is read as it lies");

enum { KEYS_MAX = 1 << 16, TENSORS_MAX = 1 << 20, KEY_MAX = 65535, NAME_BYTES_MAX = 255, DEPTH_MAX = 8,
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

/* ---- types of tensors: those with a size are read ---- */

static const struct { const char *name; uint32_t block, bytes; } types[] = {
	[GGUF_TYPE_F32] = {"F32", 1, 4}, [GGUF_TYPE_F16] = {"F16", 1, 2}, [2] = {"Q4_0"}, [3] = {"Q4_1"},
	[4] = {"Q4_2"}, [5] = {"Q4_3"}, [6] = {"Q5_0"}, [7] = {"Q5_1"}, [GGUF_TYPE_Q8_0] = {"Q8_0", 32, 34},
	[9] = {"Q8_1"}, [10] = {"Q2_K"}, [11] = {"Q3_K"}, [12] = {"Q4_K"}, [13] = {"Q5_K"}, [14] = {"Q6_K"},
	[15] = {"Q8_K"}, [16] = {"IQ2_XXS"}, [17] = {"IQ2_XS"}, [18] = {"IQ3_XXS"}, [19] = {"IQ1_S"}, [20] = {"IQ4_NL"},
	[21] = {"IQ3_S"}, [22] = {"IQ2_S"}, [23] = {"IQ4_XS"}, [24] = {"I8"}, [25] = {"I16"}, [26] = {"I32"},
	[27] = {"I64"}, [28] = {"F64"}, [29] = {"IQ1_M"}, [GGUF_TYPE_BF16] = {"BF16", 1, 2}, [31] = {"Q4_0_4_4"},
	[32] = {"Q4_0_4_8"}, [33] = {"Q4_0_8_8"}, [34] = {"TQ1_0"}, [35] = {"TQ2_0"}, [36] = {"IQ4_NL_4_4"},
	[37] = {"IQ4_NL_4_8"}, [38] = {"IQ4_NL_8_8"}, [39] = {"MXFP4"}, [40] = {"NVFP4"}, [41] = {"Q1_0"},
};

const char *
gguf_type_name(uint32_t type)
{
	return type < ARRAY_LEN(types) ? types[type].name : NULL;
}

/* ---- a reader that cannot run past the end ---- */

struct cursor {
	const char *path;
	const uint8_t *at, *end;
};

static size_t
room(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static enum err
cut_short(const struct cursor *c, const char *where)
{
	return err_set(ERR_FORMAT, "%s: ends inside %s: the file is truncated or broken", c->path, where);
}

static enum err
take(struct cursor *c, void *out, size_t n, const char *where)
{
	if (room(c) < n)
		return cut_short(c, where);
	memcpy(out, c->at, n);
	c->at += n;
	return OK;
}

static enum err
take_string(struct cursor *c, const char **s, uint64_t *n, const char *where)
{
	TRY(take(c, n, sizeof(*n), where));
	if (*n > room(c))
		return cut_short(c, where);
	*s = (const char *)c->at;
	c->at += *n;
	return OK;
}

/* In fresh memory, NUL-terminated; what cannot be a C string is no name. */
static enum err
take_name(struct cursor *c, char **out, uint64_t max, const char *where)
{
	const char *s;
	uint64_t n;
	TRY(take_string(c, &s, &n, where));
	if (n == 0 || n > max || memchr(s, '\0', n))
		return err_set(ERR_FORMAT, "%s: %s: a name of %" PRIu64 " bytes%s is not one", c->path, where, n,
			n > 0 && n <= max ? " with a NUL among them" : "");
	*out = xstrndup(s, n);
	return OK;
}

/* ---- metadata ---- */

static enum err
skip_elements(struct cursor *c, const char *key, enum gguf_kind kind, uint64_t n, int depth);

static enum err
check_bools(const struct cursor *c, const char *key, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (c->at[i] > 1)
			return err_set(ERR_FORMAT, "%s: \"%s\" is %d, and should be true or false (1 or 0)", c->path,
				key, c->at[i]);
	return OK;
}

static enum err
check_kind(const struct cursor *c, const char *key, uint32_t kind)
{
	if (kind >= GGUF_KINDS)
		return err_set(ERR_FORMAT, "%s: \"%s\" is of type %" PRIu32 ", which there is not", c->path, key, kind);
	return OK;
}

static enum err
take_array(struct cursor *c, const char *key, enum gguf_kind *of, uint64_t *n, int depth)
{
	uint32_t kind = 0;
	if (depth > DEPTH_MAX)
		return err_set(ERR_LIMIT, "%s: \"%s\" has arrays nested more than %d deep", c->path, key, DEPTH_MAX);
	TRY(take(c, &kind, sizeof(kind), key));
	TRY(check_kind(c, key, kind));
	TRY(take(c, n, sizeof(*n), key));
	*of = (enum gguf_kind)kind;
	return OK;
}

static enum err
skip_one(struct cursor *c, const char *key, enum gguf_kind kind, int depth)
{
	const char *s;
	uint64_t n;
	enum gguf_kind of;
	if (kind == GGUF_STRING)
		return take_string(c, &s, &n, key);
	TRY(take_array(c, key, &of, &n, depth));
	return skip_elements(c, key, of, n, depth + 1);
}

static enum err
skip_elements(struct cursor *c, const char *key, enum gguf_kind kind, uint64_t n, int depth)
{
	size_t size = kind_sizes[kind];
	/* The smallest string is its length, the smallest array its type and length. */
	if (n > room(c) / (size > 0 ? size : 8))
		return cut_short(c, key);
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
parse_key(struct cursor *c, struct gguf_key *key)
{
	uint32_t kind = 0;
	TRY(take_name(c, &key->name, KEY_MAX, "the metadata"));
	TRY(take(c, &kind, sizeof(kind), key->name));
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
parse_keys(struct gguf *g, struct cursor *c, uint64_t n)
{
	enum { SMALLEST = 8 + 1 + 4 + 1 };
	if (n > KEYS_MAX)
		return err_set(ERR_LIMIT, "%s: says it has %" PRIu64 " keys, at most %d are read", g->path, n,
			KEYS_MAX);
	if (n > room(c) / SMALLEST)
		return cut_short(c, "the metadata");
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

/* ---- tensors ---- */

static enum err
bad(const struct gguf *g, const struct gguf_tensor *t, const char *what)
{
	return err_set(ERR_FORMAT, "%s: tensor \"%s\": %s", g->path, t->name, what);
}

static enum err
parse_dims(const struct gguf *g, struct cursor *c, struct gguf_tensor *t)
{
	uint32_t n = 0;
	TRY(take(c, &n, sizeof(n), t->name));
	if (n < 1 || n > GGUF_MAX_DIMS)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" has %" PRIu32 " dimensions, must have from 1 to %d",
			g->path, t->name, n, GGUF_MAX_DIMS);
	t->n_dims = (int)n;
	t->count = 1;
	for (uint32_t i = 0; i < n; i++) {
		TRY(take(c, &t->dims[i], sizeof(t->dims[i]), t->name));
		if (t->dims[i] == 0)
			return bad(g, t, "a dimension is 0");
		if (__builtin_mul_overflow(t->count, t->dims[i], &t->count))
			return bad(g, t, "the product of its dimensions overflows");
	}
	return OK;
}

static enum err
parse_type(const struct gguf *g, struct cursor *c, struct gguf_tensor *t)
{
	uint32_t type = 0;
	TRY(take(c, &type, sizeof(type), t->name));
	const char *name = gguf_type_name(type);
	if (!name)
		return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" is of type %" PRIu32 ", which is not known here "
			"(F32, F16, BF16 and Q8_0 are read)", g->path, t->name, type);
	if (types[type].bytes == 0)
		return err_set(ERR_UNSUPPORTED,
			"%s: tensor \"%s\" is of type %s, which is not supported (F32, F16, BF16 "
			"and Q8_0 are); get the model in one of those", g->path, t->name, name);
	t->type = (int)type;
	if (t->dims[0] % types[type].block != 0)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" is of type %s and %" PRIu64 " wide, which is no multiple "
			"of %" PRIu32, g->path, t->name, name, t->dims[0], types[type].block);
	if (__builtin_mul_overflow(t->count / types[type].block, (uint64_t)types[type].bytes, &t->size))
		return bad(g, t, "its size in bytes overflows");
	return OK;
}

static enum err
parse_tensor(const struct gguf *g, struct cursor *c, struct gguf_tensor *t)
{
	TRY(take_name(c, &t->name, NAME_BYTES_MAX, "the list of tensors"));
	TRY(parse_dims(g, c, t));
	TRY(parse_type(g, c, t));
	TRY(take(c, &t->offset, sizeof(t->offset), t->name));
	return t->offset % g->alignment == 0 ? OK : err_set(ERR_FORMAT,
		"%s: tensor \"%s\" begins at byte %" PRIu64 " of the data, which is no multiple of %" PRIu64,
		g->path, t->name, t->offset, g->alignment);
}

static enum err
parse_tensors(struct gguf *g, struct cursor *c, uint64_t n)
{
	enum { SMALLEST = 8 + 1 + 4 + 8 + 4 + 8 };
	if (n > TENSORS_MAX)
		return err_set(ERR_LIMIT, "%s: says it has %" PRIu64 " tensors, at most %d are read", g->path, n,
			TENSORS_MAX);
	if (n > room(c) / SMALLEST)
		return cut_short(c, "the list of tensors");
	TRY(mem_array(&g->tensors, n, sizeof(*g->tensors), "tensor table"));
	while (g->n_tensors < n)
		TRY(parse_tensor(g, c, &g->tensors[g->n_tensors++]));
	return OK;
}

/* ---- where they lie ---- */

static int
offset_cmp(const void *a, const void *b)
{
	const struct gguf_tensor *x = a, *y = b;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* n rounded up to the alignment, or all ones when that is not a number. */
static uint64_t
aligned(const struct gguf *g, uint64_t n)
{
	uint64_t up;
	return __builtin_add_overflow(n, g->alignment - 1, &up) ? UINT64_MAX : up & ~(g->alignment - 1);
}

/* Nothing but padding may lie between the tensors and after them: it would travel with the file unseen. */
static enum err
place_tensors(struct gguf *g, uint64_t begin)
{
	uint64_t data = aligned(g, begin), space = g->map.size > data ? g->map.size - data : 0, at = 0;
	if (g->n_tensors > 0)
		qsort(g->tensors, g->n_tensors, sizeof(*g->tensors), offset_cmp);
	for (size_t i = 0; i < g->n_tensors; i++) {
		struct gguf_tensor *t = &g->tensors[i];
		if (t->offset != aligned(g, at))
			return bad(g, t, t->offset < at ? "overlaps the one before it" : "leaves a gap before it");
		if (t->offset > space || t->size > space - t->offset)
			return err_set(ERR_FORMAT, "%s: tensor \"%s\" ends %" PRIu64 " bytes after the file: it is "
				"truncated or broken", g->path, t->name,
				t->size - (space - (t->offset < space ? t->offset
				: space)));
		t->data = g->map.data + data + t->offset;
		at = t->offset + t->size;
	}
	if (space > at && space - at >= g->alignment)
		return err_set(ERR_FORMAT, "%s: %" PRIu64 " bytes follow the last tensor", g->path, space - at);
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
parse_version(struct gguf *g, struct cursor *c)
{
	TRY(take(c, &g->version, sizeof(g->version), "the header"));
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
	struct cursor c = { .path = g->path, .at = g->map.data, .end = g->map.data + g->map.size };
	char magic[4];
	uint64_t tensors = 0, keys = 0;
	TRY(pointer_refuse(g->path, g->map.data, g->map.size, "the weights"));
	if (g->map.size < sizeof(magic) || memcmp(g->map.data, "GGUF", sizeof(magic)) != 0)
		return err_set(ERR_FORMAT, "%s: does not begin as a GGUF file does", g->path);
	TRY(take(&c, magic, sizeof(magic), "the header"));
	TRY(parse_version(g, &c));
	TRY(take(&c, &tensors, sizeof(tensors), "the header"));
	TRY(take(&c, &keys, sizeof(keys), "the header"));
	TRY(parse_keys(g, &c, keys));
	TRY(parse_alignment(g));
	TRY(parse_tensors(g, &c, tensors));
	return place_tensors(g, (uint64_t)(c.at - g->map.data));
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
