/* safetensors: opening a file that a stranger wrote, and reading numbers out of it. */
#include "byline/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/half.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/str.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian and is read as it lies");

#define HEADER_MAX 100000000	/* as in the reference implementation */

static const struct { const char *name; size_t size; } dtypes[ST_DTYPES] = {
	[ST_F32] = { "F32", 4 }, [ST_F16] = { "F16", 2 }, [ST_BF16] = { "BF16", 2 }, [ST_F64] = { "F64", 8 },
	[ST_I64] = { "I64", 8 }, [ST_I32] = { "I32", 4 }, [ST_I16] = { "I16", 2 }, [ST_I8] = { "I8", 1 },
	[ST_U8] = { "U8", 1 }, [ST_BOOL] = { "BOOL", 1 }, [ST_U16] = { "U16", 2 }, [ST_U32] = { "U32", 4 },
	[ST_U64] = { "U64", 8 },
};

struct st_index {
	json_t *root;				/* owns the names */
	const struct st_tensor **by_name;
};

size_t
st_dtype_size(enum st_dtype t)
{
	return dtypes[t].size;
}

const char *
st_dtype_name(enum st_dtype t)
{
	return dtypes[t].name;
}

/* ---- the header ---- */

/* Files that end up under this name by mistake, known by their first bytes. */
static enum err
st_sniff(const struct st_file *f)
{
	static const struct { const char *start, *what; } known[] = {
		{ "version https://git-lfs",
			"is a Git LFS pointer, not the weights: run `git lfs pull` where it came from" },
		{ "PK\003\004", "is a zip file (a PyTorch checkpoint?): convert it to safetensors" },
		{ "GGUF", "is a GGUF file: convert it to safetensors" },
		{ "<!DOCTYPE", "is a web page: the download went wrong" },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t n = strlen(known[i].start);
		if (f->map.size >= n && memcmp(f->map.data, known[i].start, n) == 0)
			return err_set(ERR_FORMAT, "%s: %s", f->path, known[i].what);
	}
	return OK;
}

static enum err
st_header(const struct st_file *f, json_t **root, uint64_t *data_at)
{
	if (f->map.size < 8)
		return err_set(ERR_FORMAT, "%s: %zu bytes are too few for a safetensors file", f->path, f->map.size);
	TRY(st_sniff(f));
	uint64_t n;
	memcpy(&n, f->map.data, sizeof(n));
	if (n > HEADER_MAX)
		return err_set(ERR_LIMIT,
			"%s: says its header is %" PRIu64 " bytes, at most %d are read; is it safetensors?",
			f->path, n, HEADER_MAX);
	if (n > f->map.size - 8)
		return err_set(ERR_FORMAT, "%s: ends inside its header (%" PRIu64 " bytes of it, %zu in the file)",
			f->path, n, f->map.size - 8);
	if (n < 2 || f->map.data[8] != '{')
		return err_set(ERR_FORMAT, "%s: the header does not begin with '{'; is it safetensors?", f->path);
	TRY(json_parse((const char *)f->map.data + 8, n, f->path, root));
	*data_at = 8 + n;
	return OK;
}

static enum err
st_metadata(struct st_file *f, json_t *meta)
{
	if (!json_is_object(meta))
		return err_set(ERR_FORMAT, "%s: __metadata__ is not an object", f->path);
	const char *key;
	json_t *value;
	json_object_foreach(meta, key, value)
		if (!json_is_string(value))
			return err_set(ERR_FORMAT, "%s: __metadata__ \"%s\" is not a string", f->path, key);
	f->metadata = json_incref(meta);
	return OK;
}

static enum err
st_bad(const struct st_file *f, const struct st_tensor *t, const char *what)
{
	return err_set(ERR_FORMAT, "%s: tensor \"%s\": %s", f->path, t->name, what);
}

static enum err
st_parse_dtype(const struct st_file *f, struct st_tensor *t, const json_t *value)
{
	if (!json_is_string(value))
		return st_bad(f, t, "dtype is not a string");
	for (t->dtype = 0; t->dtype < ST_DTYPES; t->dtype++)
		if (strcmp(json_string_value(value), dtypes[t->dtype].name) == 0)
			return OK;
	return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" has dtype \"%s\", which is not read here",
		f->path, t->name, json_string_value(value));
}

