/* lambda_code: a logarithmic byte. */
#include "lambda_code.h"

#include <math.h>

struct lambda_code
lambda_code_make(const float *lambda, size_t n, float damping)
{
	float top = 0;
	for (size_t i = 0; i < n; i++)
		top = lambda[i] > top ? lambda[i] : top;
	/* What is 1/64 of the damping that will be added to it, or less, may as well be that or 0. */
	double octaves = top > 0 ? log2(top / (damping / 64)) : 1;
	return (struct lambda_code){ top, (float)(254 / (octaves > 1 ? octaves : 1)) };
}

uint8_t
lambda_encode(const struct lambda_code *k, float lambda)
{
	if (!(lambda > 0))
		return 0;
	double c = round(255 + k->step * log2(lambda / (double)k->top));
	return c < 0 ? 0 : c > 255 ? 255 : (uint8_t)c;
}

void
lambda_decode(const struct lambda_code *k, const uint8_t *code, size_t n, float *lambda)
{
	float table[256] = {0};
	for (int c = 1; c < 256; c++)
		table[c] = (float)(k->top * exp2((c - 255) / (double)k->step));
	for (size_t i = 0; i < n; i++)
		lambda[i] = table[code[i]];
}
