/*
 * bench_sgemm_train: how much of this machine's sgemm rate a training step reaches.
 *
 * A step is the forward and backward pass of a Llama-like model of about 11 million parameters over sequences of 256 tokens,
 * cut into fixed lanes with their own gradients, which are then added up in order. Counted are the products that the
 * mathematics needs: causal attention as the triangle it is, nothing that is computed twice. The peak is what the same
 * threads reach in one large product each, measured in the same run, before, between and after; the best of all rounds counts
 * on both sides, so that other work on the machine does not decide.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/clock.h"
#include "byline/err.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/model.h"
#include "byline/pool.h"
#include "byline/rng.h"

enum { LANES = 4, PER_LANE = 4, LENGTH = 256, ROWS = PER_LANE * LENGTH, SQUARE = 1024, ROUNDS = 5 };

struct bench {
	struct model m;
	struct acts *acts[LANES];
	float *grads[LANES];
	int32_t start[PER_LANE + 1], token[ROWS], target[ROWS];
	struct batch batch;
	float *a, *b, **c;
};

static void
die(void)
{
	fprintf(stderr, "bench_sgemm_train: %s\n", err_message());
	exit(EXIT_FAILURE);
}

static float *
floats(size_t n)
{
	float *v;
	if (mem_array(&v, n, sizeof(*v), "benchmark") != OK)
		die();
	return v;
}

static void
setup(struct bench *s, int threads)
{
	struct model_config c = {.family = "llama", .n_layer = 8, .d_model = 320, .n_head = 5, .n_kv_head = 5, .head_dim = 64,
		.d_ff = 864, .vocab = 4096, .n_ctx = LENGTH, .norm = NORM_RMS, .pos = POS_ROPE, .mlp = MLP_GATED, .act = ACT_SILU,
		.tied = true, .norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = -1, .eos = -1};
	struct rng rng;
	if (model_new(&s->m, &c, true) != OK)
		die();
	model_init(&s->m, 1);
	rng_init(&rng, 1, 2);
	for (int i = 0; i < ROWS; i++) {
		s->token[i] = (int32_t)rng_below(&rng, 4096);
		s->target[i] = (int32_t)rng_below(&rng, 4096);
	}
	for (int i = 0; i <= PER_LANE; i++)
		s->start[i] = i * LENGTH;
	s->batch = (struct batch){PER_LANE, ROWS, s->start, s->token, s->target};
	for (int i = 0; i < LANES; i++) {
		s->acts[i] = acts_new(&s->m);
		s->grads[i] = floats(s->m.n_params);
	}
	s->a = floats(SQUARE * SQUARE);
	s->b = floats(SQUARE * SQUARE);
	s->c = xcalloc((size_t)threads, sizeof(*s->c));
	for (int i = 0; i < SQUARE * SQUARE; i++)
		s->a[i] = s->b[i] = (float)rng_normal(&rng);
	for (int i = 0; i < threads; i++)
		s->c[i] = floats(SQUARE * SQUARE);
}

static void
run_lane(void *arg, size_t i, int worker)
{
	struct bench *s = arg;
	(void)worker;
	for (size_t j = 0; j < s->m.n_params; j++)
		s->grads[i][j] = 0;
	if (model_forward(&s->m, s->m.params, s->acts[i], &s->batch) != OK)
		die();
	acts_loss(&s->m, s->acts[i], &s->batch, NULL, NULL);
	model_backward(&s->m, s->m.params, s->acts[i], &s->batch, s->grads[i], NULL);
}

static void
add_lanes(void *arg, size_t piece, int worker)
{
	struct bench *s = arg;
	size_t n = s->m.n_params, from = n / LANES * piece, to = piece + 1 == LANES ? n : from + n / LANES;
	(void)worker;
	for (int lane = 1; lane < LANES; lane++)
		for (size_t i = from; i < to; i++)
			s->grads[0][i] += s->grads[lane][i];
}

static void
run_square(void *arg, size_t i, int worker)
{
	struct bench *s = arg;
	(void)worker;
	mm(SQUARE, SQUARE, SQUARE, 1, s->a, SQUARE, s->b, SQUARE, 0, s->c[i], SQUARE);
}

/* Operations of a step: 2 a product forward, twice that backward. */
static double
step_flops(const struct model *m)
{
	double weights = 0, att = (double)m->config.n_head * m->config.head_dim * LENGTH * (LENGTH + 1);
	for (int i = 0; i < m->n_linears; i++)
		weights += (double)m->linears[i].in * m->linears[i].out;
	return 3 * (2 * weights * ROWS + 2 * att * m->config.n_layer * PER_LANE) * LANES;
}

static double
peak_rate(struct bench *s, struct pool *pool)
{
	size_t n = (size_t)pool_threads(pool);
	double from = clock_monotonic();
	for (int i = 0; i < 4; i++)
		pool_run(pool, n, run_square, s);
	return 4 * (double)n * 2e-9 * SQUARE * SQUARE * SQUARE / (clock_monotonic() - from);
}

static double
step_rate(struct bench *s, struct pool *pool)
{
	double from = clock_monotonic();
	pool_run(pool, LANES, run_lane, s);
	pool_run(pool, LANES, add_lanes, s);
	return 1e-9 * step_flops(&s->m) / (clock_monotonic() - from);
}

int
main(void)
{
	static struct bench s;
	struct pool *pool = pool_new(0);
	double peak = 0, step = 0;
	setup(&s, pool_threads(pool));
	step_rate(&s, pool);
	for (int i = 0; i < ROUNDS; i++) {
		double p = peak_rate(&s, pool), r = step_rate(&s, pool);
		peak = p > peak ? p : peak;
		step = r > step ? r : step;
	}
	printf("threads %d, parameters %zu, tokens a step %d\n", pool_threads(pool), s.m.n_params, LANES * ROWS);
	printf("sgemm %.1f GFLOP/s, training step %.1f GFLOP/s, ratio %.3f\n", peak, step, step / peak);
	for (int i = 0; i < LANES; i++) {
		acts_free(s.acts[i]);
		free(s.grads[i]);
	}
	for (int i = 0; i < pool_threads(pool); i++)
		free(s.c[i]);
	free(s.a);
	free(s.b);
	free(s.c);
	model_free(&s.m);
	pool_free(pool);
	return EXIT_SUCCESS;
}
