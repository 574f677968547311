/*
 * bench_train: where the time of a training step goes. On the same batches, by the same threads:
 *   products   the matrix products of the linear layers alone, forward and backward, over OpenBLAS
 *   passes     forward, loss and backward of every lane
 *   step       all of it: passes, reduction of the lanes, clipping, AdamW
 * Each is the median of some rounds. What is printed are shares of the step, in time of the processors, which other
 * programs on the machine disturb less than the time on the wall, and how busy the threads were on the wall.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/train/lanes.h"
#include "../src/train/trainer.h"
#include "byline/clock.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"

enum { EXAMPLES = 256, SHORTEST = 65, LONGEST = 257, ROUNDS = 9 };

static const struct { int layers, width, heads, ff, vocab; } sizes[] = {
	{ 3, 96, 4, 256, 512 },
	{ 4, 192, 6, 512, 1024 },
	{ 6, 320, 8, 896, 4096 },
};

struct lane_work {
	struct ragged ragged;
	float *grad, *rows, *wide;	/* rows: (R, widest input), wide: (R, widest output) */
};

struct bench {
	struct model m;
	struct dataset d;
	struct train_spec spec;
	struct pool *pool;
	struct trainer t;
	struct lane_work *lanes;
	size_t n_lanes;
	struct acts **acts;
};

/* ---- the three kinds of work ---- */

static void
lane_products(void *arg, size_t l, int worker)
{
	(void)worker;
	struct bench *b = arg;
	const struct lane_work *w = &b->lanes[l];
	int R = w->ragged.batch.rows;
	for (int i = 0; i < b->m.n_linears; i++) {
		const struct linear *k = &b->m.linears[i];
		mm_bt(R, k->out, k->in, 1, w->rows, k->in, b->m.params + k->w, k->in, 0, w->wide, k->out);
		mm(R, k->in, k->out, 1, w->wide, k->out, b->m.params + k->w, k->in, 0, w->rows, k->in);
		mm_at(k->out, k->in, R, 1, w->wide, k->out, w->rows, k->in, 1, w->grad + k->w, k->in);
	}
	memset(w->rows, 0, (size_t)R * sizeof(float));
}

static void
lane_passes(void *arg, size_t l, int worker)
{
	struct bench *b = arg;
	struct lane_work *w = &b->lanes[l];
	if (model_forward(&b->m, b->m.params, b->acts[worker], &w->ragged.batch) != OK)
		abort();
	acts_loss(&b->m, b->acts[worker], &w->ragged.batch, NULL, NULL);
	model_backward(&b->m, b->m.params, b->acts[worker], &w->ragged.batch, w->grad, NULL);
}

/* ---- timing ---- */

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void
deal(struct bench *b)
{
	size_t n = plan_batch(&b->t.plan, b->t.status.step), start[257];
	uint32_t out[65536];
	lanes_deal(&b->d, b->t.plan.batch, n, b->n_lanes, out, start);
	for (size_t l = 0; l < b->n_lanes; l++)
		ragged_fill(&b->lanes[l].ragged, &b->d, out + start[l], start[l + 1] - start[l]);
}

struct times { double products, passes, step, wall, tokens; };

static double
lap(double *since)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec, passed = now - *since;
	*since = now;
	return passed;
}

/* The three kinds take turns, so that what else the machine does falls on all. */
static struct times
measure(struct bench *b)
{
	double v[4][ROUNDS], tokens = 0, at = 0;
	for (int r = -1; r < ROUNDS; r++) {
		deal(b);
		lap(&at);
		pool_run(b->pool, b->n_lanes, lane_products, b);
		double products = lap(&at);
		pool_run(b->pool, b->n_lanes, lane_passes, b);
		double passes = lap(&at);
		double wall = clock_monotonic();
		b->t.meter.tokens = 0;
		if (trainer_step(&b->t) != OK)
			abort();
		double step = lap(&at);
		wall = clock_monotonic() - wall;
		if (r < 0)
			continue;	/* memory is touched for the first time */
		v[0][r] = products;
		v[1][r] = passes;
		v[2][r] = step;
		v[3][r] = wall;
		tokens += b->t.meter.tokens / ROUNDS;
	}
	for (int i = 0; i < 4; i++)
		qsort(v[i], ROUNDS, sizeof(double), compare);
	return (struct times){ v[0][ROUNDS / 2], v[1][ROUNDS / 2], v[2][ROUNDS / 2], v[3][ROUNDS / 2], tokens };
}

