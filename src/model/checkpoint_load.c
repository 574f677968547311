/* checkpoint: reading a Hugging Face directory. What the weights file holds is compared with what the config wants
 * before anything is allocated, so that a config cannot claim more memory than there are weights. */
#include "byline/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

enum { CONFIG_MAX = 16 << 20 };

/* ---- which files ---- */

static bool
dir_has(const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	bool has = file_exists(path);
	free(path);
	return has;
}

/* What to tell somebody whose directory has weights, but not in model.safetensors. */
static enum err
weights_missing(const char *dir)
{
	if (dir_has(dir, "model.safetensors.index.json"))
		return err_set(ERR_UNSUPPORTED,
			"%s: the weights are in several files (model.safetensors.index.json), which is not "
			"supported; join them: python3 -c \"from transformers import AutoModelForCausalLM as A; "
			"A.from_pretrained('%s').save_pretrained('NEW', max_shard_size='1TB')\" and copy "
			"tokenizer.json there", dir, dir);
	if (dir_has(dir, "pytorch_model.bin") || dir_has(dir, "pytorch_model.bin.index.json"))
		return err_set(ERR_UNSUPPORTED,
			"%s: the weights are in pytorch_model.bin, a format that can run code when it is opened; "
			"convert them: python3 -c \"from transformers import AutoModelForCausalLM as A; "
			"A.from_pretrained('%s').save_pretrained('NEW')\" and copy tokenizer.json there", dir, dir);
	return err_set(ERR_MISSING, "%s: there is no model.safetensors", dir);
}

static enum err
weights_open(const char *dir, struct st_file *f)
{
	if (!dir_has(dir, "model.safetensors"))
		return weights_missing(dir);
	char *path = path_join(dir, "model.safetensors");
	enum err err = st_open(f, path);
	free(path);
	return err;
}

static enum err
config_load(const char *dir, struct model_config *config)
{
	json_t *root = NULL;
	char *path = path_join(dir, "config.json");
	enum err err = json_parse_file(path, CONFIG_MAX, &root);
	if (err == OK)
		err = model_config_parse(config, root, path);
	json_decref(root);
	free(path);
	return err;
}

/* ---- what is wanted against what is there ---- */

struct loading {
	struct st_file file;
	struct model plan;		/* without weights: says what is wanted */
	struct file_tensor *wanted;
	const struct st_tensor **found;	/* per wanted; NULL: an optional one that is not there */
	size_t n;
};

static const char *
wanted_name(const struct loading *l, const struct file_tensor *want)
{
	const char *bare = arch_short_name(&l->plan, want->name);
	return bare && !st_find(&l->file, want->name) && st_find(&l->file, bare) ? bare : want->name;
}

static enum err
check_wanted(const struct loading *l, const struct file_tensor *want, const struct st_tensor **found)
{
	uint64_t rows = (uint64_t)want->rows, cols = (uint64_t)want->cols;
	uint64_t shape[2] = { want->transposed ? cols : rows, want->transposed ? rows : cols };
	const char *name = wanted_name(l, want);
	if (want->optional && !st_find(&l->file, name))
		return OK;
	if (want->tensor->role == ROLE_HEAD && !st_find(&l->file, name))
		return err_set(ERR_MISSING,
			"%s: tensor \"%s\" is missing, and config.json does not say tie_word_embeddings",
			l->file.path, name);
	return st_want(&l->file, name, want->n_dims, shape, found);
}

