/* linalg: symmetric eigenproblems, orthonormal rows, positive definite systems. */
#include "byline/linalg.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"

/* OpenBLAS carries LAPACK, but not every system ships its C headers: these are the Fortran symbols (LP64). */
void ssyevd_(const char *jobz, const char *uplo, const int *n, float *a, const int *lda, float *w, float *work,
	const int *lwork, int *iwork, const int *liwork, int *info);
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
	int *info);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
	const int *ldb, int *info);

static void
transpose(float *a, int n)
{
	for (size_t i = 0; i < (size_t)n; i++)
		for (size_t j = 0; j < i; j++) {
			float t = a[i * n + j];
			a[i * n + j] = a[j * n + i];
			a[j * n + i] = t;
		}
}

/* Rows of v are eigenvectors, free up to their sign. */
static void
fix_signs(float *v, int n)
{
	for (int i = 0; i < n; i++) {
		float *row = v + (size_t)i * n;
		int most = 0;
		for (int j = 1; j < n; j++)
			most = fabsf(row[j]) > fabsf(row[most]) ? j : most;
		if (row[most] < 0)
			for (int j = 0; j < n; j++)
				row[j] = -row[j];
	}
}

static bool
all_finite(const float *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(a[i]))
			return false;
	return true;
}

static enum err
syevd(float *a, float *w, int n)
{
	enum err err = OK;
	float *work = NULL, want = 0;
	int *iwork = NULL, iwant = 0, info = 0, query = -1;
	ssyevd_("V", "L", &n, a, &n, w, &want, &query, &iwant, &query, &info);
	/* The size comes back in a float, which rounds large ones down. */
	size_t size = 1 + 6 * (size_t)n + 2 * (size_t)n * (size_t)n;
	if ((double)want > (double)size)
		size = (size_t)want;
	if (size > INT32_MAX)
		return err_set(ERR_LIMIT, "an eigenproblem of %d rows is larger than this LAPACK can index", n);
	TRY_OUT(mem_array(&work, size, sizeof(*work), "eigenvector workspace"));
	TRY_OUT(mem_array(&iwork, (size_t)iwant, sizeof(*iwork), "eigenvector workspace"));
	int lwork = (int)size;
	ssyevd_("V", "L", &n, a, &n, w, work, &lwork, iwork, &iwant, &info);
	if (info != 0)
		err = err_set(ERR_FORMAT, "the eigenvectors of a matrix of %d rows did not converge", n);
out:
	free(iwork);
	free(work);
	return err;
}

enum err
linalg_eigh(float *a, float *w, int n)
{
	assert(n >= 0);
	if (n == 0)
		return OK;
	if (!all_finite(a, (size_t)n * (size_t)n))
		return err_set(ERR_FORMAT, "a matrix of %d rows holds NaN or infinity: no eigenvectors", n);
	mm_init();
	TRY(syevd(a, w, n));
	fix_signs(a, n);
	transpose(a, n);
	return OK;
}

/* Classical Gram-Schmidt against `done` orthonormal rows; run twice it is as good as Householder (Giraud, Langou,
 * Rozloznik, "The loss of orthogonality in the Gram-Schmidt orthogonalization process", 2005). */
static void
project_out(double *row, const double *rows, int done, int d, double *coef)
{
	if (done == 0)
		return;
	cblas_dgemv(CblasRowMajor, CblasNoTrans, done, d, 1, rows, d, row, 1, 0, coef, 1);
	cblas_dgemv(CblasRowMajor, CblasTrans, done, d, -1, rows, d, coef, 1, 1, row, 1);
}

static void
normalise(double *row, int d)
{
	double s = 1 / sqrt(cblas_ddot(d, row, 1, row, 1));
	for (int i = 0; i < d; i++)
		row[i] *= s;
}

enum err
linalg_orthonormal_rows(float *p, int k, int d, uint64_t seed, uint64_t stream)
{
	assert(k >= 0 && k <= d);
	enum err err = OK;
	double *rows = NULL, *coef = NULL;
	struct rng rng;
	mm_init();
	TRY_OUT(mem_array(&rows, (size_t)k * (size_t)d, sizeof(*rows), "random rows"));
	TRY_OUT(mem_array(&coef, (size_t)k, sizeof(*coef), "random rows"));
	rng_init(&rng, seed, stream);
	for (int j = 0; j < k; j++) {
		double *row = rows + (size_t)j * d;
		for (int i = 0; i < d; i++)
			row[i] = rng_normal(&rng);
		for (int pass = 0; pass < 2; pass++) {
			project_out(row, rows, j, d, coef);
			normalise(row, d);
		}
	}
	for (size_t i = 0; i < (size_t)k * (size_t)d; i++)
		p[i] = (float)rows[i];
out:
	free(coef);
	free(rows);
	return err;
}

void
linalg_from_eig(float *out, const float *q, const float *f, int n)
{
	enum { ROWS = 64 };
	float *scaled = xreallocarray(NULL, (size_t)ROWS * (size_t)n, sizeof(*scaled));
	for (int from = 0; from < n; from += ROWS) {
		int rows = n - from < ROWS ? n - from : ROWS;
		for (int r = 0; r < rows; r++)
			for (int c = 0; c < n; c++)
				scaled[(size_t)r * n + c] = q[(size_t)(from + r) * n + c] * f[c];
		mm_bt(rows, n, n, 1, scaled, n, q, n, 0, out + (size_t)from * n, n);
	}
	free(scaled);
}

enum err
linalg_solve_spd(double *a, double *b, int n)
{
	int info = 0, one = 1;
	if (n == 0)
		return OK;
	mm_init();
	dposv_("L", &n, &one, a, &n, b, &n, &info);
	if (info != 0)
		return err_set(ERR_FORMAT, "a system of %d unknowns is not positive definite", n);
	return OK;
}

enum err
linalg_factor_spd(double *a, int n)
{
	int info = 0;
	if (n == 0)
		return OK;
	mm_init();
	dpotrf_("L", &n, a, &n, &info);
	if (info != 0)
		return err_set(ERR_FORMAT, "a matrix of %d rows is not positive definite", n);
	return OK;
}

void
linalg_factor_solve(const double *factor, double *b, int n)
{
	int info = 0, one = 1;
	if (n > 0)
		dpotrs_("L", &n, &one, factor, &n, b, &n, &info);
	assert(info == 0);
}