/* ---- setting up ---- */

static void
make_data(struct dataset *d, int vocab)
{
	struct rng r;
	int32_t token[LONGEST];
	rng_init(&r, 1, 0);
	for (int i = 0; i < EXAMPLES; i++) {
		size_t n = SHORTEST + (size_t)rng_below(&r, LONGEST - SHORTEST + 1);
		for (size_t j = 0; j < n; j++)
			token[j] = (int32_t)rng_below(&r, (uint64_t)vocab);
		dataset_add(d, token, n, false);
	}
}

static struct model_config
config(size_t i)
{
	return (struct model_config){
		.family = "llama", .n_layer = sizes[i].layers, .d_model = sizes[i].width, .n_head = sizes[i].heads,
		.n_kv_head = sizes[i].heads, .head_dim = sizes[i].width / sizes[i].heads, .d_ff = sizes[i].ff,
		.vocab = sizes[i].vocab, .n_ctx = LONGEST, .norm = NORM_RMS, .pos = POS_ROPE, .mlp = MLP_GATED,
		.act = ACT_SILU, .tied = true,
		.norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = 0, .eos = 0,
	};
}

static void
lanes_open(struct bench *b)
{
	size_t widest = 0, rows = (size_t)b->spec.options.batch * LONGEST;
	for (int i = 0; i < b->m.n_linears; i++) {
		widest = (size_t)b->m.linears[i].in > widest ? (size_t)b->m.linears[i].in : widest;
		widest = (size_t)b->m.linears[i].out > widest ? (size_t)b->m.linears[i].out : widest;
	}
	b->n_lanes = b->t.step.n_lanes;
	b->lanes = xcalloc(b->n_lanes, sizeof(*b->lanes));
	for (size_t l = 0; l < b->n_lanes; l++) {
		b->lanes[l].grad = xcalloc(b->m.n_params, sizeof(float));
		b->lanes[l].rows = xcalloc(rows * widest, sizeof(float));
		b->lanes[l].wide = xcalloc(rows * widest, sizeof(float));
	}
	b->acts = xcalloc((size_t)pool_threads(b->pool), sizeof(*b->acts));
	for (int i = 0; i < pool_threads(b->pool); i++)
		b->acts[i] = acts_new(&b->m);
}

static void
bench_close(struct bench *b)
{
	for (size_t l = 0; l < b->n_lanes; l++) {
		ragged_free(&b->lanes[l].ragged);
		free(b->lanes[l].grad);
		free(b->lanes[l].rows);
		free(b->lanes[l].wide);
	}
	for (int i = 0; i < pool_threads(b->pool); i++)
		acts_free(b->acts[i]);
	free(b->lanes);
	free(b->acts);
	trainer_close(&b->t);
	model_free(&b->m);
	dataset_free(&b->d);
}

static enum err
bench_size(size_t i, int lanes, struct pool *pool)
{
	struct bench b = { .pool = pool };
	const struct model_config c = config(i);
	make_data(&b.d, sizes[i].vocab);
	b.spec.data = &b.d;
	train_defaults(&b.spec.options);
	if (lanes > 0)
		b.spec.options.lanes = lanes;
	TRY(model_new(&b.m, &c, true));
	TRY(trainer_open(&b.t, &b.m, &b.spec, pool, NULL));
	lanes_open(&b);
	struct times t = measure(&b);
	printf("%5.1fM params, %d lanes, %d threads: products %4.1f %%, other layers %4.1f %%, reduction and update"
		" %4.1f %%; threads busy %3.0f %%; %.0f tokens a processor second\n",
		(double)b.m.n_params / 1e6, (int)b.n_lanes, pool_threads(pool),
		100 * t.products / t.step, 100 * (t.passes - t.products) / t.step, 100 * (t.step - t.passes) / t.step,
		100 * t.step / t.wall / pool_threads(pool), t.tokens / t.step);
	bench_close(&b);
	return OK;
}

/* usage: bench_train [LANES] */
int
main(int argc, char **argv)
{
	struct pool *pool = pool_new(0);
	enum err err = OK;
	for (size_t i = 0; err == OK && i < ARRAY_LEN(sizes); i++)
		err = bench_size(i, argc > 1 ? atoi(argv[1]) : 0, pool);
	if (err != OK)
		fprintf(stderr, "bench_train: %s\n", err_message());
	pool_free(pool);
	return err == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
