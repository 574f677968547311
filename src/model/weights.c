/* weights: opening whatever container there is, finding tensors in it and widening their numbers. */
#include "byline/weights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/half.h"
#include "byline/hash.h"
#include "byline/mem.h"
#include "byline/str.h"
#include "gguf_parts.h"
#include "weights_parts.h"

/* ---- the table ---- */

void
weights_add(struct weights *w, const struct weights_tensor *t)
{
	mem_grow(&w->tensors, &w->cap, w->n_tensors + 1, sizeof(*w->tensors));
	w->tensors[w->n_tensors++] = *t;
}

static enum weights_type
type_of_dtype(enum st_dtype dtype)
{
	switch (dtype) {
	case ST_F32: return WEIGHTS_F32;
	case ST_F16: return WEIGHTS_F16;
	case ST_BF16: return WEIGHTS_BF16;
	case ST_F64: return WEIGHTS_F64;
	default: return WEIGHTS_OTHER;
	}
}

void
weights_add_file(struct weights *w, const struct st_file *f)
{
	for (size_t i = 0; i < f->n_tensors; i++) {
		const struct st_tensor *t = &f->tensors[i];
		struct weights_tensor view = { .name = t->name, .path = f->path, .type = type_of_dtype(t->dtype),
			.type_name = st_dtype_name(t->dtype), .n_dims = t->n_dims, .count = t->count, .data = t->data,
			.size = t->size };
		memcpy(view.shape, t->shape, sizeof(view.shape));
		weights_add(w, &view);
	}
}

static enum weights_type
type_of_gguf(int type)
{
	switch (type) {
	case GGUF_TYPE_F16: return WEIGHTS_F16;
	case GGUF_TYPE_BF16: return WEIGHTS_BF16;
	case GGUF_TYPE_Q8_0: return WEIGHTS_Q8_0;
	default: return WEIGHTS_F32;
	}
}

