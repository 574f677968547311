/*
 * model: rotary positions in config.json. `transformers` 4 has rope_theta and rope_scaling; 5 has all of it in
 * rope_parameters; some families had names of their own before.
 */
#include "byline/model.h"

#include <math.h>
#include <string.h>

#include "arch.h"
#include "byline/json.h"
#include "byline/mem.h"

/* "dynamic" stretches only beyond max_position_embeddings, which is our limit. */
static const struct { const char *name; enum rope_kind kind; } kinds[] = {
	{"default", ROPE_PLAIN}, {"linear", ROPE_LINEAR}, {"llama3", ROPE_LLAMA3}, {"yarn", ROPE_YARN},
	{"longrope", ROPE_LONG}, {"dynamic", ROPE_PLAIN}, {"su", ROPE_LONG},
};

static enum err
parse_kind(struct rope_scaling *r, const json_t *rope, const char *name)
{
	const char *type;
	TRY(json_opt_str(rope, name, "type", "default", &type));
	TRY(json_opt_str(rope, name, "rope_type", type, &type));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(type, kinds[i].name) == 0) {
			r->kind = kinds[i].kind;
			return OK;
		}
	return err_set(ERR_UNSUPPORTED,
		"%s: rotary positions scaled by \"%s\" are not supported "
		"(only default, linear, dynamic, llama3, yarn, longrope)",
		name, type);
}

/* YaRN's temperature of attention, Peng et al. 2023, eq. 22: given, or a ratio of two, or that of the factor. */
static double
temperature(double factor, double m)
{
	return factor > 1 ? 0.1 * m * log(factor) + 1 : 1;
}

static enum err
parse_yarn(struct rope_scaling *r, const json_t *rope, const char *name)
{
	double m, all;
	bool truncate;
	TRY(json_opt_real(rope, name, "beta_fast", 1e-6, 1e6, 32, &r->fast));
	TRY(json_opt_real(rope, name, "beta_slow", 1e-6, 1e6, 1, &r->slow));
	TRY(json_opt_real(rope, name, "mscale", 0, 1e6, 0, &m));
	TRY(json_opt_real(rope, name, "mscale_all_dim", 0, 1e6, 0, &all));
	TRY(json_opt_bool(rope, name, "truncate", true, &truncate));
	if (!truncate)
		return err_set(ERR_UNSUPPORTED, "%s: yarn without truncate is not supported", name);
	double own = m > 0 && all > 0 ? temperature(r->factor, m) / temperature(r->factor, all)
		: temperature(r->factor, 1);
	return json_opt_real(rope, name, "attention_factor", 1e-6, 1e6, own, &r->attention);
}

/* What has no default. */
static enum err
check_needed(const struct rope_scaling *r, const json_t *rope, const char *name)
{
	static const char *const keys[] = {"factor", "low_freq_factor", "high_freq_factor"};
	for (size_t i = 0; i < (r->kind == ROPE_LLAMA3 ? ARRAY_LEN(keys) : 1); i++)
		if (!json_is_number(json_object_get(rope, keys[i])))
			return err_set(ERR_FORMAT, "%s: rotary positions scaled by \"%s\" need a number \"%s\"", name,
				kinds[r->kind].name, keys[i]);
	return OK;
}

static enum err
parse_scaling(struct model_config *c, const json_t *root, const json_t *rope, const char *name)
{
	struct rope_scaling *r = &c->rope;
	double original;
	TRY(parse_kind(r, rope, name));
	if (r->kind == ROPE_PLAIN)
		return OK;
	if (r->kind == ROPE_YARN && json_object_get(rope, "short_factor"))
		r->kind = ROPE_LONG;	/* as Phi-3's first configs called it */
	if (r->kind == ROPE_LONG)
		return config_parse_longrope(c, root, rope, name);
	TRY(check_needed(r, rope, name));
	TRY(json_opt_real(root, name, "original_max_position_embeddings", 1, 1e9, c->n_ctx, &original));
	TRY(json_opt_real(rope, name, "original_max_position_embeddings", 1, 1e9, original, &r->original));
	if (r->original != floor(r->original))
		return err_set(ERR_FORMAT, "%s: original_max_position_embeddings is not a whole number", name);
	TRY(json_opt_real(rope, name, "factor", 1e-6, 1e6, 1, &r->factor));
	if (r->kind == ROPE_LLAMA3) {
		TRY(json_opt_real(rope, name, "low_freq_factor", 1e-6, 1e6, 1, &r->low));
		TRY(json_opt_real(rope, name, "high_freq_factor", 1e-6, 1e6, 4, &r->high));
		if (r->high <= r->low)
			return err_set(ERR_FORMAT, "%s: high_freq_factor is not above low_freq_factor", name);
	}
	return r->kind == ROPE_YARN ? parse_yarn(r, rope, name) : OK;
}

