/* narrow_ways: how a processor can take the products of narrow.h. */
#ifndef BYLINE_NUM_NARROW_WAYS_H
#define BYLINE_NUM_NARROW_WAYS_H

#include <stdbool.h>

#include "byline/narrow.h"

/* One row at a time: dot[kind] is sum w[c] x[c]; sums[kind] adds four rows, x[0..4) times each, to y. Q8_0 has no
 * fast sums: its blocks lie along rows. */
struct narrow_way {
	bool (*can)(void);
	float (*dot[NARROW_KINDS])(const uint8_t *w, const float *x, size_t n);
	void (*sums[NARROW_KINDS])(float *y, const uint8_t *w, size_t stride, size_t n, const float *x);
	void (*widen[NARROW_KINDS])(float *out, const uint8_t *src, size_t n);
};
extern const struct narrow_way narrow_plain;

#if defined(__x86_64__) && defined(__GNUC__)
#define NARROW_X86
extern const struct narrow_way narrow_avx2;
#endif

#endif
