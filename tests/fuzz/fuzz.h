/*
 * fuzz: what the fuzz targets share. A target must survive any input; what it asserts is told by abort().
 */
#ifndef BYLINE_FUZZ_H
#define BYLINE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(expr) do { \
	if (!(expr)) { \
		fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #expr); \
		abort(); \
	} \
} while (0)

#endif
