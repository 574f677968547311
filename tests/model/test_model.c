/* The tensor table, the passes, and what attribution relies on: gradients add up, the tap sees them, nothing looks ahead. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/pool.h"
#include "tiny_model.h"
#include "unit.h"

enum { ROWS = 30 };
static const int32_t starts[] = {0, 7, 8, 30};

struct fixture {
	struct model m;
	struct acts *a;
	struct batch b;
	int32_t token[ROWS], target[ROWS];
	float weight[ROWS];
};

static void
fixture_start(struct fixture *f, enum tiny kind)
{
	struct rng rng;
	rng_init(&rng, 5, 5);
	assert_ok(tiny_model(&f->m, kind, 9));
	f->a = acts_new(&f->m);
	for (int i = 0; i < ROWS; i++) {
		f->token[i] = (int32_t)rng_below(&rng, (uint64_t)f->m.config.vocab);
		f->target[i] = i % 6 == 4 ? -1 : (int32_t)rng_below(&rng, (uint64_t)f->m.config.vocab);
		f->weight[i] = (float)rng_uniform(&rng) + 0.5f;
	}
	f->b = (struct batch){3, ROWS, starts, f->token, f->target};
}

static void
fixture_end(struct fixture *f)
{
	acts_free(f->a);
	model_free(&f->m);
}

static double
loss_at(struct fixture *f, const float *params)
{
	assert_ok(model_forward(&f->m, params, f->a, &f->b));
	return acts_loss(&f->m, f->a, &f->b, f->weight, NULL);
}

/* Fresh gradients of the fixture's batch. */
static float *
grads_of(struct fixture *f, const struct tap *tap)
{
	float *g = xcalloc(f->m.n_params, sizeof(*g));
	loss_at(f, f->m.params);
	model_backward(&f->m, f->m.params, f->a, &f->b, g, tap);
	return g;
}

static double
norm_of(const float *v, size_t n)
{
	double s = 0;
	for (size_t i = 0; i < n; i++)
		s += (double)v[i] * (double)v[i];
	return sqrt(s);
}

static void
assert_close(const float *a, const float *b, size_t n, double relative)
{
	double s = 0;
	for (size_t i = 0; i < n; i++)
		s += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	if (!(sqrt(s) <= relative * norm_of(b, n)))
		fail_msg("differ by %.3g of %.3g", sqrt(s), norm_of(b, n));
}

static void
test_table(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct fixture f;
		fixture_start(&f, (enum tiny)kind);
		size_t at = 0;
		for (int i = 0; i < f.m.n_tensors; i++) {
			const struct tensor *t = &f.m.tensors[i];
			assert_int_equal(t->at, at);
			assert_ptr_equal(model_tensor(&f.m, t->role, t->layer, t->bias), t);
			at += (size_t)t->rows * (size_t)t->cols;
		}
		assert_int_equal(f.m.n_params, at);
		assert_int_equal(f.m.n_linears, 1 + 3 * (f.m.config.mlp == MLP_GATED ? 5 : 4));
		const struct linear *head = &f.m.linears[f.m.n_linears - 1];
		const struct tensor *where = model_tensor(&f.m, f.m.config.tied ? ROLE_EMBED : ROLE_HEAD, -1, false);
		assert_true(head->role == ROLE_HEAD && head->w == where->at && head->out == 50 && head->in == 16 && head->b == -1);
		fixture_end(&f);
	}
}

static void
test_init(void **state)
{
	(void)state;
	struct model a, b;
	struct model_config c = tiny_config(TINY_GPT2);
	assert_ok(model_new(&a, &c, true));
	assert_ok(model_new(&b, &c, true));
	model_init(&a, 1);
	model_init(&b, 1);
	assert_memory_equal(a.params, b.params, a.n_params * sizeof(float));
	const struct tensor *out = model_tensor(&a, ROLE_DOWN, 1, false), *qkv = model_tensor(&a, ROLE_QKV, 1, false);
	double sd_out = norm_of(a.params + out->at, 16 * 20) / sqrt(16 * 20), sd = norm_of(a.params + qkv->at, 48 * 16) / sqrt(48 * 16);
	assert_true(fabs(sd - 0.2) < 0.02 && fabs(sd_out - 0.2 / sqrt(6)) < 0.01);
	assert_true(a.params[model_tensor(&a, ROLE_NORM1, 0, false)->at] == 1);
	assert_true(a.params[model_tensor(&a, ROLE_NORM1, 0, true)->at] == 0);
	model_init(&b, 2);
	assert_true(a.params[0] != b.params[0]);
	model_free(&a);
	model_free(&b);
}

