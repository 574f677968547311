/* trust_read: trust.json, which may come from a stranger: every number is held against what it can be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "trust_fields.h"
#include "trust_private.h"

enum { FILE_MAX = 4 << 20, METHODS_MAX = 256 };

void
trust_free(struct trust *t)
{
	if (!t)
		return;
	free(t->method);
	free(t->point);
	free(t);
}

bool
trust_is_current(const struct trust *t, const char *run_dir)
{
	char hex[HASH_HEX] = "", *path = path_join(run_dir, "index.json");
	bool same = (!file_exists(path) || hash_file(path, hex) == OK) && strcmp(hex, t->index) == 0;
	err_clear();
	free(path);
	return same;
}

double
trust_right(double lds)
{
	const double pi = acos(-1), r = 2 * sin(pi / 6 * fmin(fmax(lds, -1), 1));
	return 100 * (0.5 + asin(r) / pi);
}

const struct method_trust *
trust_method(const struct trust *t, const char *name)
{
	for (int i = 0; t && i < t->n_methods; i++)
		if (strcmp(t->method[i].name, name) == 0)
			return &t->method[i];
	return NULL;
}

/* Small seeds are written as integers. */
static enum err
read_seed(const json_t *o, const char *name, const char *key, uint64_t *out)
{
	int64_t v;
	if (json_is_string(json_object_get(o, key)))
		return json_want_u64(o, name, key, out);
	TRY(json_want_int(o, name, key, 0, INT64_MAX, &v));
	*out = (uint64_t)v;
	return OK;
}

static enum err
read_interval(const json_t *o, const char *name, const struct field *f, struct interval *out)
{
	char *lo = xasprintf("%s_lo", f->key), *hi = xasprintf("%s_hi", f->key);
	enum err err;
	TRY_OUT(json_opt_real(o, name, f->key, f->min, f->max, NAN, &out->value));
	TRY_OUT(json_opt_real(o, name, lo, f->min, f->max, NAN, &out->lo));
	TRY_OUT(json_opt_real(o, name, hi, f->min, f->max, NAN, &out->hi));
	if (out->lo > out->hi)
		err = err_set(ERR_FORMAT, "%s: \"%s\" is above \"%s\"", name, lo, hi);
out:
	free(lo);
	free(hi);
	return err;
}

static enum err
read_long(const json_t *o, const char *name, const struct field *f, int64_t *out)
{
	return json_want_int(o, name, f->key, (int64_t)f->min, (int64_t)f->max, out);
}

static enum err
read_field(const json_t *o, const char *name, const struct field *f, void *at)
{
	int64_t v = 0;
	switch (f->kind) {
	case FIELD_REAL:
		return json_opt_real(o, name, f->key, f->min, f->max, NAN, at);
	case FIELD_INTERVAL:
		return read_interval(o, name, f, at);
	case FIELD_COUNT:
		TRY(read_long(o, name, f, &v));
		*(int *)at = (int)v;
		return OK;
	case FIELD_LONG:
		return read_long(o, name, f, at);
	case FIELD_SEED:
		return read_seed(o, name, f->key, at);
	case FIELD_FLAG:
		return json_opt_bool(o, name, f->key, false, at);
	}
	return ERR_INTERNAL;
}

static enum err
read_fields(const json_t *o, const char *name, const struct field *field, size_t n, void *to)
{
	for (size_t i = 0; i < n; i++)
		TRY(read_field(o, name, &field[i], (char *)to + field[i].at));
	return OK;
}

/* Names go to the screen and into commands. */
static enum err
read_name(const json_t *o, const char *name, char *out, size_t size)
{
	const char *text;
	TRY(json_want_str(o, name, "method", &text));
	size_t n = strlen(text);
	if (n == 0 || n >= size || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") != n)
		return err_set(ERR_FORMAT, "%s: \"method\" must be a short lower-case name", name);
	memcpy(out, text, n + 1);
	return OK;
}

static enum err
read_array(const json_t *root, const char *name, const char *key, size_t max, json_t **out)
{
	*out = json_object_get(root, key);
	if (!json_is_array(*out) || json_array_size(*out) > max)
		return err_set(ERR_FORMAT, "%s: \"%s\" must be an array of at most %zu", name, key, max);
	return OK;
}

static enum err
read_methods(const json_t *root, const char *name, struct trust *t)
{
	json_t *list, *item;
	size_t i;
	bool have_default = false;
	TRY(read_array(root, name, "methods", METHODS_MAX, &list));
	t->method = xcalloc(json_array_size(list) + 1, sizeof(*t->method));
	json_array_foreach(list, i, item) {
		struct method_trust *m = &t->method[i];
		char method[sizeof(m->name)];
		TRY(read_name(item, name, method, sizeof(method)));
		if (trust_method(t, method))
			return err_set(ERR_FORMAT, "%s: method %s is there twice", name, method);
		TRY(read_fields(item, name, trust_method_fields, n_trust_method_fields, m));
		if (m->is_default && have_default)
			return err_set(ERR_FORMAT, "%s: two methods are the default", name);
		have_default |= m->is_default;
		memcpy(m->name, method, sizeof(method));
		t->n_methods++;
	}
	return OK;
}

static enum err
read_points(const json_t *root, const char *name, struct trust *t)
{
	json_t *list, *item;
	size_t i;
	TRY(read_array(root, name, "calibration", TRUST_POINTS, &list));
	t->point = xcalloc(json_array_size(list) + 1, sizeof(*t->point));
	json_array_foreach(list, i, item) {
		struct calibration_point *p = &t->point[i];
		TRY(json_opt_real(item, name, "predicted", -1e300, 1e300, NAN, &p->predicted));
		TRY(json_opt_real(item, name, "observed", -1e300, 1e300, NAN, &p->observed));
		if (isnan(p->predicted) || isnan(p->observed))
			return err_set(ERR_FORMAT, "%s: a point of \"calibration\" lacks a number", name);
		t->n_points++;
	}
	return OK;
}

static enum err
read_root(const json_t *root, const char *name, struct trust *t)
{
	int64_t version;
	TRY(json_want_int(root, name, "version", 0, INT64_MAX, &version));
	if (version != 1)
		return err_set(ERR_UNSUPPORTED, "%s: version %lld, this byline knows 1", name, (long long)version);
	TRY(read_methods(root, name, t));
	TRY(read_fields(root, name, trust_fields, n_trust_fields, t));
	if (t->ceiling_lo > t->ceiling_hi || t->n_heldout + t->n_generated > t->n_queries)
		return err_set(ERR_FORMAT, "%s: its numbers contradict each other", name);
	TRY(json_opt_hash(root, name, "index", t->index));
	return read_points(root, name, t);
}

enum err
trust_parse(const json_t *root, const char *name, struct trust **out)
{
	struct trust *t = xcalloc(1, sizeof(*t));
	enum err err = read_root(root, name, t);
	*out = NULL;
	if (err == OK)
		*out = t;
	else
		trust_free(t);
	return err;
}

enum err
trust_read(const char *run_dir, struct trust **out)
{
	json_t *root = NULL;
	char *path = path_join(run_dir, TRUST_FILE);
	*out = NULL;
	enum err err = file_exists(path) ? json_parse_file(path, FILE_MAX, &root)
		: err_set(ERR_MISSING, "%s: trust was never measured: run `byline eval`", path);
	if (err == OK)
		err = trust_parse(root, path, out);
	json_decref(root);
	free(path);
	return err;
}
