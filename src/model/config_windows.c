/*
 * model: which layers see a window of positions alone, and which have no positions. Configs say it in several ways;
 * since version 5 `transformers` also writes a list, layer_types, which then has the last word on windows.
 */
#include "byline/model.h"

#include <string.h>

#include "arch.h"
#include "byline/json.h"

int
model_window(const struct model_config *c, int layer)
{
	bool local = c->windows == WINDOW_ALL ||
		(c->windows == WINDOW_LISTED && (c->local[layer / 64] >> (layer % 64) & 1) != 0);
	return local ? c->window : 0;
}

bool
model_turns(const struct model_config *c, int layer)
{
	return c->pos == POS_ROPE && (c->unturned[layer / 64] >> (layer % 64) & 1) == 0;
}

static void
mark(struct model_config *c, int layer)
{
	c->windows = WINDOW_LISTED;
	if (layer < MODEL_LAYERS_MAX)
		c->local[layer / 64] |= (uint64_t)1 << (layer % 64);
}

/* Absent is the family's own; null is none. */
static enum err
parse_size(struct model_config *c, const json_t *root, const char *name, const char *key)
{
	int64_t n;
	bool null = json_is_null(json_object_get(root, key));
	TRY(json_opt_int(root, name, key, 1, INT32_MAX, null ? 0 : c->window, &n));
	c->window = (int)n;
	return OK;
}

static enum err
parse_types(struct model_config *c, const json_t *root, const char *name)
{
	const json_t *types = json_object_get(root, "layer_types");
	if (types == NULL || json_is_null(types))
		return OK;
	if (!json_is_array(types) || json_array_size(types) != (size_t)c->n_layer)
		return err_set(ERR_FORMAT, "%s: layer_types is not a list of %d layers", name, c->n_layer);
	c->windows = WINDOW_NONE;
	memset(c->local, 0, sizeof(c->local));
	for (int i = 0; i < c->n_layer; i++) {
		const char *type = json_string_value(json_array_get(types, (size_t)i));
		if (type != NULL && strcmp(type, "sliding_attention") == 0)
			mark(c, i);
		else if (type == NULL || strcmp(type, "full_attention") != 0)
			return err_set(ERR_UNSUPPORTED, "%s: layer_types: attention \"%s\" is not supported", name,
				type != NULL ? type : "?");
	}
	return OK;
}

static enum err
parse_sliding(struct model_config *c, const json_t *root, const char *name)
{
	TRY(parse_size(c, root, name, "sliding_window"));
	c->windows = c->window > 0 ? WINDOW_ALL : WINDOW_NONE;
	return OK;
}

/* The layers from max_window_layers on, if any; and that only when switched on. */
static enum err
parse_qwen(struct model_config *c, const json_t *root, const char *name)
{
	bool use;
	int64_t from;
	c->window = 4096;
	TRY(json_opt_bool(root, name, "use_sliding_window", false, &use));
	TRY(json_opt_int(root, name, "max_window_layers", 0, INT32_MAX, 28, &from));
	TRY(parse_size(c, root, name, "sliding_window"));
	for (int64_t i = from; use && c->window > 0 && i < c->n_layer; i++)
		mark(c, (int)i);
	return use && c->window > 0 ? parse_types(c, root, name) : OK;
}

/* Every second layer, the first among them. */
static enum err
parse_alternate(struct model_config *c, const json_t *root, const char *name)
{
	c->window = 4096;
	TRY(parse_size(c, root, name, "sliding_window"));
	for (int i = 0; c->window > 0 && i < c->n_layer; i += 2)
		mark(c, i);
	return c->window > 0 ? parse_types(c, root, name) : OK;
}

/* One entry of attention_types: a list of kinds, and how often it is repeated. */
static enum err
parse_repeated(struct model_config *c, const json_t *entry, const char *name, int *layer)
{
	const json_t *kinds = json_array_get(entry, 0), *times = json_array_get(entry, 1);
	if (!json_is_array(kinds) || json_array_size(kinds) == 0 || !json_is_integer(times) ||
		json_integer_value(times) < 0)
		return err_set(ERR_FORMAT, "%s: attention_types is not a list of [[kinds], times]", name);
	for (json_int_t n = 0; n < json_integer_value(times) && *layer < c->n_layer; n++)
		for (size_t i = 0; i < json_array_size(kinds) && *layer < c->n_layer; i++, ++*layer) {
			const char *kind = json_string_value(json_array_get(kinds, i));
			if (kind != NULL && strcmp(kind, "local") == 0)
				mark(c, *layer);
			else if (kind == NULL || strcmp(kind, "global") != 0)
				return err_set(ERR_UNSUPPORTED, "%s: attention_types: \"%s\" is not supported", name,
					kind != NULL ? kind : "?");
		}
	return OK;
}

static enum err
parse_neo(struct model_config *c, const json_t *root, const char *name)
{
	const json_t *types = json_object_get(root, "attention_types");
	int layer = 0;
	c->window = 256;
	TRY(parse_size(c, root, name, "window_size"));
	if (types == NULL || json_is_null(types)) {
		for (layer = 1; layer < c->n_layer; layer += 2)
			mark(c, layer);
		layer = c->n_layer;
	}
	for (size_t i = 0; i < json_array_size(types); i++)
		TRY(parse_repeated(c, json_array_get(types, i), name, &layer));
	return layer == c->n_layer ? OK : err_set(ERR_FORMAT, "%s: attention_types has %d layers, the model %d", name,
		layer, c->n_layer);
}

