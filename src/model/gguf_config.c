/* gguf: the metadata as the config.json that `transformers` would have. One table for each architecture. */
#include "gguf_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/str.h"
#include "gguf_config.h"

/* ---- the tables ---- */

struct meta_key { const char *meta, *key; enum { META_INT, META_REAL, META_BOOL } kind; bool required; };

static const struct meta_key common[] = {
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

static const struct meta_key gpt2[] = {
	{"block_count", "n_layer", META_INT, true},
	{"embedding_length", "n_embd", META_INT, true},
	{"feed_forward_length", "n_inner", META_INT, false},
	{"attention.head_count", "n_head", META_INT, true},
	{"context_length", "n_positions", META_INT, true},
	{"attention.layer_norm_epsilon", "layer_norm_epsilon", META_REAL, true},
	{NULL}
};

static const struct meta_key rms[] = {
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", META_REAL, true},
	{NULL}
};

static const struct meta_key gptneox[] = {
	{"attention.layer_norm_epsilon", "layer_norm_eps", META_REAL, true},
	{"use_parallel_residual", "use_parallel_residual", META_BOOL, false},
	{"rope.freq_base", "rotary_emb_base", META_REAL, false},
	{NULL}
};

static const struct meta_key layer_norm[] = {
	{"attention.layer_norm_epsilon", "layer_norm_eps", META_REAL, true},
	{NULL}
};

static const struct meta_key gemma2[] = {
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", META_REAL, true},
	{"attn_logit_softcapping", "attn_logit_softcapping", META_REAL, true},
	{"final_logit_softcapping", "final_logit_softcapping", META_REAL, true},
	{"attention.sliding_window", "sliding_window", META_INT, true},
	{NULL}
};

static const struct meta_key phi3[] = {
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", META_REAL, true},
	{"attention.sliding_window", "sliding_window", META_INT, false},
	{NULL}
};

static const struct meta_key starcoder2[] = {
	{"attention.layer_norm_epsilon", "norm_epsilon", META_REAL, true},
	{"attention.sliding_window", "sliding_window", META_INT, false},
	{NULL}
};

static const struct meta_key olmo[] = {
	{"attention.clamp_kqv", "clip_qkv", META_REAL, false},
	{NULL}
};

static const struct gguf_arch archs[] = {
	{"llama", "llama", common, rms, "hidden_act", "silu", .paired = true},
	{"qwen2", "qwen2", common, rms, "hidden_act", "silu"},
	{"qwen3", "qwen3", common, rms, "hidden_act", "silu"},
	{"gpt2", "gpt2", gpt2, NULL, "activation_function", "gelu_new"},
	{"gptneox", "gpt_neox", common, gptneox, "hidden_act", "gelu", .partial = "rotary_pct"},
	{"phi2", "phi", common, layer_norm, "hidden_act", "gelu_new", .partial = "partial_rotary_factor"},
	{"gemma", "gemma", common, rms, "hidden_activation", "gelu_pytorch_tanh"},
	{"gemma2", "gemma2", common, gemma2, "hidden_activation", "gelu_pytorch_tanh",
		.scalar = "query_pre_attn_scalar"},
	{"olmo", "olmo", common, olmo, "hidden_act", "silu", .paired = true},
	{"olmo2", "olmo2", common, rms, "hidden_act", "silu"},
	{"phi3", "phi3", common, phi3, "hidden_act", "silu", .partial = "partial_rotary_factor", .gated_up = true},
	{"stablelm", "stablelm", common, layer_norm, "hidden_act", "silu", .partial = "partial_rotary_factor",
		.norm_tells = true},
	{"starcoder2", "starcoder2", common, starcoder2, "hidden_act", "gelu_pytorch_tanh"},
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

/* ---- building ---- */

const char *
gguf_meta(const struct gguf_build *b, const char *key, char buf[96])
{
	snprintf(buf, 96, "%s.%s", b->arch->name, key);
	return buf;
}

double
gguf_as_written(double v)
{
	char buf[32];
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, v);
		double short_v = strtod(buf, NULL);
		if ((float)short_v == (float)v)
			return (double)(float)v == v ? short_v : v;
	}
	return v;
}

static enum err
set_int(const struct gguf_build *b, const char *name, const char *key)
{
	int64_t v;
	TRY(gguf_int(b->g, name, 0, GGUF_COUNT_MAX, 0, &v));
	json_object_set_new(b->root, key, json_integer(v));
	return OK;
}

static enum err
set_real(const struct gguf_build *b, const char *name, const char *key)
{
	double v;
	TRY(gguf_real(b->g, name, 0, &v));
	json_object_set_new(b->root, key, json_real(gguf_as_written(v)));
	return OK;
}

static enum err
set_bool(const struct gguf_build *b, const char *name, const char *key)
{
	bool v;
	TRY(gguf_bool(b->g, name, false, &v));
	json_object_set_new(b->root, key, json_boolean(v));
	return OK;
}

