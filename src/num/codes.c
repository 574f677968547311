/* codes: small integers with a scale. */
#include "byline/codes.h"

#include <assert.h>
#include <math.h>

#include "wide.h"

size_t
codes_bytes(int bits, size_t n)
{
	return bits == 8 ? n : (n + 1) / 2;
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
write4(uint8_t *codes, const float *v, size_t n, float scale)
{
	for (size_t i = 0; i < n; i += 2) {
		int low = code_of(v[i], scale) + 8, high = i + 1 < n ? code_of(v[i + 1], scale) + 8 : 8;
		codes[i / 2] = (uint8_t)(low | high << 4);
	}
}

static void
write8(uint8_t *codes, const float *v, size_t n, float scale)
{
	for (size_t i = 0; i < n; i++)
		codes[i] = (uint8_t)(int8_t)code_of(v[i], scale);
}

float
codes_write(int bits, uint8_t *codes, const float *v, size_t n)
{
	assert(bits == 4 || bits == 8);
	float scale = largest(v, n) / (bits == 8 ? 127 : 7);
	(bits == 8 ? write8 : write4)(codes, v, n, scale);
	return scale;
}

/* ---- up ---- */

WIDE static void
read4(float *restrict v, const uint8_t *restrict codes, size_t n, float scale)
{
	for (size_t i = 0; i < n / 2; i++) {
		v[2 * i] = scale * (float)((int)(codes[i] & 15) - 8);
		v[2 * i + 1] = scale * (float)((int)(codes[i] >> 4) - 8);
	}
	if (n % 2)
		v[n - 1] = scale * (float)((int)(codes[n / 2] & 15) - 8);
}

WIDE static void
read8(float *restrict v, const uint8_t *restrict codes, size_t n, float scale)
{
	for (size_t i = 0; i < n; i++)
		v[i] = scale * (float)(int8_t)codes[i];
}

void
codes_read(int bits, float *v, const uint8_t *codes, size_t n, float scale)
{
	if (bits == 8)
		read8(v, codes, n, scale);
	else
		read4(v, codes, n, scale);
}
