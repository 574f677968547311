/* adamw: against the textbook in double; slices cover the vector. */
#include "../../src/train/adamw.h"

#include <math.h>

#include "../../src/train/slices.h"
#include "byline/mem.h"
#include "toy.h"

enum { N = 21 };	/* not a multiple of any vector unit */

/* Loshchilov, Hutter 2019, algorithm 2, as written there, with the decay scaled by the learning rate. */
static void
textbook(double *w, double *m, double *v, const double *g, const struct train_options *o, double lr, int t, double clip,
	bool decay)
{
	for (int i = 0; i < N; i++) {
		double x = g[i] * clip;
		m[i] = o->beta1 * m[i] + (1 - o->beta1) * x;
		v[i] = o->beta2 * v[i] + (1 - o->beta2) * x * x;
		double first = m[i] / (1 - pow(o->beta1, t)), second = v[i] / (1 - pow(o->beta2, t));
		w[i] = w[i] - lr * (first / (sqrt(second) + o->eps) + (decay ? o->weight_decay : 0) * w[i]);
	}
}

static void
check_steps(bool decay, double clip)
{
	struct train_options o;
	struct rng r;
	double w[N], m[N] = {0}, v[N] = {0};
	float fw[N], fm[N] = {0}, fv[N] = {0}, fg[N];
	train_defaults(&o);
	o.eps = 1e-4;
	rng_init(&r, 5, 0);
	for (int i = 0; i < N; i++)
		fw[i] = (float)(w[i] = (float)rng_normal(&r));
	for (int t = 1; t <= 20; t++) {
		double g[N], lr = 0.01 * t;
		for (int i = 0; i < N; i++)
			fg[i] = (float)(g[i] = (float)(rng_normal(&r) * (i % 3 ? 0.1 : 1e-5)));
		struct adamw a = adamw_at(&o, lr, clip, t);
		adamw_update(&a, fw, fm, fv, fg, N, decay);
		textbook(w, m, v, g, &o, lr, t, clip, decay);
		for (int i = 0; i < N; i++) {
			assert_true(fabs(fw[i] - w[i]) < 2e-6 * t);
			assert_true(fabs(fm[i] - m[i]) < 1e-6);
			assert_true(fabs(fv[i] - v[i]) <= 1e-5 * v[i] + 1e-15);
			assert_true(fg[i] == 0);
		}
	}
}

static void
test_textbook(void **state)
{
	(void)state;
	check_steps(true, 1);
	check_steps(false, 1);
	check_steps(true, 0.125);
}

/* By hand: with fresh moments the first step is lr in the direction of the sign, whatever the size of the gradient. */
static void
test_first_step(void **state)
{
	(void)state;
	struct train_options o;
	train_defaults(&o);
	struct adamw a = adamw_at(&o, 0.5, 1, 1);
	float w[2] = { 1, 1 }, m[2] = {0}, v[2] = {0}, g[2] = { 300, -0.02f };
	adamw_update(&a, w, m, v, g, 2, false);
	assert_true(fabsf(w[0] - 0.5f) < 1e-5f && fabsf(w[1] - 1.5f) < 1e-5f);
	float decayed[1] = { 2 }, zero[3] = {0};
	adamw_update(&a, decayed, zero, zero + 1, zero + 2, 1, true);
	assert_true(fabsf(decayed[0] - 2 * (1 - 0.5f * 0.1f)) < 1e-6f);
}

/* Moments that fade away become zero, not numbers below the normal ones. */
static void
test_fading(void **state)
{
	(void)state;
	struct train_options o;
	train_defaults(&o);
	struct adamw a = adamw_at(&o, 0.001, 1, 1000);
	float w = 1, m = 1, v = 1, g = 0;
	for (int i = 0; i < 10000; i++) {
		adamw_update(&a, &w, &m, &v, &g, 1, false);
		assert_true((m == 0 || isnormal(m)) && (v == 0 || isnormal(v)));
	}
	assert_true(m == 0 && v == 0);
}

static void
test_slices(void **state)
{
	(void)state;
	struct model m;
	struct slices s;
	const struct model_config c = {
		.family = "gpt2", .n_layer = 2, .d_model = 48, .n_head = 4, .n_kv_head = 4, .head_dim = 12, .d_ff = 192,
		.vocab = 1000, .n_ctx = 64, .norm = NORM_LAYER, .pos = POS_LEARNED, .mlp = MLP_PLAIN,
		.act = ACT_GELU_TANH, .tied = true, .attn_bias = true, .out_bias = true, .mlp_bias = true, .norm_eps = 1e-5,
		.init_range = 0.02,
	};
	assert_ok(model_new(&m, &c, true));
	slices_make(&s, &m);
	uint8_t *seen = xcalloc(m.n_params, 1);
	for (size_t i = 0; i < s.n; i++)
		for (size_t j = 0; j < s.v[i].n; j++)
			seen[s.v[i].at + j] += s.v[i].decay ? 10 : 1;
	for (int i = 0; i < m.n_tensors; i++) {
		const struct tensor *t = &m.tensors[i];
		for (size_t j = 0; j < (size_t)t->rows * (size_t)t->cols; j++)
			assert_int_equal(seen[t->at + j], t->cols > 1 ? 10 : 1);
	}
	for (size_t i = 0; i < m.n_params; i++)
		assert_int_not_equal(seen[i], 0);
	free(seen);
	slices_free(&s);
	model_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_textbook),
		cmocka_unit_test(test_first_step),
		cmocka_unit_test(test_fading),
		cmocka_unit_test(test_slices),
	};
	return cmocka_run_group_tests_name("adamw", tests, NULL, NULL);
}
