/* features_shard: shards of quantised rows, written whole and opened with suspicion. */
#include "features_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

#include "meta.h"

/* More shards than this are not opened, whatever a file says. */
enum { SHARDS_MAX = 100000 };

char *
shard_path(const char *run_dir, size_t number)
{
	char name[64];
	snprintf(name, sizeof(name), "features-%05zu.safetensors", number);
	return path_join(run_dir, name);
}

/* ---- writing ---- */

static void
shard_declare(struct st_writer *w, const struct shard_spec *spec, size_t n)
{
	const struct { const char *key; uint64_t value; } numbers[] = {
		{ "shard", spec->number }, { "shards", spec->shards }, { "bits", (uint64_t)spec->layout->bits },
		{ "width", spec->layout->width },
	};
	uint64_t codes[2] = { n, spec->layout->code_bytes }, scales[2] = { n, (uint64_t)spec->layout->n_blocks },
		count = n;
	st_writer_meta(w, "format", FEATURES_FORMAT);
	st_writer_meta(w, "curvature_sha256", spec->curvature_sha256);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char text[32];
		snprintf(text, sizeof(text), "%" PRIu64, numbers[i].value);
		st_writer_meta(w, numbers[i].key, text);
	}
	st_writer_declare(w, "examples", ST_U32, 1, &count);
	st_writer_declare(w, "scales", ST_F32, 2, scales);
	st_writer_declare(w, "codes", ST_U8, 2, codes);
	if (feature_layout_own(spec->layout)) {
		uint64_t tokens[2] = { n, (uint64_t)feature_layout_own(spec->layout)->ks };
		st_writer_declare(w, "tokens", ST_U32, 2, tokens);
	}
}

uint64_t
shard_bytes(const struct shard_spec *spec, size_t n)
{
	struct st_writer w;
	st_writer_plan(&w);
	shard_declare(&w, spec, n);
	uint64_t bytes = st_writer_size(&w);
	st_writer_abort(&w);
	return bytes;
}

enum err
shard_write(const char *path, const struct shard_spec *spec, const uint32_t *example, size_t n, const float *rows,
	const uint32_t *tokens)
{
	enum err err;
	const struct feature_layout *l = spec->layout;
	struct st_writer w = {0};
	uint8_t *codes = NULL;
	float *scales = NULL;
	TRY_OUT(mem_array(&codes, n * l->code_bytes, 1, "a shard of features"));
	TRY_OUT(mem_array(&scales, n * (size_t)l->n_blocks, sizeof(*scales), "a shard of features"));
	for (size_t i = 0; i < n; i++)
		features_quantise(l, rows + i * l->width, codes + i * l->code_bytes, scales + i * (size_t)l->n_blocks);
	TRY_OUT(st_writer_open(&w, path));
	shard_declare(&w, spec, n);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(st_writer_bytes(&w, example, n * sizeof(*example)));
	TRY_OUT(st_writer_bytes(&w, scales, n * (size_t)l->n_blocks * sizeof(*scales)));
	TRY_OUT(st_writer_bytes(&w, codes, n * l->code_bytes));
	if (feature_layout_own(l))
		TRY_OUT(st_writer_bytes(&w, tokens, n * (size_t)feature_layout_own(l)->ks * sizeof(*tokens)));
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	free(codes);
	free(scales);
	return err;
}

/* ---- opening ---- */

void
shard_close(struct shard *s)
{
	st_close(&s->file);
	free(s->scales);
	free(s->example);
	*s = (struct shard){0};
}

static enum err
bad(const struct shard *s, const char *what)
{
	return err_set(ERR_FORMAT, "%s: %s; index the run again with --force", s->file.path, what);
}

/* The bytes of a tensor that must have this type and shape. */
static enum err
take(const struct shard *s, const char *name, enum st_dtype dtype, int n_dims, uint64_t cols, const uint8_t **data)
{
	uint64_t shape[2] = { s->n, cols };
	const struct st_tensor *t;
	TRY(st_want(&s->file, name, n_dims, shape, &t));
	if (t->dtype != dtype)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" must be %s", s->file.path, name, st_dtype_name(dtype));
	*data = t->data;
	return OK;
}

/* The map may be unaligned, so what is not bytes is copied. */
static enum err
take_copies(struct shard *s, size_t n_blocks)
{
	const uint8_t *data = NULL;
	TRY(take(s, "examples", ST_U32, 1, 0, &data));
	TRY(mem_array(&s->example, s->n, sizeof(*s->example), "features"));
	memcpy(s->example, data, s->n * sizeof(*s->example));
	TRY(take(s, "scales", ST_F32, 2, n_blocks, &data));
	TRY(mem_array(&s->scales, s->n * n_blocks, sizeof(*s->scales), "features"));
	memcpy(s->scales, data, s->n * n_blocks * sizeof(*s->scales));
	return OK;
}

static enum err
check_numbers(const struct shard *s, const struct feature_layout *l, size_t n_examples)
{
	for (size_t i = 0; i < s->n * (size_t)l->n_blocks; i++)
		if (!(isfinite(s->scales[i]) && s->scales[i] >= 0))
			return bad(s, "a scale is not a number");
	for (size_t i = 0; i < s->n; i++)
		if (s->example[i] >= n_examples || (i > 0 && s->example[i] <= s->example[i - 1]))
			return bad(s, "its examples are not the run's, in order");
	return OK;
}

void
shard_tokens(const struct shard *s, const struct feature_layout *l, size_t row, uint32_t *out)
{
	size_t bytes = (size_t)feature_layout_own(l)->ks * sizeof(*out);
	memcpy(out, s->tokens + row * bytes, bytes);
}

