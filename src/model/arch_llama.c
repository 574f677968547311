/* arch_llama: Llama and the families that came of it: RMSNorm, rotary positions, a gated MLP; each with its turn. */
#include "arch_llama.h"

#include "byline/mem.h"

/* ---- keys of config.json ---- */

static const struct config_key llama_keys[] = {
	LLAMA_SHAPE(0, 2048), HEAD_DIM(0), SILU, RMS_EPS(1e-6),
	ATTENTION_BIAS,
	{"mlp_bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	LLAMA_REST(false, 1, 2)
};

static const struct config_key mistral_keys[] = {
	LLAMA_SHAPE(8, 131072), HEAD_DIM(0), SILU, RMS_EPS(1e-6),
	LLAMA_REST(false, 1, 2)
};

/* Qwen2 has biases on queries, keys and values and nowhere else; no key says so. */
static const struct config_key qwen2_keys[] = {
	LLAMA_SHAPE(32, 32768), HEAD_DIM(0), SILU, RMS_EPS(1e-6),
	LLAMA_REST(false, -1, -1)
};

static const struct config_key qwen3_keys[] = {
	LLAMA_SHAPE(32, 32768), HEAD_DIM(128), SILU, RMS_EPS(1e-6),
	ATTENTION_BIAS,
	LLAMA_REST(false, -1, -1)
};

static const struct config_key phi3_keys[] = {
	LLAMA_SHAPE(0, 4096), SILU, RMS_EPS(1e-5),
	LLAMA_REST(false, 1, 32000)
};

static const struct config_key stablelm_keys[] = {
	LLAMA_SHAPE(32, 4096), SILU,
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	{"use_qkv_bias", KEY_BOOL, FIELD(attn_bias), false, false},
	{"use_parallel_residual", KEY_BOOL, FIELD(parallel), false, false},
	{"use_parallel_residual", KEY_BOOL, FIELD(shared_norm), false, false},
	LLAMA_REST(false, 0, 0)
};

/* Every fourth layer or so has no positions. */
static const struct config_key smollm3_keys[] = {
	LLAMA_SHAPE(4, 32768), HEAD_DIM(0), SILU, RMS_EPS(1e-6),
	ATTENTION_BIAS,
	{"mlp_bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	LLAMA_REST(true, 128000, 128001)
};

static const struct config_key granite_keys[] = {
	LLAMA_SHAPE(0, 2048), HEAD_DIM(0), SILU, RMS_EPS(1e-6),
	ATTENTION_BIAS,
	{"mlp_bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	{"embedding_multiplier", KEY_FACTOR, FIELD(embed_factor), false, 1},
	{"attention_multiplier", KEY_FACTOR, FIELD(score_factor), false, 1},
	{"residual_multiplier", KEY_FACTOR, FIELD(residual_factor), false, 1},
	{"logits_scaling", KEY_FACTOR, FIELD(logit_divisor), false, 1},
	LLAMA_REST(false, 1, 2)
};

static const struct config_key cohere_keys[] = {
	LLAMA_SHAPE(0, 8192), HEAD_DIM(0), SILU,
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	ATTENTION_BIAS,
	{"logit_scale", KEY_FACTOR, FIELD(logit_factor), false, 0.0625},
	LLAMA_REST(true, 5, 255001)
};

static const struct config_key cohere2_keys[] = {
	LLAMA_SHAPE(0, 8192), SILU,
	{"layer_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-5},
	ATTENTION_BIAS,
	{"logit_scale", KEY_FACTOR, FIELD(logit_factor), false, 0.0625},
	LLAMA_REST(true, 5, 255001)
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
