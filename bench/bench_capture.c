/*
 * bench_capture: what capturing an index costs the training it is part of.
 *
 * A run is really trained, on random tokens, in a folder of its own; in every second epoch its steps are watched, so
 * that plain and watched steps take turns within one run. Measured in processor time: the median step of either kind,
 * what the capture adds to a resume point, the curvature of a checkpoint for two numbers of tokens, from which its
 * fixed part (eigenvectors) and what a token costs follow, and the unrelated queries behind the noise floor. Then what
 * all of it comes to over a whole run, for corpora of several sizes, 10 epochs and 6 checkpoints, with as many tokens of
 * curvature as byline train takes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/stats.h"

#include "../src/attrib/capture_internal.h"
#include "../src/attrib/index_null.h"

enum { EXAMPLES = 12, BATCH = 4, LANES = 2, LENGTH = 256 };
enum { EPOCHS = 10, PER_EPOCH = EXAMPLES / BATCH, STEPS = PER_EPOCH * EPOCHS };
enum { FEW = 1024, MANY = 3072 };		/* tokens of curvature */

static const struct { int layers, width, heads, ff, vocab, k; } sizes[] = {
	{ 4, 192, 6, 512, 1024, 64 },
	{ 4, 192, 4, 512, 4096, 64 },
	{ 4, 256, 8, 704, 2048, 64 },
	{ 4, 256, 8, 704, 2048, 32 },
};

struct bench {
	struct model m;
	struct dataset data;
	struct train_spec spec;
	struct capture c;
	struct train_capture hooks;	/* the capture's, with a clock around */
	double last;			/* when the step in progress began */
	int64_t step;
	double plain[STEPS], watched[STEPS], save[STEPS], curvature[STEPS];
	size_t n_plain, n_watched, n_save, n_curvature;
};

/* ---- a clock around each hook ---- */

/* The step before has ended; one that ended an epoch had more to do. */
static bool
timed_wants(void *arg, int64_t step)
{
	struct bench *b = arg;
	double now = processor_seconds();
	if (step > 0 && step % PER_EPOCH != 0) {
		if (capture_plan_visit(&b->c.plan, step - 1) >= 0)
			b->watched[b->n_watched++] = now - b->last;
		else
			b->plain[b->n_plain++] = now - b->last;
	}
	b->last = processor_seconds();
	return b->c.hooks.wants(&b->c, step);
}

static void
timed_linear(void *arg, int worker, const uint32_t *example, int index, const float *a, const float *g,
	const struct batch *batch)
{
	struct bench *b = arg;
	b->c.hooks.linear(&b->c, worker, example, index, a, g, batch);
}

static enum err
timed_step(void *arg, int64_t done)
{
	struct bench *b = arg;
	return b->c.hooks.step(&b->c, done);
}

static enum err
timed_checkpoint(void *arg, int64_t done, const float *params)
{
	struct bench *b = arg;
	double t = processor_seconds();
	TRY(b->c.hooks.checkpoint(&b->c, done, params));
	b->curvature[b->n_curvature++] = processor_seconds() - t;
	return OK;
}

static enum err
timed_save(void *arg, int64_t done)
{
	struct bench *b = arg;
	double t = processor_seconds();
	TRY(b->c.hooks.save(&b->c, done));
	b->save[b->n_save++] = processor_seconds() - t;
	return OK;
}

static enum err
timed_begin(void *arg, int64_t done)
{
	struct bench *b = arg;
	return b->c.hooks.begin(&b->c, done);
}

/* ---- one size ---- */

static void
make_data(struct dataset *d, int vocab)
{
	struct rng r;
	int32_t token[LENGTH];
	rng_init(&r, 1, 0);
	for (int i = 0; i < EXAMPLES; i++) {
		for (int j = 0; j < LENGTH; j++)
			token[j] = (int32_t)rng_below(&r, (uint64_t)vocab);
		dataset_add(d, token, LENGTH, false);
	}
}

static void
bench_open(struct bench *b, size_t size, char *folder, struct pool *pool)
{
	struct model_config c = { .family = "llama", .n_layer = sizes[size].layers, .d_model = sizes[size].width,
		.n_head = sizes[size].heads, .n_kv_head = sizes[size].heads,
		.head_dim = sizes[size].width / sizes[size].heads, .d_ff = sizes[size].ff, .vocab = sizes[size].vocab,
		.n_ctx = LENGTH, .norm = NORM_RMS, .pos = POS_ROPE, .mlp = MLP_GATED, .act = ACT_SILU, .tied = true,
		.norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = 0, .eos = 0 };
	*b = (struct bench){0};
	make_data(&b->data, sizes[size].vocab);
	must(model_new(&b->m, &c, true));
	b->spec.data = &b->data;
	train_defaults(&b->spec.options);
	b->spec.options.epochs = EPOCHS;
	b->spec.options.batch = BATCH;
	b->spec.options.lanes = LANES;
	b->spec.options.keep = 4;
	b->c = (struct capture){ .run.dir = xstrdup(folder), .model = &b->m, .spec = &b->spec, .pool = pool };
	index_defaults(&b->c.options);
	b->c.options.k = sizes[size].k;
	b->c.options.curvature_tokens = FEW;
	capture_prepare(&b->c);
	b->hooks = (struct train_capture){ .arg = b, .roles = b->c.hooks.roles, .wants = timed_wants,
		.linear = timed_linear, .step = timed_step, .checkpoint = timed_checkpoint, .save = timed_save,
		.begin = timed_begin };
	b->spec.capture = &b->hooks;
}