/* Ascending, then none. */
static enum err
check_tokens(const struct shard *s, const struct feature_layout *l)
{
	size_t own = (size_t)feature_layout_own(l)->ks;
	uint32_t *token = xcalloc(own + 1, sizeof(*token));
	enum err err = OK;
	for (size_t row = 0; err == OK && row < s->n; row++) {
		shard_tokens(s, l, row, token);
		for (size_t i = 0; err == OK && i < own; i++)
			if (token[i] != FEATURE_NONE && (token[i] >= (uint32_t)l->vocab
				|| (i > 0 && token[i] <= token[i - 1])))
				err = bad(s, "a row's tokens are not the vocabulary's, in order");
	}
	free(token);
	return err;
}

enum err
shard_open(struct shard *s, const char *path, const struct feature_layout *l, const char *curvature_sha256,
	size_t n_examples)
{
	uint64_t bits, width;
	*s = (struct shard){0};
	TRY(st_open(&s->file, path));
	TRY(meta_same(&s->file, "format", FEATURES_FORMAT));
	TRY(meta_same(&s->file, "curvature_sha256", curvature_sha256));
	TRY(meta_u64(&s->file, "bits", 4, 8, &bits));
	TRY(meta_u64(&s->file, "width", 0, UINT64_MAX, &width));
	TRY(meta_u64(&s->file, "shards", 1, SHARDS_MAX, &s->shards));
	if (bits != (uint64_t)l->bits || width != l->width)
		return err_set(ERR_MISMATCH, "%s: rows of another shape; index the run again with --force", path);
	const struct st_tensor *t = st_find(&s->file, "examples");
	if (!t || t->count == 0 || t->count > n_examples)
		return bad(s, "its examples are missing or too many");
	s->n = (size_t)t->count;
	TRY(take_copies(s, (size_t)l->n_blocks));
	TRY(take(s, "codes", ST_U8, 2, l->code_bytes, &s->codes));
	TRY(check_numbers(s, l, n_examples));
	if (!feature_layout_own(l))
		return OK;
	TRY(take(s, "tokens", ST_U32, 2, (uint64_t)feature_layout_own(l)->ks, &s->tokens));
	return check_tokens(s, l);
}

void
features_close(struct features *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_shards; i++)
		shard_close(&f->shard[i]);
	feature_layout_free(&f->layout);
	free(f->shard);
	free(f->first);
	free(f);
}

static enum err
features_add(struct features *f, const char *run_dir, const char *curvature_sha256, size_t n_examples)
{
	size_t i = f->n_shards;
	f->shard = xreallocarray(f->shard, i + 1, sizeof(*f->shard));
	f->first = xreallocarray(f->first, i + 2, sizeof(*f->first));
	char *path = shard_path(run_dir, i);
	struct shard *s = &f->shard[f->n_shards++];
	enum err err = shard_open(s, path, &f->layout, curvature_sha256, n_examples);
	free(path);
	TRY(err);
	f->rows += s->n;
	f->first[i + 1] = f->rows;
	if (i == 0)
		return OK;
	if (s->shards != f->shard[0].shards)
		return bad(s, "it belongs to another set of shards");
	if (s->example[0] <= f->shard[i - 1].example[f->shard[i - 1].n - 1])
		return bad(s, "its examples do not follow those of the shard before");
	return OK;
}

enum err
features_open(const char *run_dir, const struct feature_layout *l, const char *curvature_sha256, size_t n_examples,
	struct features **out)
{
	enum err err = OK;
	struct features *f = xcalloc(1, sizeof(*f));
	*out = NULL;
	f->layout = *l;
	f->layout.block = xcalloc((size_t)l->n_blocks + 1, sizeof(*l->block));
	memcpy(f->layout.block, l->block, (size_t)l->n_blocks * sizeof(*l->block));
	f->first = xcalloc(1, sizeof(*f->first));
	do
		TRY_OUT(features_add(f, run_dir, curvature_sha256, n_examples));
	while (f->n_shards < f->shard[0].shards);
	*out = f;
	f = NULL;
out:
	features_close(f);
	return err;
}

size_t
features_rows(const struct features *f)
{
	return f->rows;
}

/* The shard with this row. */
static const struct shard *
features_find(const struct features *f, size_t row, size_t *in_shard)
{
	size_t low = 0, high = f->n_shards;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (f->first[middle] <= row)
			low = middle;
		else
			high = middle;
	}
	*in_shard = row - f->first[low];
	return &f->shard[low];
}

uint32_t
features_example(const struct features *f, size_t row)
{
	size_t at;
	const struct shard *s = features_find(f, row, &at);
	return s->example[at];
}

/* The shard whose examples may include this one; they ascend over all shards. */
static const struct shard *
features_shard_of(const struct features *f, uint32_t example)
{
	size_t low = 0, high = f->n_shards;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (f->shard[middle].example[0] <= example)
			low = middle;
		else
			high = middle;
	}
	return &f->shard[low];
}

static int
example_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

bool
features_read(const struct features *f, uint32_t example, float *row, uint32_t *tokens)
{
	const struct shard *s = features_shard_of(f, example);
	const uint32_t *at = bsearch(&example, s->example, s->n, sizeof(example), example_cmp);
	if (!at)
		return false;
	size_t i = (size_t)(at - s->example);
	features_dequantise(&f->layout, s->codes + i * f->layout.code_bytes,
		s->scales + i * (size_t)f->layout.n_blocks, row);
	if (feature_layout_own(&f->layout))
		shard_tokens(s, &f->layout, i, tokens);
	return true;
}
