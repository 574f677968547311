/* index_info: reading index.json. */
#include "index_info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

enum { INDEX_BYTES_MAX = 16 << 20, CHECKPOINTS_MAX = 4096, FILES_MAX = 200000, VISITS_MAX = 100000 };

void
index_info_free(struct index_info *info)
{
	for (int i = 0; i < info->n_checkpoints; i++) {
		free(info->checkpoint[i].name);
		free(info->checkpoint[i].path);
	}
	for (int i = 0; i < info->n_files; i++)
		free(info->file[i].name);
	free(info->checkpoint);
	free(info->file);
	*info = (struct index_info){0};
}

const struct index_file *
index_info_file(const struct index_info *info, const char *name)
{
	for (int i = 0; i < info->n_files; i++)
		if (strcmp(info->file[i].name, name) == 0)
			return &info->file[i];
	return NULL;
}

/* A name that stays in the run's folder. */
static enum err
read_path(const json_t *from, const char *path, const char *key, char **out)
{
	const char *text;
	TRY(json_want_str(from, path, key, &text));
	if (!*text || *text == '/' || strstr(text, "..") || strlen(text) > 120)
		return err_set(ERR_FORMAT, "%s: \"%s\" must be a path below the run's folder", path, key);
	*out = xstrdup(text);
	return OK;
}

static enum err
read_array(const json_t *root, const char *path, const char *key, size_t max, json_t **out)
{
	*out = json_object_get(root, key);
	if (!json_is_array(*out) || json_array_size(*out) > max)
		return err_set(ERR_FORMAT, "%s: \"%s\" must be an array of at most %zu", path, key, max);
	return OK;
}

static enum err
read_int(const json_t *from, const char *path, const char *key, int min, int max, int *out)
{
	int64_t v;
	TRY(json_want_int(from, path, key, min, max, &v));
	*out = (int)v;
	return OK;
}

static enum err
read_options(const json_t *o, const char *path, struct index_options *to)
{
	const char *text;
	int64_t tokens, own;
	TRY(read_int(o, path, "k", 4, 256, &to->k));
	TRY(read_int(o, path, "bits", 4, 8, &to->bits));
	TRY(json_opt_int(o, path, "own", 0, INDEX_OWN_MAX, 0, &own));
	to->own = (int)own;
	TRY(read_int(o, path, "checkpoints", 0, CHECKPOINTS_MAX, &to->checkpoints));
	TRY(read_int(o, path, "null_queries", 0, 1 << 20, &to->null_queries));
	TRY(json_want_int(o, path, "curvature_tokens", 0, INT64_MAX, &tokens));
	TRY(json_want_str(o, path, "curvature_dtype", &text));
	to->curvature_tokens = (uint64_t)tokens;
	to->curvature_dtype = strcmp(text, "F32") == 0 ? ST_F32 : ST_U8;
	TRY(json_want_u64(o, path, "seed", &to->seed));
	return to->bits == 4 || to->bits == 8 ? OK
		: err_set(ERR_FORMAT, "%s: \"bits\" must be 4 or 8, not %d", path, to->bits);
}

static enum err
read_checkpoints(const json_t *root, const char *path, struct index_info *info)
{
	json_t *list, *item;
	size_t i;
	TRY(read_array(root, path, "checkpoints", CHECKPOINTS_MAX, &list));
	info->checkpoint = xcalloc(json_array_size(list) + 1, sizeof(*info->checkpoint));
	json_array_foreach(list, i, item) {
		struct index_checkpoint *c = &info->checkpoint[info->n_checkpoints++];
		TRY(read_path(item, path, "name", &c->name));
		TRY(read_path(item, path, "path", &c->path));
		TRY(json_want_hash(item, path, "sha256", c->sha256));
	}
	return info->n_checkpoints > 0 ? OK : err_set(ERR_FORMAT, "%s: no checkpoints", path);
}

static enum err
read_files(const json_t *root, const char *path, struct index_info *info)
{
	json_t *list, *item;
	size_t i;
	TRY(read_array(root, path, "files", FILES_MAX, &list));
	info->file = xcalloc(json_array_size(list) + 1, sizeof(*info->file));
	json_array_foreach(list, i, item) {
		struct index_file *f = &info->file[info->n_files++];
		TRY(read_path(item, path, "name", &f->name));
		TRY(json_want_hash(item, path, "sha256", f->sha256));
		TRY(json_want_int(item, path, "bytes", 0, INT64_MAX, &f->bytes));
	}
	return OK;
}

/* Absent, or null, from an index made of checkpoints. */
static enum err
read_captured(const json_t *root, const char *path, struct index_captured *to)
{
	const json_t *o = json_object_get(root, "captured");
	if (!o || json_is_null(o))
		return OK;
	if (!json_is_object(o))
		return err_set(ERR_FORMAT, "%s: \"captured\" must be an object", path);
	TRY(json_want_int(o, path, "from_step", 1, INT64_MAX, &to->from));
	TRY(read_int(o, path, "every_epochs", 1, VISITS_MAX, &to->every));
	return read_int(o, path, "visits", 1, VISITS_MAX, &to->visits);
}

static enum err
read_lengths(const json_t *root, const char *path, struct index_info *info)
{
	json_t *list, *item;
	size_t i;
	TRY(read_array(root, path, "null_lengths", INDEX_LENGTHS_MAX, &list));
	json_array_foreach(list, i, item) {
		json_int_t n = json_integer_value(item);
		if (n < 1 || n > 1 << 20 || (i > 0 && n <= info->null_length[i - 1]))
			return err_set(ERR_FORMAT, "%s: \"null_lengths\" must be ascending numbers", path);
		info->null_length[info->n_null_lengths++] = (int)n;
	}
	return OK;
}

static enum err
read_root(const json_t *root, const char *path, struct index_info *info)
{
	int64_t version;
	TRY(json_want_int(root, path, "version", 0, INT64_MAX, &version));
	if (version != 1)
		return err_set(ERR_UNSUPPORTED, "%s: version %" PRId64 ", this byline knows 1", path, version);
	TRY(read_options(json_object_get(root, "options"), path, &info->options));
	TRY(read_captured(root, path, &info->captured));
	TRY(read_checkpoints(root, path, info));
	TRY(json_want_hash(root, path, "dataset", info->dataset));
	TRY(json_want_int(root, path, "examples", 0, UINT32_MAX, &info->n_examples));
	TRY(json_want_int(root, path, "rows", 0, info->n_examples, &info->n_rows));
	TRY(json_opt_real(root, path, "tokens_per_example", 0, 1e9, 0, &info->tokens_per_example));
	TRY(read_lengths(root, path, info));
	TRY(read_files(root, path, info));
	TRY(json_opt_int(root, path, "begun", INT64_MIN, INT64_MAX, 0, &info->begun));
	TRY(json_opt_int(root, path, "finished", INT64_MIN, INT64_MAX, 0, &info->finished));
	return json_opt_real(root, path, "seconds", 0, 1e12, 0, &info->seconds);
}

enum err
index_info_read(const char *run_dir, struct index_info *info)
{
	enum err err;
	json_t *root = NULL;
	char *path = path_join(run_dir, INDEX_FILE);
	*info = (struct index_info){0};
	TRY_OUT(json_parse_file(path, INDEX_BYTES_MAX, &root));
	err = read_root(root, path, info);
out:
	if (err != OK)
		index_info_free(info);
	json_decref(root);
	free(path);
	return err;
}
