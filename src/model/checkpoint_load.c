/* checkpoint: reading a model. What the weights hold is compared with what the config wants before anything is
 * allocated, so that a config cannot claim more memory than there are weights. */
#include "byline/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "checkpoint_parts.h"
#include "gguf_config.h"
#include "stored.h"
#include "weights_parts.h"

enum { CONFIG_MAX = 16 << 20 };

/* Parameters beyond which weights are not copied out of their file, unless $BYLINE_MAP_ABOVE says otherwise. */
#define MAP_ABOVE ((size_t)1 << 25)

/* ---- the config ---- */

static enum err
config_of_gguf(const struct weights *w, struct model_config *config)
{
	json_t *root;
	TRY(gguf_config(w, &root));
	enum err err = model_config_parse(config, root, w->path);
	json_decref(root);
	return err;
}

static enum err
config_of_dir(const char *dir, struct model_config *config)
{
	json_t *root = NULL;
	char *path = path_join(dir, "config.json");
	enum err err = pointer_json(path, CONFIG_MAX, "the config", &root);
	if (err == OK)
		err = model_config_parse(config, root, path);
	json_decref(root);
	free(path);
	return err;
}

enum err
checkpoint_config(const char *path, struct model_config *config)
{
	enum weights_container container;
	struct weights w;
	char *file;
	TRY(weights_locate(path, &container, &file));
	free(file);
	if (container != WEIGHTS_GGUF)
		return config_of_dir(path, config);
	TRY(weights_open(&w, path));
	enum err err = config_of_gguf(&w, config);
	weights_close(&w);
	return err;
}

/* ---- what is wanted against what is there ---- */

static const char *
wanted_name(const struct checkpoint *c, const struct file_tensor *want)
{
	const char *bare = c->weights.gguf ? NULL : arch_short_name(&c->plan, want->name);
	return bare && !weights_find(&c->weights, want->name) && weights_find(&c->weights, bare) ? bare : want->name;
}

static enum err
check_wanted(const struct checkpoint *c, const struct file_tensor *want, const struct weights_tensor **found)
{
	uint64_t rows = (uint64_t)want->file_rows, cols = (uint64_t)want->cols;
	uint64_t shape[2] = { want->transposed ? cols : rows, want->transposed ? rows : cols };
	const char *name = wanted_name(c, want);
	if (want->optional && !weights_find(&c->weights, name))
		return OK;
	if (want->tensor->role == ROLE_HEAD && !weights_find(&c->weights, name))
		return err_set(ERR_MISSING,
			"%s: tensor \"%s\" is missing, and config.json does not say tie_word_embeddings",
			c->weights.path, name);
	return weights_want(&c->weights, name, want->n_dims, shape, found);
}

static int
found_cmp(const void *a, const void *b)
{
	const struct weights_tensor *const *x = a, *const *y = b;
	return *x < *y ? -1 : *x > *y;
}

static bool
is_ignored(const struct checkpoint *c, const char *name)
{
	return c->weights.gguf ? gguf_ignored(name) : arch_ignored(&c->plan, name);
}

/* A tensor that nobody asked for means that the config is not the model's. */
static enum err
check_surplus(const struct checkpoint *c)
{
	const struct weights_tensor **sorted;
	enum err err = OK;
	TRY(mem_array(&sorted, c->n, sizeof(*sorted), "tensor list"));
	memcpy(sorted, c->found, c->n * sizeof(*sorted));
	qsort(sorted, c->n, sizeof(*sorted), found_cmp);
	for (size_t i = 0; err == OK && i < c->weights.n_tensors; i++) {
		const struct weights_tensor *t = &c->weights.tensors[i];
		if (!bsearch(&t, sorted, c->n, sizeof(*sorted), found_cmp) && !is_ignored(c, t->name))
			err = err_set(ERR_MISMATCH, "%s: tensor \"%s\" has no place in a %s of this %s", t->path,
				t->name, c->plan.config.family, c->weights.gguf ? "metadata" : "config.json");
	}
	free(sorted);
	return err;
}