static enum err
set_keys(const struct gguf_build *b, const struct meta_key *keys)
{
	static enum err (*const set[])(const struct gguf_build *, const char *, const char *) = {
		[META_INT] = set_int, [META_REAL] = set_real, [META_BOOL] = set_bool,
	};
	char name[96];
	for (; keys && keys->meta; keys++) {
		if (gguf_find(b->g, gguf_meta(b, keys->meta, name)))
			TRY(set[keys->kind](b, name, keys->key));
		else if (keys->required)
			return err_set(ERR_FORMAT, "%s: has no \"%s\"", b->g->path, name);
	}
	return OK;
}

/* ---- what only the tensors say ---- */

static bool
has(const struct gguf_build *b, const char *tensor)
{
	return weights_find(b->w, tensor) != NULL;
}

/* Some converters write the embedding a second time for a tied head. */
bool
gguf_tied(const struct weights *w)
{
	const struct weights_tensor *head = weights_find(w, "output.weight");
	const struct weights_tensor *embed = weights_find(w, "token_embd.weight");
	return !head || (embed && head->type == embed->type && head->size == embed->size &&
		memcmp(head->shape, embed->shape, sizeof(head->shape)) == 0 &&
		memcmp(head->data, embed->data, head->size) == 0);
}

static enum err
set_from_tensors(const struct gguf_build *b)
{
	const struct weights_tensor *embed = weights_find(b->w, "token_embd.weight");
	if (!embed)
		return err_set(ERR_MISSING, "%s: tensor \"token_embd.weight\" is missing", b->g->path);
	if (embed->n_dims != 2 || embed->shape[0] > INT32_MAX)
		return err_set(ERR_FORMAT, "%s: tensor \"token_embd.weight\" is not a table of tokens", b->g->path);
	json_object_set_new(b->root, "vocab_size", json_integer((json_int_t)embed->shape[0]));
	json_object_set_new(b->root, "tie_word_embeddings", json_boolean(gguf_tied(b->w)));
	bool bias = has(b, "blk.0.attn_q.bias") || has(b, "blk.0.attn_qkv.bias");
	json_object_set_new(b->root, "attention_bias", json_boolean(bias));
	json_object_set_new(b->root, "use_qkv_bias", json_boolean(bias));
	json_object_set_new(b->root, "use_bias", json_boolean(bias));
	json_object_set_new(b->root, "mlp_bias", json_boolean(has(b, "blk.0.ffn_up.bias")));
	json_object_set_new(b->root, "qk_layernorm", json_boolean(has(b, "blk.0.attn_q_norm.weight")));
	if (b->arch->norm_tells)
		json_object_set_new(b->root, "use_parallel_residual", json_boolean(!has(b, "blk.0.ffn_norm.weight")));
	return OK;
}

static enum err
set_token(const struct gguf_build *b, const char *name, const char *key)
{
	int64_t id;
	TRY(gguf_int(b->g, name, 0, UINT32_MAX, -1, &id));
	json_object_set_new(b->root, key, id < 0 ? json_null() : json_integer(id));
	return OK;
}

/* ---- the whole ---- */

static enum err
check_kind_of_file(const struct gguf_build *b)
{
	int64_t experts;
	const char *type;
	char name[96];
	size_t n;
	TRY(gguf_str(b->g, "general.type", &type, &n));
	if (type && !(n == 5 && memcmp(type, "model", 5) == 0))
		return err_set(ERR_UNSUPPORTED, "%s: holds \"%.*s\", not a model", b->g->path, (int)(n < 100 ? n : 100),
			type);
	TRY(gguf_int(b->g, gguf_meta(b, "expert_count", name), 0, GGUF_COUNT_MAX, 0, &experts));
	if (experts > 0)
		return err_set(ERR_UNSUPPORTED, "%s: a mixture of %" PRId64 " experts is not supported", b->g->path,
			experts);
	return OK;
}

static enum err
set_all(struct gguf_build *b)
{
	char name[96];
	TRY(check_kind_of_file(b));
	json_object_set_new(b->root, "model_type", json_string(b->arch->model_type));
	json_object_set_new(b->root, b->arch->act_key, json_string(b->arch->act));
	TRY(set_keys(b, b->arch->keys));
	TRY(set_keys(b, b->arch->own));
	TRY(set_from_tensors(b));
	TRY(set_token(b, "tokenizer.ggml.bos_token_id", "bos_token_id"));
	TRY(set_token(b, "tokenizer.ggml.eos_token_id", "eos_token_id"));
	if (b->arch->paired && gguf_find(b->g, gguf_meta(b, "attention.sliding_window", name))) {
		json_object_set_new(b->root, "model_type", json_string("mistral"));
		TRY(set_int(b, name, "sliding_window"));
	}
	if (!json_object_get(b->root, "num_key_value_heads"))
		json_object_set(b->root, "num_key_value_heads", json_object_get(b->root, "num_attention_heads"));
	return b->arch->keys == gpt2 ? OK : gguf_set_rotary(b);
}

enum err
gguf_config(const struct weights *w, json_t **out)
{
	struct gguf_build b = { .w = w, .g = w->gguf };
	*out = NULL;
	TRY(gguf_arch_find(w->gguf, &b.arch));
	b.root = json_object();
	enum err err = set_all(&b);
	if (err == OK)
		*out = b.root;
	else
		json_decref(b.root);
	return err;
}
