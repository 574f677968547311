/* curvature_save: curvature files, whole or joined from parts. */
#include "curvature_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/half.h"
#include "byline/linalg.h"
#include "byline/mem.h"

#include "curvature_internal.h"
#include "lambda_code.h"

void
curvature_tensor_name(char name[TENSOR_NAME_MAX], const struct model *m, const char *prefix, int linear,
	const char *part)
{
	snprintf(name, TENSOR_NAME_MAX, "%s.%s.%s", prefix, m->linears[linear].name, part);
}

struct save {
	struct st_writer w;
	const struct model *m;
	enum st_dtype dtype;
};

/* ---- what is there ---- */

static void
declare(struct save *s, const char *prefix, int linear, const char *part, enum st_dtype dtype, uint64_t rows,
	uint64_t cols)
{
	char name[TENSOR_NAME_MAX];
	uint64_t shape[2] = { rows, cols };
	curvature_tensor_name(name, s->m, prefix, linear, part);
	st_writer_declare(&s->w, name, dtype, cols ? 2 : 1, shape);
}

static uint64_t
packed_count(const struct curvature_side *side)
{
	return side->q ? (uint64_t)side->n * (uint64_t)(side->n - 1) / 2 : 0;
}

static void
declare_side(struct save *s, const char *prefix, int linear, const struct curvature_side *side, const char *q,
	const char *w)
{
	if (packed_count(side) > 0)
		declare(s, prefix, linear, q, ST_F16, packed_count(side), 0);
	if (side->w)
		declare(s, prefix, linear, w, ST_F32, (uint64_t)side->n, 0);
}

static void
declare_layer(struct save *s, const char *prefix, const struct curvature_layer *l)
{
	declare_side(s, prefix, l->linear, &l->a, "qa", "wa");
	declare_side(s, prefix, l->linear, &l->s, "qs", "ws");
	if (l->s.diagonal)
		declare(s, prefix, l->linear, "ds", ST_F32, (uint64_t)l->s.n, 0);
	declare(s, prefix, l->linear, "lambda", s->dtype, (uint64_t)l->out, (uint64_t)l->in);
	declare(s, prefix, l->linear, "scale", ST_F32, 3, 0);
}

/* ---- its bytes ---- */

static enum err
write_side(struct save *s, const struct curvature_side *side)
{
	enum err err = OK;
	float *packed = NULL;
	uint64_t n = packed_count(side);
	if (n > 0) {
		TRY_OUT(mem_array(&packed, n, sizeof(*packed), "a curvature basis"));
		TRY_OUT(linalg_orthogonal_pack(packed, side->q, side->n));
		TRY_OUT(st_writer_f32(&s->w, ST_F16, packed, n));
	}
	if (side->w)
		err = st_writer_f32(&s->w, ST_F32, side->w, (uint64_t)side->n);
out:
	free(packed);
	return err;
}

static enum err
write_codes(struct save *s, const struct lambda_code *k, const float *lambda, size_t n)
{
	uint8_t code[4096];
	for (size_t from = 0; from < n; from += sizeof(code)) {
		size_t some = n - from < sizeof(code) ? n - from : sizeof(code);
		for (size_t i = 0; i < some; i++)
			code[i] = lambda_encode(k, lambda[from + i]);
		TRY(st_writer_bytes(&s->w, code, some));
	}
	return OK;
}

static enum err
write_layer(struct save *s, const struct curvature_layer *l)
{
	size_t n = (size_t)l->out * (size_t)l->in;
	struct lambda_code k = lambda_code_make(l->lambda, n, l->damping);
	float scale[3] = { l->damping, k.top, k.step };
	TRY(write_side(s, &l->a));
	TRY(write_side(s, &l->s));
	if (l->s.diagonal)
		TRY(st_writer_f32(&s->w, ST_F32, l->s.diagonal, (uint64_t)l->s.n));
	TRY(s->dtype == ST_U8 ? write_codes(s, &k, l->lambda, n) : st_writer_f32(&s->w, s->dtype, l->lambda, n));
	return st_writer_f32(&s->w, ST_F32, scale, 3);
}