static enum err
check_all(struct checkpoint *c)
{
	TRY(c->weights.gguf ? gguf_file_tensors(&c->weights, &c->plan, &c->wanted, &c->n)
		: arch_file_tensors(&c->plan, &c->wanted, &c->n));
	TRY(mem_array(&c->found, c->n, sizeof(*c->found), "tensor list"));
	for (size_t i = 0; i < c->n; i++)
		TRY(check_wanted(c, &c->wanted[i], &c->found[i]));
	return check_surplus(c);
}

static const struct weights_tensor *
found_embedding(const struct checkpoint *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->wanted[i].tensor->role == ROLE_EMBED && !c->wanted[i].optional)
			return c->found[i];
	return NULL;
}

/* The unembedding of a tied model may be in the file once more, but not another one: config.json or the file is wrong
 * then. Numbers of another kind are compared as they would be used. */
static enum err
check_spare(const struct checkpoint *c, const struct weights_tensor *head)
{
	enum { STRETCH = 1 << 12 };
	float a[STRETCH], b[STRETCH];
	const struct weights_tensor *embed = found_embedding(c);
	bool same = head->type != embed->type || memcmp(head->data, embed->data, head->size) == 0;
	for (uint64_t i = 0, n; same && head->type != embed->type && i < head->count; i += n) {
		n = head->count - i < STRETCH ? head->count - i : STRETCH;
		TRY(weights_read_f32(head, i, n, a));
		TRY(weights_read_f32(embed, i, n, b));
		same = memcmp(a, b, n * sizeof(*a)) == 0;
	}
	return same ? OK : err_set(ERR_MISMATCH, "%s: tensor \"%s\" is not the embedding, but %s ties them: set "
		"\"tie_word_embeddings\" to false", head->path, head->name,
		c->weights.gguf ? "the metadata" : "config.json or its family's default");
}

static enum err
check_spares(const struct checkpoint *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->wanted[i].optional && c->found[i])
			TRY(check_spare(c, c->found[i]));
	return OK;
}

enum err
checkpoint_open(struct checkpoint *c, const char *path)
{
	struct model_config config;
	enum err err;
	memset(c, 0, sizeof(*c));
	TRY(weights_open(&c->weights, path));
	TRY_OUT(c->weights.gguf ? config_of_gguf(&c->weights, &config) : config_of_dir(path, &config));
	TRY_OUT(model_new(&c->plan, &config, false));
	TRY_OUT(check_all(c));
	TRY_OUT(check_spares(c));
out:
	if (err != OK)
		checkpoint_close(c);
	return err;
}

void
checkpoint_close(struct checkpoint *c)
{
	free(c->wanted);
	free(c->found);
	model_free(&c->plan);
	weights_close(&c->weights);
	memset(c, 0, sizeof(*c));
}

/* ---- reading ---- */

enum err
checkpoint_check_finite(const struct weights_tensor *t, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return err_set(ERR_FORMAT, "%s: tensor \"%s\" holds %s: the weights are broken",
				t->path, t->name, isnan(v[i]) ? "NaN" : "infinity");
	return OK;
}

/* The file's row c is our column c. */
static enum err
read_transposed(const struct weights_tensor *t, const struct file_tensor *want, float *out)
{
	float *line;
	size_t rows = (size_t)want->rows, cols = (size_t)want->cols;
	enum err err = OK;
	TRY(mem_array(&line, rows, sizeof(*line), "tensor row"));
	for (size_t c = 0; err == OK && c < cols; c++) {
		err = weights_read_f32(t, c * (size_t)want->file_rows + (size_t)want->from, rows, line);
		for (size_t r = 0; r < rows; r++)
			out[r * cols + c] = line[r];
	}
	free(line);
	return err;
}