/* A step of h along the gradient changes the loss by h |grad|^2. */
static void
test_slope(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct fixture f;
		fixture_start(&f, (enum tiny)kind);
		float *g = grads_of(&f, NULL), *moved = xcalloc(f.m.n_params, sizeof(*moved));
		double size = norm_of(g, f.m.n_params), h = 1e-2 / size, loss[2];
		for (int side = 0; side < 2; side++) {
			for (size_t i = 0; i < f.m.n_params; i++)
				moved[i] = f.m.params[i] + (float)((side ? h : -h) * (double)g[i]);
			loss[side] = loss_at(&f, moved);
		}
		double slope = (loss[1] - loss[0]) / (2 * h);
		if (!(fabs(slope / (size * size) - 1) < 5e-3))
			fail_msg("kind %d: slope %g, gradient %g", kind, slope, size * size);
		free(g);
		free(moved);
		fixture_end(&f);
	}
}

static void
test_sequences_add_up(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct fixture f;
		fixture_start(&f, (enum tiny)kind);
		float *whole = grads_of(&f, NULL), *sum = xcalloc(f.m.n_params, sizeof(*sum));
		for (int s = 0; s < 3; s++) {
			int32_t from = starts[s], two[] = {0, starts[s + 1] - from};
			struct batch one = {1, two[1], two, f.token + from, f.target + from};
			assert_ok(model_forward(&f.m, f.m.params, f.a, &one));
			acts_loss(&f.m, f.a, &one, f.weight + from, NULL);
			model_backward(&f.m, f.m.params, f.a, &one, sum, NULL);
		}
		assert_close(sum, whole, f.m.n_params, 1e-5);
		free(whole);
		free(sum);
		fixture_end(&f);
	}
}

struct seen {
	const struct model *m;
	float *grads;		/* rebuilt from what the tap saw, in the layout of the model */
	float *head;		/* the head's alone */
	int last;
};

static void
rebuild(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	struct seen *s = arg;
	const struct linear *l = &s->m->linears[index];
	float *dw = l->role == ROLE_HEAD ? s->head : s->grads + l->w;
	assert_true(index < s->last);
	s->last = index;
	for (int r = 0; r < b->rows; r++)
		for (int o = 0; o < l->out; o++) {
			for (int i = 0; i < l->in; i++)
				dw[o * l->in + i] += g[r * l->out + o] * a[r * l->in + i];
			if (l->b >= 0)
				s->grads[l->b + o] += g[r * l->out + o];
		}
}

static void
test_tap(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct fixture f;
		fixture_start(&f, (enum tiny)kind);
		struct seen s = {&f.m, xcalloc(f.m.n_params, sizeof(float)), xcalloc(50 * 16, sizeof(float)), f.m.n_linears};
		struct tap tap = {&s, rebuild, 0};
		float *g = grads_of(&f, &tap);
		assert_int_equal(s.last, 0);
		for (int i = 0; i < f.m.n_linears; i++) {
			const struct linear *l = &f.m.linears[i];
			if (l->role != ROLE_HEAD)
				assert_close(s.grads + l->w, g + l->w, (size_t)l->in * (size_t)l->out, 1e-5);
			else if (!f.m.config.tied)
				assert_close(s.head, g + l->w, 50 * 16, 1e-5);
			if (l->b >= 0)
				assert_close(s.grads + l->b, g + l->b, (size_t)l->out, 1e-5);
		}
		/* Without gradients, and for the head alone, the tap sees the same head. */
		float *first = s.head;
		s.head = xcalloc(50 * 16, sizeof(float));
		s.last = f.m.n_linears;
		tap.roles = 1u << ROLE_HEAD;
		loss_at(&f, f.m.params);
		model_backward(&f.m, f.m.params, f.a, &f.b, NULL, &tap);
		assert_int_equal(s.last, f.m.n_linears - 1);
		assert_memory_equal(first, s.head, 50 * 16 * sizeof(float));
		free(first);
		free(s.head);
		free(s.grads);
		free(g);
		fixture_end(&f);
	}
}

