/* arch_llama: Llama and the families that came of it: RMSNorm, rotary positions, a gated MLP; each with its turn. */
#include "arch.h"

#include "byline/mem.h"

/* ---- keys of config.json ---- */

#define LLAMA_SIZES \
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0}, \
	{"hidden_size", KEY_INT, FIELD(d_model), true, 0}, \
	{"intermediate_size", KEY_INT, FIELD(d_ff), true, 0}, \
	{"num_hidden_layers", KEY_INT, FIELD(n_layer), true, 0}, \
	{"num_attention_heads", KEY_INT, FIELD(n_head), true, 0}

#define ATTENTION_BIAS \
	{"attention_bias", KEY_BOOL, FIELD(attn_bias), false, false}, \
	{"attention_bias", KEY_BOOL, FIELD(out_bias), false, false}

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

static const struct config_key olmo_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	ATTENTION_BIAS,
	{"clip_qkv", KEY_SIZE, FIELD(qkv_clip), false, 0},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, -1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 50279},
	{NULL}
};

static const struct config_key olmo2_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	ATTENTION_BIAS,
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, -1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 50279},
	{NULL}
};

static const struct config_key gemma_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 16},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 256},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 8192},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"hidden_activation", KEY_ACT, FIELD(act), false, -1},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	ATTENTION_BIAS,
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 2},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 1},
	{NULL}
};

static const struct config_key gemma2_keys[] = {
	LLAMA_SIZES,
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 4},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 256},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 8192},
	{"hidden_activation", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	ATTENTION_BIAS,
	{"query_pre_attn_scalar", KEY_SIZE, FIELD(query_scalar), false, 256},
	{"attn_logit_softcapping", KEY_SIZE, FIELD(att_cap), false, 50},
	{"final_logit_softcapping", KEY_SIZE, FIELD(logit_cap), false, 30},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 2},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 1},
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

static const struct config_must no_musts[] = {{NULL}};

static const struct config_must gemma_musts[] = {
	{"use_bidirectional_attention", false},
	{NULL}
};

static const struct config_must stablelm_musts[] = {
	{"qk_layernorm", false},
	{NULL}
};

/* ---- tensors ---- */

#define LAYER "model.layers.#."

#define LLAMA_EMBED \
	{"model.embed_tokens.weight", ROLE_EMBED}

#define LLAMA_ATTENTION \
	{LAYER "self_attn.q_proj.weight", ROLE_QKV, .part = PART_Q}, \
	{LAYER "self_attn.q_proj.bias", ROLE_QKV, .part = PART_Q, .bias = true}, \
	{LAYER "self_attn.k_proj.weight", ROLE_QKV, .part = PART_K}, \
	{LAYER "self_attn.k_proj.bias", ROLE_QKV, .part = PART_K, .bias = true}, \
	{LAYER "self_attn.v_proj.weight", ROLE_QKV, .part = PART_V}, \
	{LAYER "self_attn.v_proj.bias", ROLE_QKV, .part = PART_V, .bias = true}, \
	{LAYER "self_attn.q_norm.weight", ROLE_Q_NORM}, \
	{LAYER "self_attn.k_norm.weight", ROLE_K_NORM}, \
	{LAYER "self_attn.o_proj.weight", ROLE_ATTN_OUT}, \
	{LAYER "self_attn.o_proj.bias", ROLE_ATTN_OUT, .bias = true}

#define LLAMA_MLP \
	{LAYER "mlp.gate_proj.weight", ROLE_GATE}, \
	{LAYER "mlp.gate_proj.bias", ROLE_GATE, .bias = true}, \
	{LAYER "mlp.up_proj.weight", ROLE_UP}, \
	{LAYER "mlp.up_proj.bias", ROLE_UP, .bias = true}, \
	{LAYER "mlp.down_proj.weight", ROLE_DOWN}, \
	{LAYER "mlp.down_proj.bias", ROLE_DOWN, .bias = true}

