/*
 * bench_gradients: how much of this machine's sgemm rate the passes of attribution reach: gradients of each example by
 * itself, as exact scores form them, and rows of features, as an index holds them.
 *
 *   bench/bench_gradients
 *
 * Counted are the products that the mathematics needs: every linear layer forward and back to its inputs, causal
 * attention as the triangle it is, and of the layers that are attributed each example's G = sum g a^T; for features the
 * projections instead of G. On one thread, in processor time, in turn with one large
 * product; the best of a few rounds counts on both sides, so that other work on the machine decides little.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "byline/features.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/pool.h"
#include "byline/rng.h"

#include "../src/attrib/features_internal.h"
#include "../src/attrib/gradients.h"

enum { EXAMPLES = 8, LENGTH = 256, ROWS = EXAMPLES * LENGTH, VOCAB = 4096, SIDE = 1024, ROUNDS = 5, TOKENS = 2048, OWN = 96 };

static const struct { int layers, width, heads, ff, k; } sizes[] = {
	{ 4, 256, 4, 704, 64 }, { 8, 320, 5, 864, 64 }, { 12, 768, 12, 2048, 64 } };

struct bench {
	struct model m;
	struct dataset data;
	struct pool *pool;		/* of one thread */
	struct curvature c;
	struct feature_layout layout;
	struct layer_set layers;
	struct projector *projector;
	struct acts *acts;
	struct batch batch;
	int32_t start[EXAMPLES + 1], token[ROWS], target[ROWS];
	float *rows, *a, *product;
	uint32_t *own;
	double taken;			/* so that nothing is done for nobody */
};

/* ---- contestants ---- */

static void
take(void *arg, int layer, int first, int n, const float *g)
{
	struct bench *b = arg;
	(void)layer, (void)first;
	b->taken += (double)g[n - 1];
}

static void
run_gradients(struct bench *b)
{
	const struct gradients g = { .layers = &b->layers, .arg = b, .take = take };
	must(model_forward(&b->m, b->m.params, b->acts, &b->batch));
	acts_loss(&b->m, b->acts, &b->batch, NULL, NULL);
	must(gradients_back(&g, b->m.params, b->acts, &b->batch));
}

static void
run_features(struct bench *b)
{
	must(projector_rows(b->projector, b->m.params, &b->c, &b->batch, b->own, 1, b->rows));
}

static void
run_sgemm(struct bench *b)
{
	mm(SIDE, SIDE, SIDE, 1, b->a, SIDE, b->a, SIDE, 0, b->product, SIDE);
}

/* ---- operations ---- */

/* Forward and back to the inputs, of all rows. */
static double
passes_flops(const struct model *m)
{
	double weights = 0, att = 2.0 * m->config.n_head * m->config.head_dim * LENGTH * (LENGTH + 1) / 2;
	for (int i = 0; i < m->n_linears; i++)
		weights += (double)m->linears[i].in * m->linears[i].out;
	/* Of attention: scores and sums forward, four products of that size back. */
	return 2 * 2 * weights * ROWS + 2 * 3 * att * m->config.n_layer * EXAMPLES;
}

static double
gradients_flops(const struct bench *b)
{
	return passes_flops(&b->m) + 2 * (double)layer_set_values(&b->layers) * ROWS;
}

/* Inputs and outputs' gradients projected to k each, and their products; of the unembedding, rows for own tokens. */
static double
features_flops(const struct bench *b)
{
	double sum = passes_flops(&b->m);
	for (int i = 0; i < b->layout.n_blocks; i++) {
		const struct feature_block *f = &b->layout.block[i];
		const struct linear *l = &b->m.linears[f->linear];
		double out = f->own ? 0 : (double)l->out * f->ks;
		sum += 2 * ((double)l->in * f->ka + out + (double)f->ka * f->ks) * ROWS;
	}
	return sum;
}

/* ---- one size ---- */