/* All but every so manieth layer. */
static enum err
parse_pattern(struct model_config *c, const json_t *root, const char *name, int64_t every)
{
	c->window = 4096;
	TRY(parse_size(c, root, name, "sliding_window"));
	for (int i = 0; i < c->n_layer; i++)
		if ((i + 1) % every != 0)
			mark(c, i);
	return parse_types(c, root, name);
}

static enum err
parse_given_pattern(struct model_config *c, const json_t *root, const char *name, int64_t fallback)
{
	int64_t every;
	TRY(json_opt_int(root, name, "sliding_window_pattern", 1, INT32_MAX, fallback, &every));
	return parse_pattern(c, root, name, every);
}

static enum err
parse_gemma3(struct model_config *c, const json_t *root, const char *name)
{
	return parse_given_pattern(c, root, name, 6);
}

/* Layers without a window have no positions. */
static enum err
parse_cohere2(struct model_config *c, const json_t *root, const char *name)
{
	TRY(parse_given_pattern(c, root, name, 4));
	for (int i = 0; i < c->n_layer && i < MODEL_LAYERS_MAX; i++)
		if ((c->local[i / 64] >> (i % 64) & 1) == 0)
			c->unturned[i / 64] |= (uint64_t)1 << (i % 64);
	return OK;
}

static enum err
parse_olmo3(struct model_config *c, const json_t *root, const char *name)
{
	return parse_pattern(c, root, name, 4);
}

/* A list with 0 for a layer without positions, or every so manieth layer is one. */
static enum err
parse_unturned(struct model_config *c, const json_t *root, const char *name)
{
	const json_t *list = json_object_get(root, "no_rope_layers");
	int64_t every;
	bool given = list != NULL && !json_is_null(list);
	TRY(json_opt_int(root, name, "no_rope_layer_interval", 1, INT32_MAX, 4, &every));
	if (given && (!json_is_array(list) || json_array_size(list) < (size_t)c->n_layer))
		return err_set(ERR_FORMAT, "%s: no_rope_layers is not a list of %d layers", name, c->n_layer);
	for (int i = 0; i < c->n_layer && i < MODEL_LAYERS_MAX; i++) {
		const json_t *v = json_array_get(list, (size_t)i);
		bool turns = given ? json_integer_value(v) == 1 : (i + 1) % every != 0;
		if (given && !(turns || (json_is_integer(v) && json_integer_value(v) == 0)))
			return err_set(ERR_FORMAT, "%s: no_rope_layers has something other than 0 and 1", name);
		if (!turns)
			c->unturned[i / 64] |= (uint64_t)1 << (i % 64);
	}
	return OK;
}

/* Layers without positions see a window, if that is switched on. */
static enum err
parse_smollm3(struct model_config *c, const json_t *root, const char *name)
{
	bool use;
	TRY(parse_unturned(c, root, name));
	TRY(json_opt_bool(root, name, "use_sliding_window", false, &use));
	TRY(parse_size(c, root, name, "sliding_window"));
	for (int i = 0; use && c->window > 0 && i < c->n_layer && i < MODEL_LAYERS_MAX; i++)
		if (!model_turns(c, i))
			mark(c, i);
	return parse_types(c, root, name);
}

enum err
config_parse_windows(struct model_config *c, const struct arch *arch, const json_t *root, const char *name)
{
	static enum err (*const parse[])(struct model_config *, const json_t *, const char *) = {
		[WINDOWS_SLIDING] = parse_sliding, [WINDOWS_QWEN] = parse_qwen, [WINDOWS_ALTERNATE] = parse_alternate,
		[WINDOWS_NEO] = parse_neo, [WINDOWS_GEMMA3] = parse_gemma3, [WINDOWS_OLMO3] = parse_olmo3,
		[WINDOWS_SMOLLM3] = parse_smollm3, [WINDOWS_COHERE2] = parse_cohere2,
	};
	if (arch->windows != WINDOWS_ABSENT)
		TRY(parse[arch->windows](c, root, name));
	if (c->windows == WINDOW_NONE)
		c->window = 0;
	return OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static json_t *
kinds_json(const struct model_config *c, const char *local, const char *global)
{
	json_t *list = json_array();
	for (int i = 0; i < c->n_layer; i++)
		json_array_append_new(list, json_string(model_window(c, i) > 0 ? local : global));
	return list;
}

static json_t *
turns_json(const struct model_config *c)
{
	json_t *list = json_array();
	for (int i = 0; i < c->n_layer; i++)
		json_array_append_new(list, json_integer(model_turns(c, i) ? 1 : 0));
	return list;
}

static void
write_neo(const struct model_config *c, json_t *root)
{
	json_object_set_new(root, "window_size", json_integer(c->window));
	json_object_set_new(root, "attention_types", json_pack("[[o, i]]", kinds_json(c, "local", "global"), 1));
	json_object_set_new(root, "attention_layers", kinds_json(c, "local", "global"));
}

void
config_write_windows(const struct model_config *c, const struct arch *arch, json_t *root)
{
	bool some = c->windows != WINDOW_NONE;
	if (arch->windows == WINDOWS_ABSENT)
		return;
	if (arch->windows == WINDOWS_NEO) {
		write_neo(c, root);
		return;
	}
	if (arch->windows == WINDOWS_SMOLLM3)
		json_object_set_new(root, "no_rope_layers", turns_json(c));
	json_object_set_new(root, "sliding_window", some ? json_integer(c->window) : json_null());
	if (arch->windows == WINDOWS_QWEN || arch->windows == WINDOWS_SMOLLM3)
		json_object_set_new(root, "use_sliding_window", json_boolean(some));
	if (arch->windows != WINDOWS_SLIDING)
		json_object_set_new(root, "layer_types", kinds_json(c, "sliding_attention", "full_attention"));
}
