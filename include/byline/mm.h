/*
 * mm: matrix products over OpenBLAS (row-major). Single-threaded by design: parallelism lives in pool, over fixed
 * pieces, so that results do not depend on the number of threads.
 */
#ifndef BYLINE_MM_H
#define BYLINE_MM_H

#include "byline/real.h"

/* Must run once before anything else in this floor; makes OpenBLAS single-threaded. Idempotent, thread-safe. */
void mm_init(void);

/* c (m,n) = alpha * a (m,k) b (k,n) + beta * c. ld*: distance between rows. beta == 0 never reads c. */
void mm(int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c, int ldc);
/* c (m,n) = alpha * a^T b + beta * c, with a (k,m), b (k,n). */
void mm_at(int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c,
	int ldc);
/* c (m,n) = alpha * a b^T + beta * c, with a (m,k), b (n,k). */
void mm_bt(int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c,
	int ldc);

#endif