static void
make_data(struct bench *b)
{
	struct rng r;
	int32_t token[LENGTH + 1];
	rng_init(&r, 1, 2);
	for (int i = 0; i < EXAMPLES; i++) {
		for (int t = 0; t <= LENGTH; t++)
			token[t] = (int32_t)rng_below(&r, VOCAB);
		dataset_add(&b->data, token, LENGTH + 1, false);
		for (int t = 0; t < LENGTH; t++) {
			b->token[i * LENGTH + t] = token[t];
			b->target[i * LENGTH + t] = token[t + 1];
		}
		b->start[i + 1] = (i + 1) * LENGTH;
	}
	b->batch = (struct batch){ EXAMPLES, ROWS, b->start, b->token, b->target };
}

static void
make_own(struct bench *b)
{
	const struct feature_block *own = feature_layout_own(&b->layout);
	uint32_t *count = xcalloc(VOCAB, sizeof(*count));
	b->own = xcalloc((size_t)EXAMPLES * (size_t)own->ks, sizeof(*b->own));
	feature_tokens_count(&b->data, VOCAB, count);
	for (uint32_t i = 0; i < EXAMPLES; i++)
		feature_tokens(&b->data, i, count, own->ks, b->own + i * (size_t)own->ks);
	free(count);
}

static void
setup(struct bench *b, size_t size)
{
	const struct model_config c = { .family = "llama", .n_layer = sizes[size].layers, .d_model = sizes[size].width,
		.n_head = sizes[size].heads, .n_kv_head = sizes[size].heads,
		.head_dim = sizes[size].width / sizes[size].heads, .d_ff = sizes[size].ff, .vocab = VOCAB, .n_ctx = LENGTH,
		.mlp = MLP_GATED, .tied = true, .norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = -1,
		.eos = -1 };
	struct curvature_options o;
	*b = (struct bench){ .pool = pool_new(1) };
	must(model_new(&b->m, &c, true));
	model_init(&b->m, 1);
	make_data(b);
	curvature_defaults(&o);
	o.k = sizes[size].k;
	o.max_tokens = TOKENS;
	must(curvature_compute(&b->c, &b->m, b->m.params, &b->data, &o, b->pool, NULL));
	feature_layout_plan(&b->layout, &b->m, sizes[size].k, OWN, 4);
	layer_set_make(&b->layers, &b->m);
	b->projector = projector_new(&b->m, &b->layout);
	b->acts = acts_new(&b->m);
	make_own(b);
	b->rows = xcalloc(EXAMPLES * b->layout.width, sizeof(*b->rows));
	b->a = xcalloc((size_t)SIDE * SIDE, sizeof(*b->a));
	b->product = xcalloc((size_t)SIDE * SIDE, sizeof(*b->product));
}

static void
teardown(struct bench *b)
{
	free(b->rows);
	free(b->own);
	free(b->a);
	free(b->product);
	projector_free(b->projector);
	acts_free(b->acts);
	layer_set_free(&b->layers);
	feature_layout_free(&b->layout);
	curvature_free(&b->c);
	dataset_free(&b->data);
	model_free(&b->m);
	pool_free(b->pool);
}

static double
rate(struct bench *b, void (*run)(struct bench *), double flops, double best)
{
	double at = processor_seconds();
	run(b);
	double now = flops / (processor_seconds() - at);
	return now > best ? now : best;
}

static void
bench_size(size_t size)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	double sgemm = 0, gradients = 0, features = 0;
	setup(b, size);
	for (int i = 0; i < ROUNDS; i++) {
		sgemm = rate(b, run_sgemm, 2.0 * SIDE * SIDE * SIDE, sgemm);
		gradients = rate(b, run_gradients, gradients_flops(b), gradients);
		features = rate(b, run_features, features_flops(b), features);
	}
	printf("%.1fM parameters: sgemm %.0f Gflop/s on one thread; each example's gradients %.2f of it, features %.2f\n",
		(double)b->m.n_params / 1e6, sgemm / 1e9, gradients / sgemm, features / sgemm);
	fflush(stdout);
	teardown(b);
	free(b);
}

int
main(void)
{
	mm_init();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		bench_size(i);
	return EXIT_SUCCESS;
}