/* Tied: the embedding's gradient is the sum of both uses, as an untied twin with equal weights has them apart. */
static void
test_tied_gradient(void **state)
{
	(void)state;
	struct fixture f;
	struct model twin;
	fixture_start(&f, TINY_LLAMA);
	struct model_config c = f.m.config;
	c.tied = false;
	assert_ok(model_new(&twin, &c, true));
	size_t n = 50 * 16, head = model_tensor(&twin, ROLE_HEAD, -1, false)->at;
	assert_int_equal(head, f.m.n_params);
	memcpy(twin.params, f.m.params, f.m.n_params * sizeof(float));
	memcpy(twin.params + head, f.m.params, n * sizeof(float));
	float *tied = grads_of(&f, NULL), *g = xcalloc(twin.n_params, sizeof(*g));
	struct acts *a = acts_new(&twin);
	assert_ok(model_forward(&twin, twin.params, a, &f.b));
	acts_loss(&twin, a, &f.b, f.weight, NULL);
	model_backward(&twin, twin.params, a, &f.b, g, NULL);
	for (size_t i = 0; i < n; i++)
		g[i] += g[head + i];
	assert_close(tied, g, f.m.n_params, 1e-5);
	free(tied);
	free(g);
	acts_free(a);
	model_free(&twin);
	fixture_end(&f);
}

static void
test_causal(void **state)
{
	(void)state;
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct fixture f;
		fixture_start(&f, (enum tiny)kind);
		size_t n = ROWS * 50;
		float *before = xcalloc(n, sizeof(*before));
		assert_ok(model_forward(&f.m, f.m.params, f.a, &f.b));
		memcpy(before, acts_logits(f.a), n * sizeof(*before));
		f.token[20] = (f.token[20] + 1) % 50;
		assert_ok(model_forward(&f.m, f.m.params, f.a, &f.b));
		const float *after = acts_logits(f.a);
		for (size_t i = 0; i < n; i++)
			assert_true(i / 50 >= 20 || fabsf(before[i] - after[i]) < 1e-5f);
		assert_true(fabsf(before[29 * 50] - after[29 * 50]) > 1e-6f);
		/* Sequences do not see each other: the last alone gives the same. */
		int32_t two[] = {0, 22};
		struct batch one = {1, 22, two, f.token + 8, NULL};
		memcpy(before, after, n * sizeof(*before));
		assert_ok(model_forward(&f.m, f.m.params, f.a, &one));
		assert_close(acts_logits(f.a), before + 8 * 50, 22 * 50, 1e-5);
		free(before);
		fixture_end(&f);
	}
}

static void
test_same_bits(void **state)
{
	(void)state;
	struct fixture f;
	fixture_start(&f, TINY_LLAMA);
	float *g = grads_of(&f, NULL);
	/* Memory that has been used for something else, and fresh memory. */
	int32_t two[] = {0, 40}, token[40] = {0};
	struct batch other = {1, 40, two, token, NULL};
	assert_ok(model_forward(&f.m, f.m.params, f.a, &other));
	float *again = grads_of(&f, NULL);
	acts_free(f.a);
	f.a = acts_new(&f.m);
	float *fresh = grads_of(&f, NULL);
	assert_memory_equal(g, again, f.m.n_params * sizeof(float));
	assert_memory_equal(g, fresh, f.m.n_params * sizeof(float));
	free(g);
	free(again);
	free(fresh);
	fixture_end(&f);
}

enum { LANES = 6 };

struct lanes {
	struct fixture *f;
	float *grads[LANES];
};

/* Each lane has the batch with another weight of its rows. */
static void
run_lane(void *arg, size_t i, int worker)
{
	struct lanes *l = arg;
	float weight[ROWS];
	struct acts *a = acts_new(&l->f->m);
	(void)worker;
	for (int r = 0; r < ROWS; r++)
		weight[r] = (float)((size_t)r % (i + 2));
	l->grads[i] = xcalloc(l->f->m.n_params, sizeof(float));
	if (model_forward(&l->f->m, l->f->m.params, a, &l->f->b) == OK) {
		acts_loss(&l->f->m, a, &l->f->b, weight, NULL);
		model_backward(&l->f->m, l->f->m.params, a, &l->f->b, l->grads[i], NULL);
	}
	acts_free(a);
}

static void
test_same_bits_in_threads(void **state)
{
	(void)state;
	struct fixture f;
	fixture_start(&f, TINY_LLAMA);
	struct lanes one = {&f, {NULL}}, many = {&f, {NULL}};
	struct pool *pool = pool_new(4);
	for (size_t i = 0; i < LANES; i++)
		run_lane(&one, i, 0);
	pool_run(pool, LANES, run_lane, &many);
	for (int i = 0; i < LANES; i++) {
		assert_true(norm_of(one.grads[i], f.m.n_params) > 0);
		assert_memory_equal(one.grads[i], many.grads[i], f.m.n_params * sizeof(float));
		free(one.grads[i]);
		free(many.grads[i]);
	}
	pool_free(pool);
	fixture_end(&f);
}

