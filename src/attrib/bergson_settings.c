/* bergson_settings: the two YAML files of a bergson index, and offsets.npy. See bergson_info.h. */
#include "config.h"	/* _GNU_SOURCE, for memmem */
#include "bergson_info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "bergson_yaml.h"

/* ---- settings --------------------------------------------------------------------------------------------------- */

struct settings { const struct yaml *y; const char *name; };

/* The value, NULL when it is absent, null or empty. */
static const char *
setting(const struct settings *s, const char *key)
{
	const char *v = yaml_find(s->y, key);
	return !v || !*v || strcmp(v, "null") == 0 || strcmp(v, "~") == 0 ? NULL : v;
}

static enum err
bad(const struct settings *s, const char *key, const char *want)
{
	return err_set(ERR_FORMAT, "%s: \"%s\" is \"%s\", and should be %s", s->name, key, setting(s, key), want);
}

static enum err
setting_bool(const struct settings *s, const char *key, bool *out)
{
	const char *v = setting(s, key);
	*out = v && strcmp(v, "true") == 0;
	return !v || *out || strcmp(v, "false") == 0 ? OK : bad(s, key, "true or false");
}

static enum err
setting_int(const struct settings *s, const char *key, int64_t min, int64_t max, int64_t def, int64_t *out)
{
	const char *v = setting(s, key);
	char *end;
	*out = def;
	if (!v)
		return OK;
	errno = 0;
	long long n = strtoll(v, &end, 10);
	*out = n;
	return *end || errno || n < min || n > max ? bad(s, key, "a whole number that makes sense here") : OK;
}

/* One of two words; absent: the first, or the second when `def`. */
static enum err
setting_word(const struct settings *s, const char *key, const char *no, const char *yes, bool def, bool *out)
{
	const char *v = setting(s, key);
	*out = v ? strcmp(v, yes) == 0 : def;
	if (!v || *out || strcmp(v, no) == 0)
		return OK;
	return err_set(ERR_UNSUPPORTED, "%s: \"%s\" is \"%s\"; byline knows %s and %s", s->name, key, v, no, yes);
}

/* ---- processor_config.yaml -------------------------------------------------------------------------------------- */

enum { DIM_MAX = 1 << 24 };

/* What is absent is as it was before there was a choice. */
static enum err
read_projection(const struct settings *s, struct bergson_projection *p)
{
	int64_t dim, version;
	TRY(setting_int(s, "projection_dim", 0, DIM_MAX, 0, &dim));
	TRY(setting_int(s, "projection_version", 1, 1000, 1, &version));
	TRY(setting_int(s, "projection_seed", INT64_MIN, INT64_MAX, 0, &p->seed));
	TRY(setting_word(s, "projection_type", "rademacher", "normal", true, &p->normal));
	TRY(setting_word(s, "projection_scale", "jl", "row_norm", true, &p->row_norm));
	TRY(setting_bool(s, "include_bias", &p->bias));
	p->dim = (int)dim;
	p->version = (int)version;
	p->seeded = setting(s, "projection_seed");
	if (setting(s, "projection_target") && strcmp(setting(s, "projection_target"), "module") == 0)
		return OK;
	return setting_word(s, "projection_target", "per_module", "global", false, &p->global);
}

static enum err
check_projection(const struct settings *s, struct bergson_projection *p)
{
	bool square;
	TRY(setting_bool(s, "reshape_to_square", &square));
	p->global = p->global && p->dim > 0;
	if (p->dim == 0)
		return OK;
	if (square)
		return err_set(ERR_UNSUPPORTED, "%s: gradients were reshaped before projection (reshape_to_square)",
			s->name);
	if (p->version > 2)
		return err_set(ERR_UNSUPPORTED, "%s: random projections of version %d; byline makes versions 1 and 2",
			s->name, p->version);
	if (p->version == 1 && p->normal)
		return err_set(ERR_UNSUPPORTED,
			"%s: normal random projections of version 1 came from the device the index was built on and "
			"cannot be made again; build it with projection_type rademacher, or with bergson 2.5", s->name);
	return OK;
}

enum err
bergson_processor_parse(const char *text, size_t n, const char *name, struct bergson_info *info)
{
	struct yaml y;
	TRY(yaml_parse(text, n, name, &y));
	const struct settings s = { &y, name };
	enum err err = read_projection(&s, &info->projection);
	if (err == OK)
		err = check_projection(&s, &info->projection);
	yaml_free(&y);
	return err;
}