static bool
st_natural(const json_t *value, uint64_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static enum err
st_parse_shape(const struct st_file *f, struct st_tensor *t, const json_t *value)
{
	if (!json_is_array(value))
		return st_bad(f, t, "shape is not a list");
	if (json_array_size(value) > ST_MAX_DIMS)
		return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" has %zu dimensions, at most %d are read",
			f->path, t->name, json_array_size(value), ST_MAX_DIMS);
	t->n_dims = (int)json_array_size(value);
	t->count = 1;
	for (int i = 0; i < t->n_dims; i++) {
		if (!st_natural(json_array_get(value, (size_t)i), &t->shape[i]))
			return st_bad(f, t, "shape holds something that is not a whole number from 0 up");
		if (__builtin_mul_overflow(t->count, t->shape[i], &t->count))
			return st_bad(f, t, "the product of its shape overflows");
	}
	if (__builtin_mul_overflow(t->count, (uint64_t)st_dtype_size(t->dtype), &t->size))
		return st_bad(f, t, "its size in bytes overflows");
	return OK;
}

static enum err
st_parse_offsets(const struct st_file *f, struct st_tensor *t, const json_t *value, uint64_t data_at)
{
	uint64_t from, to, room = f->map.size - data_at;
	if (!json_is_array(value) || json_array_size(value) != 2 || !st_natural(json_array_get(value, 0), &from) ||
		!st_natural(json_array_get(value, 1), &to))
		return st_bad(f, t, "data_offsets is not a pair of whole numbers from 0 up");
	if (from > to)
		return st_bad(f, t, "data_offsets run backwards");
	if (to > room)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" ends at byte %" PRIu64 " of the data, which has %" PRIu64
			": the file is truncated or broken", f->path, t->name, to, room);
	if (to - from != t->size)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" has %" PRIu64 " bytes, its dtype %s and shape need %"
			PRIu64,
			f->path, t->name, to - from, st_dtype_name(t->dtype), t->size);
	t->data = f->map.data + data_at + from;
	return OK;
}

static enum err
st_parse_tensor(const struct st_file *f, struct st_tensor *t, const char *name, const json_t *value, uint64_t data_at)
{
	t->name = name;
	if (!json_is_object(value))
		return st_bad(f, t, "is not described by an object");
	TRY(st_parse_dtype(f, t, json_object_get(value, "dtype")));
	TRY(st_parse_shape(f, t, json_object_get(value, "shape")));
	return st_parse_offsets(f, t, json_object_get(value, "data_offsets"), data_at);
}

/* ---- order ---- */