static void
add_gguf(struct weights *w, const struct gguf *g)
{
	for (size_t i = 0; i < g->n_tensors; i++) {
		const struct gguf_tensor *t = &g->tensors[i];
		struct weights_tensor view = { .name = t->name, .path = g->path, .type = type_of_gguf(t->type),
			.type_name = gguf_type_name((uint32_t)t->type), .n_dims = t->n_dims, .count = t->count,
			.data = t->data, .size = t->size };
		for (int d = 0; d < t->n_dims; d++)
			view.shape[d] = t->dims[t->n_dims - 1 - d];
		weights_add(w, &view);
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct weights_tensor *x = a, *y = b;
	return strcmp(x->name, y->name);
}

enum err
weights_seal(struct weights *w)
{
	if (w->n_tensors > 0)
		qsort(w->tensors, w->n_tensors, sizeof(*w->tensors), by_name);
	for (size_t i = 1; i < w->n_tensors; i++)
		if (strcmp(w->tensors[i - 1].name, w->tensors[i].name) == 0)
			return err_set(ERR_FORMAT, "%s: tensor \"%s\" is there twice, in %s and in %s", w->path,
				w->tensors[i].name, path_base(w->tensors[i - 1].path), path_base(w->tensors[i].path));
	return OK;
}

/* ---- opening ---- */

static enum err
open_single(struct weights *w)
{
	w->files = xcalloc(1, sizeof(*w->files));
	TRY(st_open(&w->files[0], w->path));
	w->n_files = 1;
	weights_add_file(w, &w->files[0]);
	return weights_seal(w);
}

static enum err
open_gguf(struct weights *w)
{
	TRY(gguf_open_parts(&w->gguf, &w->n_ggufs, w->path));
	for (size_t i = 0; i < w->n_ggufs; i++)
		add_gguf(w, &w->gguf[i]);
	return weights_seal(w);
}

enum err
weights_open(struct weights *w, const char *path)
{
	static enum err (*const opens[])(struct weights *) = {
		[WEIGHTS_SINGLE] = open_single, [WEIGHTS_SHARDED] = weights_open_shards, [WEIGHTS_GGUF] = open_gguf,
	};
	memset(w, 0, sizeof(*w));
	TRY(weights_locate(path, &w->container, &w->path));
	enum err err = opens[w->container](w);
	if (err != OK)
		weights_close(w);
	return err;
}

void
weights_close(struct weights *w)
{
	for (size_t i = 0; i < w->n_files; i++)
		st_close(&w->files[i]);
	free(w->files);
	gguf_close_parts(w->gguf, w->n_ggufs);
	free(w->tensors);
	free(w->path);
	memset(w, 0, sizeof(*w));
}

/* ---- identity ---- */

/* A line as sha256sum prints it. */
static enum err
hash_line(const char *path, struct str *lines)
{
	char hex[HASH_HEX];
	TRY(hash_file(path, hex));
	str_addf(lines, "%s  %s\n", hex, path_base(path));
	return OK;
}

static enum err
hash_ggufs(const char *path, char hex[HASH_HEX])
{
	struct str lines = {0};
	int count = gguf_part_count(path);
	enum err err = OK;
	if (count == 1)
		return hash_file(path, hex);
	for (int i = 1; err == OK && i <= count; i++) {
		char *part = gguf_part_path(path, i);
		err = hash_line(part, &lines);
		free(part);
	}
	if (err == OK)
		hash_bytes(lines.s, lines.len, hex);
	str_free(&lines);
	return err;
}

static enum err
hash_shards(const char *path, char hex[HASH_HEX])
{
	struct shard_index x = {0};
	struct str lines = {0};
	size_t dir = (size_t)(path_base(path) - path);
	enum err err = shard_index_load(&x, path);
	for (size_t i = 0; err == OK && i < x.n_shards; i++) {
		char *shard = xasprintf("%.*s%s", (int)dir, path, x.shards[i]);
		err = hash_line(shard, &lines);
		free(shard);
	}
	if (err == OK)
		hash_bytes(lines.s, lines.len, hex);
	str_free(&lines);
	shard_index_free(&x);
	return err;
}

enum err
weights_hash(const char *path, char hex[HASH_HEX])
{
	enum weights_container container;
	char *file;
	TRY(weights_locate(path, &container, &file));
	enum err err = (container == WEIGHTS_SHARDED ? hash_shards : container == WEIGHTS_GGUF ? hash_ggufs
		: hash_file)(file, hex);
	free(file);
	return err;
}

/* ---- looking up and reading ---- */

const struct weights_tensor *
weights_find(const struct weights *w, const char *name)
{
	const struct weights_tensor key = { .name = name };
	return w->n_tensors ? bsearch(&key, w->tensors, w->n_tensors, sizeof(key), by_name) : NULL;
}

static void
print_shape(struct str *out, int n_dims, const uint64_t *shape)
{
	str_addc(out, '(');
	for (int i = 0; i < n_dims; i++)
		str_addf(out, i ? ", %" PRIu64 : "%" PRIu64, shape[i]);
	str_addc(out, ')');
}

enum err
weights_want(const struct weights *w, const char *name, int n_dims, const uint64_t *shape,
	const struct weights_tensor **out)
{
	const struct weights_tensor *t = weights_find(w, name);
	if (!t)
		return err_set(ERR_MISSING, "%s: tensor \"%s\" is missing", w->path, name);
	*out = t;
	if (t->n_dims == n_dims && (n_dims == 0 || memcmp(t->shape, shape, (size_t)n_dims * sizeof(*shape)) == 0))
		return OK;
	struct str has = {0}, needs = {0};
	print_shape(&has, t->n_dims, t->shape);
	print_shape(&needs, n_dims, shape);
	err_set(ERR_MISMATCH, "%s: tensor \"%s\" has shape %s, expected %s", t->path, name, has.s, needs.s);
	str_free(&has);
	str_free(&needs);
	return ERR_MISMATCH;
}

static void
read_f64(float *out, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double x;
		memcpy(&x, src + i * sizeof(x), sizeof(x));
		out[i] = (float)x;
	}
}

/* From any element on, not only where a block begins. */
static void
read_q8_0(float *out, const uint8_t *data, uint64_t from, uint64_t n)
{
	for (uint64_t i = from; i < from + n;) {
		const uint8_t *block = data + i / WEIGHTS_Q8_0_BLOCK * WEIGHTS_Q8_0_BYTES;
		uint64_t end = (i / WEIGHTS_Q8_0_BLOCK + 1) * WEIGHTS_Q8_0_BLOCK;
		float scale;
		half_read_f16(&scale, block, 1);
		for (; i < end && i < from + n; i++)
			*out++ = scale * (float)(int8_t)block[2 + i % WEIGHTS_Q8_0_BLOCK];
	}
}

enum err
weights_read_f32(const struct weights_tensor *t, uint64_t from, uint64_t n, float *out)
{
	if (from > t->count || n > t->count - from)
		return err_set(ERR_MISMATCH, "%s: tensor \"%s\" has %" PRIu64 " elements, %" PRIu64 " from %"
			PRIu64 " were asked for", t->path, t->name, t->count, n, from);
	switch (t->type) {
	case WEIGHTS_F32: memcpy(out, t->data + from * 4, n * 4); return OK;
	case WEIGHTS_F16: half_read_f16(out, t->data + from * 2, n); return OK;
	case WEIGHTS_BF16: half_read_bf16(out, t->data + from * 2, n); return OK;
	case WEIGHTS_F64: read_f64(out, t->data + from * 8, n); return OK;
	case WEIGHTS_Q8_0: read_q8_0(out, t->data, from, n); return OK;
	case WEIGHTS_OTHER: break;
	}
	return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\" holds %s, not floating-point numbers", t->path, t->name,
		t->type_name);
}
