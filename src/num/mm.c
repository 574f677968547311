/* mm: the three matrix products, over OpenBLAS. */
#include "byline/mm.h"

#include <assert.h>
#include <cblas.h>
#include <pthread.h>

#ifdef BYLINE_REAL_DOUBLE
#define GEMM cblas_dgemm
#define GEMV cblas_dgemv
#else
#define GEMM cblas_sgemm
#define GEMV cblas_sgemv
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
product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b,
	int ldb, real beta, real *c, int ldc)
{
	assert(m >= 0 && n >= 0 && k >= 0 && ldc >= n);
	if (m > 0 && n > 0)
		GEMM(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/* One row, as in generation: sgemm would copy all of b first. c = alpha op(b) a + beta c, where b is (rows, cols). */
static void
row_product(CBLAS_TRANSPOSE tb, int rows, int cols, real alpha, const real *a, const real *b, int ldb, real beta,
	real *c)
{
	int n = tb == CblasTrans ? cols : rows;
	/* Not every gemv promises not to read what it multiplies by 0. */
	for (int i = 0; beta != 1 && i < n; i++)
		c[i] = beta == 0 ? 0 : beta * c[i];
	if (rows > 0 && cols > 0)
		GEMV(CblasRowMajor, tb, rows, cols, alpha, b, ldb, a, 1, 1, c, 1);
}

void
mm(int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c, int ldc)
{
	if (m == 1)
		row_product(CblasTrans, k, n, alpha, a, b, ldb, beta, c);
	else
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
	if (m == 1)
		row_product(CblasNoTrans, n, k, alpha, a, b, ldb, beta, c);
	else
		product(CblasNoTrans, CblasTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
