/*
 * codes: floats as integers of 4 or 8 bits with one scale, value = scale * code. Pure functions.
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

#endif
