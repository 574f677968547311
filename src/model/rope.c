/* pass: rotary tables, and how their frequencies are stretched for longer contexts. */
#include "pass.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"

#define TAU 6.283185307179586476925286766559

/* All below is rounded to float where the programs that train such models do: far positions depend on it. */

/* Llama 3: slow turns are stretched, fast ones kept, with a ramp between. Dubey et al. 2024, and the configs. */
static float
llama3(const struct rope_scaling *r, float frequency)
{
	float length = (float)TAU / frequency, factor = (float)r->factor, original = (float)r->original;
	if (length < original / (float)r->high)
		return frequency;
	if (length > original / (float)r->low)
		return frequency / factor;
	float smooth = (original / length - (float)r->low) / (float)(r->high - r->low);
	return (1 - smooth) * (frequency / factor) + smooth * frequency;
}

/* The dimension that makes so many turns over the original context: Peng et al. 2023, section 3.2. */
static double
yarn_dimension(const struct model_config *c, double turns)
{
	return rope_dims(c) * log(c->rope.original / (turns * TAU)) / (2 * log(c->rope_theta));
}

static float
yarn(const struct model_config *c, int i, float frequency)
{
	double low = fmax(floor(yarn_dimension(c, c->rope.fast)), 0);
	double high = fmin(ceil(yarn_dimension(c, c->rope.slow)), rope_dims(c) - 1);
	double ramp = ((double)i - low) / (high != low ? high - low : 0.001);
	float kept = 1 - (float)fmin(fmax(ramp, 0), 1), stretched = frequency / (float)c->rope.factor;
	return stretched * (1 - kept) + frequency * kept;
}

static float
rope_frequency(const struct model_config *c, bool local, int i)
{
	double theta = local ? c->local_theta : c->rope_theta;
	float plain = 1 / (float)pow(theta, (double)((float)(2 * i) / (float)rope_dims(c)));
	switch (local ? ROPE_PLAIN : c->rope.kind) {
	case ROPE_LINEAR: return plain / (float)c->rope.factor;
	case ROPE_LLAMA3: return llama3(&c->rope, plain);
	case ROPE_YARN: return yarn(c, i, plain);
	case ROPE_LONG: return plain / (float)c->rope.near_factors[i];
	default: return plain;
	}
}

static void
rope_fill(struct rope *r, const struct model_config *c, bool local, int from, int to)
{
	int half = rope_dims(c) / 2;
	bool sized = !local && (c->rope.kind == ROPE_YARN || c->rope.kind == ROPE_LONG);
	double size = sized ? c->rope.attention : 1;
	for (int i = 0; i < half; i++) {
		float frequency = rope_frequency(c, local, i);
		for (int p = from; p < to; p++) {
			float angle = (float)p * frequency;
			r->table[local].cos[(size_t)p * half + i] = (float)(cos((double)angle) * size);
			r->table[local].sin[(size_t)p * half + i] = (float)(sin((double)angle) * size);
		}
	}
}

void
rope_grow(struct rope *r, const struct model_config *c, int n)
{
	if (c->pos != POS_ROPE || n <= r->n)
		return;
	/* By half at a time, so that a growing sequence does not fill the table anew at each token. */
	int want = n < 64 ? 64 : n + n / 2;
	size_t half = (size_t)rope_dims(c) / 2;
	for (int i = 0; i < (c->local_theta > 0 ? 2 : 1); i++) {
		r->table[i].cos = xreallocarray(r->table[i].cos, (size_t)want * half, sizeof(*r->table[i].cos));
		r->table[i].sin = xreallocarray(r->table[i].sin, (size_t)want * half, sizeof(*r->table[i].sin));
		rope_fill(r, c, i > 0, r->n, want);
	}
	r->n = want;
}

void
rope_free(struct rope *r)
{
	for (int i = 0; i < 2; i++) {
		free(r->table[i].cos);
		free(r->table[i].sin);
	}
}

void
rope_turn(const struct rope *r, const struct model_config *c, int layer, float *qkv, const int32_t *position,
	int rows, int sign)
{
	bool local = c->local_theta > 0 && model_window(c, layer) > 0;
	if (!model_turns(c, layer))
		return;
	(c->rotary_pairs ? rope_apply_pairs : rope_apply)(qkv, width_qkv(c), r->table[local].cos, r->table[local].sin,
		position, rows, c->n_head + c->n_kv_head, c->head_dim, rope_dims(c), sign);
}
