/* options: defaults, bounds, JSON. */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"

enum kind { INT, SEED, REAL, DTYPE };

/* Bounds are inclusive. */
static const struct field {
	const char *key;
	enum kind kind;
	size_t at;
	double min, max;
} fields[] = {
#define FIELD(name, kind, min, max) { #name, kind, offsetof(struct train_options, name), min, max }
	FIELD(seed, SEED, 0, 0),
	FIELD(epochs, INT, 1, 100000),
	FIELD(batch, INT, 1, 65536),
	FIELD(lanes, INT, 1, 256),
	FIELD(keep, INT, 1, 10000),
	FIELD(lr, REAL, 1e-12, 10),
	FIELD(lr_floor, REAL, 0, 1),
	FIELD(warmup, INT, -1, 1e9),
	FIELD(beta1, REAL, 0, 0.999999),
	FIELD(beta2, REAL, 0, 0.999999),
	FIELD(eps, REAL, 1e-30, 1),
	FIELD(weight_decay, REAL, 0, 100),
	FIELD(clip, REAL, 0, 1e9),
	FIELD(dtype, DTYPE, 0, 0),
#undef FIELD
};

static const enum st_dtype dtypes[] = { ST_F32, ST_BF16, ST_F16 };

void
train_defaults(struct train_options *o)
{
	*o = (struct train_options){
		.seed = 1, .epochs = 10, .batch = 16, .lanes = 8, .keep = 6,
		.lr = 3e-3, .lr_floor = 0.1, .warmup = -1,
		.beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.1, .clip = 1,
		.dtype = ST_F32, .save_every = 60,
	};
}

/* ---- one field ---- */

static enum err
check_number(const struct field *f, double x)
{
	if (x >= f->min && x <= f->max)
		return OK;
	return err_set(ERR_USAGE, "%s is %g, must be from %g to %g", f->key, x, f->min, f->max);
}

static enum err
check_dtype(const struct field *f, enum st_dtype dtype)
{
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++)
		if (dtypes[i] == dtype)
			return OK;
	return err_set(ERR_USAGE, "%s must be F32, BF16 or F16", f->key);
}

static enum err
check_field(const struct field *f, const struct train_options *o)
{
	const void *p = (const char *)o + f->at;
	switch (f->kind) {
	case INT: return check_number(f, *(const int *)p);
	case REAL: return check_number(f, *(const double *)p);
	case DTYPE: return check_dtype(f, *(const enum st_dtype *)p);
	case SEED: break;
	}
	/* JSON readers take whole numbers up to 2^63 - 1. */
	return *(const uint64_t *)p <= INT64_MAX ? OK : err_set(ERR_USAGE, "%s must be below 2^63", f->key);
}

static json_t *
field_json(const struct field *f, const struct train_options *o)
{
	const void *p = (const char *)o + f->at;
	switch (f->kind) {
	case INT: return json_integer(*(const int *)p);
	case REAL: return json_real(*(const double *)p);
	case DTYPE: return json_string(st_dtype_name(*(const enum st_dtype *)p));
	case SEED: break;
	}
	return json_integer((json_int_t)*(const uint64_t *)p);
}

static enum err
parse_dtype(const json_t *root, const char *name, const char *key, enum st_dtype *out)
{
	const char *s;
	TRY(json_want_str(root, name, key, &s));
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++) {
		*out = dtypes[i];
		if (strcmp(s, st_dtype_name(*out)) == 0)
			return OK;
	}
	return err_set(ERR_FORMAT, "%s: \"%s\" must be F32, BF16 or F16", name, key);
}

static enum err
parse_field(const struct field *f, struct train_options *o, const json_t *root, const char *name)
{
	void *p = (char *)o + f->at;
	int64_t n = 0;
	if (!json_object_get(root, f->key) || json_is_null(json_object_get(root, f->key)))
		return err_set(ERR_FORMAT, "%s: \"%s\" is missing", name, f->key);
	switch (f->kind) {
	case INT:
		TRY(json_want_int(root, name, f->key, (int64_t)f->min, (int64_t)f->max, &n));
		*(int *)p = (int)n;
		return OK;
	case SEED:
		TRY(json_want_int(root, name, f->key, 0, INT64_MAX, &n));
		*(uint64_t *)p = (uint64_t)n;
		return OK;
	case REAL: return json_opt_real(root, name, f->key, f->min, f->max, f->min, p);
	case DTYPE: break;
	}
	return parse_dtype(root, name, f->key, p);
}

/* ---- all of them ---- */

enum err
train_options_check(const struct train_options *o)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		TRY(check_field(&fields[i], o));
	if (o->save_every < 0)
		return err_set(ERR_USAGE, "save_every is %d seconds, must not be negative", o->save_every);
	return OK;
}

json_t *
options_json(const struct train_options *o)
{
	json_t *root = json_object();
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		json_object_set_new(root, fields[i].key, field_json(&fields[i], o));
	return root;
}

enum err
options_parse(struct train_options *o, const json_t *root, const char *name)
{
	train_defaults(o);
	if (!json_is_object(root))
		return err_set(ERR_FORMAT, "%s: \"options\" must be an object", name);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		TRY(parse_field(&fields[i], o, root, name));
	return OK;
}
