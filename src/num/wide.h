/*
 * wide: WIDE before a function compiles it for the vector widths that exist, and the loader takes the widest this
 * processor has.
 * For loops that are arithmetic through and through: a training step is a fifth faster for it.
 *
 * Left out where it does not work: clang names such functions wrongly before version 18, and sanitizers must not run
 * as early as the loader's choice.
 */
#ifndef BYLINE_NUM_WIDE_H
#define BYLINE_NUM_WIDE_H

#include <stdint.h>	/* defines __GLIBC__, where there is one */

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) \
	&& !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

#endif
