/*
 * bergson_random: the random projections of bergson, which its index does not hold: they follow from the names of
 * modules. There are two versions of them.
 *
 *   2  Philox4x32-10 (Salmon et al. 2011), keyed by the first 8 bytes of the MD5 of the matrix's name, counter
 *      (w, row): signs are the bits of the four words, column c bit c % 128 of w = c / 128; normal numbers are
 *      Box-Muller's pairs of them, column c number c % 4 of w = c / 4.
 *   1  PCG64 (O'Neill 2014) as numpy seeds it, from the MD5 as a big-endian number modulo 2^63 - 1: signs are the bits
 *      of its bytes, the highest first, row after row. (Normal numbers were the device's own, and cannot be had again.)
 */
#ifndef BYLINE_ATTRIB_BERGSON_RANDOM_H
#define BYLINE_ATTRIB_BERGSON_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcg64 { uint64_t high, low, inc_high, inc_low; };

/* One matrix, row after row. */
struct bergson_matrix {
	int version;
	bool normal;
	size_t cols;
	uint64_t key, row;
	struct pcg64 pcg;
	uint64_t word;			/* what is left of PCG64's last output */
	int left;			/* bits of it */
};
void bergson_matrix_begin(struct bergson_matrix *m, const char *name, int version, bool normal, size_t cols);
/* The next row (cols): -1 and 1, or normal numbers; not scaled. */
void bergson_matrix_row(struct bergson_matrix *m, float *row);

#endif
