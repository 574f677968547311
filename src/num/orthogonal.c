/* orthogonal: an orthogonal matrix as the vectors of its Householder reflectors, by LAPACK. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/mm.h"

/* Fortran symbols, as in linalg.c. */
void sgeqrf_(const int *m, const int *n, float *a, const int *lda, float *tau, float *work, const int *lwork,
	int *info);
void sorgqr_(const int *m, const int *n, const int *k, float *a, const int *lda, const float *tau, float *work,
	const int *lwork, int *info);

/* LAPACK works on blocks of 32 columns; a few more do no harm. */
enum { BLOCK = 64 };

struct space { float *a, *tau, *work; int lwork; };

static void
space_free(struct space *s)
{
	free(s->a);
	free(s->tau);
	free(s->work);
}

static enum err
space_new(struct space *s, int n)
{
	*s = (struct space){ .lwork = n * BLOCK };
	mm_init();
	TRY(mem_array(&s->a, (size_t)n * (size_t)n, sizeof(float), "an orthogonal matrix"));
	TRY(mem_array(&s->tau, (size_t)n, sizeof(float), "an orthogonal matrix"));
	return mem_array(&s->work, (size_t)s->lwork, sizeof(float), "an orthogonal matrix");
}

/* LAPACK's matrices lie column after column. */
static void
transpose(float *to, const float *from, int n)
{
	for (size_t i = 0; i < (size_t)n; i++)
		for (size_t j = 0; j < (size_t)n; j++)
			to[j * (size_t)n + i] = from[i * (size_t)n + j];
}

enum err
linalg_orthogonal_pack(float *packed, const float *q, int n)
{
	enum err err;
	int info = 0;
	struct space s;
	assert(n >= 1);
	TRY_OUT(space_new(&s, n));
	transpose(s.a, q, n);
	sgeqrf_(&n, &n, s.a, &n, s.tau, s.work, &s.lwork, &info);
	assert(info == 0);
	for (int j = 0; j < n; packed += n - 1 - j, j++)
		memcpy(packed, s.a + (size_t)j * n + j + 1, (size_t)(n - 1 - j) * sizeof(*packed));
out:
	space_free(&s);
	return err;
}

/* I - tau v v^T is orthogonal for tau = 2 / |v|^2 alone; v begins with 1. */
static float
reflector_tau(const float *tail, int n)
{
	double sum = 1;
	for (int i = 0; i < n; i++)
		sum += (double)tail[i] * tail[i];
	return (float)(2 / sum);
}

enum err
linalg_orthogonal_unpack(float *q, const float *packed, int n)
{
	enum err err;
	int info = 0;
	struct space s;
	assert(n >= 1);
	TRY_OUT(space_new(&s, n));
	/* The last reflector is empty: tau 0 leaves its column alone. */
	for (int j = 0; j < n - 1; packed += n - 1 - j, j++) {
		memcpy(s.a + (size_t)j * n + j + 1, packed, (size_t)(n - 1 - j) * sizeof(*packed));
		s.tau[j] = reflector_tau(packed, n - 1 - j);
	}
	sorgqr_(&n, &n, &n, s.a, &n, s.tau, s.work, &s.lwork, &info);
	assert(info == 0);
	transpose(q, s.a, n);
out:
	space_free(&s);
	return err;
}
