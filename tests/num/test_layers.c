/* The layers in float: accuracy of the fast functions, products with odd row distances, what the headers promise. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/num/exp.h"
#include "byline/layers.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"
#include "unit.h"

static float *
random_floats(size_t n, uint64_t stream)
{
	struct rng rng;
	rng_init(&rng, 11, stream);
	float *v = xreallocarray(NULL, n, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = (float)rng_normal(&rng);
	return v;
}

static void
test_exp(void **state)
{
	(void)state;
	double worst = 0;
	for (double x = -87.3; x < 88.3; x += 0.00037) {
		double want = exp((double)(float)x);
		int e;
		frexp(want, &e);
		worst = fmax(worst, fabs(real_exp((float)x) - want) / ldexp(1, e - 24));
	}
	assert_true(worst < 2);		/* ulp */
	assert_true(real_exp(0) == 1);
	assert_true(real_exp(-88) == 0 && real_exp(-INFINITY) == 0 && real_exp(-3e38f) == 0);
	assert_true(isinf(real_exp(89)) && isinf(real_exp(INFINITY)) && isnan(real_exp(NAN)));
	assert_true(real_sigmoid(-1000) == 0 && real_sigmoid(1000) == 1);
}

/* want[i] = sum of a and b by plain loops; `ta`, `tb` say which is transposed. */
static double
product_at(const float *a, int lda, int ta, const float *b, int ldb, int tb, int i, int j, int k)
{
	double s = 0;
	for (int l = 0; l < k; l++)
		s += (double)a[ta ? l * lda + i : i * lda + l] * (double)b[tb ? j * ldb + l : l * ldb + j];
	return s;
}

static void (*const products[])(int, int, int, real, const real *, int, const real *, int, real, real *, int) = {mm, mm_at, mm_bt};
enum { N = 9, K = 17, LD = 23 };

/* c = a b / 2 + 2 c, for each of the three; c's row has LD - N numbers that are not the product's. */
static void
check_products(int m)
{
	float *a = random_floats(LD * LD, 1), *b = random_floats(LD * LD, 2), *c = random_floats(LD * LD, 3);
	float *keep = random_floats(LD * LD, 3);
	for (int f = 0; f < 3; f++) {
		memcpy(c, keep, LD * LD * sizeof(*c));
		products[f](m, N, K, 0.5f, a, LD, b, LD, 2, c, LD);
		for (int i = 0; i < LD; i++)
			for (int j = 0; j < LD; j++) {
				double want = i < m && j < N
					? 0.5 * product_at(a, LD, f == 1, b, LD, f == 2, i, j, K) + 2 * (double)keep[i * LD + j]
					: (double)keep[i * LD + j];
				assert_true(fabs((double)c[i * LD + j] - want) < 1e-5);
			}
	}
	free(a);
	free(b);
	free(c);
	free(keep);
}

static void
test_mm(void **state)
{
	(void)state;
	mm_init();
	check_products(13);
	check_products(1);
	check_products(0);
}

static void
test_mm_zeros(void **state)
{
	(void)state;
	float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, c[4];
	for (int f = 0; f < 3; f++)
		for (int m = 1; m < 3; m++) {
			c[0] = c[1] = c[2] = c[3] = NAN;
			products[f](m, 2, 2, 1, a, 2, b, 2, 0, c, 2);
			assert_false(isnan(c[0]) || isnan(c[1]) || (m == 2 && isnan(c[3])));
			products[f](m, 2, 0, 1, a, 2, b, 2, 0, c, 2);
			assert_true(c[0] == 0 && c[1] == 0);
			c[0] = 3;
			products[f](m, 2, 0, 1, a, 2, b, 2, 2, c, 2);
			assert_true(c[0] == 6);
		}
}

/* Gradients that nobody wants are not computed; what is there is added to. */
static void
test_linear_null(void **state)
{
	(void)state;
	float x[] = {1, 2}, w[] = {3, 4}, y[1], dy[] = {2}, dw[] = {10, 20};
	linear_forward(y, x, w, NULL, 1, 2, 1);
	assert_true(y[0] == 11);
	linear_backward(NULL, dw, NULL, dy, x, w, 1, 2, 1);
	assert_true(dw[0] == 12 && dw[1] == 24);
}