static int
found_cmp(const void *a, const void *b)
{
	const struct st_tensor *const *x = a, *const *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* A tensor that nobody asked for means that the config is not the model's. */
static enum err
check_surplus(const struct loading *l)
{
	const struct st_tensor **sorted;
	enum err err = OK;
	TRY(mem_array(&sorted, l->n, sizeof(*sorted), "tensor list"));
	memcpy(sorted, l->found, l->n * sizeof(*sorted));
	qsort(sorted, l->n, sizeof(*sorted), found_cmp);
	for (size_t i = 0; err == OK && i < l->file.n_tensors; i++) {
		const struct st_tensor *t = &l->file.tensors[i];
		if (!bsearch(&t, sorted, l->n, sizeof(*sorted), found_cmp) && !arch_ignored(&l->plan, t->name))
			err = err_set(ERR_MISMATCH, "%s: tensor \"%s\" has no place in a %s of this config.json",
				l->file.path, t->name, l->plan.config.family);
	}
	free(sorted);
	return err;
}

static enum err
check_all(struct loading *l)
{
	TRY(arch_file_tensors(&l->plan, &l->wanted, &l->n));
	TRY(mem_array(&l->found, l->n, sizeof(*l->found), "tensor list"));
	for (size_t i = 0; i < l->n; i++)
		TRY(check_wanted(l, &l->wanted[i], &l->found[i]));
	return check_surplus(l);
}

/* ---- reading ---- */

static enum err
check_finite(const struct st_file *f, const struct st_tensor *t, const float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return err_set(ERR_FORMAT, "%s: tensor \"%s\" holds %s: the weights are broken",
				f->path, t->name, isnan(v[i]) ? "NaN" : "infinity");
	return OK;
}

/* The file's row c is our column c. */
static enum err
read_transposed(const struct st_file *f, const struct st_tensor *t, const struct file_tensor *want, float *out)
{
	float *line;
	size_t rows = (size_t)want->rows, cols = (size_t)want->cols;
	enum err err = OK;
	TRY(mem_array(&line, rows, sizeof(*line), "tensor row"));
	for (size_t c = 0; err == OK && c < cols; c++) {
		err = st_read_f32(f, t, c * rows, rows, line);
		for (size_t r = 0; r < rows; r++)
			out[r * cols + c] = line[r];
	}
	free(line);
	return err;
}

static enum err
read_tensor(const struct st_file *f, const struct st_tensor *t, const struct file_tensor *want, float *params)
{
	size_t cols = (size_t)want->cols, n = (size_t)want->rows * cols;
	float *out = params + want->tensor->at + (size_t)want->row * cols;
	TRY(want->transposed ? read_transposed(f, t, want, out) : st_read_f32(f, t, 0, n, out));
	return check_finite(f, t, out, n);
}

static enum err
read_all(const struct loading *l, float *params)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->wanted[i].optional)
			TRY(read_tensor(&l->file, l->found[i], &l->wanted[i], params));
	return OK;
}

enum err
checkpoint_load(const char *dir, struct model *m)
{
	struct loading l = {0};
	struct model_config config;
	enum err err;
	memset(m, 0, sizeof(*m));
	TRY_OUT(config_load(dir, &config));
	TRY_OUT(weights_open(dir, &l.file));
	TRY_OUT(model_new(&l.plan, &config, false));
	TRY_OUT(check_all(&l));
	TRY_OUT(model_new(m, &config, true));
	TRY_OUT(read_all(&l, m->params));
out:
	if (err != OK)
		model_free(m);
	free(l.wanted);
	free(l.found);
	model_free(&l.plan);
	st_close(&l.file);
	return err;
}

/* ---- the rest of the directory ---- */

static enum err
tokenizer_missing(const char *dir)
{
	if (dir_has(dir, "vocab.json") || dir_has(dir, "tokenizer.model"))
		return err_set(ERR_MISSING,
			"%s: there is no tokenizer.json; make one: python3 -c \"from transformers import "
			"AutoTokenizer as A; A.from_pretrained('%s').save_pretrained('%s')\"", dir, dir, dir);
	return err_set(ERR_MISSING, "%s: there is no tokenizer.json", dir);
}

enum err
checkpoint_tokenizer(const char *dir, const struct model *m, struct tokenizer **out)
{
	*out = NULL;
	if (!dir_has(dir, "tokenizer.json"))
		return tokenizer_missing(dir);
	char *path = path_join(dir, "tokenizer.json");
	enum err err = tokenizer_load(out, path);
	if (err == OK && tokenizer_size(*out) > m->config.vocab) {
		err = err_set(ERR_MISMATCH, "%s: has token ids up to %d, the model's vocabulary ends at %d",
			path, tokenizer_size(*out) - 1, m->config.vocab - 1);
		tokenizer_free(*out);
		*out = NULL;
	}
	free(path);
	return err;
}

enum err
checkpoint_hash(const char *dir, char hex[HASH_HEX])
{
	char *path = path_join(dir, "model.safetensors");
	enum err err = hash_file(path, hex);
	free(path);
	return err;
}
