/* arch: the families, as tables. A new one that differs in names and in flags we have is new rows here, no new code. */
#include "arch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/str.h"

#define FIELD(name) offsetof(struct model_config, name)

static const struct config_key llama_keys[] = {
	{"vocab_size", KEY_INT, FIELD(vocab), true, 0},
	{"hidden_size", KEY_INT, FIELD(d_model), true, 0},
	{"intermediate_size", KEY_INT, FIELD(d_ff), true, 0},
	{"num_hidden_layers", KEY_INT, FIELD(n_layer), true, 0},
	{"num_attention_heads", KEY_INT, FIELD(n_head), true, 0},
	{"num_key_value_heads", KEY_INT, FIELD(n_kv_head), false, 0},
	{"head_dim", KEY_INT, FIELD(head_dim), false, 0},
	{"max_position_embeddings", KEY_INT, FIELD(n_ctx), false, 2048},
	{"hidden_act", KEY_ACT, FIELD(act), false, ACT_SILU},
	{"rms_norm_eps", KEY_REAL, FIELD(norm_eps), false, 1e-6},
	{"initializer_range", KEY_REAL, FIELD(init_range), false, 0.02},
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, false},
	{"attention_bias", KEY_BOOL, FIELD(attn_bias), false, false},
	{"mlp_bias", KEY_BOOL, FIELD(mlp_bias), false, false},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 1},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 2},
	{NULL}
};

static const struct config_must no_musts[] = {{NULL}};

static const struct tensor_name llama_names[] = {
	{"model.embed_tokens.weight", ROLE_EMBED},
	{"model.layers.#.input_layernorm.weight", ROLE_NORM1},
	{"model.layers.#.self_attn.q_proj.weight", ROLE_QKV, .part = PART_Q},
	{"model.layers.#.self_attn.q_proj.bias", ROLE_QKV, .part = PART_Q, .bias = true},
	{"model.layers.#.self_attn.k_proj.weight", ROLE_QKV, .part = PART_K},
	{"model.layers.#.self_attn.k_proj.bias", ROLE_QKV, .part = PART_K, .bias = true},
	{"model.layers.#.self_attn.v_proj.weight", ROLE_QKV, .part = PART_V},
	{"model.layers.#.self_attn.v_proj.bias", ROLE_QKV, .part = PART_V, .bias = true},
	{"model.layers.#.self_attn.o_proj.weight", ROLE_ATTN_OUT},
	{"model.layers.#.self_attn.o_proj.bias", ROLE_ATTN_OUT, .bias = true},
	{"model.layers.#.post_attention_layernorm.weight", ROLE_NORM2},
	{"model.layers.#.mlp.gate_proj.weight", ROLE_GATE},
	{"model.layers.#.mlp.gate_proj.bias", ROLE_GATE, .bias = true},
	{"model.layers.#.mlp.up_proj.weight", ROLE_UP},
	{"model.layers.#.mlp.up_proj.bias", ROLE_UP, .bias = true},
	{"model.layers.#.mlp.down_proj.weight", ROLE_DOWN},
	{"model.layers.#.mlp.down_proj.bias", ROLE_DOWN, .bias = true},
	{"model.norm.weight", ROLE_NORM_FINAL},
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

static const char *const llama_ignored[] = {
	"model.layers.#.self_attn.rotary_emb.inv_freq",
	"model.rotary_emb.inv_freq",
	NULL
};

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
	{"tie_word_embeddings", KEY_BOOL, FIELD(tied), false, true},
	{"bos_token_id", KEY_TOKEN, FIELD(bos), false, 50256},
	{"eos_token_id", KEY_TOKEN, FIELD(eos), false, 50256},
	{NULL}
};

static const struct config_must gpt2_musts[] = {
	{"scale_attn_weights", true},
	{"scale_attn_by_inverse_layer_idx", false},
	{"add_cross_attention", false},
	{NULL}
};

/* GPT-2's linear layers are stored as (in, out). */
static const struct tensor_name gpt2_names[] = {
	{"transformer.wte.weight", ROLE_EMBED},
	{"transformer.wpe.weight", ROLE_POS},
	{"transformer.h.#.ln_1.weight", ROLE_NORM1},
	{"transformer.h.#.ln_1.bias", ROLE_NORM1, .bias = true},
	{"transformer.h.#.attn.c_attn.weight", ROLE_QKV, .transposed = true},
	{"transformer.h.#.attn.c_attn.bias", ROLE_QKV, .bias = true},
	{"transformer.h.#.attn.c_proj.weight", ROLE_ATTN_OUT, .transposed = true},
	{"transformer.h.#.attn.c_proj.bias", ROLE_ATTN_OUT, .bias = true},
	{"transformer.h.#.ln_2.weight", ROLE_NORM2},
	{"transformer.h.#.ln_2.bias", ROLE_NORM2, .bias = true},
	{"transformer.h.#.mlp.c_fc.weight", ROLE_UP, .transposed = true},
	{"transformer.h.#.mlp.c_fc.bias", ROLE_UP, .bias = true},
	{"transformer.h.#.mlp.c_proj.weight", ROLE_DOWN, .transposed = true},
	{"transformer.h.#.mlp.c_proj.bias", ROLE_DOWN, .bias = true},
	{"transformer.ln_f.weight", ROLE_NORM_FINAL},
	{"transformer.ln_f.bias", ROLE_NORM_FINAL, .bias = true},
	{"lm_head.weight", ROLE_HEAD},
	{NULL}
};

