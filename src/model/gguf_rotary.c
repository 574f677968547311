/* gguf: rotary positions as config.json has them. */
#include "gguf_config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

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
		l->factor = fmax(l->factor, gguf_as_written((double)divisors[i]));
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
set_llama3(const struct gguf_build *b, const struct weights_tensor *t)
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

static void
set_linear(const struct gguf_build *b, double factor)
{
	if (factor != 1)
		json_object_set_new(b->root, "rope_scaling",
			json_pack("{s:s, s:f}", "rope_type", "linear", "factor", gguf_as_written(factor)));
}

/* Keys that are written for a few models and would change what "yarn" means. */
static enum err
check_yarn(const struct gguf_build *b)
{
	static const char *const keys[] = {"rope.scaling.yarn_ext_factor", "rope.scaling.attn_factor"};
	char name[96];
	double v;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		TRY(gguf_real(b->g, gguf_meta(b, keys[i], name), 1, &v));
		if (v != 1)
			return err_set(ERR_UNSUPPORTED, "%s: \"%s\" is %g, only 1 is supported", b->g->path, name, v);
	}
	return OK;
}

/* Peng et al. 2023, in the words of config.json. A key that is absent leaves what `transformers` takes. */
static enum err
set_yarn(const struct gguf_build *b, double factor)
{
	static const struct { const char *meta, *key; } reals[] = {
		{"yarn_attn_factor", "attention_factor"}, {"yarn_beta_fast", "beta_fast"},
		{"yarn_beta_slow", "beta_slow"}, {"yarn_log_multiplier", "mscale_all_dim"},
	};
	char name[96], key[64];
	int64_t original;
	double v;
	json_t *rope = json_pack("{s:s, s:f}", "rope_type", "yarn", "factor", gguf_as_written(factor));
	json_object_set_new(b->root, "rope_scaling", rope);
	TRY(check_yarn(b));
	TRY(gguf_int(b->g, gguf_meta(b, "rope.scaling.original_context_length", name), 0, GGUF_COUNT_MAX, 0,
		&original));
	if (original > 0)
		json_object_set_new(rope, "original_max_position_embeddings", json_integer(original));
	for (size_t i = 0; i < ARRAY_LEN(reals); i++) {
		snprintf(key, sizeof(key), "rope.scaling.%s", reals[i].meta);
		TRY(gguf_real(b->g, gguf_meta(b, key, name), 0, &v));
		if (v != 0)
			json_object_set_new(rope, reals[i].key, json_real(gguf_as_written(v)));
	}
	/* The key tells of models whose other number is 1. */
	if (json_object_get(rope, "mscale_all_dim"))
		json_object_set_new(rope, "mscale", json_real(1));
	return OK;
}

static enum err
set_factors(const struct gguf_build *b, json_t *rope, const char *key, const char *tensor)
{
	const struct weights_tensor *t = weights_find(b->w, tensor);
	float v[ROPE_FACTORS_MAX];
	if (!t)
		return err_set(ERR_MISSING, "%s: tensor \"%s\" is missing", b->g->path, tensor);
	if (t->n_dims != 1 || t->count > ROPE_FACTORS_MAX)
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" is not a list of rotary factors", b->g->path, tensor);
	TRY(weights_read_f32(t, 0, t->count, v));
	json_t *list = json_array();
	for (uint64_t i = 0; i < t->count; i++)
		json_array_append_new(list, json_real(gguf_as_written((double)v[i])));
	json_object_set_new(rope, key, list);
	return OK;
}

/* Ding et al. 2024, in the words of config.json. */
static enum err
set_longrope(const struct gguf_build *b)
{
	char name[96];
	int64_t original;
	double attention;
	json_t *rope = json_pack("{s:s}", "rope_type", "longrope");
	json_object_set_new(b->root, "rope_scaling", rope);
	TRY(set_factors(b, rope, "short_factor", "rope_factors_short.weight"));
	TRY(set_factors(b, rope, "long_factor", "rope_factors_long.weight"));
	TRY(gguf_real(b->g, gguf_meta(b, "rope.scaling.attn_factor", name), 0, &attention));
	if (attention != 0)
		json_object_set_new(rope, "attention_factor", json_real(gguf_as_written(attention)));
	TRY(gguf_int(b->g, gguf_meta(b, "rope.scaling.original_context_length", name), 0, GGUF_COUNT_MAX, 0,
		&original));
	if (original == 0)
		return err_set(ERR_FORMAT, "%s: has no \"%s\"", b->g->path, name);
	json_object_set_new(rope, "original_max_position_embeddings", json_integer(original));
	return OK;
}