/* ---- config.yaml ------------------------------------------------------------------------------------------------ */

/* What must be as it is by default, for queries to be made the same way as the rows. */
static const struct { const char *key, *is, *what; } plain[] = {
	{ "index_cfg.optimizer_state", NULL, "gradients were divided by an optimizer's second moments" },
	{ "index_cfg.loss_fn", "ce", "the loss is another than cross-entropy" },
	{ "index_cfg.label_smoothing", "0.0", "labels were smoothed" },
	{ "index_cfg.logit_scale", "1.0", "logits were scaled" },
	{ "index_cfg.peft_init_kwargs", NULL, "the gradients are those of an adapter" },
	{ "preprocess_cfg.hessian_path", NULL, "the rows were preconditioned by a Hessian" },
	{ "preprocess_cfg.aggregation", "none", "all rows were made one, and there is nothing to rank" },
};

enum err
bergson_config_parse(const char *text, size_t n, const char *name, struct bergson_info *info)
{
	struct yaml y;
	enum err err = OK;
	TRY(yaml_parse(text, n, name, &y));
	const struct settings s = { &y, name };
	for (size_t i = 0; err == OK && i < ARRAY_LEN(plain); i++) {
		const char *v = setting(&s, plain[i].key);
		if (v && (!plain[i].is || strcmp(v, plain[i].is) != 0))
			err = err_set(ERR_UNSUPPORTED, "%s: %s is %s: %s, which byline does not do", name,
				plain[i].key, v, plain[i].what);
	}
	if (err == OK)
		err = setting_bool(&s, "preprocess_cfg.unit_normalize", &info->unit);
	if (err == OK)
		err = setting_word(&s, "index_cfg.loss_reduction", "sum", "mean", false, &info->mean);
	yaml_free(&y);
	return err;
}

/* ---- offsets.npy ------------------------------------------------------------------------------------------------ */

static enum err
check_offsets(const uint64_t *offset, const char *name, const struct bergson_info *info)
{
	bool good = offset[0] == 0 && offset[info->n_items] == info->n_rows;
	for (uint64_t i = 0; good && i < info->n_items; i++)
		good = offset[i] <= offset[i + 1];
	return good ? OK : err_set(ERR_FORMAT, "%s: the rows of the examples are not %llu in order", name,
		(unsigned long long)info->n_rows);
}

/* numpy's format, version 1 or 2: magic, version, length of a header in Python's words, the header, the numbers. */
enum err
bergson_offsets_parse(const void *data, size_t n, const char *name, const struct bergson_info *info, uint64_t **offset)
{
	const uint8_t *p = data;
	size_t wide = n > 6 && p[6] == 2 ? 4 : 2, head = 8 + wide, length = 0;
	if (n < 12 || memcmp(p, "\x93NUMPY", 6) != 0 || p[6] < 1 || p[6] > 2)
		return err_set(ERR_FORMAT, "%s: not an array of numpy", name);
	for (size_t i = 0; i < wide; i++)
		length |= (size_t)p[8 + i] << (8 * i);
	if (length > n - head)
		return err_set(ERR_FORMAT, "%s: its header is cut off", name);
	if (!memmem(p + head, length, "'<i8'", 5) || memmem(p + head, length, "True", 4))
		return err_set(ERR_FORMAT, "%s: not a plain array of 64-bit whole numbers", name);
	size_t left = n - head - length;
	if (left % 8 != 0 || left / 8 != info->n_items + 1)
		return err_set(ERR_FORMAT, "%s: %zu bytes of numbers; info.json has %llu examples", name, left,
			(unsigned long long)info->n_items);
	uint64_t *v;
	TRY(mem_array(&v, left / 8, sizeof(*v), "offsets of examples"));
	for (size_t i = 0; i < left; i++)
		v[i / 8] |= (uint64_t)p[head + length + i] << (8 * (i % 8));
	enum err err = check_offsets(v, name, info);
	if (err == OK)
		*offset = v;
	else
		free(v);
	return err;
}

enum err
bergson_offsets_read(const char *dir, const struct bergson_info *info, uint64_t **offset)
{
	struct file_map map;
	char *path = path_join(dir, BERGSON_OFFSETS);
	enum err err = file_map_open(path, &map);
	if (err == OK) {
		err = bergson_offsets_parse(map.data, map.size, path, info, offset);
		file_map_close(&map);
	}
	free(path);
	return err;
}
