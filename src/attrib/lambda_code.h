/*
 * lambda_code: eigenvalues as one byte each, on a logarithmic scale from the largest down to far below the damping.
 */
#ifndef BYLINE_ATTRIB_LAMBDA_CODE_H
#define BYLINE_ATTRIB_LAMBDA_CODE_H

#include <stddef.h>
#include <stdint.h>

/* Code c > 0 stands for top * 2^((c - 255) / step), 0 for 0. */
struct lambda_code { float top, step; };

struct lambda_code lambda_code_make(const float *lambda, size_t n, float damping);
uint8_t lambda_encode(const struct lambda_code *k, float lambda);
void lambda_decode(const struct lambda_code *k, const uint8_t *code, size_t n, float *lambda);

#endif
