/*
 * Every backward pass against central differences of its forward pass. Compiled with the layers in double (see Makefile.am),
 * so that a wrong term cannot hide in rounding.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/layers.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"
#include "unit.h"

/* A layer under test: `run` fills y from the inputs; the loss is sum(y * g) for fixed random g. */
#define INPUTS 4

struct probe {
	void (*run)(const struct probe *p);
	real *in[INPUTS], *grad[INPUTS];
	size_t n_in[INPUTS];
	real *y, *g;
	size_t n_y;
	real *saved[2];
	int R, C, N;
};

static real *
random_reals(size_t n, uint64_t stream, double scale)
{
	struct rng rng;
	rng_init(&rng, 7, stream);
	real *v = xreallocarray(NULL, n, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = scale * rng_normal(&rng);
	return v;
}

static void
probe_start(struct probe *p, size_t n_y)
{
	static const size_t saved = 4096;
	mm_init();
	p->n_y = n_y;
	p->y = xcalloc(n_y, sizeof(real));
	p->g = random_reals(n_y, 99, 1);
	for (int i = 0; i < 2; i++)
		p->saved[i] = xcalloc(saved, sizeof(real));
	for (int i = 0; i < INPUTS; i++) {
		if (p->n_in[i] == 0)
			continue;
		p->in[i] = random_reals(p->n_in[i], (uint64_t)i, 1);
		/* Not zero: the layers must add. */
		p->grad[i] = random_reals(p->n_in[i], 50 + (uint64_t)i, 1);
	}
	p->run(p);
}

static double
loss(const struct probe *p)
{
	double sum = 0;
	p->run(p);
	for (size_t i = 0; i < p->n_y; i++)
		sum += p->y[i] * p->g[i];
	return sum;
}

static double
slope(const struct probe *p, real *x)
{
	const double h = 1e-4;
	double keep = *x, f[4];
	static const double steps[] = {-2, -1, 1, 2};
	for (int i = 0; i < 4; i++) {
		*x = keep + steps[i] * h;
		f[i] = loss(p);
	}
	*x = keep;
	return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
}

static void
probe_check(struct probe *p, const char *what)
{
	for (int k = 0; k < INPUTS; k++) {
		if (p->n_in[k] == 0)
			continue;
		real *before = random_reals(p->n_in[k], 50 + (uint64_t)k, 1);
		for (size_t i = 0; i < p->n_in[k]; i++) {
			double want = slope(p, &p->in[k][i]), got = p->grad[k][i] - before[i];
			if (!(fabs(want - got) < 1e-7 * (1 + fabs(want))))
				fail_msg("%s: input %d, element %zu: differences say %.9g, backward %.9g", what, k, i, want, got);
		}
		free(before);
	}
	for (int i = 0; i < INPUTS; i++) {
		free(p->in[i]);
		free(p->grad[i]);
	}
	free(p->saved[0]);
	free(p->saved[1]);
	free(p->y);
	free(p->g);
}

static void
run_linear(const struct probe *p)
{
	linear_forward(p->y, p->in[0], p->in[1], p->in[2], p->R, p->C, p->N);
}

static void
test_linear(void **state)
{
	(void)state;
	for (int bias = 0; bias < 2; bias++) {
		struct probe p = {.run = run_linear, .n_in = {5 * 4, 3 * 4, bias ? 3 : 0}, .R = 5, .C = 4, .N = 3};
		probe_start(&p, 5 * 3);
		linear_backward(p.grad[0], p.grad[1], p.grad[2], p.g, p.in[0], p.in[1], 5, 4, 3);
		probe_check(&p, "linear");
	}
}

static void
run_rmsnorm(const struct probe *p)
{
	rmsnorm_forward(p->y, p->saved[0], p->in[0], p->in[1], p->R, p->C, 1e-3);
}

static void
test_rmsnorm(void **state)
{
	(void)state;
	struct probe p = {.run = run_rmsnorm, .n_in = {4 * 6, 6}, .R = 4, .C = 6};
	probe_start(&p, 4 * 6);
	rmsnorm_backward(p.grad[0], p.grad[1], p.g, p.in[0], p.in[1], p.saved[0], 4, 6);
	probe_check(&p, "rmsnorm");
}

static void
run_layernorm(const struct probe *p)
{
	layernorm_forward(p->y, p->saved[0], p->saved[1], p->in[0], p->in[1], p->in[2], p->R, p->C, 1e-3);
}

static void
test_layernorm(void **state)
{
	(void)state;
	for (int bias = 0; bias < 2; bias++) {
		struct probe p = {.run = run_layernorm, .n_in = {4 * 6, 6, bias ? 6 : 0}, .R = 4, .C = 6};
		probe_start(&p, 4 * 6);
		layernorm_backward(p.grad[0], p.grad[1], p.grad[2], p.g, p.in[0], p.in[1], p.saved[0], p.saved[1], 4, 6);
		probe_check(&p, "layernorm");
	}
}

static const int32_t tokens[] = {2, 0, 2, 4, 1}, positions[] = {0, 1, 2, 0, 1};

static void
run_embed(const struct probe *p)
{
	embed_forward(p->y, p->in[0], p->in[1], tokens, positions, p->R, p->C);
}

static void
test_embed(void **state)
{
	(void)state;
	for (int pos = 0; pos < 2; pos++) {
		struct probe p = {.run = run_embed, .n_in = {5 * 3, pos ? 3 * 3 : 0}, .R = 5, .C = 3};
		probe_start(&p, 5 * 3);
		embed_backward(p.grad[0], p.grad[1], p.g, tokens, positions, 5, 3);
		probe_check(&p, "embed");
	}
}

/* Two heads of six, four of them turned, in rows of 14: the two last numbers of a row are nobody's. */
enum { ROPE_LD = 14, HEADS = 2, HEAD = 6, ROT = 4 };
static const real rope_cos[] = {1, 1, 0.6, 0.8, -0.28, 0.28}, rope_sin[] = {0, 0, 0.8, 0.6, 0.96, 0.96};

static void
run_rope(const struct probe *p)
{
	memcpy(p->y, p->in[0], p->n_y * sizeof(real));
	rope_apply(p->y, ROPE_LD, rope_cos, rope_sin, positions, p->R, HEADS, HEAD, ROT, +1);
}

static void
test_rope(void **state)
{
	(void)state;
	struct probe p = {.run = run_rope, .n_in = {5 * ROPE_LD}, .R = 5};
	probe_start(&p, 5 * ROPE_LD);
	real *back = xcalloc(p.n_y, sizeof(real));
	memcpy(back, p.g, p.n_y * sizeof(real));
	rope_apply(back, ROPE_LD, rope_cos, rope_sin, positions, 5, HEADS, HEAD, ROT, -1);
	for (size_t i = 0; i < p.n_y; i++)
		p.grad[0][i] += back[i];
	free(back);
	probe_check(&p, "rope");
}

/* Neighbours turn as halves do, and back. */
static void
test_rope_pairs(void **state)
{
	(void)state;
	enum { ROWS = 5, SIZE = ROWS * ROPE_LD };
	static const int pair_of[HEAD] = {0, 2, 1, 3, 4, 5};
	real halves[SIZE], pairs[SIZE], was[SIZE];
	for (int i = 0; i < SIZE; i++)
		halves[i] = (real)(i % 11) - 4;
	for (int i = 0; i < SIZE; i++) {
		int in = i % ROPE_LD;
		was[in < HEADS * HEAD ? i - in % HEAD + pair_of[in % HEAD] : i] = halves[i];
	}
	memcpy(pairs, was, sizeof(pairs));
	rope_apply(halves, ROPE_LD, rope_cos, rope_sin, positions, ROWS, HEADS, HEAD, ROT, +1);
	rope_apply_pairs(pairs, ROPE_LD, rope_cos, rope_sin, positions, ROWS, HEADS, HEAD, ROT, +1);
	for (int i = 0; i < SIZE; i++) {
		int in = i % ROPE_LD;
		real got = pairs[in < HEADS * HEAD ? i - in % HEAD + pair_of[in % HEAD] : i];
		assert_true(fabs((double)(got - halves[i])) < 1e-6);
	}
	rope_apply_pairs(pairs, ROPE_LD, rope_cos, rope_sin, positions, ROWS, HEADS, HEAD, ROT, -1);
	for (int i = 0; i < SIZE; i++)
		assert_true(fabs((double)(pairs[i] - was[i])) < 1e-5);
}

/* Ragged, with a sequence of one token and, in the long case, more rows than a block. */
static const int32_t short_starts[] = {0, 5, 6, 9}, long_starts[] = {0, 3, 136};

static struct att_shape
att_shape_of(const struct probe *p)
{
	struct att_shape s = {.n_seq = p->N, .start = p->N == 3 ? short_starts : long_starts, .heads = 4, .kv_heads = 2,
		.head_dim = 2, .scale = 0.7};
	return s;
}

/* q, k and v are slices of wider rows: 8 + 4 + 4, and one number of nobody. */
enum { ATT_LD = 17 };

static void
run_attention(const struct probe *p)
{
	struct att_shape s = att_shape_of(p);
	real *prob = xcalloc(att_size(&s), sizeof(real));
	attention_forward(p->y, 8, prob, p->in[0], ATT_LD, p->in[0] + 8, ATT_LD, p->in[0] + 12, ATT_LD, &s);
	free(prob);
}

static void
attention_case(int n_seq, int rows)
{
	struct probe p = {.run = run_attention, .n_in = {(size_t)rows * ATT_LD}, .R = rows, .N = n_seq};
	probe_start(&p, (size_t)rows * 8);
	struct att_shape s = att_shape_of(&p);
	real *prob = xcalloc(att_size(&s), sizeof(real)), *scratch = xcalloc((size_t)rows * (size_t)rows, sizeof(real));
	const real *q = p.in[0];
	attention_forward(p.y, 8, prob, q, ATT_LD, q + 8, ATT_LD, q + 12, ATT_LD, &s);
	attention_backward(p.grad[0], p.grad[0] + 8, p.grad[0] + 12, p.g, 8, prob, q, ATT_LD, q + 8, ATT_LD, q + 12, ATT_LD, &s,
		scratch);
	free(prob);
	free(scratch);
	probe_check(&p, "attention");
}

static void
test_attention(void **state)
{
	(void)state;
	attention_case(3, 9);
	attention_case(2, 136);
}

#define ELEMENTWISE(name) \
	static void \
	run_##name(const struct probe *p) \
	{ \
		name##_forward(p->y, p->in[0], p->n_y); \
	} \
	static void \
	test_##name(void **state) \
	{ \
		(void)state; \
		struct probe p = {.run = run_##name, .n_in = {50}}; \
		probe_start(&p, 50); \
		name##_backward(p.grad[0], p.g, p.in[0], 50); \
		probe_check(&p, #name); \
	}

ELEMENTWISE(gelu_tanh)
ELEMENTWISE(gelu_erf)

static void
run_swiglu(const struct probe *p)
{
	swiglu_forward(p->y, p->in[0], p->in[1], p->n_y);
}

static void
test_swiglu(void **state)
{
	(void)state;
	struct probe p = {.run = run_swiglu, .n_in = {50, 50}};
	probe_start(&p, 50);
	swiglu_backward(p.grad[0], p.grad[1], p.g, p.in[0], p.in[1], 50);
	probe_check(&p, "swiglu");
}

static const int32_t targets[] = {3, -1, 0, 6};

/* g is the weight of each row. */
static void
run_xent(const struct probe *p)
{
	xent(p->y, NULL, p->in[0], targets, NULL, p->R, p->C);
}

static void
test_xent(void **state)
{
	(void)state;
	struct probe p = {.run = run_xent, .n_in = {4 * 7}, .R = 4, .C = 7};
	probe_start(&p, 4);
	real *d = xcalloc(4 * 7, sizeof(real));
	memcpy(d, p.in[0], 4 * 7 * sizeof(real));
	xent(p.y, d, d, targets, p.g, 4, 7);
	for (int i = 0; i < 4 * 7; i++)
		p.grad[0][i] += d[i];
	free(d);
	probe_check(&p, "xent");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_rmsnorm),
		cmocka_unit_test(test_layernorm),
		cmocka_unit_test(test_embed),
		cmocka_unit_test(test_rope),
		cmocka_unit_test(test_rope_pairs),
		cmocka_unit_test(test_attention),
		cmocka_unit_test(test_gelu_tanh),
		cmocka_unit_test(test_gelu_erf),
		cmocka_unit_test(test_swiglu),
		cmocka_unit_test(test_xent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
