/* arch_norms: Gemma and OLMo, which are Llama with more norms, or with others. */
#include "arch_llama.h"

#include "byline/mem.h"

/* ---- keys of config.json ---- */

static const struct config_key olmo_keys[] = {
	LLAMA_SHAPE(0, 2048), HEAD_DIM(0), SILU,
	ATTENTION_BIAS,
	{"clip_qkv", KEY_SIZE, FIELD(qkv_clip), false, 0},
	LLAMA_REST(false, -1, 50279)
};

/* And OLMo 3. */
static const struct config_key olmo2_keys[] = {
	LLAMA_SHAPE(0, 2048), HEAD_DIM(0), SILU, RMS_EPS(1e-5),
	ATTENTION_BIAS,
	LLAMA_REST(false, -1, 50279)
};

static const struct config_key gemma_keys[] = {
	LLAMA_SHAPE(16, 8192), HEAD_DIM(256), RMS_EPS(1e-6),
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	{"hidden_activation", KEY_ACT, FIELD(act), false, -1},
	ATTENTION_BIAS,
	LLAMA_REST(true, 2, 1)
};

static const struct config_key gemma2_keys[] = {
	LLAMA_SHAPE(4, 8192), HEAD_DIM(256), RMS_EPS(1e-6),
	{"hidden_activation", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	ATTENTION_BIAS,
	{"query_pre_attn_scalar", KEY_WHOLE, FIELD(query_scalar), false, 256},
	{"attn_logit_softcapping", KEY_SIZE, FIELD(att_cap), false, 50},
	{"final_logit_softcapping", KEY_SIZE, FIELD(logit_cap), false, 30},
	LLAMA_REST(true, 2, 1)
};

static const struct config_key gemma3_keys[] = {
	LLAMA_SHAPE(4, 131072), HEAD_DIM(256), RMS_EPS(1e-6),
	{"hidden_activation", KEY_ACT, FIELD(act), false, ACT_GELU_TANH},
	ATTENTION_BIAS,
	{"query_pre_attn_scalar", KEY_WHOLE, FIELD(query_scalar), false, 256},
	{"final_logit_softcapping", KEY_SIZE, FIELD(logit_cap), false, 0},
	LLAMA_REST(true, 2, 1)
};

static const struct config_must gemma_musts[] = {
	{"use_bidirectional_attention", false},
	{NULL}
};

static const struct config_must gemma3_musts[] = {
	{"use_bidirectional_attention", false},
	{"attn_logit_softcapping", .null = true},
	{NULL}
};

/* ---- tensors ---- */

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

/* ---- families ---- */

const struct arch norms_archs[] = {
	{"olmo", "OlmoForCausalLM", "model.", .base = {LLAMA_BASE, .norm = NORM_BARE, .norm_eps = 1e-5},
		.keys = olmo_keys, .musts = no_musts, .names = llama_names, .ignored = llama_ignored},
	{"olmo2", "Olmo2ForCausalLM", "model.", .base = {LLAMA_BASE, .place = PLACE_POST, .qk_norm = QK_WHOLE},
		.keys = olmo2_keys, .musts = no_musts, .names = post_names, .ignored = llama_ignored},
	{"olmo3", "Olmo3ForCausalLM", "model.", .base = {LLAMA_BASE, .place = PLACE_POST, .qk_norm = QK_WHOLE,
		.rope_theta = 5e5}, .windows = WINDOWS_OLMO3, .rotary = ROTARY_TWO, .keys = olmo2_keys,
		.musts = no_musts, .names = post_names, .ignored = llama_ignored},
	{"gemma", "GemmaForCausalLM", "model.", .base = {LLAMA_BASE, .embed_root = true}, .gains_less_one = true,
		.gelu_is_tanh = true, .keys = gemma_keys, .musts = gemma_musts, .names = llama_names,
		.ignored = llama_ignored},
	{"gemma2", "Gemma2ForCausalLM", "model.", .base = {LLAMA_BASE, .place = PLACE_BOTH, .embed_root = true},
		.gains_less_one = true, .windows = WINDOWS_ALTERNATE, .keys = gemma2_keys, .musts = gemma_musts,
		.names = post_names, .ignored = llama_ignored},
	{"gemma3_text", "Gemma3ForCausalLM", "model.", .base = {LLAMA_BASE, .place = PLACE_BOTH, .qk_norm = QK_HEAD,
		.embed_root = true, .rope_theta = 1e6, .local_theta = 1e4}, .gains_less_one = true,
		.windows = WINDOWS_GEMMA3, .rotary = ROTARY_TWO, .local_key = "rope_local_base_freq",
		.keys = gemma3_keys, .musts = gemma3_musts, .names = post_names, .ignored = llama_ignored},
};
const size_t n_norms_archs = ARRAY_LEN(norms_archs);