static void
write_options(struct save *s, const struct curvature_options *o)
{
	char text[64];
	st_writer_meta(&s->w, "format", CURVATURE_FORMAT);
	snprintf(text, sizeof(text), "%d", o->k);
	st_writer_meta(&s->w, "k", text);
	snprintf(text, sizeof(text), "%" PRIu64, o->seed);
	st_writer_meta(&s->w, "seed", text);
	snprintf(text, sizeof(text), "%" PRIu64, o->max_tokens);
	st_writer_meta(&s->w, "max_tokens", text);
	snprintf(text, sizeof(text), "%.17g", o->whiten_damping);
	st_writer_meta(&s->w, "whiten_damping", text);
	snprintf(text, sizeof(text), "%.17g", o->damping);
	st_writer_meta(&s->w, "damping", text);
	snprintf(text, sizeof(text), "%d", o->prior);
	if (o->prior > 0)
		st_writer_meta(&s->w, "prior", text);
}

uint64_t
curvature_file_bytes(const struct model *m, const struct curvature *c, int n, const char *const *prefix,
	const struct curvature_options *o, enum st_dtype dtype, const struct curvature_meta *meta, int n_meta)
{
	struct save s = { .m = m, .dtype = dtype };
	st_writer_plan(&s.w);
	write_options(&s, o);
	for (int i = 0; i < n_meta; i++)
		st_writer_meta(&s.w, meta[i].key, meta[i].value);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < c->n_layers; j++)
			declare_layer(&s, prefix[i], &c->layers[j]);
	uint64_t bytes = st_writer_size(&s.w);
	st_writer_abort(&s.w);
	return bytes;
}

enum err
curvature_save(const char *path, const struct model *m, const struct curvature *c, int n, const char *const *prefix,
	const struct curvature_options *o, enum st_dtype dtype, const struct curvature_meta *meta, int n_meta)
{
	enum err err;
	struct save s = { .m = m, .dtype = dtype };
	if (dtype != ST_F32 && dtype != ST_U8)
		return err_set(ERR_USAGE, "curvature is stored as F32 or U8, not as %s", st_dtype_name(dtype));
	TRY(st_writer_open(&s.w, path));
	write_options(&s, o);
	for (int i = 0; i < n_meta; i++)
		st_writer_meta(&s.w, meta[i].key, meta[i].value);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < c[i].n_layers; j++)
			declare_layer(&s, prefix[i], &c[i].layers[j]);
	TRY_OUT(st_writer_begin(&s.w));
	for (int i = 0; i < n; i++)
		for (int j = 0; j < c[i].n_layers; j++)
			TRY_OUT(write_layer(&s, &c[i].layers[j]));
	err = st_writer_commit(&s.w);
out:
	st_writer_abort(&s.w);
	return err;
}

/* ---- parts ---- */

static void
join_meta(struct st_writer *w, const struct st_file *f, int n)
{
	for (int i = n - 1; i >= 0; i--) {
		const char *key;
		json_t *value;
		json_object_foreach(f[i].metadata, key, value)
			st_writer_meta(w, key, json_string_value(value));
	}
}

static enum err
join_tensors(struct st_writer *w, const struct st_file *f, int n)
{
	for (int i = 0; i < n; i++)
		for (size_t j = 0; j < f[i].n_tensors; j++) {
			const struct st_tensor *t = &f[i].tensors[j];
			st_writer_declare(w, t->name, t->dtype, t->n_dims, t->shape);
		}
	TRY(st_writer_begin(w));
	for (int i = 0; i < n; i++)
		for (size_t j = 0; j < f[i].n_tensors; j++)
			TRY(st_writer_bytes(w, f[i].tensors[j].data, f[i].tensors[j].size));
	return st_writer_commit(w);
}

enum err
curvature_join(const char *path, int n, const char *const *part, const struct curvature_meta *meta, int n_meta)
{
	enum err err;
	struct st_writer w = {0};
	struct st_file *f = xcalloc((size_t)n + 1, sizeof(*f));
	for (int i = 0; i < n; i++)
		TRY_OUT(st_open(&f[i], part[i]));
	TRY_OUT(st_writer_open(&w, path));
	join_meta(&w, f, n);
	for (int i = 0; i < n_meta; i++)
		st_writer_meta(&w, meta[i].key, meta[i].value);
	err = join_tensors(&w, f, n);
out:
	st_writer_abort(&w);
	for (int i = 0; i < n; i++)
		st_close(&f[i]);
	free(f);
	return err;
}
