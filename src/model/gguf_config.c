/* gguf: the metadata as the config.json that `transformers` would have. One table for each architecture. */
#include "gguf_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/str.h"
#include "gguf_config.h"

#define COUNT_MAX ((int64_t)1 << 31)

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

static const struct meta_key phi[] = {
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
	{"phi2", "phi", common, phi, "hidden_act", "gelu_new", .partial = "partial_rotary_factor"},
	{"gemma", "gemma", common, rms, "hidden_activation", "gelu_pytorch_tanh"},
	{"gemma2", "gemma2", common, gemma2, "hidden_activation", "gelu_pytorch_tanh"},
	{"olmo", "olmo", common, olmo, "hidden_act", "silu", .paired = true},
	{"olmo2", "olmo2", common, rms, "hidden_act", "silu"},
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

/* Where we are; names of keys have the architecture before them. */
struct build {
	const struct weights *w;
	const struct gguf *g;
	const struct gguf_arch *arch;
	json_t *root;
};

static const char *
meta(const struct build *b, const char *key, char buf[96])
{
	snprintf(buf, 96, "%s.%s", b->arch->name, key);
	return buf;
}

/* 1e-05f is meant as 1e-5: the shortest decimal that is the same float. */
static double
as_written(double v)
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
set_int(const struct build *b, const char *name, const char *key)
{
	int64_t v;
	TRY(gguf_int(b->g, name, 0, COUNT_MAX, 0, &v));
	json_object_set_new(b->root, key, json_integer(v));
	return OK;
}

static enum err
set_real(const struct build *b, const char *name, const char *key)
{
	double v;
	TRY(gguf_real(b->g, name, 0, &v));
	json_object_set_new(b->root, key, json_real(as_written(v)));
	return OK;
}

static enum err
set_bool(const struct build *b, const char *name, const char *key)
{
	bool v;
	TRY(gguf_bool(b->g, name, false, &v));
	json_object_set_new(b->root, key, json_boolean(v));
	return OK;
}

static enum err
set_keys(const struct build *b, const struct meta_key *keys)
{
	static enum err (*const set[])(const struct build *, const char *, const char *) = {
		[META_INT] = set_int, [META_REAL] = set_real, [META_BOOL] = set_bool,
	};
	char name[96];
	for (; keys && keys->meta; keys++) {
		if (gguf_find(b->g, meta(b, keys->meta, name)))
			TRY(set[keys->kind](b, name, keys->key));
		else if (keys->required)
			return err_set(ERR_FORMAT, "%s: has no \"%s\"", b->g->path, name);
	}
	return OK;
}

/* ---- what only the tensors say ---- */

static bool
has(const struct build *b, const char *tensor)
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
set_from_tensors(const struct build *b)
{
	const struct weights_tensor *embed = weights_find(b->w, "token_embd.weight");
	if (!embed)
		return err_set(ERR_MISSING, "%s: tensor \"token_embd.weight\" is missing", b->g->path);
	if (embed->n_dims != 2 || embed->shape[0] > INT32_MAX)
		return err_set(ERR_FORMAT, "%s: tensor \"token_embd.weight\" is not a table of tokens", b->g->path);
	json_object_set_new(b->root, "vocab_size", json_integer((json_int_t)embed->shape[0]));
	json_object_set_new(b->root, "tie_word_embeddings", json_boolean(gguf_tied(b->w)));
	json_object_set_new(b->root, "attention_bias",
		json_boolean(has(b, "blk.0.attn_q.bias") || has(b, "blk.0.attn_qkv.bias")));
	json_object_set_new(b->root, "mlp_bias", json_boolean(has(b, "blk.0.ffn_up.bias")));
	return OK;
}

static enum err
set_token(const struct build *b, const char *name, const char *key)
{
	int64_t id;
	TRY(gguf_int(b->g, name, 0, UINT32_MAX, -1, &id));
	json_object_set_new(b->root, key, id < 0 ? json_null() : json_integer(id));
	return OK;
}

/* ---- rotary positions ---- */

/* The frequencies of a Llama 3 are divided by what is in a tensor of their own; the numbers in config.json that lead to
 * it (Llama 3.1's model card: a smooth step from 1 to `factor` between two wavelengths) are found by trying. */
struct llama3 { double factor, high, original; };

static double
llama3_divisor(const struct llama3 *l, double wavelength)
{
	double smooth = (l->original / wavelength - 1) / (l->high - 1);
	if (smooth >= 1)
		return 1;
	return smooth <= 0 ? l->factor : 1 / ((1 - smooth) / l->factor + smooth);
}

static bool
llama3_fits(const struct llama3 *l, const float *divisors, int n, double theta)
{
	for (int i = 0; i < n; i++) {
		double want = llama3_divisor(l, 2 * M_PI * pow(theta, (double)i / n));
		if (!(fabs((double)divisors[i] - want) <= 1e-4 * want))
			return false;
	}
	return true;
}

static bool
llama3_find(struct llama3 *l, const float *divisors, int n, double theta)
{
	static const double highs[] = {4, 2, 8, 3, 16};
	l->factor = 1;
	for (int i = 0; i < n; i++)
		l->factor = fmax(l->factor, as_written((double)divisors[i]));
	for (size_t h = 0; h < ARRAY_LEN(highs); h++)
		for (int k = 4; k <= 24; k++) {
			l->high = highs[h];
			l->original = (double)(1 << (k == 4 ? 13 : k));	/* 8192, Llama's own, first */
			if (llama3_fits(l, divisors, n, theta))
				return true;
		}
	return false;
}

static enum err
set_llama3(const struct build *b, const struct weights_tensor *t)
{
	struct llama3 l;
	double theta = json_number_value(json_object_get(b->root, "rope_theta"));
	int n = t->n_dims == 1 && t->count <= 4096 ? (int)t->count : 0;
	if (n == 0)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" is not a list of rotary factors", b->g->path, t->name);
	float *divisors = xcalloc((size_t)n, sizeof(*divisors));
	enum err err = weights_read_f32(t, 0, (uint64_t)n, divisors);
	if (err == OK && !llama3_find(&l, divisors, n, theta > 0 ? theta : 10000))
		err = err_set(ERR_UNSUPPORTED,
			"%s: rotary factors that are not those of a Llama 3 (%s) are not supported",
			b->g->path, t->name);
	free(divisors);
	if (err == OK && l.factor > 1)
		json_object_set_new(b->root, "rope_scaling", json_pack("{s:s, s:f, s:f, s:f, s:I}",
			"rope_type", "llama3", "factor", l.factor, "low_freq_factor", 1.0, "high_freq_factor", l.high,
			"original_max_position_embeddings", (json_int_t)l.original));
	return err;
}