static const char *const gpt2_ignored[] = {
	"transformer.h.#.attn.bias",
	"transformer.h.#.attn.masked_bias",
	NULL
};

static const struct arch archs[] = {
	{"llama", "LlamaForCausalLM", "model.", NORM_RMS, POS_ROPE, MLP_GATED, false, false, llama_keys, no_musts,
		llama_names, llama_ignored},
	{"gpt2", "GPT2LMHeadModel", "transformer.", NORM_LAYER, POS_LEARNED, MLP_PLAIN, true, true, gpt2_keys,
		gpt2_musts, gpt2_names, gpt2_ignored},
};

const struct arch *
arch_find(const char *family)
{
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		if (strcmp(archs[i].family, family) == 0)
			return &archs[i];
	return NULL;
}

enum err
arch_refuse(const char *family, const char *name)
{
	struct str list = {0};
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		str_addf(&list, "%s%s", i > 0 ? ", " : "", archs[i].family);
	err_set(ERR_UNSUPPORTED, "%s: models of type \"%s\" are not supported (only %s)", name, family, list.s);
	str_free(&list);
	return ERR_UNSUPPORTED;
}

/* The rows of the fused tensor that a part is. */
static void
part_rows(const struct model_config *c, const struct tensor *t, enum part part, int *row, int *rows)
{
	int q = c->n_head * c->head_dim, kv = c->n_kv_head * c->head_dim;
	const int first[] = {[WHOLE] = 0, [PART_Q] = 0, [PART_K] = q, [PART_V] = q + kv};
	const int count[] = {[WHOLE] = t->rows, [PART_Q] = q, [PART_K] = kv, [PART_V] = kv};
	*row = first[part];
	*rows = count[part];
}

static void
fill_name(char *out, size_t size, const char *pattern, int layer)
{
	const char *hash = strchr(pattern, '#');
	if (hash == NULL)
		snprintf(out, size, "%s", pattern);
	else
		snprintf(out, size, "%.*s%d%s", (int)(hash - pattern), pattern, layer, hash + 1);
}

struct listing {
	struct file_tensor *v;
	size_t n, cap;
};

static void
list_one(struct listing *list, const struct model *m, const struct tensor_name *name, int layer)
{
	const struct tensor *t = model_tensor(m, name->role, layer, name->bias);
	bool spare = t == NULL && name->role == ROLE_HEAD && !name->bias;
	if (spare)
		t = model_tensor(m, ROLE_EMBED, -1, false);
	if (t == NULL)
		return;
	mem_grow(&list->v, &list->cap, list->n + 1, sizeof(*list->v));
	struct file_tensor *f = &list->v[list->n++];
	memset(f, 0, sizeof(*f));
	fill_name(f->name, sizeof(f->name), name->pattern, layer);
	f->tensor = t;
	f->cols = t->cols;
	f->n_dims = name->bias || t->role == ROLE_NORM1 || t->role == ROLE_NORM2 || t->role == ROLE_NORM_FINAL ? 1 : 2;
	f->transposed = name->transposed;
	f->optional = spare;
	part_rows(&m->config, t, name->part, &f->row, &f->rows);
}

enum err
arch_file_tensors(const struct model *m, struct file_tensor **out, size_t *n)
{
	const struct arch *arch = arch_find(m->config.family);
	struct listing list = {0};
	for (const struct tensor_name *name = arch->names; name->pattern != NULL; name++) {
		bool in_block = strchr(name->pattern, '#') != NULL;
		for (int layer = in_block ? 0 : -1; layer < (in_block ? m->config.n_layer : 0); layer++)
			list_one(&list, m, name, layer);
	}
	*out = list.v;
	*n = list.n;
	return OK;
}

const char *
arch_short_name(const struct model *m, const char *name)
{
	const char *prefix = arch_find(m->config.family)->prefix;
	size_t n = strlen(prefix);
	return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

static bool
matches(const char *pattern, const char *name)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '#') {
			if (*pattern != *name++)
				return false;
			continue;
		}
		if (!isdigit((unsigned char)*name))
			return false;
		while (isdigit((unsigned char)*name))
			name++;
	}
	return *name == '\0';
}

bool
arch_ignored(const struct model *m, const char *name)
{
	const struct arch *arch = arch_find(m->config.family);
	for (const char *const *p = arch->ignored; *p != NULL; p++)
		if (matches(*p, name) || matches(*p + strlen(arch->prefix), name))
			return true;
	return false;
}
