/* whatif_file: what was observed, as JSON under the name of what was asked. */
#include "whatif_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/hash.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "sealed.h"

#define WHATIF_FORMAT "byline whatif 1"

static void
key_of(const struct query *q, const struct whatif *w, char hex[HASH_HEX])
{
	struct hash_state h;
	const int64_t numbers[] = { w->from, w->to, w->options.controls, (int64_t)w->options.seed, q->n_prompt,
		q->n_out };
	hash_init(&h);
	hash_add(&h, q->session->checkpoint_sha256, HASH_HEX);
	hash_add(&h, q->session->run.dataset, HASH_HEX);
	hash_add(&h, w->method, strlen(w->method));
	hash_add(&h, numbers, sizeof(numbers));
	hash_add(&h, q->tokens, (size_t)(q->n_prompt + q->n_out) * sizeof(*q->tokens));
	hash_add(&h, w->removed, w->n_removed * sizeof(*w->removed));
	hash_final(&h, hex);
}

char *
whatif_path(const struct query *q, const struct whatif *w)
{
	char hex[HASH_HEX];
	key_of(q, w, hex);
	char *name = xasprintf("whatif/%.32s.json", hex), *path = path_join(q->session->run.dir, name);
	free(name);
	return path;
}

static json_t *
reals(const double *v, int n)
{
	json_t *a = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(a, json_real(v[i]));
	return a;
}

json_t *
whatif_json(const struct whatif *w)
{
	json_t *removed = json_array();
	for (size_t i = 0; i < w->n_removed; i++)
		json_array_append_new(removed, json_integer(w->removed[i]));
	return json_pack("{s:s, s:[i,i], s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:s}", "method", w->method,
		"span", w->from, w->to, "removed", removed, "tokens_removed", (json_int_t)w->tokens_removed,
		"predicted", json_number(w->predicted), "calibrated", json_number(w->calibrated), "observed",
		json_number(w->observed),
		"controls", reals(w->control, w->options.controls), "tokens", reals(w->token, w->to - w->from),
		"bit_exact", w->bit_exact, "seconds", json_number(w->seconds), "unit", "nats");
}

enum err
whatif_write(const char *path, const struct whatif *w)
{
	json_t *o = whatif_json(w);
	json_object_set_new(o, "format", json_string(WHATIF_FORMAT));
	return sealed_write(path, o);
}

static enum err
read_reals(const json_t *o, const char *path, const char *key, size_t n, double *out)
{
	const json_t *a = json_object_get(o, key);
	if (!json_is_array(a) || json_array_size(a) != n)
		return err_set(ERR_FORMAT, "%s: \"%s\" must be %zu numbers: remove the file", path, key, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(a, i);
		if (!json_is_number(v) || !isfinite(json_number_value(v)))
			return err_set(ERR_FORMAT, "%s: \"%s\" holds what is no number: remove the file", path, key);
		out[i] = json_number_value(v);
	}
	return OK;
}

static enum err
read_fields(const json_t *o, const char *path, struct whatif *w)
{
	const char *format;
	const json_t *controls = json_object_get(o, "controls");
	TRY(json_want_str(o, path, "format", &format));
	if (strcmp(format, WHATIF_FORMAT) != 0)
		return err_set(ERR_UNSUPPORTED, "%s: \"%s\" is none that this byline knows", path, format);
	/* Fewer than were asked for, when there was not enough left to leave out. */
	if (!json_is_array(controls) || json_array_size(controls) > (size_t)w->options.controls)
		return err_set(ERR_FORMAT, "%s: \"controls\" must be at most %d numbers: remove the file", path,
			w->options.controls);
	w->options.controls = (int)json_array_size(controls);
	w->token = xcalloc((size_t)(w->to - w->from) + 1, sizeof(*w->token));
	w->control = xcalloc((size_t)w->options.controls + 1, sizeof(*w->control));
	TRY(read_reals(o, path, "controls", (size_t)w->options.controls, w->control));
	TRY(read_reals(o, path, "tokens", (size_t)(w->to - w->from), w->token));
	TRY(json_opt_real(o, path, "observed", -1e12, 1e12, (double)NAN, &w->observed));
	TRY(json_opt_real(o, path, "calibrated", -1e12, 1e12, (double)NAN, &w->calibrated));
	TRY(json_opt_real(o, path, "predicted", -1e12, 1e12, (double)NAN, &w->predicted));
	TRY(json_opt_real(o, path, "seconds", 0, 1e12, 0, &w->seconds));
	return json_opt_bool(o, path, "bit_exact", false, &w->bit_exact);
}

enum err
whatif_read(const char *path, struct whatif *w)
{
	json_t *o;
	if (!file_exists(path))
		return err_set(ERR_MISSING, "this was not put to the test yet");
	TRY(sealed_read(path, &o));
	enum err err = read_fields(o, path, w);
	json_decref(o);
	return err;
}
