/* arch_gpt: GPT-2 and the families that came of it: LayerNorm, a plain MLP, biases. */
#include "arch.h"

#include "byline/mem.h"

/* ---- keys that many have ---- */

#define WIDTHS \
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0}, \
	{"hidden_size", KEY_INT, FIELD(d_model), true, 0}
#define LAYERS_HEADS \
	{"num_hidden_layers", KEY_INT, FIELD(n_layer), true, 0}, \
	{"num_attention_heads", KEY_INT, FIELD(n_head), true, 0}
#define KEYS_END(tied_too, begin, end) \
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, tied_too}, \
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, begin}, \
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, end}, \
	{NULL}

/* ---- GPT-2 ---- */

static const struct config_key gpt2_keys[] = {
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0},
	{"n_embd", KEY_INT, FIELD(d_model), true, 0},
	{"n_inner", KEY_INT, FIELD(d_ff), false, 0},
	{"n_layer", KEY_INT, FIELD(n_layer), true, 0},
	{"n_head", KEY_INT, FIELD(n_head), true, 0},
	{"n_positions", KEY_INT, FIELD(n_ctx), false, 1024},
	{"activation_function", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"layer_norm_epsilon", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	KEYS_END(true, 50256, 50256)
};

static const struct config_must gpt2_musts[] = {
	{"scale_attn_weights", true},
	{"scale_attn_by_inverse_layer_idx", false},
	{"add_cross_attention", false},
	{NULL}
};

#define H "transformer.h.#."

#define GPT_NORM(name, role) \
	{name ".weight", role}, \
	{name ".bias", role, .bias = true}

/* Linear layers are stored as (in, out). */
static const struct tensor_name gpt2_names[] = {
	{"transformer.wte.weight", ROLE_EMBED},
	{"transformer.wpe.weight", ROLE_POS},
	GPT_NORM(H "ln_1", ROLE_NORM1),
	{H "attn.c_attn.weight", ROLE_QKV, .transposed = true},
	{H "attn.c_attn.bias", ROLE_QKV, .bias = true},
	{H "attn.c_proj.weight", ROLE_ATTN_OUT, .transposed = true},
	{H "attn.c_proj.bias", ROLE_ATTN_OUT, .bias = true},
	GPT_NORM(H "ln_2", ROLE_NORM2),
	{H "mlp.c_fc.weight", ROLE_UP, .transposed = true},
	{H "mlp.c_fc.bias", ROLE_UP, .bias = true},
	{H "mlp.c_proj.weight", ROLE_DOWN, .transposed = true},
	{H "mlp.c_proj.bias", ROLE_DOWN, .bias = true},
	GPT_NORM("transformer.ln_f", ROLE_NORM_FINAL),
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

static const char *const gpt2_ignored[] = {
	H "attn.bias",
	H "attn.masked_bias",
	NULL
};

/* ---- GPT-Neo: every second layer sees a window; scores are not divided ---- */

static const struct config_key neo_keys[] = {
	WIDTHS,
	{"intermediate_size", KEY_INT, FIELD(d_ff), false, 0},
	{"num_layers", KEY_INT, FIELD(n_layer), true, 0},
	{"num_heads", KEY_INT, FIELD(n_head), true, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"activation_function", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"layer_norm_epsilon", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	KEYS_END(true, 50256, 50256)
};

static const struct config_must no_musts[] = {{NULL}};

static const struct tensor_name neo_names[] = {
	{"transformer.wte.weight", ROLE_EMBED},
	{"transformer.wpe.weight", ROLE_POS},
	GPT_NORM(H "ln_1", ROLE_NORM1),
	{H "attn.attention.q_proj.weight", ROLE_QKV, .part = PART_Q},
	{H "attn.attention.k_proj.weight", ROLE_QKV, .part = PART_K},
	{H "attn.attention.v_proj.weight", ROLE_QKV, .part = PART_V},
	{H "attn.attention.out_proj.weight", ROLE_ATTN_OUT},
	{H "attn.attention.out_proj.bias", ROLE_ATTN_OUT, .bias = true},
	GPT_NORM(H "ln_2", ROLE_NORM2),
	{H "mlp.c_fc.weight", ROLE_UP},
	{H "mlp.c_fc.bias", ROLE_UP, .bias = true},
	{H "mlp.c_proj.weight", ROLE_DOWN},
	{H "mlp.c_proj.bias", ROLE_DOWN, .bias = true},
	GPT_NORM("transformer.ln_f", ROLE_NORM_FINAL),
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

static const char *const neo_ignored[] = {
	H "attn.attention.bias",
	H "attn.attention.masked_bias",
	NULL
};

/* ---- GPT-NeoX: rotary positions on a part of each head; attention and MLP side by side ---- */

static const struct config_key neox_keys[] = {
	WIDTHS,
	{"intermediate_size", KEY_INT, FIELD(d_ff), false, 0},
	LAYERS_HEADS,
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_GELU_ERF},
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	{"use_parallel_residual", KEY_BOOL, FIELD(parallel), false, true},
	{"attention_bias", KEY_BOOL, FIELD(attn_bias), false, true},
	{"attention_bias", KEY_BOOL, FIELD(out_bias), false, true},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 0},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 2},
	{NULL}
};

