/* gguf: which layers see a window of positions: the file has a list or a number, or it is what the architecture has. */
#include "gguf_config.h"

#include <inttypes.h>

struct pattern {
	const struct gguf_key *list;	/* by layer, or NULL */
	int64_t every;			/* this layer, twice this, and so on have no window; 0: all have one */
};

static enum err
read_pattern(const struct gguf_build *b, int64_t layers, struct pattern *p)
{
	char name[96];
	const struct gguf_key *key = gguf_find(b->g, gguf_meta(b, "attention.sliding_window_pattern", name));
	*p = (struct pattern){ .every = b->arch->every };
	if (!key || key->kind != GGUF_ARRAY)
		return gguf_int(b->g, name, 0, GGUF_COUNT_MAX, p->every, &p->every);
	if (gguf_kind_size(key->of) == 0)
		return err_set(ERR_FORMAT, "%s: \"%s\" is not a list of numbers", b->g->path, name);
	if (key->n != (uint64_t)layers)
		return err_set(ERR_MISMATCH, "%s: \"%s\" has %" PRIu64 " numbers for %" PRId64 " layers", b->g->path,
			name, key->n, layers);
	p->list = key;
	return OK;
}

static bool
is_local(const struct pattern *p, int64_t layer)
{
	if (p->list)
		return gguf_number(p->list, (uint64_t)layer) != 0;
	return p->every == 0 || (layer + 1) % p->every != 0;
}

/* Models of more layers than we build are refused when their config is checked. */
enum err
gguf_set_windows(const struct gguf_build *b)
{
	char name[96];
	struct pattern p = { .every = 1 };
	int64_t window, layers = json_integer_value(json_object_get(b->root, "num_hidden_layers"));
	if (!b->arch->windowed)
		return OK;
	TRY(gguf_int(b->g, gguf_meta(b, "attention.sliding_window", name), 0, GGUF_COUNT_MAX, 0, &window));
	if (window == 0 && json_object_get(b->root, "sliding_window"))
		return err_set(ERR_FORMAT, "%s: \"%s\" is 0", b->g->path, name);
	if (window > 0) {
		TRY(read_pattern(b, layers, &p));
		json_object_set_new(b->root, "model_type", json_string(b->arch->windowed));
	}
	json_object_set_new(b->root, "sliding_window", window > 0 ? json_integer(window) : json_null());
	if (layers > MODEL_LAYERS_MAX)
		return OK;
	json_t *types = json_array();
	for (int64_t i = 0; i < layers; i++)
		json_array_append_new(types, json_string(is_local(&p, i) ? "sliding_attention" : "full_attention"));
	json_object_set_new(b->root, "layer_types", types);
	return OK;
}
