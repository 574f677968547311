/* arch_bigcode: StarCoder and SantaCoder, which are GPT-2 with one key and value for all heads. */
#include "arch.h"

#include "byline/json.h"
#include "byline/mem.h"

static const struct config_key bigcode_keys[] = {
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0},
	{"n_embd", KEY_INT, FIELD(d_model), true, 0},
	{"n_inner", KEY_INT, FIELD(d_ff), false, 0},
	{"n_layer", KEY_INT, FIELD(n_layer), true, 0},
	{"n_head", KEY_INT, FIELD(n_head), true, 0},
	{"n_positions", KEY_INT, FIELD(n_ctx), false, 1024},
	{"activation_function", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"layer_norm_epsilon", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 50256},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 50256},
	{NULL}
};

static const struct config_must bigcode_musts[] = {
	{"scale_attn_weights", true},
	{"add_cross_attention", false},
	{NULL}
};

#define H "transformer.h.#."

#define BOTH(name, role, is) \
	{name ".weight", role, .part = is}, \
	{name ".bias", role, .bias = true, .part = is}

static const struct tensor_name bigcode_names[] = {
	{"transformer.wte.weight", ROLE_EMBED},
	{"transformer.wpe.weight", ROLE_POS},
	BOTH(H "ln_1", ROLE_NORM1, WHOLE),
	BOTH(H "attn.c_attn", ROLE_QKV, PART_HEADS),
	BOTH(H "attn.c_proj", ROLE_ATTN_OUT, WHOLE),
	BOTH(H "ln_2", ROLE_NORM2, WHOLE),
	BOTH(H "mlp.c_fc", ROLE_UP, WHOLE),
	BOTH(H "mlp.c_proj", ROLE_DOWN, WHOLE),
	BOTH("transformer.ln_f", ROLE_NORM_FINAL, WHOLE),
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

static const char *const bigcode_ignored[] = {
	H "attn.bias",
	H "attn.masked_bias",
	NULL
};

static enum err
parse_blocks(struct model_config *c, const json_t *root, const char *name)
{
	bool together;
	TRY(json_opt_bool(root, name, "multi_query", true, &together));
	if (c->d_model % c->n_head != 0)
		return err_set(ERR_FORMAT, "%s: %d heads do not divide the model's width, %d", name, c->n_head,
			c->d_model);
	c->n_kv_head = together ? 1 : c->n_head;
	return OK;
}

static bool
check_blocks(const struct model_config *c)
{
	return !c->parallel && !c->shared_norm && c->n_head * c->head_dim == c->d_model &&
		(c->n_kv_head == 1 || c->n_kv_head == c->n_head);
}

static void
write_blocks(const struct model_config *c, json_t *root)
{
	json_object_set_new(root, "multi_query", json_boolean(c->n_kv_head == 1));
}

const struct arch bigcode_archs[] = {
	{"gpt_bigcode", "GPTBigCodeForCausalLM", "transformer.", .base = {.norm = NORM_LAYER, .mlp = MLP_PLAIN,
		.pos = POS_LEARNED, .attn_bias = true, .out_bias = true, .mlp_bias = true}, .keys = bigcode_keys,
		.musts = bigcode_musts, .names = bigcode_names, .ignored = bigcode_ignored,
		.parse_blocks = parse_blocks, .check_blocks = check_blocks, .write_blocks = write_blocks},
};
const size_t n_bigcode_archs = ARRAY_LEN(bigcode_archs);
