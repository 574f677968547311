/* bergson_record: bergson.json. See bergson_index.h. */
#include "bergson_index.h"

#include <stdlib.h>
#include <string.h>

#include "byline/hash.h"
#include "byline/json.h"
#include "byline/mem.h"

enum { VERSION = 1 };
static const size_t record_max = (size_t)1 << 30;
const char *const bergson_folders[BERGSON_FOLDERS] = { "bergson", "bergson-2" };

void
bergson_record_free(struct bergson_record *r)
{
	free(r->source);
	free(r->example);
	*r = (struct bergson_record){0};
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static enum err
file_note(json_t *files, const char *dir, const char *name, const char *known)
{
	char hex[HASH_HEX], *path = path_join(dir, name);
	uint64_t size;
	enum err err = OK;
	if (!file_exists(path))
		goto out;
	TRY_OUT(file_size(path, &size));
	if (!known)
		TRY_OUT(hash_file(path, hex));
	json_object_set_new(files, name, json_pack("{s:I, s:s}", "bytes", (json_int_t)size, "sha256",
		known ? known : hex));
out:
	free(path);
	return err;
}

enum err
bergson_record_write(const char *run_dir, const struct bergson_record *r)
{
	struct str text = {0};
	json_t *files = json_object(), *examples = json_array();
	char *path = path_join(run_dir, BERGSON_FILE), *dir = path_join(run_dir, r->folder);
	enum err err = OK;
	for (int i = 0; err == OK && i < n_bergson_files; i++)
		err = file_note(files, dir, bergson_files[i],
			strcmp(bergson_files[i], BERGSON_GRADIENTS) == 0 ? r->gradients : NULL);
	for (uint64_t i = 0; i < r->n; i++)
		json_array_append_new(examples, json_integer(r->example[i]));
	json_t *root = json_pack("{s:i, s:s, s:o, s:s, s:s, s:o, s:o}", "version", VERSION, "folder", r->folder,
		"source", json_text(r->source, strlen(r->source)), "checkpoint_sha256", r->checkpoint, "dataset",
		r->dataset, "files", files, "examples", examples);
	if (err == OK) {
		json_print(&text, root, 0);
		str_addc(&text, '\n');
		err = file_replace(path, text.s, text.len);
	}
	json_decref(root);
	str_free(&text);
	free(path);
	free(dir);
	return err;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static enum err
file_same(const json_t *want, const char *path, const char *name, bool whole)
{
	char hex[HASH_HEX], now[HASH_HEX];
	int64_t bytes;
	uint64_t size;
	TRY(json_want_int(want, name, "bytes", 0, INT64_MAX, &bytes));
	TRY(json_want_hash(want, name, "sha256", hex));
	TRY(file_size(path, &size));
	bool same = size == (uint64_t)bytes;
	if (same && (whole || strcmp(path_base(path), BERGSON_GRADIENTS) != 0)) {
		TRY(hash_file(path, now));
		same = strcmp(hex, now) == 0;
	}
	return same ? OK : err_set(ERR_MISMATCH,
		"%s is not the file that was imported: run `byline import-index` again", path);
}

static enum err
files_same(const json_t *root, const char *name, const char *dir, bool whole)
{
	const json_t *files = json_object_get(root, "files");
	for (int i = 0; i < n_bergson_files; i++) {
		const json_t *want = json_object_get(files, bergson_files[i]);
		if (!want)
			continue;
		char *path = path_join(dir, bergson_files[i]);
		enum err err = file_same(want, path, name, whole);
		free(path);
		TRY(err);
	}
	return OK;
}

static enum err
read_examples(const json_t *root, const char *name, size_t n_examples, struct bergson_record *r)
{
	const json_t *list = json_object_get(root, "examples");
	r->n = json_array_size(list);
	if (r->n == 0)
		return err_set(ERR_FORMAT, "%s: there are no \"examples\"", name);
	TRY(mem_array(&r->example, r->n, sizeof(*r->example), "examples of the index"));
	for (uint64_t i = 0; i < r->n; i++) {
		const json_t *v = json_array_get(list, i);
		r->example[i] = json_integer_value(v);
		if (!json_is_integer(v) || r->example[i] < -1 || r->example[i] >= (int64_t)n_examples)
			return err_set(ERR_FORMAT, "%s: \"examples\"[%llu] is no example of the run", name,
				(unsigned long long)i);
	}
	return OK;
}

/* Stores of before there were two have no name for it. */
static const char *
folder_of(const json_t *root)
{
	const json_t *v = json_object_get(root, "folder");
	if (!v)
		return bergson_folders[0];
	for (int i = 0; i < BERGSON_FOLDERS; i++)
		if (json_is_string(v) && strcmp(json_string_value(v), bergson_folders[i]) == 0)
			return bergson_folders[i];
	return NULL;
}

static enum err
check_folder(const char *run_dir, const char *name, const struct bergson_record *r)
{
	if (!r->folder)
		return err_set(ERR_FORMAT, "%s: \"folder\" is none of an index", name);
	char *dir = path_join(run_dir, r->folder);
	enum err err = file_is_dir(dir) ? OK
		: err_set(ERR_MISSING, "%s: the index it leads to, %s, is not there", dir, r->source);
	free(dir);
	return err;
}

static enum err
read_root(const json_t *root, const char *name, const char *run_dir, size_t n_examples, struct bergson_record *r)
{
	const char *source;
	int64_t version;
	TRY(json_want_int(root, name, "version", 1, INT32_MAX, &version));
	if (version != VERSION)
		return err_set(ERR_UNSUPPORTED, "%s: written by a later byline", name);
	TRY(json_want_str(root, name, "source", &source));
	r->source = xstrdup(source);
	r->folder = folder_of(root);
	TRY(check_folder(run_dir, name, r));
	TRY(json_want_hash(root, name, "checkpoint_sha256", r->checkpoint));
	TRY(json_want_hash(root, name, "dataset", r->dataset));
	return read_examples(root, name, n_examples, r);
}

static enum err
read_all(const json_t *root, const char *name, const char *run_dir, size_t n_examples, bool whole,
	struct bergson_record *r)
{
	if (!json_is_object(root))
		return err_set(ERR_FORMAT, "%s: not a JSON object", name);
	TRY(read_root(root, name, run_dir, n_examples, r));
	char *dir = path_join(run_dir, r->folder);
	enum err err = files_same(root, name, dir, whole);
	free(dir);
	return err;
}

enum err
bergson_record_read(const char *run_dir, size_t n_examples, bool whole, struct bergson_record *r)
{
	char *path = path_join(run_dir, BERGSON_FILE);
	json_t *root = NULL;
	*r = (struct bergson_record){0};
	enum err err = json_parse_file(path, record_max, &root);
	if (err == OK)
		err = read_all(root, path, run_dir, n_examples, whole, r);
	json_decref(root);
	free(path);
	if (err != OK)
		bergson_record_free(r);
	return err;
}

const char *
bergson_record_folder(const char *run_dir)
{
	char *path = path_join(run_dir, BERGSON_FILE);
	json_t *root = NULL;
	const char *folder = NULL;
	if (json_parse_file(path, record_max, &root) == OK && json_is_object(root))
		folder = folder_of(root);
	err_clear();
	json_decref(root);
	free(path);
	return folder;
}