#define LLAMA_END \
	{"model.norm.weight", ROLE_NORM_FINAL}, \
	{"model.norm.bias", ROLE_NORM_FINAL, .bias = true}, \
	{"lm_head.weight", ROLE_HEAD}, \
	{NULL}

/* Names of what a family lacks are of no account. */
static const struct tensor_name llama_names[] = {
	LLAMA_EMBED,
	{LAYER "input_layernorm.weight", ROLE_NORM1},
	{LAYER "input_layernorm.bias", ROLE_NORM1, .bias = true},
	LLAMA_ATTENTION,
	{LAYER "post_attention_layernorm.weight", ROLE_NORM2},
	{LAYER "post_attention_layernorm.bias", ROLE_NORM2, .bias = true},
	LLAMA_MLP,
	LLAMA_END
};

/* Where there are norms after attention and MLP, "post_attention" means what it says. */
static const struct tensor_name post_names[] = {
	LLAMA_EMBED,
	{LAYER "input_layernorm.weight", ROLE_NORM1},
	LLAMA_ATTENTION,
	{LAYER "post_attention_layernorm.weight", ROLE_POST1},
	{LAYER "pre_feedforward_layernorm.weight", ROLE_NORM2},
	LLAMA_MLP,
	{LAYER "post_feedforward_layernorm.weight", ROLE_POST2},
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

static const char *const llama_ignored[] = {
	LAYER "self_attn.rotary_emb.inv_freq",
	"model.rotary_emb.inv_freq",
	NULL
};

/* ---- families ---- */

#define LLAMA_BASE .pos = POS_ROPE, .mlp = MLP_GATED	/* and RMSNorm, which is 0 */

const struct arch llama_archs[] = {
	{"llama", "LlamaForCausalLM", "model.", .base = {LLAMA_BASE}, .keys = llama_keys, .musts = no_musts,
		.names = llama_names, .ignored = llama_ignored},
	{"mistral", "MistralForCausalLM", "model.", .base = {LLAMA_BASE}, .windows = WINDOWS_SLIDING,
		.keys = mistral_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"qwen2", "Qwen2ForCausalLM", "model.", .base = {LLAMA_BASE, .attn_bias = true}, .windows = WINDOWS_QWEN,
		.keys = qwen2_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"qwen3", "Qwen3ForCausalLM", "model.", .base = {LLAMA_BASE, .qk_norm = QK_HEAD}, .windows = WINDOWS_QWEN,
		.keys = qwen3_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"olmo", "OlmoForCausalLM", "model.", .base = {LLAMA_BASE, .norm = NORM_BARE, .norm_eps = 1e-5},
		.keys = olmo_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"olmo2", "Olmo2ForCausalLM", "model.", .base = {LLAMA_BASE, .place = PLACE_POST, .qk_norm = QK_WHOLE},
		.keys = olmo2_keys, .musts = no_musts, .names = post_names, .ignored = llama_ignored},
	{"gemma", "GemmaForCausalLM", "model.", .base = {LLAMA_BASE, .embed_root = true}, .gains_less_one = true,
		.gelu_is_tanh = true, .keys = gemma_keys, .musts = gemma_musts, .names = llama_names,
		.ignored = llama_ignored},
	{"gemma2", "Gemma2ForCausalLM", "model.", .base = {LLAMA_BASE, .place = PLACE_BOTH, .embed_root = true},
		.gains_less_one = true, .windows = WINDOWS_ALTERNATE, .keys = gemma2_keys, .musts = gemma_musts,
		.names = post_names, .ignored = llama_ignored},
	{"phi3", "Phi3ForCausalLM", "model.", .base = {LLAMA_BASE}, .windows = WINDOWS_SLIDING, .keys = phi3_keys,
		.musts = no_musts, .names = phi3_names, .ignored = llama_ignored},
	{"stablelm", "StableLmForCausalLM", "model.", .base = {LLAMA_BASE, .norm = NORM_LAYER, .rotary_part = 0.25},
		.keys = stablelm_keys, .musts = stablelm_musts, .names = llama_names, .ignored = llama_ignored},
};
const size_t n_llama_archs = ARRAY_LEN(llama_archs);