static void
test_gelu_against_libm(void **state)
{
	(void)state;
	for (float x = -12; x < 12; x += 0.01f) {
		double u = sqrt(2 / M_PI) * (x + 0.044715 * x * x * x), want = 0.5 * x * (1 + tanh(u));
		float y, z;
		gelu_tanh_forward(&y, &x, 1);
		assert_true(fabs((double)y - want) < 1e-6 * (1 + fabs(want)));
		gelu_erf_forward(&z, &x, 1);
		assert_true(fabs((double)z - 0.5 * x * (1 + erf(x * M_SQRT1_2))) < 1e-6 * (1 + fabs(want)));
	}
}

/* Each row of prob sums to 1, looks at no later token, and is zero above the diagonal. */
static void
test_attention_causal(void **state)
{
	(void)state;
	enum { L = 300, HD = 8 };
	int32_t start[] = {0, L};
	struct att_shape s = {1, start, 1, 1, HD, 0.35f};
	float *q = random_floats(L * HD, 1), *k = random_floats(L * HD, 2), *v = random_floats(L * HD, 3);
	float *out = xcalloc(L * HD, sizeof(float)), *prob = xcalloc(att_size(&s), sizeof(float));
	float *before = xcalloc(L * HD, sizeof(float));
	prob[1] = NAN;
	mm_init();
	attention_forward(out, HD, prob, q, HD, k, HD, v, HD, &s);
	for (int i = 0; i < L; i++) {
		double sum = 0;
		for (int j = 0; j < L; j++) {
			sum += prob[i * L + j];
			assert_true(j <= i ? prob[i * L + j] > 0 : prob[i * L + j] == 0);
		}
		assert_true(fabs(sum - 1) < 1e-5);
	}
	memcpy(before, out, L * HD * sizeof(float));
	k[200 * HD] += 3;
	v[200 * HD] += 3;
	attention_forward(out, HD, prob, q, HD, k, HD, v, HD, &s);
	assert_memory_equal(before, out, 200 * HD * sizeof(float));
	assert_true(before[200 * HD] != out[200 * HD]);
	free(q);
	free(k);
	free(v);
	free(out);
	free(prob);
	free(before);
}

static void
test_xent(void **state)
{
	(void)state;
	enum { R = 3, V = 1000 };
	float *x = random_floats(R * V, 5), nll[R], *out = xcalloc(V, sizeof(float)), *d = xcalloc(R * V, sizeof(float));
	int32_t target[] = {4, -1, 999};
	float weight[] = {2, 2, 0.5f};
	x[4] = 90;	/* would overflow without the maximum taken off */
	x[5] = -200;
	xent(nll, d, x, target, weight, R, V);
	assert_true(nll[1] == 0 && nll[0] >= 0 && nll[0] < 1e-6f);
	log_softmax(out, x + 2 * V, V);
	assert_true(fabsf(nll[2] + out[999]) < 1e-5f);
	double sum = 0;
	for (int i = 0; i < V; i++) {
		assert_true(d[V + i] == 0);
		sum += d[2 * V + i];
		assert_true(fabs(d[2 * V + i] - 0.5 * (exp(out[i]) - (i == 999))) < 1e-6);
	}
	assert_true(fabs(sum) < 1e-6);
	xent(nll, x, x, target, weight, R, V);
	assert_memory_equal(x, d, R * V * sizeof(float));
	free(x);
	free(out);
	free(d);
}

/* A grid of u stands for the uniform distribution: each index must get its share of it, and one of probability 0 none. */
static void
test_softmax_draw(void **state)
{
	(void)state;
	enum { V = 1000, DRAWS = 100000 };
	float *x = random_floats(V, 8), *logp = xcalloc(V, sizeof(*logp));
	int *count = xcalloc(V, sizeof(*count));
	x[0] = x[300] = x[999] = -INFINITY;
	log_softmax(logp, x, V);
	for (int i = 0; i < DRAWS; i++)
		count[softmax_draw(x, V, i / (double)DRAWS)]++;
	for (int i = 0; i < V; i++)
		assert_true(fabs(count[i] - DRAWS * exp((double)logp[i])) < 1.5);
	assert_true(count[0] == 0 && count[300] == 0 && count[999] == 0);
	assert_int_equal(softmax_draw(x, V, 1), 998);
	free(x);
	free(logp);
	free(count);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exp),
		cmocka_unit_test(test_mm),
		cmocka_unit_test(test_mm_zeros),
		cmocka_unit_test(test_linear_null),
		cmocka_unit_test(test_gelu_against_libm),
		cmocka_unit_test(test_attention_causal),
		cmocka_unit_test(test_xent),
		cmocka_unit_test(test_softmax_draw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
