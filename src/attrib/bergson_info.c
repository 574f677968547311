/* bergson_info: info.json, and the folder as a whole. See bergson_info.h. */
#include "config.h"	/* _GNU_SOURCE, for memmem */
#include "bergson_info.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

const char *const bergson_files[] = { "info.json", "processor_config.yaml", "config.yaml", BERGSON_OFFSETS,
	"normalizers.pth", BERGSON_GRADIENTS };
const int n_bergson_files = ARRAY_LEN(bergson_files);

enum { SETTINGS_MAX = 1 << 20, INFO_MAX = 64 << 20, BLOCKS_MAX = 1 << 20 };
#define COUNT_MAX (INT64_C(1) << 40)

void
bergson_info_free(struct bergson_info *info)
{
	for (int i = 0; i < info->n_blocks; i++)
		free(info->block[i].name);
	free(info->block);
	*info = (struct bergson_info){0};
}

uint64_t
bergson_row_bytes(const struct bergson_info *info)
{
	return info->width * st_dtype_size(info->dtype);
}

/* ---- info.json -------------------------------------------------------------------------------------------------- */

static const struct { const char *name; enum st_dtype dtype; } dtypes[] = {
	{ "float32", ST_F32 }, { "<f4", ST_F32 }, { "f4", ST_F32 }, { "float16", ST_F16 }, { "<f2", ST_F16 },
	{ "f2", ST_F16 }, { "bfloat16", ST_BF16 },
};

/* A field of an older index has its length before its type: "(256,)float16". */
static enum err
dtype_named(const char *word, const char *name, enum st_dtype *out)
{
	const char *type = word;
	if (*type == '(')
		type += strcspn(type, ")") + (strchr(type, ')') ? 1 : 0);
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++) {
		*out = dtypes[i].dtype;
		if (strcmp(type, dtypes[i].name) == 0)
			return OK;
	}
	return err_set(ERR_UNSUPPORTED, "%s: gradients of type \"%s\"; float32, float16 and bfloat16 are read",
		name, word);
}

static enum err
read_dtype(const json_t *root, const char *name, struct bergson_info *info)
{
	const char *word;
	if (json_object_get(root, "base_dtype")) {
		TRY(json_want_str(root, name, "base_dtype", &word));
		return dtype_named(word, name, &info->dtype);
	}
	const json_t *formats = json_object_get(json_object_get(root, "dtype"), "formats");
	for (size_t i = 0; i < json_array_size(formats); i++) {
		const json_t *one = json_array_get(formats, i);
		enum st_dtype first = info->dtype;
		if (!json_is_string(one))
			return err_set(ERR_FORMAT, "%s: \"formats\" must be a list of strings", name);
		TRY(dtype_named(json_string_value(one), name, &info->dtype));
		if (i > 0 && info->dtype != first)
			return err_set(ERR_UNSUPPORTED, "%s: gradients of several types in one row", name);
	}
	return json_array_size(formats) > 0 ? OK : err_set(ERR_FORMAT, "%s: there is no \"base_dtype\"", name);
}

static enum err
read_blocks(const json_t *root, const char *name, struct bergson_info *info)
{
	const json_t *sizes = json_object_get(root, "grad_sizes");
	const char *key;
	const json_t *v;
	if (!json_is_object(sizes) || json_object_size(sizes) == 0)
		return err_set(ERR_FORMAT, "%s: \"grad_sizes\" must be an object of sizes by module", name);
	if (json_object_size(sizes) > BLOCKS_MAX)
		return err_set(ERR_LIMIT, "%s: %zu modules, at most %d", name, json_object_size(sizes), BLOCKS_MAX);
	info->block = xcalloc(json_object_size(sizes), sizeof(*info->block));
	json_object_foreach((json_t *)(uintptr_t)sizes, key, v) {
		json_int_t size = json_integer_value(v);
		if (!json_is_integer(v) || size < 1 || size > COUNT_MAX)
			return err_set(ERR_FORMAT, "%s: module %s has no size between 1 and 2^40", name, key);
		if (size > INT32_MAX - (json_int_t)info->width)
			return err_set(ERR_LIMIT, "%s: rows of more than 2^31 - 1 values; build the index with a "
				"projection_dim", name);
		info->block[info->n_blocks++] = (struct bergson_block){ xstrdup(key), info->width, (uint64_t)size };
		info->width += (uint64_t)size;
	}
	return OK;
}

static enum err
read_counts(const json_t *root, const char *name, struct bergson_info *info)
{
	int64_t rows, items;
	TRY(json_want_int(root, name, "num_grads", 1, COUNT_MAX, &rows));
	TRY(json_opt_int(root, name, "num_items", 1, COUNT_MAX, rows, &items));
	TRY(json_opt_bool(root, name, "attribute_tokens", false, &info->tokens));
	if (!info->tokens && items != rows)
		return err_set(ERR_FORMAT, "%s: %lld rows for %lld examples", name, (long long)rows, (long long)items);
	info->n_rows = (uint64_t)rows;
	info->n_items = (uint64_t)items;
	return OK;
}

