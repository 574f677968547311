/* mm: the three matrix products, over OpenBLAS. */
#include "byline/mm.h"

#include <assert.h>
#include <cblas.h>
#include <pthread.h>

#ifdef BYLINE_REAL_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

static void
make_single_threaded(void)
{
	openblas_set_num_threads(1);
}

void
mm_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_single_threaded);
}

static void
product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb,
	real beta, real *c, int ldc)
{
	assert(m >= 0 && n >= 0 && k >= 0 && ldc >= n);
	if (m > 0 && n > 0)
		GEMM(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void
mm(int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c, int ldc)
{
	product(CblasNoTrans, CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void
mm_at(int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c, int ldc)
{
	product(CblasTrans, CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void
mm_bt(int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c, int ldc)
{
	product(CblasNoTrans, CblasTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