/* *out: NULL when it is absent or null. */
static enum err
find_group(const json_t *root, const char *name, const char *key, const json_t **out)
{
	*out = json_object_get(root, key);
	if (json_is_null(*out))
		*out = NULL;
	return *out == NULL || json_is_object(*out) ? OK : err_set(ERR_FORMAT, "%s: %s is not an object", name, key);
}

static enum err
whole_head(const json_t *rope, const char *name)
{
	double part;
	TRY(json_opt_real(rope, name, "partial_rotary_factor", 0, 1, 1, &part));
	return part == 1 ? OK : err_set(ERR_UNSUPPORTED, "%s: partial_rotary_factor %g is not supported", name, part);
}

/* The part of each head that turns, where the family has such a thing. */
static enum err
parse_part(struct model_config *c, const struct arch *arch, const json_t *root, const json_t *rope, const char *name)
{
	const char *part = arch->part_key != NULL ? arch->part_key : "partial_rotary_factor";
	double base = arch->base.rotary_part > 0 ? arch->base.rotary_part : 1;
	if (arch->base.rotary_part == 0 && !arch->turns_part) {
		TRY(whole_head(root, name));
		return rope != NULL ? whole_head(rope, name) : OK;
	}
	TRY(json_opt_real(root, name, part, 0, 1, base, &c->rotary_part));
	if (rope != NULL)
		TRY(json_opt_real(rope, name, "partial_rotary_factor", 0, 1, c->rotary_part, &c->rotary_part));
	if (c->rotary_part == 0)
		return err_set(ERR_FORMAT, "%s: %s is 0", name, part);
	c->rotary_part = c->rotary_part < 1 ? c->rotary_part : 0;
	return OK;
}

/* rope_scaling, which people add by hand, goes before the rope_parameters that are there already, as in
 * `transformers`. */
static enum err
parse_one(struct model_config *c, const struct arch *arch, const json_t *root, const char *name)
{
	const char *theta = arch->theta_key != NULL ? arch->theta_key : "rope_theta";
	const json_t *rope;
	TRY(json_opt_real(root, name, theta, 1, 1e12, c->rope_theta, &c->rope_theta));
	TRY(find_group(root, name, "rope_scaling", &rope));
	if (rope == NULL || json_object_size(rope) == 0)
		TRY(find_group(root, name, "rope_parameters", &rope));
	TRY(parse_part(c, arch, root, rope, name));
	if (rope == NULL)
		return OK;
	TRY(parse_scaling(c, root, rope, name));
	return json_opt_real(rope, name, "rope_theta", 1, 1e12, c->rope_theta, &c->rope_theta);
}

/* Of layers without a window. */
static enum err
parse_far(struct model_config *c, const json_t *root, const json_t *rope, const char *name)
{
	TRY(whole_head(rope, name));
	TRY(parse_scaling(c, root, rope, name));
	return json_opt_real(rope, name, "rope_theta", 1, 1e12, c->rope_theta, &c->rope_theta);
}

/* Since version 5: a group for each kind of layers. */
static enum err
parse_kinds_of_layers(struct model_config *c, const json_t *root, const json_t *both, const char *name)
{
	struct rope_scaling near = {0};
	const json_t *full, *local;
	TRY(find_group(both, name, "full_attention", &full));
	TRY(find_group(both, name, "sliding_attention", &local));
	if (full == NULL && local == NULL)
		return err_set(ERR_UNSUPPORTED, "%s: rope_parameters without full_attention or sliding_attention",
			name);
	if (full != NULL)
		TRY(parse_far(c, root, full, name));
	if (local != NULL) {
		TRY(whole_head(local, name));
		TRY(parse_kind(&near, local, name));
		TRY(json_opt_real(local, name, "rope_theta", 1, 1e12, c->local_theta, &c->local_theta));
	}
	return near.kind == ROPE_PLAIN ? OK : err_set(ERR_UNSUPPORTED,
		"%s: rotary positions scaled in layers of sliding_attention are not supported", name);
}

