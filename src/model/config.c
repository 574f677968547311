/* model: config.json, read and written through the family's table of keys, and checked before anything is made from
 * it. */
#include "byline/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arch.h"
#include "byline/json.h"
#include "byline/mem.h"

enum { COUNT_MAX = CONFIG_COUNT_MAX };

/* What others call our functions; the first name of each is the one we write. */
static const struct { const char *name; enum act_kind act; } act_names[] = {
	{"silu", ACT_SILU}, {"swish", ACT_SILU},
	{"gelu_new", ACT_GELU_TANH}, {"gelu_pytorch_tanh", ACT_GELU_TANH}, {"gelu_fast", ACT_GELU_TANH},
	{"gelu", ACT_GELU_ERF}, {"gelu_python", ACT_GELU_ERF}, {"relu", ACT_RELU},
};

const char *
config_act_name(enum act_kind act)
{
	for (size_t i = 0; i < ARRAY_LEN(act_names); i++)
		if (act_names[i].act == act)
			return act_names[i].name;
	return NULL;
}

static void *
field(struct model_config *c, const struct config_key *key)
{
	return (char *)c + key->at;
}

static enum err
parse_int(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	int64_t v;
	if (key->required)
		TRY(json_want_int(root, name, key->name, 1, COUNT_MAX, &v));
	else
		TRY(json_opt_int(root, name, key->name, 1, COUNT_MAX, (int64_t)key->fallback, &v));
	*(int *)field(c, key) = (int)v;
	return OK;
}

static enum err
parse_real(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	return json_opt_real(root, name, key->name, 0, 1, key->fallback, field(c, key));
}

static enum err
parse_size(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	bool null = json_is_null(json_object_get(root, key->name));
	return json_opt_real(root, name, key->name, 0, 1e9, null ? 0 : key->fallback, field(c, key));
}

static enum err
parse_factor(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	if (json_is_null(json_object_get(root, key->name)))
		return err_set(ERR_FORMAT, "%s: %s is null, not a number", name, key->name);
	return json_opt_real(root, name, key->name, 1e-9, 1e9, key->fallback, field(c, key));
}

static enum err
parse_same(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	int64_t v, want = *(const int *)field(c, key);
	TRY(json_opt_int(root, name, key->name, 1, COUNT_MAX, want, &v));
	return v == want ? OK : err_set(ERR_UNSUPPORTED, "%s: %s %d, not %d as the model is wide, is not supported",
		name, key->name, (int)v, (int)want);
}

static enum err
parse_bool(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	return json_opt_bool(root, name, key->name, key->fallback != 0, field(c, key));
}

static enum err
parse_act(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	const char *act;
	enum act_kind fallback = key->fallback < 0 ? *(enum act_kind *)field(c, key) : (enum act_kind)key->fallback;
	TRY(json_opt_str(root, name, key->name, config_act_name(fallback), &act));
	for (size_t i = 0; i < ARRAY_LEN(act_names); i++)
		if (strcmp(act, act_names[i].name) == 0) {
			*(enum act_kind *)field(c, key) = act_names[i].act;
			return OK;
		}
	return err_set(ERR_UNSUPPORTED,
		"%s: %s \"%s\" is not an activation byline has (silu, gelu, gelu_new, relu)", name,
		key->name, act);
}

/* One number, a list of which we take the first, or none. Out of the vocabulary means none: many files carry
 * defaults. */
static enum err
parse_token(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	const json_t *v = json_object_get(root, key->name);
	json_int_t id = v == NULL ? (json_int_t)key->fallback : -1;
	if (json_is_array(v))
		v = json_array_get(v, 0);
	if (json_is_integer(v))
		id = json_integer_value(v);
	else if (v != NULL && !json_is_null(v))
		return err_set(ERR_FORMAT, "%s: %s is not a token number", name, key->name);
	*(int *)field(c, key) = id >= 0 && id < c->vocab ? (int)id : -1;
	return OK;
}

static enum err
parse_key(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	static enum err (*const parse[])(struct model_config *, const json_t *, const char *,
		const struct config_key *) = {
		[KEY_INT] = parse_int, [KEY_REAL] = parse_real, [KEY_SIZE] = parse_size, [KEY_FACTOR] = parse_factor,
		[KEY_WHOLE] = parse_factor, [KEY_BOOL] = parse_bool, [KEY_ACT] = parse_act, [KEY_TOKEN] = parse_token,
		[KEY_SAME] = parse_same,
	};
	return parse[key->kind](c, root, name, key);
}