static void
test_loss(void **state)
{
	(void)state;
	struct fixture f;
	float nll[ROWS];
	fixture_start(&f, TINY_GPT2);
	assert_ok(model_forward(&f.m, f.m.params, f.a, &f.b));
	double got = acts_loss(&f.m, f.a, &f.b, f.weight, nll), want = 0;
	for (int r = 0; r < ROWS; r++) {
		assert_true(f.target[r] < 0 ? nll[r] == 0 : nll[r] > 0);
		want += (double)f.weight[r] * (double)nll[r];
	}
	assert_true(fabs(got - want) < 1e-9);
	fixture_end(&f);
}

static void
test_sampled_targets(void **state)
{
	(void)state;
	enum { DRAWS = 20000 };
	struct fixture f;
	int32_t drawn[ROWS], again[ROWS], count[50] = {0};
	double p[50], sum = 0, chi = 0;
	fixture_start(&f, TINY_LLAMA);
	assert_ok(model_forward(&f.m, f.m.params, f.a, &f.b));
	for (int i = 0; i < DRAWS; i++) {
		acts_sample_targets(&f.m, f.a, &f.b, 3, (uint64_t)i, drawn);
		assert_int_equal(drawn[4], -1);
		count[drawn[9]]++;
	}
	acts_sample_targets(&f.m, f.a, &f.b, 3, DRAWS - 1, again);
	assert_memory_equal(drawn, again, sizeof(drawn));
	for (int i = 0; i < 50; i++)
		sum += p[i] = exp((double)acts_logits(f.a)[9 * 50 + i]);
	for (int i = 0; i < 50; i++) {
		double want = DRAWS * p[i] / sum;
		chi += (count[i] - want) * (count[i] - want) / want;
	}
	assert_true(chi < 100);		/* 49 degrees of freedom: about one in 10^5 */
	fixture_end(&f);
}

/* Beginnings of a sequence, each with its last row as the only target: copied or computed, the gradients are the same. */
static void
test_prefixes(void **state)
{
	(void)state;
	enum { L = 12, N = 4 };
	static const int length[N] = {5, 1, L, 9};
	for (int kind = 0; kind < TINY_KINDS; kind++) {
		struct fixture f;
		int32_t start[N + 1] = {0}, token[N * L], target[N * L], whole_start[] = {0, L};
		fixture_start(&f, (enum tiny)kind);
		for (int s = 0; s < N; s++) {
			start[s + 1] = start[s] + length[s];
			for (int i = 0; i < length[s]; i++) {
				token[start[s] + i] = f.token[i];
				target[start[s] + i] = i == length[s] - 1 ? (f.token[i] + 1) % 50 : -1;
			}
		}
		struct batch whole = {1, L, whole_start, f.token, NULL}, b = {N, start[N], start, token, target};
		float *want = xcalloc(f.m.n_params, sizeof(*want)), *got = xcalloc(f.m.n_params, sizeof(*got));
		assert_ok(model_forward(&f.m, f.m.params, f.a, &b));
		double loss = acts_loss(&f.m, f.a, &b, NULL, NULL);
		model_backward(&f.m, f.m.params, f.a, &b, want, NULL);
		struct acts *one = acts_new(&f.m), *many = acts_new(&f.m);
		assert_ok(model_forward(&f.m, f.m.params, one, &whole));
		assert_ok(model_forward_prefixes(&f.m, one, many, &b));
		assert_true(fabs(acts_loss(&f.m, many, &b, NULL, NULL) - loss) < 1e-5 * loss);
		model_backward(&f.m, f.m.params, many, &b, got, NULL);
		assert_close(got, want, f.m.n_params, 1e-5);
		acts_free(one);
		acts_free(many);
		free(want);
		free(got);
		fixture_end(&f);
	}
}

static void
test_refusals(void **state)
{
	(void)state;
	struct fixture f;
	fixture_start(&f, TINY_LLAMA);
	f.token[3] = 50;
	assert_err(model_forward(&f.m, f.m.params, f.a, &f.b), ERR_FORMAT);
	f.token[3] = -1;
	assert_err(model_forward(&f.m, f.m.params, f.a, &f.b), ERR_FORMAT);
	int32_t two[] = {0, 41}, token[41] = {0};
	struct batch longer = {1, 41, two, token, NULL}, none = {0, 0, two, token, NULL};
	assert_err(model_forward(&f.m, f.m.params, f.a, &longer), ERR_LIMIT);
	assert_non_null(strstr(err_message(), "41"));
	assert_ok(model_forward(&f.m, f.m.params, f.a, &none));
	assert_true(acts_bytes(&f.m, 64, 32) > 64 * 50 * sizeof(float));
	fixture_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_sequences_add_up),
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_tied_gradient),
		cmocka_unit_test(test_causal),
		cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_same_bits_in_threads),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_sampled_targets),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