/* An older index says how its rows are laid out; what is not one field after another would be read wrongly. */
static enum err
check_packed(const json_t *root, const char *name, const struct bergson_info *info)
{
	const json_t *size = json_object_get(json_object_get(root, "dtype"), "itemsize");
	if (size && (!json_is_integer(size) || (uint64_t)json_integer_value(size) != bergson_row_bytes(info)))
		return err_set(ERR_UNSUPPORTED, "%s: there are gaps between the modules of a row", name);
	return OK;
}

enum err
bergson_info_parse(const char *text, size_t n, const char *name, struct bergson_info *info)
{
	json_t *root;
	enum err err = OK;
	TRY(json_parse(text, n, name, &root));
	if (!json_is_object(root))
		TRY_OUT(err_set(ERR_FORMAT, "%s: not a JSON object", name));
	TRY_OUT(read_counts(root, name, info));
	TRY_OUT(read_dtype(root, name, info));
	TRY_OUT(read_blocks(root, name, info));
	TRY_OUT(check_packed(root, name, info));
out:
	json_decref(root);
	return err;
}

/* ---- the folder ------------------------------------------------------------------------------------------------- */

typedef enum err parse_fn(const char *text, size_t n, const char *name, struct bergson_info *info);

static enum err
file_parse(const char *dir, const char *file, size_t limit, parse_fn *parse, struct bergson_info *info)
{
	struct str text = {0};
	char *path = path_join(dir, file);
	enum err err = file_read(path, limit, &text);
	if (err == OK)
		err = parse(text.s ? text.s : "", text.len, path, info);
	str_free(&text);
	free(path);
	return err;
}

/* Second moments of an optimizer are pickles, which are not read here: it is enough to see that there are some. */
static enum err
check_normalizers(const char *dir)
{
	static const char *const kinds[] = { "AdamNormalizer", "AdafactorNormalizer" };
	struct file_map map;
	enum err err = OK;
	char *path = path_join(dir, "normalizers.pth");
	if (!file_exists(path))
		goto out;
	TRY_OUT(file_map_open(path, &map));
	for (size_t i = 0; err == OK && i < ARRAY_LEN(kinds); i++)
		if (map.size > 0 && memmem(map.data, map.size, kinds[i], strlen(kinds[i])))
			err = err_set(ERR_UNSUPPORTED,
				"%s: the gradients were divided by an optimizer's second moments (%s), which byline "
				"does not read: build the index without optimizer_state", path, kinds[i]);
	file_map_close(&map);
out:
	free(path);
	return err;
}

static enum err
check_size(const char *dir, const struct bergson_info *info)
{
	uint64_t size = 0, bytes = bergson_row_bytes(info);
	char *path = path_join(dir, BERGSON_GRADIENTS);
	enum err err = file_size(path, &size);
	/* Both counts are below 2^40, so that a quotient is needed and no product. */
	if (err == OK && (size % bytes != 0 || size / bytes != info->n_rows))
		err = err_set(ERR_FORMAT, "%s: %llu bytes; %llu rows of %llu would be as info.json has it", path,
			(unsigned long long)size, (unsigned long long)info->n_rows, (unsigned long long)bytes);
	free(path);
	return err;
}

static enum err
read_all(const char *dir, struct bergson_info *info)
{
	size_t n = strlen(dir);
	if (!file_is_dir(dir))
		return err_set(ERR_MISSING, "%s: there is no such folder", dir);
	if (n > 5 && strcmp(dir + n - 5, ".part") == 0)
		return err_set(ERR_FORMAT, "%s: bergson renames an index when it is complete; this one is not", dir);
	if (!file_in_dir(dir, "info.json"))
		return err_set(ERR_MISSING, "%s: there is no info.json: not a gradient index of bergson", dir);
	TRY(file_parse(dir, "info.json", INFO_MAX, bergson_info_parse, info));
	if (!file_in_dir(dir, "processor_config.yaml"))
		return err_set(ERR_MISSING, "%s: there is no processor_config.yaml, which says how gradients were "
			"projected", dir);
	TRY(file_parse(dir, "processor_config.yaml", SETTINGS_MAX, bergson_processor_parse, info));
	if (file_in_dir(dir, "config.yaml"))
		TRY(file_parse(dir, "config.yaml", SETTINGS_MAX, bergson_config_parse, info));
	TRY(check_normalizers(dir));
	return check_size(dir, info);
}

enum err
bergson_info_read(const char *dir, struct bergson_info *info)
{
	*info = (struct bergson_info){0};
	enum err err = read_all(dir, info);
	if (err != OK)
		bergson_info_free(info);
	return err;
}