static enum err
check_musts(const struct arch *arch, const json_t *root, const char *name)
{
	for (const struct config_must *must = arch->musts; must->name != NULL; must++) {
		bool v;
		const json_t *given = json_object_get(root, must->name);
		if (must->null && given != NULL && !json_is_null(given))
			return err_set(ERR_UNSUPPORTED, "%s: %s is not supported", name, must->name);
		if (must->null)
			continue;
		TRY(json_opt_bool(root, name, must->name, must->value, &v));
		if (v != must->value)
			return err_set(ERR_UNSUPPORTED, "%s: %s: %s is not supported", name, must->name,
				v ? "true" : "false");
	}
	const json_t *quant = json_object_get(root, "quantization_config");
	if (quant != NULL && !json_is_null(quant))
		return err_set(ERR_UNSUPPORTED,
			"%s: quantised weights (quantization_config) are not supported; use the original", name);
	return OK;
}

/* What a family takes from other fields when its file is silent. */
static void
derive(struct model_config *c, const struct arch *arch)
{
	if (c->n_kv_head == 0)
		c->n_kv_head = c->n_head;
	if (c->head_dim == 0 && (!arch->always_mha || c->d_model % c->n_head == 0))
		c->head_dim = c->d_model / c->n_head;
	if (c->d_ff == 0)
		c->d_ff = 4 * c->d_model;
	if (arch->gelu_is_tanh && c->act == ACT_GELU_ERF)
		c->act = ACT_GELU_TANH;
}

enum err
model_config_parse(struct model_config *c, const json_t *root, const char *name)
{
	const char *family;
	memset(c, 0, sizeof(*c));
	if (!json_is_object(root))
		return err_set(ERR_FORMAT, "%s: not a JSON object", name);
	TRY(json_want_str(root, name, "model_type", &family));
	const struct arch *arch = arch_find(family);
	if (arch == NULL)
		return arch_refuse(family, name);
	*c = arch->base;
	snprintf(c->family, sizeof(c->family), "%s", arch->family);
	TRY(check_musts(arch, root, name));
	for (const struct config_key *key = arch->keys; key->name != NULL; key++)
		TRY(parse_key(c, root, name, key));
	if (arch->parse_blocks)
		TRY(arch->parse_blocks(c, root, name));
	TRY(config_parse_windows(c, arch, root, name));
	if (c->pos == POS_ROPE)
		TRY(config_parse_rope(c, arch, root, name));
	derive(c, arch);
	return model_config_check(c, name);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static json_t *
whole_json(double v)
{
	return v == floor(v) && v <= COUNT_MAX ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *
key_json(const struct model_config *c, const struct config_key *key)
{
	const void *v = (const char *)c + key->at;
	if (key->kind == KEY_REAL || key->kind == KEY_FACTOR)
		return json_real(*(const double *)v);
	if (key->kind == KEY_WHOLE)
		return whole_json(*(const double *)v);
	if (key->kind == KEY_SIZE)
		return *(const double *)v > 0 ? json_real(*(const double *)v) : json_null();
	if (key->kind == KEY_BOOL)
		return json_boolean(*(const bool *)v);
	if (key->kind == KEY_ACT)
		return json_string(config_act_name(*(const enum act_kind *)v));
	int n = *(const int *)v;
	return n < 0 ? json_null() : json_integer(n);
}

json_t *
model_config_json(const struct model_config *c)
{
	const struct arch *arch = arch_find(c->family);
	json_t *root = json_pack("{s:[s], s:s, s:s}", "architectures", arch->class_name, "model_type", arch->family,
		"torch_dtype", "float32");
	for (const struct config_key *key = arch->keys; key->name != NULL; key++)
		json_object_set_new(root, key->name, key_json(c, key));
	if (arch->write_blocks)
		arch->write_blocks(c, root);
	config_write_windows(c, arch, root);
	if (c->pos == POS_ROPE)
		config_write_rope(c, arch, root);
	return root;
}
