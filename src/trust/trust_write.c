/* trust_write: a report as trust.json. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "trust_fields.h"

static json_t *
seed(uint64_t x)
{
	char text[24];
	if (x <= INT64_MAX)
		return json_integer((json_int_t)x);
	snprintf(text, sizeof(text), "%" PRIu64, x);
	return json_string(text);
}

static void
put_interval(json_t *o, const char *key, const struct interval *i)
{
	char *lo = xasprintf("%s_lo", key), *hi = xasprintf("%s_hi", key);
	json_object_set_new(o, key, json_number(i->value));
	json_object_set_new(o, lo, json_number(i->lo));
	json_object_set_new(o, hi, json_number(i->hi));
	free(lo);
	free(hi);
}

static void
put(json_t *o, const struct field *f, const void *at)
{
	json_t *v = NULL;
	switch (f->kind) {
	case FIELD_REAL:
		v = json_number(*(const double *)at);
		break;
	case FIELD_INTERVAL:
		put_interval(o, f->key, at);
		return;
	case FIELD_COUNT:
		v = json_integer(*(const int *)at);
		break;
	case FIELD_LONG:
		v = json_integer(*(const int64_t *)at);
		break;
	case FIELD_SEED:
		v = seed(*(const uint64_t *)at);
		break;
	case FIELD_FLAG:
		v = json_boolean(*(const bool *)at);
		break;
	}
	json_object_set_new(o, f->key, v);
}

static void
put_all(json_t *o, const struct field *field, size_t n, const void *from)
{
	for (size_t i = 0; i < n; i++)
		put(o, &field[i], (const char *)from + field[i].at);
}

static json_t *
methods_json(const struct trust *t)
{
	json_t *list = json_array();
	for (int i = 0; i < t->n_methods; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "method", json_string(t->method[i].name));
		put_all(o, trust_method_fields, n_trust_method_fields, &t->method[i]);
		/* The same for all; here too, so that a row can be read alone. */
		json_object_set_new(o, "ceiling_other_seed", json_number(t->ceiling_other_seed));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
points_json(const struct trust *t)
{
	json_t *list = json_array();
	for (int i = 0; i < t->n_points; i++)
		json_array_append_new(list, json_pack("{s:f, s:f}", "predicted", t->point[i].predicted, "observed",
			t->point[i].observed));
	return list;
}

json_t *
trust_json(const struct trust *t)
{
	json_t *o = json_object();
	json_object_set_new(o, "version", json_integer(1));
	json_object_set_new(o, "methods", methods_json(t));
	put_all(o, trust_fields, n_trust_fields, t);
	json_object_set_new(o, "index", *t->index ? json_string(t->index) : json_null());
	json_object_set_new(o, "calibration", points_json(t));
	return o;
}

json_t *
trust_method_json(const struct trust *t, const char *method, bool current)
{
	const struct method_trust *m = trust_method(t, method);
	if (!m || !isfinite(m->lds.value))
		return json_null();
	return json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:b}", "lds", m->lds.value, "lds_lo",
		json_number(m->lds.lo), "lds_hi", json_number(m->lds.hi), "lds_other_seed",
		json_number(m->lds_other_seed.value),
		"ceiling_other_seed", json_number(t->ceiling_other_seed), "slope", json_number(m->slope), "slope_error",
		json_number(m->slope_error), "queries", t->n_queries, "subsets", t->n_subsets, "current", current);
}

enum err
trust_write(const char *run_dir, const struct trust *t)
{
	struct str text = {0};
	char *path = path_join(run_dir, TRUST_FILE);
	json_t *o = trust_json(t);
	json_print(&text, o, 1);
	str_addc(&text, '\n');
	enum err err = file_replace(path, text.s, text.len);
	json_decref(o);
	str_free(&text);
	free(path);
	return err;
}