static enum err
set_scaling(const struct build *b)
{
	char name[96];
	const char *type;
	double factor;
	size_t n;
	const struct weights_tensor *t = weights_find(b->w, "rope_freqs.weight");
	TRY(gguf_str(b->g, meta(b, "rope.scaling.type", name), &type, &n));
	TRY(gguf_real(b->g, meta(b, "rope.scale_linear", name), 1, &factor));
	TRY(gguf_real(b->g, meta(b, "rope.scaling.factor", name), factor, &factor));
	if (t)
		return set_llama3(b, t);
	if (type && !(n == 4 && memcmp(type, "none", 4) == 0) && !(n == 6 && memcmp(type, "linear", 6) == 0))
		return err_set(ERR_UNSUPPORTED, "%s: rotary positions scaled by \"%.*s\" are not supported", b->g->path,
			(int)(n < 100 ? n : 100), type);
	if ((!type || n == 6) && factor != 1)
		json_object_set_new(b->root, "rope_scaling",
			json_pack("{s:s, s:f}", "rope_type", "linear", "factor", as_written(factor)));
	return OK;
}

/* The part of a head that turns, as a number that is the same part when multiplied out and cut off. */
static double
part_of(int64_t dim, int64_t head)
{
	double part = (double)dim / (double)head;
	return (int64_t)((double)head * part) < dim ? nextafter(part, 1) : part;
}

static enum err
set_rotary(const struct build *b)
{
	char name[96];
	int64_t dim, value, heads = json_integer_value(json_object_get(b->root, "num_attention_heads"));
	int64_t width = json_integer_value(json_object_get(b->root, "hidden_size"));
	const json_t *given = json_object_get(b->root, "head_dim");
	int64_t head = given ? json_integer_value(given) : heads > 0 ? width / heads : 0;
	TRY(gguf_int(b->g, meta(b, "attention.value_length", name), 0, COUNT_MAX, head, &value));
	if (value != head)
		return err_set(ERR_UNSUPPORTED,
			"%s: heads whose keys and values differ in width (%" PRId64 " and %" PRId64
			") are not supported", b->g->path, head, value);
	TRY(gguf_int(b->g, meta(b, "rope.dimension_count", name), 0, COUNT_MAX, head, &dim));
	if (head <= 0 || dim > head || (dim < head && !b->arch->partial))
		return err_set(ERR_UNSUPPORTED,
			"%s: \"%s\" is %" PRId64 ", of heads %" PRId64 " wide, which is not supported",
			b->g->path, name, dim, head);
	if (b->arch->partial)
		json_object_set_new(b->root, b->arch->partial, json_real(part_of(dim, head)));
	return set_scaling(b);
}

/* ---- the whole ---- */

static enum err
check_kind_of_file(const struct build *b)
{
	int64_t parts, experts;
	const char *type;
	char name[96];
	size_t n;
	TRY(gguf_str(b->g, "general.type", &type, &n));
	if (type && !(n == 5 && memcmp(type, "model", 5) == 0))
		return err_set(ERR_UNSUPPORTED, "%s: holds \"%.*s\", not a model", b->g->path, (int)(n < 100 ? n : 100),
			type);
	TRY(gguf_int(b->g, "split.count", 0, UINT16_MAX, 1, &parts));
	if (parts > 1)
		return err_set(ERR_UNSUPPORTED, "%s: is one of %" PRId64 " parts, which is not supported; join them: "
			"llama-gguf-split --merge", b->g->path, parts);
	TRY(gguf_int(b->g, meta(b, "expert_count", name), 0, COUNT_MAX, 0, &experts));
	if (experts > 0)
		return err_set(ERR_UNSUPPORTED, "%s: a mixture of %" PRId64 " experts is not supported", b->g->path,
			experts);
	return OK;
}

static enum err
set_all(struct build *b)
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
	if (b->arch->paired && gguf_find(b->g, meta(b, "attention.sliding_window", name))) {
		json_object_set_new(b->root, "model_type", json_string("mistral"));
		TRY(set_int(b, name, "sliding_window"));
	}
	return b->arch->keys == gpt2 ? OK : set_rotary(b);
}

enum err
gguf_config(const struct weights *w, json_t **out)
{
	struct build b = { .w = w, .g = w->gguf };
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
