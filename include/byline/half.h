/*
 * half: IEEE binary16 and bfloat16 to and from float, round to nearest even. Pure functions.
 */
#ifndef BYLINE_HALF_H
#define BYLINE_HALF_H

#include <stddef.h>
#include <stdint.h>

float half_from_f16(uint16_t h);
uint16_t half_to_f16(float f);
float half_from_bf16(uint16_t h);
uint16_t half_to_bf16(float f);

/* Arrays; src may be unaligned bytes, little-endian. */
void half_read_f16(float *dst, const void *src, size_t n);
void half_read_bf16(float *dst, const void *src, size_t n);
void half_write_f16(void *dst, const float *src, size_t n);
void half_write_bf16(void *dst, const float *src, size_t n);

#endif
