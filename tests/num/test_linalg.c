/* Decompositions: they reconstruct, they are orthonormal, and they are the same every time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/half.h"
#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"

/* b b^T / n + a little of the unit matrix, (n,n). */
static float *
random_spd(int n)
{
	struct rng rng;
	rng_init(&rng, 3, (uint64_t)n);
	float *b = xcalloc((size_t)n * n, sizeof(*b)), *a = xcalloc((size_t)n * n, sizeof(*a));
	for (int i = 0; i < n * n; i++)
		b[i] = (float)rng_normal(&rng);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			for (int k = 0; k < n; k++)
				a[i * n + j] += b[i * n + k] * b[j * n + k] / (float)n;
			a[i * n + j] += i == j ? 0.1f : 0;
		}
	free(b);
	return a;
}

static void
check_eigh(int n)
{
	float *a = random_spd(n), *q = xcalloc((size_t)n * n, sizeof(*q)), *w = xcalloc((size_t)n, sizeof(*w));
	float *back = xcalloc((size_t)n * n, sizeof(*back));
	memcpy(q, a, (size_t)n * n * sizeof(*q));
	assert_ok(linalg_eigh(q, w, n));
	linalg_from_eig(back, q, w, n);
	for (int i = 0; i < n * n; i++)
		assert_true(fabsf(back[i] - a[i]) < 2e-5f);
	for (int j = 0; j < n; j++) {
		int most = 0;
		assert_true(j == 0 || w[j] >= w[j - 1]);
		for (int i = 1; i < n; i++)
			most = fabsf(q[i * n + j]) > fabsf(q[most * n + j]) ? i : most;
		assert_true(q[most * n + j] > 0);
	}
	free(a);
	free(q);
	free(w);
	free(back);
}

static void
test_eigh(void **state)
{
	(void)state;
	static const int sizes[] = {1, 2, 3, 40, 100, 130};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		check_eigh(sizes[i]);
	assert_ok(linalg_eigh(NULL, NULL, 0));
}

static void
test_eigh_not_finite(void **state)
{
	(void)state;
	float a[] = {1, NAN, NAN, 1}, b[] = {INFINITY, 0, 0, 1}, w[2];
	assert_err(linalg_eigh(a, w, 2), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "NaN"));
	assert_err(linalg_eigh(b, w, 2), ERR_FORMAT);
}

static void
test_orthonormal_rows(void **state)
{
	(void)state;
	enum { K = 70, D = 96 };
	float *p = xcalloc(D * D, sizeof(*p)), *fewer = xcalloc(D * D, sizeof(*p));
	assert_ok(linalg_orthonormal_rows(p, K, D, 5, 6));
	for (int i = 0; i < K; i++)
		for (int j = 0; j <= i; j++) {
			double s = 0;
			for (int c = 0; c < D; c++)
				s += (double)p[i * D + c] * (double)p[j * D + c];
			assert_true(fabs(s - (i == j)) < 1e-6);
		}
	assert_ok(linalg_orthonormal_rows(fewer, 33, D, 5, 6));
	assert_memory_equal(p, fewer, 33 * D * sizeof(*p));
	assert_ok(linalg_orthonormal_rows(fewer, 33, D, 5, 7));
	assert_true(memcmp(p, fewer, D * sizeof(*p)) != 0);
	/* A full square: the last row has one direction left. */
	assert_ok(linalg_orthonormal_rows(p, D, D, 1, 1));
	double s = 0;
	for (int c = 0; c < D; c++)
		s += (double)p[(D - 1) * D + c] * (double)p[c];
	assert_true(fabs(s) < 1e-6);
	free(p);
	free(fewer);
}

static void
test_solve_spd(void **state)
{
	(void)state;
	double a[] = {4, 1, 1, 3}, b[] = {1, 2}, bad[] = {1, 2, 2, 1}, c[] = {1, 1};
	assert_ok(linalg_solve_spd(a, b, 2));
	assert_true(fabs(b[0] - 1.0 / 11) < 1e-14 && fabs(b[1] - 7.0 / 11) < 1e-14);
	assert_err(linalg_solve_spd(bad, c, 2), ERR_FORMAT);
}

/* Rounded to halves in between, the matrix is orthogonal to float precision, and close to what it was up to signs. */
static void
check_orthogonal(int n)
{
	size_t count = (size_t)n * (size_t)(n - 1) / 2;
	float *q = xcalloc((size_t)n * n, sizeof(*q)), *back = xcalloc((size_t)n * n, sizeof(*back));
	float *packed = xcalloc(count + 1, sizeof(*packed));
	assert_ok(linalg_orthonormal_rows(q, n, n, 5, (uint64_t)n));
	assert_ok(linalg_orthogonal_pack(packed, q, n));
	for (size_t i = 0; i < count; i++) {
		assert_true(fabsf(packed[i]) <= 1.0001f);
		packed[i] = half_from_f16(half_to_f16(packed[i]));
	}
	assert_ok(linalg_orthogonal_unpack(back, packed, n));
	for (int j = 0; j < n; j++) {
		double same = 0;
		for (int k = 0; k <= j; k++) {
			double dot = 0;
			for (int i = 0; i < n; i++)
				dot += (double)back[i * n + j] * back[i * n + k];
			assert_true(fabs(dot - (j == k)) < 1e-5);
		}
		for (int i = 0; i < n; i++)
			same += (double)back[i * n + j] * q[i * n + j];
		assert_true(fabs(fabs(same) - 1) < 1e-4);
	}
	free(q);
	free(back);
	free(packed);
}

static void
test_orthogonal(void **state)
{
	(void)state;
	check_orthogonal(1);
	check_orthogonal(2);
	check_orthogonal(17);
	check_orthogonal(130);
}

/* What is packed again after rounding is the same numbers: a basis read from disk and written back does not drift. */
static void
test_orthogonal_again(void **state)
{
	enum { N = 40, COUNT = N * (N - 1) / 2 };
	float q[N * N], packed[COUNT], again[COUNT];
	(void)state;
	assert_ok(linalg_orthonormal_rows(q, N, N, 5, 1));
	assert_ok(linalg_orthogonal_pack(packed, q, N));
	for (int i = 0; i < COUNT; i++)
		packed[i] = half_from_f16(half_to_f16(packed[i]));
	assert_ok(linalg_orthogonal_unpack(q, packed, N));
	assert_ok(linalg_orthogonal_pack(again, q, N));
	for (int i = 0; i < COUNT; i++)
		assert_true(half_from_f16(half_to_f16(again[i])) == packed[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eigh),
		cmocka_unit_test(test_eigh_not_finite),
		cmocka_unit_test(test_orthonormal_rows),
		cmocka_unit_test(test_orthogonal),
		cmocka_unit_test(test_orthogonal_again),
		cmocka_unit_test(test_solve_spd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
