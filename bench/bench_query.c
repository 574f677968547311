/*
 * bench_query: from the end of generation to the first ranking, at several numbers of examples.
 *
 * A query of 24 prompt and 64 output tokens, a model of 1.9 million parameters at six checkpoints, k = 64 in four bits; all
 * made up, since time does not depend on what the numbers mean. What a ranking must pay whatever the corpus are the query's own
 * backward passes, measured in the same run; the rest is compared with them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/attrib.h"
#include "byline/clock.h"
#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"
#include "features_internal.h"
#include "session_index.h"

enum { PROMPT = 24, OUTPUT = 64, POINTS = 6, K = 64, ROUNDS = 3 };

static const struct model_config config = { .family = "llama", .n_layer = 4, .d_model = 192, .n_head = 6, .n_kv_head = 2,
	.head_dim = 32, .d_ff = 512, .vocab = 2048, .n_ctx = 256, .norm = NORM_RMS, .pos = POS_ROPE, .mlp = MLP_GATED,
	.act = ACT_SILU, .tied = true, .norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = 0, .eos = 0 };

static void
must(enum err err)
{
	if (err == OK)
		return;
	fprintf(stderr, "bench_query: %s\n", err_message());
	exit(EXIT_FAILURE);
}

/* Projections without whitening: the products are the same. */
static void
projections_make(struct curvature *c, const struct model *m)
{
	int *linear, n;
	curvature_layers(m, &linear, &n);
	*c = (struct curvature){ .n_layers = n, .layers = xcalloc((size_t)n, sizeof(*c->layers)) };
	for (int i = 0; i < n; i++) {
		const struct linear *l = &m->linears[linear[i]];
		struct curvature_layer *to = &c->layers[i];
		*to = (struct curvature_layer){ .linear = linear[i], .in = l->in, .out = l->out, .a = { .n = l->in, .k = K },
			.s = { .n = l->out, .k = K } };
		must(mem_array(&to->a.p, (size_t)K * (size_t)l->in, sizeof(float), "projection"));
		must(mem_array(&to->s.p, (size_t)K * (size_t)l->out, sizeof(float), "projection"));
		must(linalg_orthonormal_rows(to->a.p, K, l->in, 1, 2 * (uint64_t)i));
		must(linalg_orthonormal_rows(to->s.p, K, l->out, 1, 2 * (uint64_t)i + 1));
	}
	free(linear);
}

static void
points_make(struct session *s, struct index *x)
{
	x->n_points = POINTS;
	x->point = xcalloc(POINTS, sizeof(*x->point));
	for (int i = 0; i < POINTS; i++) {
		must(model_new(&x->point[i].model, &config, true));
		model_init(&x->point[i].model, (uint64_t)i);
		projections_make(&x->point[i].curvature, &s->model);
	}
	feature_layout_make(&x->layout, &s->model, &x->point[0].curvature, 4);
	x->scale = 1;
	x->ready = true;
	pthread_mutex_init(&x->lock, NULL);
}

/* As a mapped shard lies in memory, with codes at random. */
static void
features_make(struct features *f, struct shard *shard, const struct feature_layout *l, size_t n)
{
	uint8_t *codes;
	struct rng rng;
	rng_init(&rng, 1, 0);
	must(mem_array(&codes, n * l->code_bytes, 1, "codes"));
	must(mem_array(&shard->scales, n * (size_t)l->n_blocks, sizeof(float), "scales"));
	must(mem_array(&shard->example, n, sizeof(uint32_t), "examples"));
	for (size_t i = 0; i < n * l->code_bytes; i++)
		codes[i] = (uint8_t)(i % 4 ? codes[i - 1] * 5u + 1u : rng_u32(&rng));
	for (size_t i = 0; i < n * (size_t)l->n_blocks; i++)
		shard->scales[i] = 0.01f;
	for (size_t i = 0; i < n; i++)
		shard->example[i] = (uint32_t)i;
	shard->n = n;
	shard->codes = codes;
	*f = (struct features){ .layout = *l, .shard = shard, .n_shards = 1, .rows = n, .first = xcalloc(2, sizeof(*f->first)) };
	f->first[1] = n;
}

