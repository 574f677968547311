/*
 * codes: floats as integers of 4 or 8 bits with one scale, value = scale * code. Pure functions but for allocation.
 *
 * 8 bits: two's complement, -127 to 127. 4 bits: code + 8, -7 to 7, the even index in the low half of its byte; an odd
 * count fills the last half with 0.
 */
#ifndef BYLINE_CODES_H
#define BYLINE_CODES_H

#include <stddef.h>
#include <stdint.h>

size_t codes_bytes(int bits, size_t n);
/* Rounds to nearest; returns the scale, the largest magnitude over the largest code. All zeros: scale 0. What is not
 * finite gives a scale that is not, or a code of 0. */
float codes_write(int bits, uint8_t *codes, const float *v, size_t n);
/* Any bytes are codes. */
void codes_read(int bits, float *v, const uint8_t *codes, size_t n, float scale);

/*
 * Vectors of n values made ready for products with codes as they are: value = scale * whole number, three digits of
 * base 255, whose largest magnitude is 8290687: a value is off by at most 2^-24 of the largest of all, as when that
 * is rounded to float32. The products and their sums are whole numbers, hence the same bits whatever instructions
 * take them and in whatever order.
 */
struct dot_way;
struct codes_factor {
	int bits;
	size_t n, bytes;		/* values of a vector; bytes of the codes it meets */
	double scale;			/* NaN when a value is not finite; 0 when all are 0 */
	/* private: see codes_dot.h */
	size_t plane, entry;
	int8_t *digit;
	int64_t *sum;
	const struct dot_way *way;
};
/* One vector; or `rows` of them with one scale, to be filled, by several threads if need be: most is the largest
 * magnitude of all their values. */
void codes_factor_make(struct codes_factor *f, int bits, const float *v, size_t n);
void codes_factor_begin(struct codes_factor *f, int bits, size_t rows, size_t n, float most);
void codes_factor_fill(struct codes_factor *f, size_t row, const float *v);
void codes_factor_free(struct codes_factor *f);		/* safe on a zeroed struct */
float codes_most(const float *v, size_t n);		/* largest magnitude; not finite when a value is not */
/* out (rows): sum of codes times the first vector's whole numbers, for rows of f->bytes codes a stride apart; times
 * f->scale and the row's own scale it is the inner product. Any bytes are codes; none beyond a row's end are read. */
void codes_dot(const struct codes_factor *f, const uint8_t *codes, size_t stride, size_t rows, int64_t *out);
/* The same of one row whose n parts, of f->bytes codes each, meet vectors which[0 .. n). `stride` from here there is
 * another such row. f->bytes at most 32768. */
int64_t codes_dot_parts(const struct codes_factor *f, const uint8_t *codes, size_t stride, const uint32_t *which,
	size_t n);

#endif