/* Layers with a window turn by a base of their own, where the family has that. */
static enum err
set_local_base(const struct gguf_build *b)
{
	char name[96];
	double theta, local;
	const char *family = json_string_value(json_object_get(b->root, "model_type"));
	if (!gguf_find(b->g, gguf_meta(b, "rope.freq_base_swa", name)))
		return OK;
	TRY(gguf_real(b->g, name, 0, &local));
	if (arch_find(family)->rotary == ROTARY_TWO) {
		json_object_set_new(b->root, "rope_parameters", json_pack("{s:{s:f}}", "sliding_attention",
			"rope_theta", gguf_as_written(local)));
		return OK;
	}
	TRY(gguf_real(b->g, gguf_meta(b, "rope.freq_base", name), 10000, &theta));
	return local == theta ? OK : err_set(ERR_UNSUPPORTED,
		"%s: \"%s_swa\" is %g and \"%s\" %g, which is not supported", b->g->path, name, local, name, theta);
}

static enum err
set_scaling(const struct gguf_build *b)
{
	char name[96];
	const char *type;
	double factor;
	size_t n;
	const struct weights_tensor *t = weights_find(b->w, "rope_freqs.weight");
	TRY(gguf_str(b->g, gguf_meta(b, "rope.scaling.type", name), &type, &n));
	TRY(gguf_real(b->g, gguf_meta(b, "rope.scale_linear", name), 1, &factor));
	TRY(gguf_real(b->g, gguf_meta(b, "rope.scaling.factor", name), factor, &factor));
	if (weights_find(b->w, "rope_factors_long.weight") || weights_find(b->w, "rope_factors_short.weight"))
		return set_longrope(b);
	if (t)
		return set_llama3(b, t);
	if (type && n == 4 && memcmp(type, "yarn", 4) == 0)
		return set_yarn(b, factor);
	if (type && !(n == 4 && memcmp(type, "none", 4) == 0) && !(n == 6 && memcmp(type, "linear", 6) == 0))
		return err_set(ERR_UNSUPPORTED, "%s: rotary positions scaled by \"%.*s\" are not supported", b->g->path,
			(int)(n < 100 ? n : 100), type);
	if (!type || n == 6)
		set_linear(b, factor);
	return OK;
}

/* The part of a head that turns, as a number that is the same part when multiplied out and cut off. */
static double
part_of(int64_t dim, int64_t head)
{
	double part = (double)dim / (double)head;
	return (int64_t)((double)head * part) < dim ? nextafter(part, 1) : part;
}

static int64_t
query_scalar(const struct gguf_build *b, int64_t head, int64_t even)
{
	int64_t layers = json_integer_value(json_object_get(b->root, "num_hidden_layers"));
	return layers == b->arch->scalar_layers ? even : head;
}

enum err
gguf_set_rotary(const struct gguf_build *b)
{
	char name[96];
	int64_t dim, value, heads = json_integer_value(json_object_get(b->root, "num_attention_heads"));
	int64_t width = json_integer_value(json_object_get(b->root, "hidden_size"));
	const json_t *given = json_object_get(b->root, "head_dim");
	int64_t even = heads > 0 ? width / heads : 0, head = given ? json_integer_value(given) : even;
	TRY(gguf_int(b->g, gguf_meta(b, "attention.value_length", name), 0, GGUF_COUNT_MAX, head, &value));
	if (value != head)
		return err_set(ERR_UNSUPPORTED,
			"%s: heads whose keys and values differ in width (%" PRId64 " and %" PRId64
			") are not supported", b->g->path, head, value);
	TRY(gguf_int(b->g, gguf_meta(b, "rope.dimension_count", name), 0, GGUF_COUNT_MAX, head, &dim));
	if (head <= 0 || dim > head || (dim < head && !b->arch->partial))
		return err_set(ERR_UNSUPPORTED,
			"%s: \"%s\" is %" PRId64 ", of heads %" PRId64 " wide, which is not supported",
			b->g->path, name, dim, head);
	json_object_set_new(b->root, "head_dim", json_integer(head));
	if (b->arch->scalar)
		json_object_set_new(b->root, b->arch->scalar, json_integer(query_scalar(b, head, even)));
	if (b->arch->partial)
		json_object_set_new(b->root, b->arch->partial, json_real(part_of(dim, head)));
	TRY(set_local_base(b));
	return set_scaling(b);
}
