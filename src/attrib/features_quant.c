/* features_quant: values to 4 or 8 bit codes with a scale a block, and back. */
#include "features_internal.h"

#include <math.h>
#include <string.h>

size_t
block_values(const struct feature_block *b)
{
	return (size_t)b->ka * (size_t)b->ks;
}

size_t
block_bytes(const struct feature_layout *l, const struct feature_block *b)
{
	return l->bits == 8 ? block_values(b) : (block_values(b) + 1) / 2;
}

/* ---- down ---- */

static float
largest(const float *v, size_t n)
{
	float most = 0;
	for (size_t i = 0; i < n; i++)
		most = fabsf(v[i]) > most ? fabsf(v[i]) : most;
	return most;
}

/* What is not a number has no code of its own, and must not become one that is out of range. */
static int
code_of(float v, float scale)
{
	float code = v / scale;
	return fabsf(code) < 127.5f ? (int)lrintf(code) : 0;
}

static void
encode4(const float *v, size_t n, float scale, uint8_t *code)
{
	for (size_t i = 0; i < n; i += 2) {
		int low = code_of(v[i], scale) + 8, high = i + 1 < n ? code_of(v[i + 1], scale) + 8 : 8;
		code[i / 2] = (uint8_t)(low | high << 4);
	}
}

static void
encode8(const float *v, size_t n, float scale, uint8_t *code)
{
	for (size_t i = 0; i < n; i++)
		code[i] = (uint8_t)(int8_t)code_of(v[i], scale);
}

void
features_quantise(const struct feature_layout *l, const float *row, uint8_t *codes, float *scales)
{
	for (int i = 0; i < l->n_blocks; i++) {
		const struct feature_block *b = &l->block[i];
		const float *v = row + b->at;
		scales[i] = largest(v, block_values(b)) / (l->bits == 8 ? 127 : 7);
		(l->bits == 8 ? encode8 : encode4)(v, block_values(b), scales[i], codes);
		codes += block_bytes(l, b);
	}
}

/* ---- up ---- */

static void
decode4(float *restrict v, const uint8_t *restrict code, size_t n, float scale)
{
	for (size_t i = 0; i < n / 2; i++) {
		v[2 * i] = scale * (float)((int)(code[i] & 15) - 8);
		v[2 * i + 1] = scale * (float)((int)(code[i] >> 4) - 8);
	}
	if (n % 2)
		v[n - 1] = scale * (float)((int)(code[n / 2] & 15) - 8);
}

static void
decode8(float *restrict v, const uint8_t *restrict code, size_t n, float scale)
{
	for (size_t i = 0; i < n; i++)
		v[i] = scale * (float)(int8_t)code[i];
}

void
block_decode(const struct feature_layout *l, const struct feature_block *b, const uint8_t *codes, float scale, float *v)
{
	(l->bits == 8 ? decode8 : decode4)(v, codes, block_values(b), scale);
}

void
features_dequantise(const struct feature_layout *l, const uint8_t *codes, const float *scales, float *row)
{
	for (int i = 0; i < l->n_blocks; i++) {
		block_decode(l, &l->block[i], codes, scales[i], row + l->block[i].at);
		codes += block_bytes(l, &l->block[i]);
	}
}