/* Empty tensors come before the one that begins where they lie. */
static int
st_by_offset(const void *a, const void *b)
{
	const struct st_tensor *x = a, *y = b;
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
st_by_name(const void *a, const void *b)
{
	const struct st_tensor *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static int
st_key_cmp(const void *key, const void *b)
{
	const struct st_tensor *const *y = b;
	return strcmp(key, (*y)->name);
}

/* The tensors must cover the data exactly: what lies in a gap would travel with the file unseen. */
static enum err
st_check_cover(const struct st_file *f, uint64_t data_at)
{
	const uint8_t *at = f->map.data + data_at;
	for (size_t i = 0; i < f->n_tensors; i++) {
		const struct st_tensor *t = &f->tensors[i];
		if (t->data != at)
			return st_bad(f, t, t->data < at ? "overlaps the one before it" : "leaves a gap before it");
		at += t->size;
	}
	size_t trailing = (size_t)(f->map.data + f->map.size - at);
	if (trailing > 0)
		return err_set(ERR_FORMAT, "%s: %zu bytes follow the last tensor", f->path, trailing);
	return OK;
}

static enum err
st_parse_all(struct st_file *f, struct st_index *index, uint64_t data_at)
{
	size_t n = json_object_size(index->root);
	TRY(mem_array(&f->tensors, n, sizeof(*f->tensors), "tensor table"));
	TRY(mem_array(&index->by_name, n, sizeof(*index->by_name), "tensor index"));
	const char *name;
	json_t *value;
	json_object_foreach(index->root, name, value) {
		if (strcmp(name, "__metadata__") == 0)
			TRY(st_metadata(f, value));
		else
			TRY(st_parse_tensor(f, &f->tensors[f->n_tensors++], name, value, data_at));
	}
	qsort(f->tensors, f->n_tensors, sizeof(*f->tensors), st_by_offset);
	TRY(st_check_cover(f, data_at));
	for (size_t i = 0; i < f->n_tensors; i++)
		index->by_name[i] = &f->tensors[i];
	qsort(index->by_name, f->n_tensors, sizeof(*index->by_name), st_by_name);
	return OK;
}

enum err
st_open(struct st_file *f, const char *path)
{
	memset(f, 0, sizeof(*f));
	f->path = xstrdup(path);
	struct st_index *index = xcalloc(1, sizeof(*index));
	f->index = index;
	uint64_t data_at = 0;
	enum err err;
	TRY_OUT(file_map_open(path, &f->map));
	TRY_OUT(st_header(f, &index->root, &data_at));
	TRY_OUT(st_parse_all(f, index, data_at));
out:
	if (err != OK)
		st_close(f);
	return err;
}

void
st_close(struct st_file *f)
{
	struct st_index *index = f->index;
	if (index) {
		json_decref(index->root);
		free(index->by_name);
		free(index);
	}
	json_decref(f->metadata);
	free(f->tensors);
	file_map_close(&f->map);
	free(f->path);
	memset(f, 0, sizeof(*f));
}

/* ---- looking up and reading ---- */

const struct st_tensor *
st_find(const struct st_file *f, const char *name)
{
	const struct st_index *index = f->index;
	const struct st_tensor *const *hit = bsearch(name, index->by_name, f->n_tensors, sizeof(*index->by_name),
		st_key_cmp);
	return hit ? *hit : NULL;
}

const char *
st_meta(const struct st_file *f, const char *key)
{
	return json_string_value(json_object_get(f->metadata, key));
}

static void
st_print_shape(struct str *out, int n_dims, const uint64_t *shape)
{
	str_addc(out, '(');
	for (int i = 0; i < n_dims; i++)
		str_addf(out, i ? ", %" PRIu64 : "%" PRIu64, shape[i]);
	str_addc(out, ')');
}

enum err
st_want(const struct st_file *f, const char *name, int n_dims, const uint64_t *shape, const struct st_tensor **out)
{
	const struct st_tensor *t = st_find(f, name);
	if (!t)
		return err_set(ERR_MISSING, "%s: tensor \"%s\" is missing", f->path, name);
	*out = t;
	if (t->n_dims == n_dims && (n_dims == 0 || memcmp(t->shape, shape, (size_t)n_dims * sizeof(*shape)) == 0))
		return OK;
	struct str has = {0}, needs = {0};
	st_print_shape(&has, t->n_dims, t->shape);
	st_print_shape(&needs, n_dims, shape);
	err_set(ERR_MISMATCH, "%s: tensor \"%s\" has shape %s, expected %s", f->path, name, has.s, needs.s);
	str_free(&has);
	str_free(&needs);
	return ERR_MISMATCH;
}

static void
st_read_f64(float *out, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double x;
		memcpy(&x, src + i * sizeof(x), sizeof(x));
		out[i] = (float)x;
	}
}

enum err
st_read_f32(const struct st_file *f, const struct st_tensor *t, uint64_t from, uint64_t n, float *out)
{
	if (from > t->count || n > t->count - from)
		return err_set(ERR_MISMATCH, "%s: tensor \"%s\" has %" PRIu64 " elements, %" PRIu64 " from %"
			PRIu64 " were asked for",
			f->path, t->name, t->count, n, from);
	const uint8_t *src = t->data + from * st_dtype_size(t->dtype);
	switch (t->dtype) {
	case ST_F32: memcpy(out, src, n * sizeof(*out)); return OK;
	case ST_F16: half_read_f16(out, src, n); return OK;
	case ST_BF16: half_read_bf16(out, src, n); return OK;
	case ST_F64: st_read_f64(out, src, n); return OK;
	default:
		return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" holds %s, not floating-point numbers",
			f->path, t->name, st_dtype_name(t->dtype));
	}
}
