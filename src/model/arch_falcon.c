/* arch_falcon: Falcon, of which there are three kinds: two norms or one side by side, or one after the other; keys and
 * values of all heads together, or of some. */
#include "arch.h"

#include "byline/json.h"
#include "byline/mem.h"

static const struct config_key falcon_keys[] = {
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0},
	{"hidden_size", KEY_INT, FIELD(d_model), true, 0},
	{"ffn_hidden_size", KEY_INT, FIELD(d_ff), false, 0},
	{"num_hidden_layers", KEY_INT, FIELD(n_layer), true, 0},
	{"num_attention_heads", KEY_INT, FIELD(n_head), true, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"activation", KEY_ACT, FIELD(act), false, ACT_GELU_ERF},
	{"layer_norm_epsilon", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	{"bias", KEY_BOOL, FIELD(attn_bias), false, false},
	{"bias", KEY_BOOL, FIELD(out_bias), false, false},
	{"bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 11},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 11},
	{NULL}
};

static const struct config_must falcon_musts[] = {
	{"alibi", false},
	{"apply_residual_connection_post_layernorm", false},
	{NULL}
};

#define H "transformer.h.#."

#define BOTH(name, role, ...) \
	{name ".weight", role, __VA_ARGS__}, \
	{name ".bias", role, .bias = true, __VA_ARGS__}

static const struct tensor_name falcon_names[] = {
	{"transformer.word_embeddings.weight", ROLE_EMBED},
	BOTH(H "ln_attn", ROLE_NORM1, .norms = NORMS_BESIDE),
	BOTH(H "ln_mlp", ROLE_NORM2, .norms = NORMS_BESIDE),
	BOTH(H "input_layernorm", ROLE_NORM1, .norms = NORMS_OTHERWISE),
	BOTH(H "self_attention.query_key_value", ROLE_QKV, .part = PART_HEADS),
	BOTH(H "self_attention.dense", ROLE_ATTN_OUT, .part = WHOLE),
	BOTH(H "post_attention_layernorm", ROLE_NORM2, .norms = NORMS_OTHERWISE),
	BOTH(H "mlp.dense_h_to_4h", ROLE_UP, .part = WHOLE),
	BOTH(H "mlp.dense_4h_to_h", ROLE_DOWN, .part = WHOLE),
	BOTH("transformer.ln_f", ROLE_NORM_FINAL, .part = WHOLE),
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

static const char *const falcon_ignored[] = {
	H "self_attention.rotary_emb.inv_freq",
	H "self_attention.maybe_rotary.inv_freq",
	NULL
};

/* ---- what several keys say together ---- */

/* For these, null is no. */
static enum err
parse_flag(const json_t *root, const char *name, const char *key, bool fallback, bool *out)
{
	return json_opt_bool(root, name, key, json_is_null(json_object_get(root, key)) ? false : fallback, out);
}

static enum err
parse_blocks(struct model_config *c, const json_t *root, const char *name)
{
	bool grouped, together;
	int64_t norms, heads;
	TRY(parse_flag(root, name, "new_decoder_architecture", false, &grouped));
	TRY(parse_flag(root, name, "multi_query", true, &together));
	TRY(parse_flag(root, name, "parallel_attn", true, &c->parallel));
	TRY(json_opt_int(root, name, "num_ln_in_parallel_attn", 1, 2, grouped ? 2 : 1, &norms));
	TRY(json_opt_int(root, name, "num_kv_heads", 1, CONFIG_COUNT_MAX, c->n_head, &heads));
	if (c->d_model % c->n_head != 0)
		return err_set(ERR_FORMAT, "%s: %d heads do not divide the model's width, %d", name, c->n_head,
			c->d_model);
	if (grouped ? !c->parallel : c->parallel && norms == 2)
		return err_set(ERR_UNSUPPORTED,
			"%s: new_decoder_architecture: %s with parallel_attn: %s and %d norms is not supported", name,
			grouped ? "true" : "false", c->parallel ? "true" : "false", (int)norms);
	if (!grouped && !together && heads != c->n_head)
		return err_set(ERR_FORMAT, "%s: num_kv_heads is %d without multi_query, of %d heads", name, (int)heads,
			c->n_head);
	c->shared_norm = c->parallel && norms == 1;
	c->n_kv_head = grouped || !together ? (int)heads : 1;
	return OK;
}

static bool
all_or_one(const struct model_config *c)
{
	return c->n_kv_head == 1 || c->n_kv_head == c->n_head;
}

static bool
check_blocks(const struct model_config *c)
{
	return c->n_head * c->head_dim == c->d_model && (c->parallel || (!c->shared_norm && all_or_one(c)));
}

static void
write_blocks(const struct model_config *c, json_t *root)
{
	bool grouped = c->parallel && !(c->shared_norm && all_or_one(c));
	json_object_set_new(root, "new_decoder_architecture", json_boolean(grouped));
	json_object_set_new(root, "multi_query", json_boolean(c->n_kv_head == 1));
	json_object_set_new(root, "parallel_attn", json_boolean(c->parallel));
	json_object_set_new(root, "num_ln_in_parallel_attn",
		grouped ? json_integer(c->shared_norm ? 1 : 2) : json_null());
	json_object_set_new(root, "num_kv_heads", json_integer(c->n_kv_head));
}

const struct arch falcon_archs[] = {
	{"falcon", "FalconForCausalLM", "transformer.", .base = {.norm = NORM_LAYER, .mlp = MLP_PLAIN, .pos = POS_ROPE},
		.keys = falcon_keys, .musts = falcon_musts, .names = falcon_names, .ignored = falcon_ignored,
		.parse_blocks = parse_blocks, .check_blocks = check_blocks, .write_blocks = write_blocks},
};
const size_t n_falcon_archs = ARRAY_LEN(falcon_archs);
