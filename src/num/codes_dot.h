/*
 * codes_dot: products of rows of codes with the digits of a factor (codes.h), in whole numbers, so that every way to
 * take them gives the same bits.
 */
#ifndef BYLINE_NUM_CODES_DOT_H
#define BYLINE_NUM_CODES_DOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits of a value, each of -127 to 127. */
enum { DOT_DIGITS = 3, DOT_BASE = 255 };
/* Rows taken together, so that a digit that was loaded is used as often; the bytes of a row for which sums fit 32 bits
 * whatever they are; and what planes are aligned to and filled up to. */
enum { DOT_ROWS = 4, DOT_BYTES = 32768, DOT_ALIGN = 64 };

/* Digits lie in planes, one for each digit and, of 4-bit codes, each half of a byte, the low one first. A plane is
 * `plane` bytes long, a multiple of DOT_ALIGN, and 0 from n on; DOT_ALIGN bytes after the last may be read. */
struct dot {
	int bits;
	const uint8_t *codes;		/* (rows, n), a stride apart */
	size_t stride, n;
	const int8_t *digit;		/* (DOT_DIGITS, halves, plane) */
	size_t plane;
};

struct dot_way {
	const char *name;
	bool (*can)(void);		/* this processor */
	/* sum[d][r]: digit d of all values times the codes of row r as the unsigned numbers they are stored as (of 8
	 * bits: code + 128). rows: 1 or DOT_ROWS; n at most DOT_BYTES. Nothing beyond a row's n bytes is read. */
	void (*rows)(const struct dot *x, int rows, int32_t sum[DOT_DIGITS][DOT_ROWS]);
	/* sum[d]: of one row of `n_which` parts of n bytes, part i times the digits at which[i] * entry. n * n_which at
	 * most DOT_BYTES. */
	void (*parts)(const struct dot *x, size_t entry, const uint32_t *which, size_t n_which,
		int32_t sum[DOT_DIGITS]);
};
extern const struct dot_way dot_ways[];	/* best first; the last one always can */
extern const int n_dot_ways;

/* GCC names the instructions of a function; so does clang. */
#if defined(__x86_64__) && defined(__GNUC__)
#define DOT_X86
bool dot_vnni_can(void);
void dot_vnni_rows(const struct dot *x, int rows, int32_t sum[DOT_DIGITS][DOT_ROWS]);
void dot_vnni_parts(const struct dot *x, size_t entry, const uint32_t *which, size_t n_which, int32_t sum[DOT_DIGITS]);
bool dot_avx2_can(void);
void dot_avx2_rows(const struct dot *x, int rows, int32_t sum[DOT_DIGITS][DOT_ROWS]);
void dot_avx2_parts(const struct dot *x, size_t entry, const uint32_t *which, size_t n_which, int32_t sum[DOT_DIGITS]);
#endif

#endif
