/* weights: safetensors in several files. The index says which tensor is in which file; files and index must agree to
 * the last tensor, or somebody has mixed two models. */
#include "weights_parts.h"

#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/str.h"

enum { INDEX_MAX = 64 << 20, SHARDS_MAX = 4096, NAME_MAX_BYTES = 255 };

/* ---- the index ---- */

/* A stranger's index must not make us open anything but files beside it. */
static enum err
check_shard_name(const char *shard, const char *name)
{
	static const char end[] = ".safetensors";
	size_t n = strlen(shard);
	if (strchr(shard, '/') || strchr(shard, '\\') || strcmp(shard, "..") == 0)
		return err_set(ERR_FORMAT, "%s: \"%s\" is not a file of this directory; it is not opened", name, shard);
	if (n < sizeof(end) || n > NAME_MAX_BYTES || strcmp(shard + n - (sizeof(end) - 1), end) != 0)
		return err_set(ERR_UNSUPPORTED, "%s: \"%s\" is not a safetensors file", name, shard);
	return OK;
}

static int
by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static enum err
list_shards(struct shard_index *x, const char *name)
{
	TRY(mem_array(&x->shards, x->n, sizeof(*x->shards), "list of files"));
	for (size_t i = 0; i < x->n; i++)
		x->shards[i] = x->entries[i].shard;
	qsort(x->shards, x->n, sizeof(*x->shards), by_text);
	for (size_t i = 0; i < x->n; i++)
		if (x->n_shards == 0 || strcmp(x->shards[x->n_shards - 1], x->shards[i]) != 0)
			x->shards[x->n_shards++] = x->shards[i];
	if (x->n_shards > SHARDS_MAX)
		return err_set(ERR_LIMIT, "%s: names %zu files, at most %d are read", name, x->n_shards, SHARDS_MAX);
	return OK;
}

static enum err
parse_root(struct shard_index *x, const char *name)
{
	json_t *value, *map = json_object_get(x->root, "weight_map");
	const char *key;
	if (!json_is_object(map))
		return err_set(ERR_FORMAT, "%s: has no \"weight_map\" object; is it an index of safetensors files?",
			name);
	if (json_object_size(map) == 0)
		return err_set(ERR_FORMAT, "%s: names no tensors", name);
	TRY(mem_array(&x->entries, json_object_size(map), sizeof(*x->entries), "index of tensors"));
	json_object_foreach(map, key, value) {
		const char *shard = json_string_value(value);
		if (!shard || strlen(shard) != json_string_length(value))
			return err_set(ERR_FORMAT, "%s: tensor \"%s\" is not given the name of a file", name, key);
		TRY(check_shard_name(shard, name));
		x->entries[x->n++] = (struct shard_entry){ .tensor = key, .shard = shard };
	}
	return list_shards(x, name);
}

enum err
shard_index_parse(struct shard_index *x, const char *text, size_t n, const char *name)
{
	memset(x, 0, sizeof(*x));
	enum err err = json_parse(text, n, name, &x->root);
	if (err == OK)
		err = parse_root(x, name);
	if (err != OK)
		shard_index_free(x);
	return err;
}

enum err
shard_index_load(struct shard_index *x, const char *path)
{
	memset(x, 0, sizeof(*x));
	enum err err = pointer_json(path, INDEX_MAX, "the index", &x->root);
	if (err == OK)
		err = parse_root(x, path);
	if (err != OK)
		shard_index_free(x);
	return err;
}

void
shard_index_free(struct shard_index *x)
{
	json_decref(x->root);
	free(x->entries);
	free(x->shards);
	memset(x, 0, sizeof(*x));
}

/* ---- the index against the files ---- */

enum err
shard_index_match(const struct shard_index *x, const struct weights *w)
{
	const json_t *map = json_object_get(x->root, "weight_map");
	for (size_t i = 0; i < x->n; i++) {
		const struct shard_entry *e = &x->entries[i];
		const struct weights_tensor *t = weights_find(w, e->tensor);
		if (!t)
			return err_set(ERR_MISSING, "%s: tensor \"%s\" is not in %s, where it should be", w->path,
				e->tensor, e->shard);
		if (strcmp(path_base(t->path), e->shard) != 0)
			return err_set(ERR_MISMATCH, "%s: tensor \"%s\" is in %s, not in %s", w->path, e->tensor,
				path_base(t->path), e->shard);
	}
	for (size_t i = 0; i < w->n_tensors; i++)
		if (!json_object_get(map, w->tensors[i].name))
			return err_set(ERR_MISMATCH, "%s: tensor \"%s\" of %s is not in the index", w->path,
				w->tensors[i].name, path_base(w->tensors[i].path));
	return OK;
}

static enum err
open_shard(struct weights *w, const char *shard, const char *index)
{
	char *path = xasprintf("%.*s%s", (int)(path_base(index) - index), index, shard);
	enum err err = file_exists(path) ? st_open(&w->files[w->n_files], path)
		: err_set(ERR_MISSING, "%s: is missing; %s says that weights are in it", path, path_base(index));
	if (err == OK)
		weights_add_file(w, &w->files[w->n_files++]);
	free(path);
	return err;
}

enum err
weights_open_shards(struct weights *w)
{
	struct shard_index x;
	enum err err = OK;
	TRY(shard_index_load(&x, w->path));
	w->files = xcalloc(x.n_shards, sizeof(*w->files));
	for (size_t i = 0; err == OK && i < x.n_shards; i++)
		err = open_shard(w, x.shards[i], w->path);
	if (err == OK)
		err = weights_seal(w);
	if (err == OK)
		err = shard_index_match(&x, w);
	shard_index_free(&x);
	return err;
}
