/* arch_llama: what the tables of Llama and of those that came of it share; private to the model floor. */
#ifndef BYLINE_MODEL_ARCH_LLAMA_H
#define BYLINE_MODEL_ARCH_LLAMA_H

#include "arch.h"

#define LLAMA_BASE .pos = POS_ROPE, .mlp = MLP_GATED	/* and RMSNorm, which is 0 */

/* ---- keys of config.json ---- */

#define LLAMA_SHAPE(kv_heads, context) \
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0}, \
	{"hidden_size", KEY_INT, FIELD(d_model), true, 0}, \
	{"intermediate_size", KEY_INT, FIELD(d_ff), true, 0}, \
	{"num_hidden_layers", KEY_INT, FIELD(n_layer), true, 0}, \
	{"num_attention_heads", KEY_INT, FIELD(n_head), true, 0}, \
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, kv_heads}, \
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, context}

#define HEAD_DIM(width) {"head_dim", KEY_INT, FIELD(head_dim), false, width}
#define SILU {"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU}
#define RMS_EPS(eps) {"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, eps}

#define LLAMA_REST(tied_too, begin, end) \
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02}, \
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, tied_too}, \
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, begin}, \
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, end}, \
	{NULL}

#define ATTENTION_BIAS \
	{"attention_bias", KEY_BOOL, FIELD(attn_bias), false, false}, \
	{"attention_bias", KEY_BOOL, FIELD(out_bias), false, false}

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
extern const struct tensor_name llama_names[];
extern const char *const llama_ignored[];
extern const struct config_must no_musts[];

#endif
