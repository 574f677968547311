/* gguf: the metadata as the config.json that `transformers` would have, by the table of the architecture. */
#include "gguf_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "gguf_config.h"

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
set_keys(const struct gguf_build *b, const struct gguf_meta_key *keys)
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
	json_object_set_new(b->root, "use_qk_norm", json_boolean(has(b, "blk.0.attn_q_norm.weight")));
	if (b->arch->norm_tells)
		json_object_set_new(b->root, "use_parallel_residual", json_boolean(!has(b, "blk.0.ffn_norm.weight")));
	if (b->arch->norms_told) {
		json_object_set_new(b->root, "new_decoder_architecture", json_true());
		json_object_set_new(b->root, "num_ln_in_parallel_attn",
			json_integer(has(b, "blk.0.attn_norm_2.weight") ? 2 : 1));
	}
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
check_rows_and_turns(const struct gguf_build *b)
{
	char name[96];
	bool turns = true;
	int64_t heads;
	TRY(gguf_int(b->g, gguf_meta(b, "attention.head_count_kv", name), 0, GGUF_COUNT_MAX, 0, &heads));
	if (b->arch->one_kv && heads != 1)
		return err_set(ERR_UNSUPPORTED, "%s: \"%s\" is %" PRId64 ", of this architecture only 1 is supported",
			b->g->path, name, heads);
	if (b->arch->rope_off)
		TRY(gguf_bool(b->g, gguf_meta(b, b->arch->rope_off, name), true, &turns));
	return turns ? OK : err_set(ERR_UNSUPPORTED, "%s: \"%s\" is false: a model without positions is not supported",
		b->g->path, name);
}

/* Of Falcons those of 11 billion parameters alone have one norm and several keys, and turn by a base of their own,
 * which converters leave out. */
static enum err
check_base(const struct gguf_build *b)
{
	char name[96];
	bool one_norm = b->arch->norms_told && !has(b, "blk.0.attn_norm_2.weight");
	if (!one_norm || json_integer_value(json_object_get(b->root, "num_kv_heads")) < 2 ||
		gguf_find(b->g, gguf_meta(b, "rope.freq_base", name)))
		return OK;
	return err_set(ERR_UNSUPPORTED, "%s: has no \"%s\", without which positions of a Falcon of this kind are "
		"unknown", b->g->path, name);
}

static bool
has_rotary(const struct gguf_build *b)
{
	return arch_find(json_string_value(json_object_get(b->root, "model_type")))->base.pos == POS_ROPE;
}

static enum err
set_all(struct gguf_build *b)
{
	TRY(check_kind_of_file(b));
	TRY(check_rows_and_turns(b));
	json_object_set_new(b->root, "model_type", json_string(b->arch->model_type));
	json_object_set_new(b->root, b->arch->act_key, json_string(b->arch->act));
	TRY(set_keys(b, b->arch->keys));
	TRY(set_keys(b, b->arch->own));
	TRY(set_from_tensors(b));
	TRY(check_base(b));
	TRY(set_token(b, "tokenizer.ggml.bos_token_id", "bos_token_id"));
	TRY(set_token(b, "tokenizer.ggml.eos_token_id", "eos_token_id"));
	TRY(gguf_set_windows(b));
	if (!json_object_get(b->root, "num_key_value_heads"))
		json_object_set(b->root, "num_key_value_heads", json_object_get(b->root, "num_attention_heads"));
	return has_rotary(b) ? gguf_set_rotary(b) : OK;
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