#define X "gpt_neox.layers.#."

static const struct tensor_name neox_names[] = {
	{"gpt_neox.embed_in.weight", ROLE_EMBED},
	GPT_NORM(X "input_layernorm", ROLE_NORM1),
	{X "attention.query_key_value.weight", ROLE_QKV, .part = PART_HEADS},
	{X "attention.query_key_value.bias", ROLE_QKV, .part = PART_HEADS, .bias = true},
	{X "attention.dense.weight", ROLE_ATTN_OUT},
	{X "attention.dense.bias", ROLE_ATTN_OUT, .bias = true},
	GPT_NORM(X "post_attention_layernorm", ROLE_NORM2),
	{X "mlp.dense_h_to_4h.weight", ROLE_UP},
	{X "mlp.dense_h_to_4h.bias", ROLE_UP, .bias = true},
	{X "mlp.dense_4h_to_h.weight", ROLE_DOWN},
	{X "mlp.dense_4h_to_h.bias", ROLE_DOWN, .bias = true},
	GPT_NORM("gpt_neox.final_layer_norm", ROLE_NORM_FINAL),
	{"embed_out.weight", ROLE_HEAD},
	{NULL}
};

static const char *const neox_ignored[] = {
	X "attention.bias",
	X "attention.masked_bias",
	X "attention.rotary_emb.inv_freq",
	"gpt_neox.rotary_emb.inv_freq",
	NULL
};

/* ---- Phi-1 and Phi-2: one norm for attention and MLP side by side, a bias on the unembedding ---- */

static const struct config_key phi_keys[] = {
	WIDTHS,
	{"intermediate_size", KEY_INT, FIELD(d_ff), false, 0},
	LAYERS_HEADS,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	KEYS_END(false, 1, 2)
};

static const struct config_must phi_musts[] = {
	{"qk_layernorm", false},
	{NULL}
};

#define L "model.layers.#."

#define PHI_LINEAR(name, role, ...) \
	{name ".weight", role, __VA_ARGS__}, \
	{name ".bias", role, .bias = true, __VA_ARGS__}

static const struct tensor_name phi_names[] = {
	{"model.embed_tokens.weight", ROLE_EMBED},
	GPT_NORM(L "input_layernorm", ROLE_NORM1),
	PHI_LINEAR(L "self_attn.q_proj", ROLE_QKV, .part = PART_Q),
	PHI_LINEAR(L "self_attn.k_proj", ROLE_QKV, .part = PART_K),
	PHI_LINEAR(L "self_attn.v_proj", ROLE_QKV, .part = PART_V),
	PHI_LINEAR(L "self_attn.dense", ROLE_ATTN_OUT, .part = WHOLE),
	PHI_LINEAR(L "mlp.fc1", ROLE_UP, .part = WHOLE),
	PHI_LINEAR(L "mlp.fc2", ROLE_DOWN, .part = WHOLE),
	GPT_NORM("model.final_layernorm", ROLE_NORM_FINAL),
	PHI_LINEAR("lm_head", ROLE_HEAD, .part = WHOLE),
	{NULL}
};

