/* model: config.json, read and written through the family's table of keys, and checked before anything is made from
 * it. */
#include "byline/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arch.h"
#include "byline/json.h"
#include "byline/mem.h"

enum { LAYERS_MAX = 512, WIDTH_MAX = 1 << 16, COUNT_MAX = 1 << 20 };
#define PARAMS_MAX ((int64_t)1 << 37)

/* What others call our three functions; the first name of each is the one we write. */
static const struct { const char *name; enum act_kind act; } act_names[] = {
	{"silu", ACT_SILU}, {"swish", ACT_SILU},
	{"gelu_new", ACT_GELU_TANH}, {"gelu_pytorch_tanh", ACT_GELU_TANH}, {"gelu_fast", ACT_GELU_TANH},
	{"gelu", ACT_GELU_ERF},
};

static const char *
act_name(enum act_kind act)
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
parse_bool(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	return json_opt_bool(root, name, key->name, key->fallback != 0, field(c, key));
}

static enum err
parse_act(struct model_config *c, const json_t *root, const char *name, const struct config_key *key)
{
	const char *act;
	TRY(json_opt_str(root, name, key->name, act_name((enum act_kind)key->fallback), &act));
	for (size_t i = 0; i < ARRAY_LEN(act_names); i++)
		if (strcmp(act, act_names[i].name) == 0) {
			*(enum act_kind *)field(c, key) = act_names[i].act;
			return OK;
		}
	return err_set(ERR_UNSUPPORTED, "%s: %s \"%s\" is not an activation byline has (silu, gelu, gelu_new)", name,
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
		[KEY_INT] = parse_int, [KEY_REAL] = parse_real, [KEY_BOOL] = parse_bool, [KEY_ACT] = parse_act,
		[KEY_TOKEN] = parse_token,
	};
	return parse[key->kind](c, root, name, key);
}

static enum err
refuse_scaling(const json_t *rope, const char *name)
{
	const char *type;
	double part;
	TRY(json_opt_str(rope, name, "type", "default", &type));
	TRY(json_opt_str(rope, name, "rope_type", type, &type));
	if (strcmp(type, "default") != 0)
		return err_set(ERR_UNSUPPORTED,
			"%s: rotary positions scaled by \"%s\" are not supported (only the default)", name, type);
	TRY(json_opt_real(rope, name, "partial_rotary_factor", 0, 1, 1, &part));
	if (part < 1)
		return err_set(ERR_UNSUPPORTED, "%s: partial_rotary_factor %g is not supported (only 1)", name, part);
	return OK;
}

/* transformers 4 has rope_theta and rope_scaling; 5 has both in rope_parameters. */
static enum err
parse_rope(struct model_config *c, const json_t *root, const char *name)
{
	static const char *const groups[] = {"rope_scaling", "rope_parameters"};
	TRY(json_opt_real(root, name, "rope_theta", 1, 1e12, 10000, &c->rope_theta));
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		const json_t *rope = json_object_get(root, groups[i]);
		if (rope == NULL || json_is_null(rope))
			continue;
		if (!json_is_object(rope))
			return err_set(ERR_FORMAT, "%s: %s is not an object", name, groups[i]);
		TRY(refuse_scaling(rope, name));
		TRY(json_opt_real(rope, name, "rope_theta", 1, 1e12, c->rope_theta, &c->rope_theta));
	}
	return OK;
}

