/*
 * narrow: products of float vectors with matrices kept in fewer bits, as they lie in files: unaligned, little-endian,
 * widened a few numbers at a time in registers. Pure functions; the same bits on every machine with the same
 * instructions.
 */
#ifndef BYLINE_NARROW_H
#define BYLINE_NARROW_H

#include <stddef.h>
#include <stdint.h>

/* Q8_0 is GGUF's: blocks of 32 numbers in 34 bytes, an F16 scale and 32 signed bytes; number = scale * byte. */
enum narrow { NARROW_F32, NARROW_F16, NARROW_BF16, NARROW_Q8_0, NARROW_KINDS };
enum { NARROW_BLOCK = 32 };		/* numbers; Q8_0 rows have whole blocks, and are cut between them */

size_t narrow_bytes(enum narrow kind, size_t n);	/* of n numbers */

/* out (n) */
void narrow_widen(float *out, enum narrow kind, const void *src, size_t n);
/* y[r] += sum_c w[r][c] x[c], r < rows, c < cols; rows of w are `stride` bytes apart. */
void narrow_dots(float *y, enum narrow kind, const void *w, size_t stride, int rows, int cols, const float *x);
/* y[c] += sum_r w[r][c] x[r]: the same for a matrix that lies transposed. */
void narrow_sums(float *y, enum narrow kind, const void *w, size_t stride, int rows, int cols, const float *x);

#endif