static const char *const phi_ignored[] = {
	L "self_attn.rotary_emb.inv_freq",
	"model.rotary_emb.inv_freq",
	NULL
};

/* ---- StarCoder 2 ---- */

static const struct config_key starcoder2_keys[] = {
	WIDTHS,
	{"intermediate_size", KEY_INT, FIELD(d_ff), true, 0},
	LAYERS_HEADS,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 2},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 4096},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"norm_epsilon", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.018042},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	{"use_bias", KEY_BOOL, FIELD(attn_bias), false, true},
	{"use_bias", KEY_BOOL, FIELD(out_bias), false, true},
	{"use_bias", KEY_BOOL, FIELD(mlp_bias), false, true},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 50256},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 50256},
	{NULL}
};

static const struct tensor_name starcoder2_names[] = {
	{"model.embed_tokens.weight", ROLE_EMBED},
	GPT_NORM(L "input_layernorm", ROLE_NORM1),
	PHI_LINEAR(L "self_attn.q_proj", ROLE_QKV, .part = PART_Q),
	PHI_LINEAR(L "self_attn.k_proj", ROLE_QKV, .part = PART_K),
	PHI_LINEAR(L "self_attn.v_proj", ROLE_QKV, .part = PART_V),
	PHI_LINEAR(L "self_attn.o_proj", ROLE_ATTN_OUT, .part = WHOLE),
	GPT_NORM(L "post_attention_layernorm", ROLE_NORM2),
	PHI_LINEAR(L "mlp.c_fc", ROLE_UP, .part = WHOLE),
	PHI_LINEAR(L "mlp.c_proj", ROLE_DOWN, .part = WHOLE),
	GPT_NORM("model.norm", ROLE_NORM_FINAL),
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

/* ---- GPT-J: one norm for attention and MLP side by side, neighbours of a part of each head turn ---- */

static const struct config_key gptj_keys[] = {
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0},
	{"n_embd", KEY_INT, FIELD(d_model), true, 0},
	{"n_inner", KEY_INT, FIELD(d_ff), false, 0},
	{"n_layer", KEY_INT, FIELD(n_layer), true, 0},
	{"n_head", KEY_INT, FIELD(n_head), true, 0},
	{"n_positions", KEY_INT, FIELD(n_ctx), false, 2048},
	{"rotary_dim", KEY_INT, FIELD(rotary_dims), true, 0},
	{"activation_function", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"layer_norm_epsilon", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	KEYS_END(false, 50256, 50256)
};

static const struct config_must gptj_musts[] = {
	{"scale_attn_weights", true},
	{"rotary", true},
	{NULL}
};

static const struct tensor_name gptj_names[] = {
	{"transformer.wte.weight", ROLE_EMBED},
	GPT_NORM(H "ln_1", ROLE_NORM1),
	{H "attn.q_proj.weight", ROLE_QKV, .part = PART_Q},
	{H "attn.k_proj.weight", ROLE_QKV, .part = PART_K},
	{H "attn.v_proj.weight", ROLE_QKV, .part = PART_V},
	{H "attn.out_proj.weight", ROLE_ATTN_OUT},
	PHI_LINEAR(H "mlp.fc_in", ROLE_UP, .part = WHOLE),
	PHI_LINEAR(H "mlp.fc_out", ROLE_DOWN, .part = WHOLE),
	GPT_NORM("transformer.ln_f", ROLE_NORM_FINAL),
	PHI_LINEAR("lm_head", ROLE_HEAD, .part = WHOLE),
	{NULL}
};

/* ---- OPT: two rows of the table of positions are of none ---- */

static const struct config_key opt_keys[] = {
	WIDTHS,
	{"ffn_dim", KEY_INT, FIELD(d_ff), true, 0},
	LAYERS_HEADS,
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"word_embed_proj_dim", KEY_SAME, FIELD(d_model), false, 0},
	{"activation_function", KEY_ACT, FIELD(act), false, ACT_RELU},
	{"init_std", KEY_REAL, FIELD(init_range), false, 0.02},
	{"enable_bias", KEY_BOOL, FIELD(attn_bias), false, true},
	{"enable_bias", KEY_BOOL, FIELD(out_bias), false, true},
	{"enable_bias", KEY_BOOL, FIELD(mlp_bias), false, true},
	KEYS_END(true, 2, 2)
};