static double
median(double *v, size_t n)
{
	return stats_quantile(v, n, 0.5);
}

/* Of the passes of the noise floor at one checkpoint. */
static double
null_seconds(struct bench *b)
{
	struct example *examples = xcalloc(b->data.n, sizeof(*examples));
	struct indexing x = { .data = b->data, .examples = examples, .info.options = b->c.options };
	struct projector *p = projector_new(&b->m, &b->c.layout);
	struct feature_query features = {0};
	struct null_queries q;
	null_choose(&q, &x);
	must(feature_query_new(&features, &b->c.layout, q.n * NULL_LENGTHS, null_lengths[NULL_LENGTHS - 1]));
	double at = processor_seconds();
	for (int i = 0; i < q.n; i++) {
		struct null_batch batch;
		null_batch_make(&batch, &q, &b->data, i);
		must(projector_query(p, b->m.params, &b->c.projections, &batch.batch, 1, &features,
			i * NULL_LENGTHS));
		null_batch_free(&batch);
	}
	at = (processor_seconds() - at) * b->c.options.null_queries / q.n;
	null_free(&q);
	feature_query_free(&features);
	projector_free(p);
	free(examples);
	return at;
}

/* Seconds: of a step, a resume point, a checkpoint's curvature, each token of that, and a checkpoint's noise floor. */
struct cost { double plain, watched, save, fixed, token, null; };

static struct cost
bench_run(struct bench *b, struct pool *pool)
{
	must(train_run(&b->m, b->c.run.dir, &b->spec, pool, NULL));
	struct cost t = { median(b->plain, b->n_plain), median(b->watched, b->n_watched), median(b->save, b->n_save) };
	double few = median(b->curvature, b->n_curvature);
	b->c.options.curvature_tokens = MANY;
	double at = processor_seconds();
	must(b->c.hooks.checkpoint(&b->c, STEPS, b->m.params));
	double many = processor_seconds() - at;
	t.token = (many - few) / (MANY - FEW);
	t.fixed = few - t.token * FEW;
	t.null = null_seconds(b);
	return t;
}

/* Of a run of 10 epochs over a corpus of so many tokens. */
static void
report(const struct cost *t, double corpus)
{
	const double epochs = 10, kept = 6, visits = 4, cost = 2.7, step_tokens = BATCH * (LENGTH - 1);
	double tokens = CAPTURE_CURVATURE_SHARE * corpus * epochs / (cost * kept);
	tokens = fmin(fmax(tokens, 2048), 200000);
	double training = t->plain / step_tokens * corpus * epochs;
	double capture = (t->watched - t->plain) / step_tokens * corpus * visits / training;
	double curvature = kept * (t->fixed + tokens * t->token) / training;
	/* What is saved grows with the examples. */
	double save = t->save * corpus / (EXAMPLES * (LENGTH - 1)) * epochs / training;
	double null = t->null * kept / training;
	printf("  corpus of %4.0fk tokens: %4.1f %% = capture %.1f %% + curvature %.1f %% (%.0f tokens a checkpoint)"
		" + noise floor %.1f %% + saving %.1f %%\n", corpus / 1000,
		100 * (capture + curvature + null + save), 100 * capture, 100 * curvature, tokens, 100 * null,
		100 * save);
}

static void
bench_size(size_t size, struct pool *pool)
{
	static const double corpora[] = { 1e5, 3e5, 1e6 };
	char folder[] = "/tmp/byline-bench-XXXXXX";
	struct bench *b = xcalloc(1, sizeof(*b));
	if (!mkdtemp(folder))
		exit(EXIT_FAILURE);
	bench_open(b, size, folder, pool);
	struct cost t = bench_run(b, pool);
	const double token = t.plain / (BATCH * (LENGTH - 1));
	printf("%.1fM parameters, k %d: a watched step takes %.3f of a plain one; a token of curvature %.2f of one of"
		" training, and a checkpoint that of %.0f whatever their number\n", (double)b->m.n_params / 1e6,
		sizes[size].k, t.watched / t.plain, t.token / token, t.fixed / token);
	for (size_t i = 0; i < ARRAY_LEN(corpora); i++)
		report(&t, corpora[i]);
	fflush(stdout);
	capture_release(&b->c);
	model_free(&b->m);
	dataset_free(&b->data);
	free(b);
	must(file_remove_tree(folder));
}

/* All sizes, or those whose numbers from 0 are given. */
int
main(int argc, char **argv)
{
	struct pool *pool = pool_new(0);
	for (size_t i = 0; argc < 2 && i < ARRAY_LEN(sizes); i++)
		bench_size(i, pool);
	for (int i = 1; i < argc; i++)
		if (strtoul(argv[i], NULL, 10) < ARRAY_LEN(sizes))
			bench_size(strtoul(argv[i], NULL, 10), pool);
	pool_free(pool);
	return EXIT_SUCCESS;
}