/* Of each head the file has row 0, row n/2, row 1 and so on. */
static enum err
read_paired(const struct weights_tensor *t, const struct file_tensor *want, float *out)
{
	size_t cols = (size_t)want->cols, head = (size_t)(want->rows / want->paired), half = head / 2;
	for (size_t r = 0; r < (size_t)want->rows; r++) {
		size_t in = r % head, from = r - in + 2 * (in % half) + in / half;
		TRY(weights_read_f32(t, from * cols, cols, out + r * cols));
	}
	return OK;
}

enum err
checkpoint_read_rows(const struct file_tensor *want, const struct weights_tensor *t, float *out)
{
	size_t cols = (size_t)want->cols, n = (size_t)want->rows * cols;
	TRY(want->transposed ? read_transposed(t, want, out) : want->paired > 0 ? read_paired(t, want, out)
		: weights_read_f32(t, (size_t)want->from * cols, n, out));
	for (size_t i = 0; want->plus != 0 && i < n; i++)
		out[i] += want->plus;
	return checkpoint_check_finite(t, out, n);
}

enum err
checkpoint_read(const struct checkpoint *c, float *params)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct file_tensor *f = &c->wanted[i];
		if (!f->optional)
			TRY(checkpoint_read_rows(f, c->found[i],
				params + f->tensor->at + (size_t)f->row * (size_t)f->cols));
	}
	return OK;
}

/* A stretch at a time: the whole need not fit into memory. */
static enum err
tensor_finite(const struct weights_tensor *t)
{
	enum { STRETCH = 1 << 14 };
	float some[STRETCH];
	for (uint64_t i = 0, n; i < t->count; i += n) {
		n = t->count - i < STRETCH ? t->count - i : STRETCH;
		TRY(weights_read_f32(t, i, n, some));
		TRY(checkpoint_check_finite(t, some, n));
	}
	return OK;
}

enum err
checkpoint_finite(const struct checkpoint *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->wanted[i].optional)
			TRY(tensor_finite(c->found[i]));
	return OK;
}

static enum err
map(struct checkpoint *c, struct model *m)
{
	TRY(model_new(m, &c->plan.config, false));
	enum err err = stored_new(&m->stored, c);
	if (err != OK)
		model_free(m);
	return err;
}

static enum err
load(const struct checkpoint *c, struct model *m)
{
	TRY(model_new(m, &c->plan.config, true));
	enum err err = checkpoint_read(c, m->params);
	if (err != OK)
		model_free(m);
	return err;
}

enum err
checkpoint_map(const char *path, struct model *m)
{
	struct checkpoint c;
	memset(m, 0, sizeof(*m));
	TRY(checkpoint_open(&c, path));
	enum err err = map(&c, m);
	checkpoint_close(&c);
	return err;
}

enum err
checkpoint_load(const char *path, struct model *m)
{
	struct checkpoint c;
	memset(m, 0, sizeof(*m));
	TRY(checkpoint_open(&c, path));
	enum err err = load(&c, m);
	checkpoint_close(&c);
	return err;
}

static size_t
map_above(void)
{
	const char *wish = getenv("BYLINE_MAP_ABOVE");
	char *end;
	if (!wish || *wish < '0' || *wish > '9')
		return MAP_ABOVE;
	unsigned long long n = strtoull(wish, &end, 10);
	return *end == '\0' ? (size_t)n : MAP_ABOVE;
}

enum err
checkpoint_run(const char *path, struct model *m)
{
	struct checkpoint c;
	memset(m, 0, sizeof(*m));
	TRY(checkpoint_open(&c, path));
	enum err err = c.plan.n_params > map_above() ? map(&c, m) : load(&c, m);
	if (err == ERR_UNSUPPORTED)
		err = load(&c, m);
	checkpoint_close(&c);
	return err;
}

enum err
checkpoint_verify(const char *path)
{
	struct checkpoint c;
	TRY(checkpoint_open(&c, path));
	enum err err = checkpoint_finite(&c);
	checkpoint_close(&c);
	return err;
}
