/* arch_llama: Llama and the families that came of it: RMSNorm, rotary positions, a gated MLP; each with its turn. */
#include "arch_llama.h"

#include "byline/mem.h"

/* ---- keys of config.json ---- */

static const struct config_key llama_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	ATTENTION_BIAS,
	{"mlp_bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 2},
	{NULL}
};

static const struct config_key mistral_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 8},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 131072},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 2},
	{NULL}
};

/* Qwen2 has biases on queries, keys and values and nowhere else; no key says so. */
static const struct config_key qwen2_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 32},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 32768},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, -1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, -1},
	{NULL}
};

static const struct config_key qwen3_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 32},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 128},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 32768},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	ATTENTION_BIAS,
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, -1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, -1},
	{NULL}
};

static const struct config_key phi3_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 4096},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 32000},
	{NULL}
};

static const struct config_key stablelm_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 32},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 4096},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	{"use_qkv_bias", KEY_BOOL, FIELD(attn_bias), false, false},
	{"use_parallel_residual", KEY_BOOL, FIELD(parallel), false, false},
	{"use_parallel_residual", KEY_BOOL, FIELD(shared_norm), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 0},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 0},
	{NULL}
};

/* Every fourth layer or so has no positions. */
static const struct config_key smollm3_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 4},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 32768},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	ATTENTION_BIAS,
	{"mlp_bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 128000},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 128001},
	{NULL}
};

static const struct config_key granite_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	ATTENTION_BIAS,
	{"mlp_bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	{"embedding_multiplier", KEY_FACTOR, FIELD(embed_factor), false, 1},
	{"attention_multiplier", KEY_FACTOR, FIELD(score_factor), false, 1},
	{"residual_multiplier", KEY_FACTOR, FIELD(residual_factor), false, 1},
	{"logits_scaling", KEY_FACTOR, FIELD(logit_divisor), false, 1},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 2},
	{NULL}
};

static const struct config_key cohere_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 8192},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	ATTENTION_BIAS,
	{"logit_scale", KEY_FACTOR, FIELD(logit_factor), false, 0.0625},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 5},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 255001},
	{NULL}
};

static const struct config_key cohere2_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 8192},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	ATTENTION_BIAS,
	{"logit_scale", KEY_FACTOR, FIELD(logit_factor), false, 0.0625},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 5},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 255001},
	{NULL}
};

static const struct config_must cohere_musts[] = {
	{"use_qk_norm", false},
	{NULL}
};

static const struct config_must stablelm_musts[] = {
	{"qk_layernorm", false},
	{NULL}
};

/* ---- tensors ---- */

const struct config_must no_musts[] = {{NULL}};

const struct tensor_name llama_names[] = {
	LLAMA_EMBED,
	{LAYER "input_layernorm.weight", ROLE_NORM1},
	{LAYER "input_layernorm.bias", ROLE_NORM1, .bias = true},
	LLAMA_ATTENTION,
	{LAYER "post_attention_layernorm.weight", ROLE_NORM2},
	{LAYER "post_attention_layernorm.bias", ROLE_NORM2, .bias = true},
	LLAMA_MLP,
	LLAMA_END
};

static const struct tensor_name phi3_names[] = {
	LLAMA_EMBED,
	{LAYER "input_layernorm.weight", ROLE_NORM1},
	{LAYER "self_attn.qkv_proj.weight", ROLE_QKV},
	{LAYER "self_attn.o_proj.weight", ROLE_ATTN_OUT},
	{LAYER "post_attention_layernorm.weight", ROLE_NORM2},
	{LAYER "mlp.gate_up_proj.weight", ROLE_GATE, .part = PART_FIRST},
	{LAYER "mlp.gate_up_proj.weight", ROLE_UP, .part = PART_SECOND},
	{LAYER "mlp.down_proj.weight", ROLE_DOWN},
	LLAMA_END
};

const char *const llama_ignored[] = {
	LAYER "self_attn.rotary_emb.inv_freq",
	"model.rotary_emb.inv_freq",
	NULL
};

/* ---- families ---- */

const struct arch llama_archs[] = {
	{"llama", "LlamaForCausalLM", "model.", .base = {LLAMA_BASE}, .keys = llama_keys, .musts = no_musts,
		.names = llama_names, .ignored = llama_ignored},
	{"mistral", "MistralForCausalLM", "model.", .base = {LLAMA_BASE, .window = 4096}, .windows = WINDOWS_SLIDING,
		.keys = mistral_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"qwen2", "Qwen2ForCausalLM", "model.", .base = {LLAMA_BASE, .attn_bias = true}, .windows = WINDOWS_QWEN,
		.keys = qwen2_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"qwen3", "Qwen3ForCausalLM", "model.", .base = {LLAMA_BASE, .qk_norm = QK_HEAD}, .windows = WINDOWS_QWEN,
		.keys = qwen3_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"smollm3", "SmolLM3ForCausalLM", "model.", .base = {LLAMA_BASE, .rope_theta = 2e6}, .windows = WINDOWS_SMOLLM3,
		.keys = smollm3_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"granite", "GraniteForCausalLM", "model.", .base = {LLAMA_BASE}, .keys = granite_keys, .musts = no_musts,
		.names = llama_names, .ignored = llama_ignored},
	{"cohere", "CohereForCausalLM", "model.", .base = {LLAMA_BASE, .norm = NORM_GAIN, .parallel = true,
		.shared_norm = true, .rotary_pairs = true, .rope_theta = 5e5}, .keys = cohere_keys,
		.musts = cohere_musts, .names = llama_names, .ignored = llama_ignored},
	{"cohere2", "Cohere2ForCausalLM", "model.", .base = {LLAMA_BASE, .norm = NORM_GAIN, .parallel = true,
		.shared_norm = true, .rotary_pairs = true}, .windows = WINDOWS_COHERE2, .keys = cohere2_keys,
		.musts = cohere_musts, .names = llama_names, .ignored = llama_ignored},
	{"phi3", "Phi3ForCausalLM", "model.", .base = {LLAMA_BASE}, .turns_part = true, .windows = WINDOWS_SLIDING,
		.keys = phi3_keys, .musts = no_musts, .names = phi3_names, .ignored = llama_ignored},
	{"stablelm", "StableLmForCausalLM", "model.", .base = {LLAMA_BASE, .norm = NORM_LAYER, .rotary_part = 0.25},
		.keys = stablelm_keys, .musts = stablelm_musts, .names = llama_names, .ignored = llama_ignored},
};
const size_t n_llama_archs = ARRAY_LEN(llama_archs);