/* Layers with a window have a theta of their own, and what stretches positions does not touch them. Where no key is
 * local layers' (OLMo 3), rope_theta is everybody's, as for the version of `transformers` that wrote such configs;
 * version 5 gives those layers its default instead, which is that of the models there are. */
static enum err
parse_two(struct model_config *c, const struct arch *arch, const json_t *root, const char *name)
{
	const json_t *scaling, *both;
	TRY(whole_head(root, name));
	TRY(json_opt_real(root, name, "rope_theta", 1, 1e12, c->rope_theta, &c->rope_theta));
	if (arch->local_key == NULL)
		c->local_theta = c->rope_theta;
	else
		TRY(json_opt_real(root, name, arch->local_key, 1, 1e12, c->local_theta, &c->local_theta));
	TRY(find_group(root, name, "rope_scaling", &scaling));
	TRY(find_group(root, name, "rope_parameters", &both));
	if (both != NULL)
		TRY(parse_kinds_of_layers(c, root, both, name));
	return scaling != NULL ? parse_far(c, root, scaling, name) : OK;
}

enum err
config_parse_rope(struct model_config *c, const struct arch *arch, const json_t *root, const char *name)
{
	if (c->rope_theta == 0)
		c->rope_theta = 10000;
	if (arch->rotary == ROTARY_SILENT)
		return OK;
	return (arch->rotary == ROTARY_TWO ? parse_two : parse_one)(c, arch, root, name);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void
write_scaling(const struct rope_scaling *r, json_t *rope)
{
	const struct { const char *name; double v; bool on; } numbers[] = {
		{"factor", r->factor, r->kind != ROPE_PLAIN && r->kind != ROPE_LONG},
		{"original_max_position_embeddings", r->original, r->kind == ROPE_LLAMA3 || r->kind == ROPE_YARN},
		{"low_freq_factor", r->low, r->kind == ROPE_LLAMA3},
		{"high_freq_factor", r->high, r->kind == ROPE_LLAMA3},
		{"beta_fast", r->fast, r->kind == ROPE_YARN},
		{"beta_slow", r->slow, r->kind == ROPE_YARN},
		{"attention_factor", r->attention, r->kind == ROPE_YARN},
	};
	json_object_set_new(rope, "rope_type", json_string(kinds[r->kind].name));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (numbers[i].on)
			json_object_set_new(rope, numbers[i].name, i == 1 ? json_integer((json_int_t)numbers[i].v)
				: json_real(numbers[i].v));
}

static void
write_two(const struct model_config *c, const struct arch *arch, json_t *root, json_t *rope)
{
	json_t *local = json_pack("{s:f, s:s}", "rope_theta", c->local_theta, "rope_type", "default");
	if (arch->local_key != NULL)
		json_object_set_new(root, arch->local_key, json_real(c->local_theta));
	json_object_set_new(root, "rope_parameters", json_pack("{s:o, s:o}", "full_attention", rope,
		"sliding_attention", local));
}

/* In the words of either version of `transformers`. */
void
config_write_rope(const struct model_config *c, const struct arch *arch, json_t *root)
{
	if (arch->rotary == ROTARY_SILENT)
		return;
	json_t *rope = json_pack("{s:f}", "rope_theta", c->rope_theta);
	json_object_set_new(root, arch->theta_key != NULL ? arch->theta_key : "rope_theta", json_real(c->rope_theta));
	write_scaling(&c->rope, rope);
	if (c->rope.kind == ROPE_LONG)
		config_write_longrope(c, root, rope);
	else if (c->rope.kind != ROPE_PLAIN)
		json_object_set_new(root, "rope_scaling", json_copy(rope));
	if (arch->rotary == ROTARY_TWO) {
		write_two(c, arch, root, rope);
		return;
	}
	if (c->rotary_part > 0 || arch->base.rotary_part > 0) {
		double part = c->rotary_part > 0 ? c->rotary_part : 1;
		json_object_set_new(root, arch->part_key != NULL ? arch->part_key : "partial_rotary_factor",
			json_real(part));
		json_object_set_new(rope, "partial_rotary_factor", json_real(part));
	}
	json_object_set_new(root, "rope_parameters", rope);
}