static const struct config_must opt_musts[] = {
	{"do_layer_norm_before", true},
	{"_remove_final_layer_norm", false},
	{"layer_norm_elementwise_affine", true},
	{NULL}
};

#define D "model.decoder.layers.#."

static const struct tensor_name opt_names[] = {
	{"model.decoder.embed_tokens.weight", ROLE_EMBED},
	{"model.decoder.embed_positions.weight", ROLE_POS},
	GPT_NORM(D "self_attn_layer_norm", ROLE_NORM1),
	PHI_LINEAR(D "self_attn.q_proj", ROLE_QKV, .part = PART_Q),
	PHI_LINEAR(D "self_attn.k_proj", ROLE_QKV, .part = PART_K),
	PHI_LINEAR(D "self_attn.v_proj", ROLE_QKV, .part = PART_V),
	PHI_LINEAR(D "self_attn.out_proj", ROLE_ATTN_OUT, .part = WHOLE),
	GPT_NORM(D "final_layer_norm", ROLE_NORM2),
	PHI_LINEAR(D "fc1", ROLE_UP, .part = WHOLE),
	PHI_LINEAR(D "fc2", ROLE_DOWN, .part = WHOLE),
	GPT_NORM("model.decoder.final_layer_norm", ROLE_NORM_FINAL),
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

static const char *const no_ignored[] = {NULL};

/* ---- families ---- */

#define GPT_BASE .norm = NORM_LAYER, .mlp = MLP_PLAIN
#define ALL_BIASES .attn_bias = true, .out_bias = true, .mlp_bias = true

const struct arch gpt_archs[] = {
	{"gpt2", "GPT2LMHeadModel", "transformer.", .base = {GPT_BASE, .pos = POS_LEARNED, ALL_BIASES},
		.always_mha = true, .keys = gpt2_keys, .musts = gpt2_musts, .names = gpt2_names,
		.ignored = gpt2_ignored},
	{"gpt_neo", "GPTNeoForCausalLM", "transformer.", .base = {GPT_BASE, .pos = POS_LEARNED, .out_bias = true,
		.mlp_bias = true, .query_scalar = 1}, .always_mha = true, .windows = WINDOWS_NEO, .keys = neo_keys,
		.musts = no_musts, .names = neo_names, .ignored = neo_ignored},
	{"gpt_neox", "GPTNeoXForCausalLM", "gpt_neox.", .base = {GPT_BASE, .pos = POS_ROPE, .mlp_bias = true,
		.rotary_part = 0.25}, .always_mha = true, .theta_key = "rotary_emb_base", .part_key = "rotary_pct",
		.keys = neox_keys, .musts = no_musts, .names = neox_names, .ignored = neox_ignored},
	{"phi", "PhiForCausalLM", "model.", .base = {GPT_BASE, .pos = POS_ROPE, ALL_BIASES, .head_bias = true,
		.parallel = true, .shared_norm = true, .rotary_part = 0.5}, .keys = phi_keys, .musts = phi_musts,
		.names = phi_names, .ignored = phi_ignored},
	{"starcoder2", "Starcoder2ForCausalLM", "model.", .base = {GPT_BASE, .pos = POS_ROPE},
		.windows = WINDOWS_SLIDING, .keys = starcoder2_keys, .musts = no_musts, .names = starcoder2_names,
		.ignored = phi_ignored},
	{"gptj", "GPTJForCausalLM", "transformer.", .base = {GPT_BASE, .pos = POS_ROPE, .mlp_bias = true,
		.head_bias = true, .parallel = true, .shared_norm = true, .rotary_pairs = true}, .always_mha = true,
		.rotary = ROTARY_SILENT, .keys = gptj_keys, .musts = gptj_musts, .names = gptj_names,
		.ignored = gpt2_ignored},
	{"opt", "OPTForCausalLM", "model.", .base = {GPT_BASE, .pos = POS_LEARNED, .norm_eps = 1e-5, .pos_offset = 2},
		.always_mha = true, .keys = opt_keys, .musts = opt_musts, .names = opt_names, .ignored = no_ignored},
};
const size_t n_gpt_archs = ARRAY_LEN(gpt_archs);