static void
features_unmake(struct features *f, uint8_t *codes)
{
	free(codes);
	free(f->shard->scales);
	free(f->shard->example);
	free(f->first);
}

static void
examples_make(struct session *s, size_t n)
{
	static const int32_t token[] = { 0, 1 };
	while (s->data.n < n)
		dataset_add(&s->data, token, 2, false);
	free(s->examples);
	s->examples = xcalloc(n, sizeof(*s->examples));
}

static void
query_make(struct query *q, struct session *s)
{
	*q = (struct query){ .session = s, .n_prompt = PROMPT, .n_out = OUTPUT };
	q->tokens = xcalloc(PROMPT + OUTPUT, sizeof(*q->tokens));
	for (int i = 0; i < PROMPT + OUTPUT; i++)
		q->tokens[i] = i * 7 % config.vocab;
}

/* Best of a few: seconds of query_scores and of the ranking after it. */
static void
measure(struct session *s, double *scores, double *rank)
{
	*scores = *rank = INFINITY;
	for (int i = 0; i < ROUNDS; i++) {
		struct query q;
		struct ranking *r;
		query_make(&q, s);
		double start = clock_monotonic();
		must(query_scores(&q, NULL));
		double middle = clock_monotonic();
		must(query_rank(&q, &(struct rank_options){ .method = method_find("features"), .to = OUTPUT, .top = 100 }, NULL, &r));
		*scores = fmin(*scores, middle - start);
		*rank = fmin(*rank, clock_monotonic() - middle);
		ranking_free(r);
		free(q.tokens);
		free(q.matrix);
	}
}

static double
scan_seconds(struct session *s)
{
	struct index *x = s->index;
	float *query, *out;
	double best = INFINITY;
	must(mem_array(&query, OUTPUT * x->layout.width, sizeof(*query), "query"));
	must(mem_array(&out, OUTPUT * s->data.n, sizeof(*out), "scores"));
	for (int i = 0; i < ROUNDS; i++) {
		double start = clock_monotonic();
		features_scan(x->features, query, OUTPUT, out, s->pool);
		best = fmin(best, clock_monotonic() - start);
	}
	free(query);
	free(out);
	return best;
}

static void
bench_size(struct session *s, size_t n, double *passes)
{
	struct features f;
	struct shard shard = {0};
	double scores, rank;
	features_make(&f, &shard, &s->index->layout, n);
	s->index->features = &f;
	examples_make(s, n);
	measure(s, &scores, &rank);
	double scan = scan_seconds(s), bytes = (double)n * (double)s->index->layout.code_bytes;
	if (!*passes)
		*passes = scores - scan;
	printf("%8zu  %9.1f  %10.1f  %8.1f  %8.1f  %8.2f\n", n, bytes / 1e6, *passes * 1e3, scan * 1e3, rank * 1e3,
		(scan + rank) / *passes);
	features_unmake(&f, (uint8_t *)(uintptr_t)shard.codes);
}

int
main(int argc, char **argv)
{
	static const size_t size[] = { 256, 1024, 4096, 16384 };
	struct index x = {0};
	struct session s = { .pool = pool_new(argc > 1 ? atoi(argv[1]) : 0), .index = &x };
	double passes = 0;
	mm_init();
	must(model_new(&s.model, &config, true));
	points_make(&s, &x);
	printf("first ranking of a query of %d + %d tokens, %d checkpoints, %.2f million parameters, %d threads; milliseconds\n", PROMPT,
		OUTPUT, POINTS, (double)s.model.n_params / 1e6, pool_threads(s.pool));
	printf("%8s  %9s  %10s  %8s  %8s  %8s\n", "examples", "megabytes", "own passes", "scan", "rank", "ratio");
	for (size_t i = 0; i < ARRAY_LEN(size); i++)
		bench_size(&s, size[i], &passes);
	return EXIT_SUCCESS;
}
