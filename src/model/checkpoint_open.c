/* checkpoint: what the weights hold is compared with what the config wants before anything is allocated, so that a
 * config cannot claim more memory than there are weights. */
#include "byline/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "checkpoint_parts.h"
#include "gguf_config.h"
#include "weights_parts.h"

enum { CONFIG_MAX = 16 << 20 };

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