static enum err
check_musts(const struct arch *arch, const json_t *root, const char *name)
{
	for (const struct config_must *must = arch->musts; must->name != NULL; must++) {
		bool v;
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
	snprintf(c->family, sizeof(c->family), "%s", arch->family);
	c->norm = arch->norm;
	c->pos = arch->pos;
	c->mlp = arch->mlp;
	c->attn_bias = c->mlp_bias = arch->always_bias;
	TRY(check_musts(arch, root, name));
	for (const struct config_key *key = arch->keys; key->name != NULL; key++)
		TRY(parse_key(c, root, name, key));
	if (c->pos == POS_ROPE)
		TRY(parse_rope(c, root, name));
	derive(c, arch);
	return model_config_check(c, name);
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

static enum err
check_range(const char *name, const char *what, int v, int max)
{
	if (v < 1)
		return err_set(ERR_FORMAT, "%s: %s is %d: it must be at least 1", name, what, v);
	if (v > max)
		return err_set(ERR_LIMIT, "%s: %s is %d: at most %d are supported", name, what, v, max);
	return OK;
}

static enum err
check_ranges(const struct model_config *c, const char *name)
{
	const struct { const char *what; int v, max; } ranges[] = {
		{"the number of layers", c->n_layer, LAYERS_MAX},
		{"the model's width", c->d_model, WIDTH_MAX},
		{"the number of heads", c->n_head, WIDTH_MAX},
		{"the number of key-value heads", c->n_kv_head, c->n_head},
		{"the width of a head", c->head_dim, WIDTH_MAX},
		{"the width of the MLP", c->d_ff, COUNT_MAX},
		{"the vocabulary", c->vocab, COUNT_MAX},
		{"the context", c->n_ctx, COUNT_MAX},
	};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		TRY(check_range(name, ranges[i].what, ranges[i].v, ranges[i].max));
	if ((int64_t)c->n_head * c->head_dim > COUNT_MAX)
		return err_set(ERR_LIMIT, "%s: %d heads of width %d are too many", name, c->n_head, c->head_dim);
	return OK;
}

static enum err
check_heads(const struct model_config *c, const struct arch *arch, const char *name)
{
	if (c->n_head % c->n_kv_head != 0)
		return err_set(ERR_FORMAT, "%s: %d heads cannot share %d key-value heads evenly", name, c->n_head,
			c->n_kv_head);
	if (arch->always_mha && (c->n_kv_head != c->n_head || c->n_head * c->head_dim != c->d_model))
		return err_set(ERR_FORMAT, "%s: %d heads of width %d do not make up the model's width, %d", name,
			c->n_head, c->head_dim, c->d_model);
	if (c->pos == POS_ROPE && c->head_dim % 2 != 0)
		return err_set(ERR_FORMAT, "%s: rotary positions need an even width of heads, not %d", name,
			c->head_dim);
	return OK;
}

static enum err
check_flags(const struct model_config *c, const struct arch *arch, const char *name)
{
	if (c->norm != arch->norm || c->pos != arch->pos || c->mlp != arch->mlp
		|| (arch->always_bias && !(c->attn_bias && c->mlp_bias)))
		return err_set(ERR_UNSUPPORTED, "%s: not how a %s model is made (norm, positions, MLP or biases)", name,
			c->family);
	if ((c->mlp == MLP_GATED) != (c->act == ACT_SILU))
		return err_set(ERR_UNSUPPORTED, "%s: activation \"%s\" is not supported in a %s MLP", name,
			act_name(c->act), c->mlp == MLP_GATED ? "gated" : "plain");
	return OK;
}

static enum err
check_reals(const struct model_config *c, const char *name)
{
	if (!(c->norm_eps >= 0 && c->norm_eps <= 1))
		return err_set(ERR_FORMAT, "%s: the norms' epsilon %g is not between 0 and 1", name, c->norm_eps);
	if (!(c->init_range >= 0 && c->init_range <= 1))
		return err_set(ERR_FORMAT, "%s: the initial range %g is not between 0 and 1", name, c->init_range);
	if (c->pos == POS_ROPE && !(c->rope_theta >= 1 && c->rope_theta <= 1e12))
		return err_set(ERR_FORMAT, "%s: rope_theta %g is not between 1 and 1e12", name, c->rope_theta);
	if (c->bos < -1 || c->bos >= c->vocab || c->eos < -1 || c->eos >= c->vocab)
		return err_set(ERR_FORMAT, "%s: tokens %d and %d are not in a vocabulary of %d", name, c->bos, c->eos,
			c->vocab);
	return OK;
}

/* Nothing overflows here: every factor is at most 2^20, and the sum of a few products at most 2^51. */
static int64_t
count_params(const struct model_config *c)
{
	int64_t d = c->d_model, q = (int64_t)c->n_head * c->head_dim, kv = (int64_t)c->n_kv_head * c->head_dim;
	int64_t block = d * (2 * q + 2 * kv) + 3 * d * c->d_ff;
	return block * c->n_layer + 2 * d * c->vocab + d * c->n_ctx;
}

enum err
model_config_check(const struct model_config *c, const char *name)
{
	const struct arch *arch = arch_find(c->family);
	if (arch == NULL)
		return arch_refuse(c->family, name);
	TRY(check_ranges(c, name));
	TRY(check_heads(c, arch, name));
	TRY(check_flags(c, arch, name));
	TRY(check_reals(c, name));
	if (count_params(c) > PARAMS_MAX)
		return err_set(ERR_LIMIT, "%s: a model of %.0f parameters is too large", name, (double)count_params(c));
	return OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static json_t *
key_json(const struct model_config *c, const struct config_key *key)
{
	const void *v = (const char *)c + key->at;
	if (key->kind == KEY_REAL)
		return json_real(*(const double *)v);
	if (key->kind == KEY_BOOL)
		return json_boolean(*(const bool *)v);
	if (key->kind == KEY_ACT)
		return json_string(act_name(*(const enum act_kind *)v));
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
	if (c->pos == POS_ROPE) {
		json_object_set_new(root, "rope_theta", json_real(c->rope_theta));
		json_object_set_new(root, "rope_parameters",
			json_pack("{s:f, s:s}", "rope_theta", c->rope_theta, "rope_type", "default"));
	}
	return root;
}
