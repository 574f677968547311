/* checkpoint: writing a directory that `transformers` reads. */
#include "byline/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

/* ---- the small files ---- */

static enum err
save_json(const char *dir, const char *name, json_t *root)
{
	struct str text = {0};
	char *path = path_join(dir, name);
	json_print(&text, root, 2);
	str_addc(&text, '\n');
	enum err err = file_replace(path, text.s, text.len);
	str_free(&text);
	free(path);
	json_decref(root);
	return err;
}

static enum err
save_config(const char *dir, const struct model *m, enum st_dtype dtype)
{
	const char *name = dtype == ST_F16 ? "float16" : dtype == ST_BF16 ? "bfloat16" : "float32";
	json_t *root = model_config_json(&m->config);
	json_object_set_new(root, "torch_dtype", json_string(name));
	/* What `transformers` takes when nothing is said need not be in the vocabulary. */
	json_object_set_new(root, "pad_token_id", json_null());
	return save_json(dir, "config.json", root);
}

static void
set_token(json_t *root, const char *key, const struct tokenizer *t, int id)
{
	size_t n;
	const char *bytes = tokenizer_bytes(t, id, &n);
	if (bytes && tokenizer_is_special(t, id))
		json_object_set_new(root, key, json_text(bytes, n));
}

static enum err
save_tokenizer_config(const char *dir, const struct model *m, const struct tokenizer *t)
{
	json_t *root = json_pack("{s:s, s:i, s:b}", "tokenizer_class", "PreTrainedTokenizerFast",
		"model_max_length", m->config.n_ctx, "clean_up_tokenization_spaces", 0);
	set_token(root, "bos_token", t, m->config.bos);
	set_token(root, "eos_token", t, m->config.eos);
	return save_json(dir, "tokenizer_config.json", root);
}

static enum err
save_generation_config(const char *dir, const struct model *m)
{
	json_t *root = json_object();
	if (m->config.bos >= 0)
		json_object_set_new(root, "bos_token_id", json_integer(m->config.bos));
	if (m->config.eos >= 0)
		json_object_set_new(root, "eos_token_id", json_integer(m->config.eos));
	return save_json(dir, "generation_config.json", root);
}

static enum err
save_tokenizer(const char *dir, const struct model *m, const struct tokenizer *t)
{
	char *path = path_join(dir, "tokenizer.json");
	enum err err = tokenizer_save(t, path);
	free(path);
	TRY(err);
	TRY(save_tokenizer_config(dir, m, t));
	return save_generation_config(dir, m);
}

/* ---- the weights ---- */

/* What could not be read back is not written. */
static enum err
check_range(const struct model *m, const float *params, enum st_dtype dtype)
{
	/* From here on, rounding to nearest gives infinity. */
	float limit = dtype == ST_F16 ? 65520.0f : dtype == ST_BF16 ? 0x1.ffp127f : INFINITY;
	for (int i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		size_t n = (size_t)t->rows * (size_t)t->cols;
		for (size_t k = 0; k < n; k++)
			if (!(fabsf(params[t->at + k]) < limit))
				return err_set(ERR_FORMAT, "tensor \"%s\" holds %g, which %s cannot: %s", t->name,
					(double)params[t->at + k], st_dtype_name(dtype),
					isfinite(params[t->at + k]) ? "save as F32" : "training has diverged");
	}
	return OK;
}

/* Those of one tensor of the file stand together; the first of them declares it. */
static void
declare(struct st_writer *w, const struct file_tensor *f, enum st_dtype dtype)
{
	uint64_t rows = (uint64_t)f->file_rows, cols = (uint64_t)f->cols;
	uint64_t shape[2] = { f->transposed ? cols : rows, f->transposed ? rows : cols };
	st_writer_declare(w, f->name, dtype, f->n_dims, shape);
}

static enum err
write_transposed(struct st_writer *w, const struct file_tensor *f, const float *from, enum st_dtype dtype)
{
	float *line;
	size_t rows = (size_t)f->rows, cols = (size_t)f->cols;
	enum err err = OK;
	TRY(mem_array(&line, rows, sizeof(*line), "tensor row"));
	for (size_t c = 0; err == OK && c < cols; c++) {
		for (size_t r = 0; r < rows; r++)
			line[r] = from[r * cols + c];
		err = st_writer_f32(w, dtype, line, rows);
	}
	free(line);
	return err;
}

static enum err
write_tensor(struct st_writer *w, const struct file_tensor *f, const float *params, enum st_dtype dtype)
{
	const float *from = params + f->tensor->at + (size_t)f->row * (size_t)f->cols;
	size_t n = (size_t)f->rows * (size_t)f->cols;
	if (f->transposed)
		return write_transposed(w, f, from, dtype);
	if (f->plus == 0)
		return st_writer_f32(w, dtype, from, n);
	float *less;
	TRY(mem_array(&less, n, sizeof(*less), "gains"));
	for (size_t i = 0; i < n; i++)
		less[i] = from[i] - f->plus;
	enum err err = st_writer_f32(w, dtype, less, n);
	free(less);
	return err;
}

static enum err
write_weights(struct st_writer *w, const struct file_tensor *list, size_t n, const float *params, enum st_dtype dtype)
{
	st_writer_meta(w, "format", "pt");
	for (size_t i = 0; i < n; i++)
		if (!list[i].optional && list[i].from == 0)
			declare(w, &list[i], dtype);
	TRY(st_writer_begin(w));
	for (size_t i = 0; i < n; i++)
		if (!list[i].optional)
			TRY(write_tensor(w, &list[i], params, dtype));
	return st_writer_commit(w);
}

static enum err
save_weights(const char *dir, const struct model *m, const float *params, enum st_dtype dtype)
{
	struct file_tensor *list = NULL;
	struct st_writer w = {0};
	size_t n;
	char *path = path_join(dir, "model.safetensors");
	enum err err;
	TRY_OUT(arch_file_tensors(m, &list, &n));
	TRY_OUT(st_writer_open(&w, path));
	TRY_OUT(write_weights(&w, list, n, params, dtype));
out:
	st_writer_abort(&w);
	free(list);
	free(path);
	return err;
}

enum err
checkpoint_save(const char *dir, const struct model *m, const float *params, const struct tokenizer *t,
	enum st_dtype dtype)
{
	if (dtype != ST_F32 && dtype != ST_F16 && dtype != ST_BF16)
		return err_set(ERR_USAGE, "weights are saved as F32, F16 or BF16, not as %s", st_dtype_name(dtype));
	TRY(check_range(m, params, dtype));
	TRY(file_mkdirs(dir));
	TRY(save_config(dir, m, dtype));
	if (t)
		TRY(save_tokenizer(dir, m, t));
	return save_weights(dir, m, params, dtype);
}
