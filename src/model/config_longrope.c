/*
 * model: rotary positions stretched as in LongRoPE (Ding et al. 2024), a factor for each frequency. There are two lists
 * of factors, and a sequence longer than the model was first trained on turns by the other one from its first position
 * on: we stop at that length.
 */
#include "byline/model.h"

#include <math.h>

#include "arch.h"
#include "byline/json.h"
#include "byline/mem.h"

static enum err
parse_list(const json_t *rope, const char *name, const char *key, double out[ROPE_FACTORS_MAX], int *n)
{
	const json_t *list = json_object_get(rope, key);
	size_t size = json_array_size(list);
	if (size < 1 || size > ROPE_FACTORS_MAX)
		return err_set(ERR_FORMAT, "%s: longrope: %s is not a list of 1 to %d factors", name, key,
			ROPE_FACTORS_MAX);
	for (size_t i = 0; i < size; i++) {
		const json_t *v = json_array_get(list, i);
		double x = json_number_value(v);
		if (!json_is_number(v) || !(x >= 1e-6 && x <= 1e6))
			return err_set(ERR_FORMAT, "%s: longrope: %s holds something other than factors", name, key);
		out[i] = x;
	}
	if (*n > 0 && *n != (int)size)
		return err_set(ERR_FORMAT, "%s: longrope: %s has %d factors, the other list %d", name, key, (int)size,
			*n);
	*n = (int)size;
	return OK;
}

/* Ding et al. 2024, section 3.3: the temperature of attention. */
static double
temperature(double factor, double original)
{
	return factor > 1 && original > 1 ? sqrt(1 + log(factor) / log(original)) : 1;
}

enum err
config_parse_longrope(struct model_config *c, const json_t *root, const json_t *rope, const char *name)
{
	static const char *const original = "original_max_position_embeddings";
	struct rope_scaling *r = &c->rope;
	double factor;
	if (json_object_get(rope, "short_mscale") || json_object_get(rope, "long_mscale"))
		return err_set(ERR_UNSUPPORTED, "%s: longrope with short_mscale or long_mscale is not supported", name);
	r->n_factors = 0;
	TRY(parse_list(rope, name, "short_factor", r->near_factors, &r->n_factors));
	TRY(parse_list(rope, name, "long_factor", r->far_factors, &r->n_factors));
	TRY(json_opt_real(rope, name, original, 1, 1e9, 0, &r->original));
	TRY(json_opt_real(root, name, original, 1, 1e9, r->original, &r->original));
	if (r->original != floor(r->original) || r->original == 0)
		return err_set(ERR_FORMAT, "%s: longrope wants a whole number as %s", name, original);
	r->longest = r->longest > 0 ? r->longest : c->n_ctx;
	r->factor = r->longest / r->original;
	TRY(json_opt_real(rope, name, "factor", 1e-6, 1e6, r->factor, &factor));
	TRY(json_opt_real(rope, name, "attention_factor", 1e-6, 1e6, temperature(factor, r->original), &r->attention));
	if (c->n_ctx > r->original)
		c->n_ctx = (int)r->original;
	return OK;
}

static json_t *
list_json(const double *v, int n)
{
	json_t *list = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_real(v[i]));
	return list;
}

void
config_write_longrope(const struct model_config *c, json_t *root, json_t *rope)
{
	static const char *const original = "original_max_position_embeddings";
	const struct rope_scaling *r = &c->rope;
	/* Version 4 of `transformers` takes these three alone. */
	json_t *scaling = json_pack("{s:s, s:o, s:o}", "type", "longrope",
		"short_factor", list_json(r->near_factors, r->n_factors),
		"long_factor", list_json(r->far_factors, r->n_factors));
	if (r->attention != temperature(r->factor, r->original))
		json_object_set_new(scaling, "attention_factor", json_real(r->attention));
	json_object_set_new(root, "max_position_embeddings", json_integer((json_int_t)r->longest));
	json_object_set_new(root, original, json_integer((json_int_t)r->original));
	json_object_set_new(rope, original, json_integer((json_int_t)r->original));
	json_object_update_missing(rope, scaling);
	json_object_set_new(root, "rope_scaling", scaling);
}
