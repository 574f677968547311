/* half: the two 16-bit floats. */
#include "byline/half.h"

#include <string.h>

static uint32_t
bits_of(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof(u));
	return u;
}

static float
float_of(uint32_t u)
{
	float f;
	memcpy(&f, &u, sizeof(f));
	return f;
}

float
half_from_f16(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = (uint32_t)(h & 0x7fff) << 13;
	if ((h & 0x7c00) == 0x7c00)
		return float_of(sign | rest | 0x7f800000);
	/* As float bits `rest` is the number times 2^-112, and subnormals come out right too. */
	return float_of(sign | bits_of(float_of(rest) * 0x1p112f));
}

uint16_t
half_to_f16(float f)
{
	uint32_t u = bits_of(f), sign = (u >> 16) & 0x8000;
	u &= 0x7fffffff;
	if (u > 0x7f800000)
		return (uint16_t)(sign | 0x7e00 | ((u >> 13) & 0x3ff));
	if (u >= 0x477ff000)		/* 65520 and above round to infinity */
		return (uint16_t)(sign | 0x7c00);
	/* Below 2^-14 the result is subnormal: adding 1/2 makes the processor round to multiples of 2^-24. */
	if (u < 0x38800000)
		return (uint16_t)(sign | (bits_of(float_of(u) + 0.5f) - bits_of(0.5f)));
	u += 0xfff + ((u >> 13) & 1);
	return (uint16_t)(sign | ((u - (112u << 23)) >> 13));
}

float
half_from_bf16(uint16_t h)
{
	return float_of((uint32_t)h << 16);
}

uint16_t
half_to_bf16(float f)
{
	uint32_t u = bits_of(f);
	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)((u >> 16) | 0x40);
	return (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

static uint16_t
get(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void
put(unsigned char *p, uint16_t h)
{
	p[0] = (unsigned char)(h & 0xff);
	p[1] = (unsigned char)(h >> 8);
}

void
half_read_f16(float *dst, const void *src, size_t n)
{
	const unsigned char *p = src;
	for (size_t i = 0; i < n; i++)
		dst[i] = half_from_f16(get(p + 2 * i));
}

void
half_read_bf16(float *dst, const void *src, size_t n)
{
	const unsigned char *p = src;
	for (size_t i = 0; i < n; i++)
		dst[i] = half_from_bf16(get(p + 2 * i));
}

void
half_write_f16(void *dst, const float *src, size_t n)
{
	unsigned char *p = dst;
	for (size_t i = 0; i < n; i++)
		put(p + 2 * i, half_to_f16(src[i]));
}

void
half_write_bf16(void *dst, const float *src, size_t n)
{
	unsigned char *p = dst;
	for (size_t i = 0; i < n; i++)
		put(p + 2 * i, half_to_bf16(src[i]));
}
