/* gguf: what the architectures of GGUF files are. One table of keys for each, as llama.cpp's converter writes them. */
#include "gguf_config.h"

#include <string.h>

#include "byline/mem.h"
#include "byline/str.h"

/* ---- the tables ---- */

static const struct gguf_meta_key common[] = {
	{"block_count", "num_hidden_layers", META_INT, true},
	{"embedding_length", "hidden_size", META_INT, true},
	{"feed_forward_length", "intermediate_size", META_INT, true},
	{"attention.head_count", "num_attention_heads", META_INT, true},
	{"attention.head_count_kv", "num_key_value_heads", META_INT, false},
	{"attention.key_length", "head_dim", META_INT, false},
	{"context_length", "max_position_embeddings", META_INT, true},
	{"rope.freq_base", "rope_theta", META_REAL, false},
	{NULL}
};

static const struct gguf_meta_key gpt2[] = {
	{"block_count", "n_layer", META_INT, true},
	{"embedding_length", "n_embd", META_INT, true},
	{"feed_forward_length", "n_inner", META_INT, false},
	{"attention.head_count", "n_head", META_INT, true},
	{"context_length", "n_positions", META_INT, true},
	{"attention.layer_norm_epsilon", "layer_norm_epsilon", META_REAL, true},
	{NULL}
};

static const struct gguf_meta_key rms[] = {
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", META_REAL, true},
	{NULL}
};

static const struct gguf_meta_key gptneox[] = {
	{"attention.layer_norm_epsilon", "layer_norm_eps", META_REAL, true},
	{"use_parallel_residual", "use_parallel_residual", META_BOOL, false},
	{"rope.freq_base", "rotary_emb_base", META_REAL, false},
	{NULL}
};

static const struct gguf_meta_key layer_norm[] = {
	{"attention.layer_norm_epsilon", "layer_norm_eps", META_REAL, true},
	{NULL}
};

static const struct gguf_meta_key gemma2[] = {
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", META_REAL, true},
	{"attn_logit_softcapping", "attn_logit_softcapping", META_REAL, true},
	{"final_logit_softcapping", "final_logit_softcapping", META_REAL, true},
	{"attention.sliding_window", "sliding_window", META_INT, true},
	{NULL}
};

static const struct gguf_meta_key starcoder2[] = {
	{"attention.layer_norm_epsilon", "norm_epsilon", META_REAL, true},
	{NULL}
};

static const struct gguf_meta_key olmo[] = {
	{"attention.clamp_kqv", "clip_qkv", META_REAL, false},
	{NULL}
};

static const struct gguf_meta_key gemma3[] = {
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", META_REAL, true},
	{"final_logit_softcapping", "final_logit_softcapping", META_REAL, false},
	{NULL}
};

static const struct gguf_meta_key granite[] = {
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", META_REAL, true},
	{"embedding_scale", "embedding_multiplier", META_REAL, false},
	{"attention.scale", "attention_multiplier", META_REAL, true},
	{"residual_scale", "residual_multiplier", META_REAL, false},
	{"logit_scale", "logits_scaling", META_REAL, true},
	{NULL}
};

static const struct gguf_meta_key cohere[] = {
	{"attention.layer_norm_epsilon", "layer_norm_eps", META_REAL, true},
	{"logit_scale", "logit_scale", META_REAL, true},
	{NULL}
};

static const struct gguf_meta_key cohere2[] = {
	{"attention.layer_norm_epsilon", "layer_norm_eps", META_REAL, true},
	{"logit_scale", "logit_scale", META_REAL, true},
	{"attention.sliding_window", "sliding_window", META_INT, true},
	{NULL}
};

static const struct gguf_meta_key falcon[] = {
	{"attention.layer_norm_epsilon", "layer_norm_epsilon", META_REAL, true},
	{"feed_forward_length", "ffn_hidden_size", META_INT, true},
	{"attention.head_count_kv", "num_kv_heads", META_INT, false},
	{NULL}
};

/* The windows of layers, and which have none, are the architecture's where converters write nothing of it. */
static const struct gguf_arch archs[] = {
	{"llama", "llama", common, rms, "hidden_act", "silu", .paired = true, .windowed = "mistral"},
	{"qwen2", "qwen2", common, rms, "hidden_act", "silu"},
	{"qwen3", "qwen3", common, rms, "hidden_act", "silu"},
	{"gpt2", "gpt2", gpt2, NULL, "activation_function", "gelu_new"},
	{"gptneox", "gpt_neox", common, gptneox, "hidden_act", "gelu", .partial = "rotary_pct"},
	{"phi2", "phi", common, layer_norm, "hidden_act", "gelu_new", .partial = "partial_rotary_factor"},
	{"gemma", "gemma", common, rms, "hidden_activation", "gelu_pytorch_tanh"},
	{"gemma2", "gemma2", common, gemma2, "hidden_activation", "gelu_pytorch_tanh",
		.scalar = "query_pre_attn_scalar", .scalar_layers = 46},
	{"gemma3", "gemma3_text", common, gemma3, "hidden_activation", "gelu_pytorch_tanh",
		.scalar = "query_pre_attn_scalar", .scalar_layers = 62, .windowed = "gemma3_text", .every = 6},
	{"olmo", "olmo", common, olmo, "hidden_act", "silu", .paired = true},
	{"olmo2", "olmo2", common, rms, "hidden_act", "silu", .windowed = "olmo3", .every = 4},
	{"phi3", "phi3", common, rms, "hidden_act", "silu", .partial = "partial_rotary_factor", .gated_up = true,
		.windowed = "phi3"},
	{"stablelm", "stablelm", common, layer_norm, "hidden_act", "silu", .partial = "partial_rotary_factor",
		.norm_tells = true},
	{"starcoder2", "starcoder2", common, starcoder2, "hidden_act", "gelu_pytorch_tanh", .windowed = "starcoder2"},
	{"smollm3", "smollm3", common, rms, "hidden_act", "silu", .paired = true},
	{"granite", "granite", common, granite, "hidden_act", "silu", .paired = true,
		.rope_off = "rope.scaling.finetuned"},
	{"command-r", "cohere", common, cohere, "hidden_act", "silu"},
	{"cohere2", "cohere2", common, cohere2, "hidden_act", "silu", .windowed = "cohere2", .every = 4},
	{"falcon", "falcon", common, falcon, "activation", "gelu", .norms_told = true},
	{"starcoder", "gpt_bigcode", gpt2, NULL, "activation_function", "gelu_pytorch_tanh", .one_kv = true},
};

enum err
gguf_arch_find(const struct gguf *g, const struct gguf_arch **out)
{
	struct str list = {0};
	const char *s;
	size_t n;
	*out = NULL;
	TRY(gguf_str(g, "general.architecture", &s, &n));
	if (!s)
		return err_set(ERR_FORMAT, "%s: has no \"general.architecture\"", g->path);
	for (size_t i = 0; i < ARRAY_LEN(archs) && !*out; i++)
		if (strlen(archs[i].name) == n && memcmp(archs[i].name, s, n) == 0)
			*out = &archs[i];
	if (*out)
		return OK;
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		str_addf(&list, "%s%s", i > 0 ? ", " : "", archs[i].name);
	err_set(ERR_UNSUPPORTED, "%s: GGUF models of architecture \"%.*s\" are not supported (only %s)", g->path,
		(int)(n < 100 ? n : 100), s, list.s);
	str_free(&list);
	return ERR_UNSUPPORTED;
}
