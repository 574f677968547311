/* codes_dot: vectors as digits, and their products with codes. */
#include "codes_dot.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "byline/codes.h"
#include "byline/mem.h"

/* ---- ways --------------------------------------------------------------------------------------------------- */

static int32_t
plain4(const uint8_t *codes, const int8_t *low, const int8_t *high, size_t n)
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (codes[i] & 15) * low[i] + (codes[i] >> 4) * high[i];
	return sum;
}

static int32_t
plain8(const uint8_t *codes, const int8_t *digit, size_t n)
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (codes[i] ^ 128) * digit[i];
	return sum;
}

static int32_t
plain(const struct dot *x, const uint8_t *codes, const int8_t *digit, size_t d)
{
	const int8_t *low = digit + 2 * d * x->plane;
	return x->bits == 4 ? plain4(codes, low, low + x->plane, x->n) : plain8(codes, digit + d * x->plane, x->n);
}

static void
plain_rows(const struct dot *x, int rows, int32_t sum[DOT_DIGITS][DOT_ROWS])
{
	for (size_t d = 0; d < DOT_DIGITS; d++)
		for (size_t r = 0; r < (size_t)rows; r++)
			sum[d][r] = plain(x, x->codes + r * x->stride, x->digit, d);
}

static void
plain_parts(const struct dot *x, size_t entry, const uint32_t *which, size_t n_which, int32_t sum[DOT_DIGITS])
{
	for (size_t d = 0; d < DOT_DIGITS; d++) {
		sum[d] = 0;
		for (size_t p = 0; p < n_which; p++)
			sum[d] += plain(x, x->codes + p * x->n, x->digit + which[p] * entry, d);
	}
}

static bool
always(void)
{
	return true;
}

const struct dot_way dot_ways[] = {
#ifdef DOT_X86
	{ "vnni", dot_vnni_can, dot_vnni_rows, dot_vnni_parts },
	{ "avx2", dot_avx2_can, dot_avx2_rows, dot_avx2_parts },
#endif
	{ "plain", always, plain_rows, plain_parts },
};
const int n_dot_ways = sizeof(dot_ways) / sizeof(dot_ways[0]);

static const struct dot_way *
way_best(void)
{
	const struct dot_way *w = dot_ways;
	while (!w->can())
		w++;
	return w;
}

/* ---- vectors ------------------------------------------------------------------------------------------------ */

/* The largest value that the digits make. */
static const double digits_most = 127.0 * (1 + DOT_BASE + DOT_BASE * DOT_BASE);

static size_t
halves(const struct codes_factor *f)
{
	return f->bits == 4 ? 2 : 1;
}

void
codes_factor_begin(struct codes_factor *f, int bits, size_t rows, size_t n, float most)
{
	assert(bits == 4 || bits == 8);
	*f = (struct codes_factor){ .bits = bits, .n = n, .bytes = codes_bytes(bits, n), .way = way_best() };
	f->plane = (f->bytes + DOT_ALIGN - 1) / DOT_ALIGN * DOT_ALIGN;
	f->entry = DOT_DIGITS * halves(f) * f->plane;
	f->digit = xaligned(DOT_ALIGN, rows * f->entry + DOT_ALIGN);
	f->sum = xcalloc(rows + 1, sizeof(*f->sum));
	f->scale = isfinite(most) ? (double)most / digits_most : (double)NAN;
}

static int32_t
rounded_part(int32_t value)
{
	return (value + (value < 0 ? -(DOT_BASE / 2) : DOT_BASE / 2)) / DOT_BASE;
}

/* Value i of the vector is met by half i % halves of byte i / halves. */
void
codes_factor_fill(struct codes_factor *f, size_t row, const float *v)
{
	size_t step = halves(f) * f->plane;
	double per = f->scale > 0 ? 1 / f->scale : 0;
	int64_t sum = 0;
	for (size_t i = 0; i < f->n && per > 0; i++) {
		double x = v[i] * per;
		int32_t value = (int32_t)(x + (x < 0 ? -0.5 : 0.5));
		int32_t high = rounded_part(value), top = rounded_part(high);
		int8_t *digit = f->digit + row * f->entry + i % halves(f) * f->plane + i / halves(f);
		digit[0] = (int8_t)(value - DOT_BASE * high);
		digit[step] = (int8_t)(high - DOT_BASE * top);
		digit[2 * step] = (int8_t)top;
		sum += value;
	}
	f->sum[row] = sum;
}

float
codes_most(const float *v, size_t n)
{
	float most = 0, broken = 0;
	for (size_t i = 0; i < n; i++) {
		most = fabsf(v[i]) > most ? fabsf(v[i]) : most;
		broken += 0 * v[i];
	}
	return most + broken;
}

void
codes_factor_make(struct codes_factor *f, int bits, const float *v, size_t n)
{
	codes_factor_begin(f, bits, 1, n, codes_most(v, n));
	codes_factor_fill(f, 0, v);
}

void
codes_factor_free(struct codes_factor *f)
{
	free(f->digit);
	free(f->sum);
	*f = (struct codes_factor){0};
}

/* ---- products ----------------------------------------------------------------------------------------------- */

/* What an unsigned code is above its value. */
static int64_t
shift(const struct codes_factor *f)
{
	return f->bits == 4 ? 8 : 128;
}

static int64_t
whole(int32_t low, int32_t high, int32_t top)
{
	return low + DOT_BASE * (high + (int64_t)DOT_BASE * top);
}

static void
dot_group(const struct codes_factor *f, const uint8_t *codes, size_t stride, int rows, int64_t *out)
{
	for (int r = 0; r < rows; r++)
		out[r] = -shift(f) * f->sum[0];
	for (size_t from = 0; from < f->bytes; from += DOT_BYTES) {
		int32_t sum[DOT_DIGITS][DOT_ROWS];
		size_t left = f->bytes - from;
		struct dot x = { f->bits, codes + from, stride, left < DOT_BYTES ? left : DOT_BYTES, f->digit + from,
			f->plane };
		f->way->rows(&x, rows, sum);
		for (int r = 0; r < rows; r++)
			out[r] += whole(sum[0][r], sum[1][r], sum[2][r]);
	}
}

void
codes_dot(const struct codes_factor *f, const uint8_t *codes, size_t stride, size_t rows, int64_t *out)
{
	size_t r = 0;
	for (; r + DOT_ROWS <= rows; r += DOT_ROWS)
		dot_group(f, codes + r * stride, stride, DOT_ROWS, out + r);
	for (; r < rows; r++)
		dot_group(f, codes + r * stride, stride, 1, out + r);
}

int64_t
codes_dot_parts(const struct codes_factor *f, const uint8_t *codes, size_t stride, const uint32_t *which, size_t n)
{
	int64_t out = 0;
	assert(f->bytes > 0 && f->bytes <= DOT_BYTES);
	for (size_t from = 0, many = DOT_BYTES / f->bytes; from < n; from += many) {
		int32_t sum[DOT_DIGITS];
		struct dot x = { f->bits, codes + from * f->bytes, stride, f->bytes, f->digit, f->plane };
		f->way->parts(&x, f->entry, which + from, n - from < many ? n - from : many, sum);
		out += whole(sum[0], sum[1], sum[2]);
	}
	for (size_t i = 0; i < n; i++)
		out -= shift(f) * f->sum[which[i]];
	return out;
}
