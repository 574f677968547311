/*
 * bench_query: from the end of generation to the first ranking, at several numbers of examples.
 *
 *   bench/bench_query [THREADS]
 *
 * A query of 24 prompt and 64 output tokens, a model of 1.9 million parameters at six checkpoints, an index as it is by
 * default; all made up, since time does not depend on what the numbers mean. What a ranking must pay whatever the corpus
 * are the query's own backward passes; the ranking is everything after them: the span's row, its table of the
 * vocabulary, the scan, the lists. Once as a clock on the wall has it, once in processor time of all threads together,
 * which others on the machine disturb less and nobody waits longer than when it is idle. Best of a few. "another span"
 * is the time that a new selection takes, "matrix" that of scores at every output token, which the explorer has behind
 * the ranking.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "byline/attrib.h"
#include "bench.h"
#include "byline/clock.h"
#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"
#include "features_internal.h"
#include "session_index.h"

enum { PROMPT = 24, OUTPUT = 64, POINTS = 6, K = 64, OWN = 96, ROUNDS = 7 };

static const struct model_config config = { .family = "llama", .n_layer = 4, .d_model = 192, .n_head = 6, .n_kv_head = 2,
	.head_dim = 32, .d_ff = 512, .vocab = 2048, .n_ctx = 256, .norm = NORM_RMS, .pos = POS_ROPE, .mlp = MLP_GATED,
	.act = ACT_SILU, .tied = true, .norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = 0, .eos = 0 };

static void
side_make(struct curvature_side *side, int n, int k, uint64_t stream)
{
	*side = (struct curvature_side){ .n = n, .k = k };
	must(mem_array(&side->p, (size_t)k * (size_t)n, sizeof(float), "projection"));
	must(linalg_orthonormal_rows(side->p, k, n, 1, stream));
}

/* Projections without whitening: the products are the same. */
static void
projections_make(struct curvature *c, const struct model *m, const struct feature_layout *l)
{
	*c = (struct curvature){ .n_layers = l->n_blocks, .layers = xcalloc((size_t)l->n_blocks, sizeof(*c->layers)) };
	for (int i = 0; i < l->n_blocks; i++) {
		const struct feature_block *b = &l->block[i];
		const struct linear *x = &m->linears[b->linear];
		struct curvature_layer *to = &c->layers[i];
		*to = (struct curvature_layer){ .linear = b->linear, .in = x->in, .out = x->out };
		side_make(&to->a, x->in, b->ka, 2 * (uint64_t)i);
		if (!b->own) {
			side_make(&to->s, x->out, b->ks, 2 * (uint64_t)i + 1);
			continue;
		}
		to->s = (struct curvature_side){ .n = x->out, .k = b->ks };
		must(mem_array(&to->s.weight, (size_t)x->out, sizeof(float), "weights"));
		for (int v = 0; v < x->out; v++)
			to->s.weight[v] = 1;
	}
}

static void
points_make(struct session *s, struct index *x)
{
	x->n_points = POINTS;
	feature_layout_plan(&x->layout, &s->model, K, OWN, 4);
	x->point = xcalloc(POINTS, sizeof(*x->point));
	for (int i = 0; i < POINTS; i++) {
		must(model_new(&x->point[i].model, &config, true));
		model_init(&x->point[i].model, (uint64_t)i);
		projections_make(&x->point[i].curvature, &s->model, &x->layout);
	}
	x->scale = 1;
	x->ready = true;
	pthread_mutex_init(&x->lock, NULL);
}

static uint8_t *
tokens_make(size_t n)
{
	uint32_t *token;
	must(mem_array(&token, n * OWN, sizeof(*token), "tokens"));
	for (size_t i = 0; i < n * OWN; i++) {
		uint32_t step = (uint32_t)config.vocab / OWN;
		token[i] = (uint32_t)(i % OWN) * step + (uint32_t)(i * 7919 % step);
	}
	return (uint8_t *)token;
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
	shard->tokens = tokens_make(n);
	*f = (struct features){ .layout = *l, .shard = shard, .n_shards = 1, .rows = n,
		.first = xcalloc(2, sizeof(*f->first)) };
	f->first[1] = n;
}

static void
features_unmake(struct features *f)
{
	free((void *)(uintptr_t)f->shard->codes);
	free((void *)(uintptr_t)f->shard->tokens);
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

static struct query *
query_make(struct session *s)
{
	struct query *q = xcalloc(1, sizeof(*q));
	*q = (struct query){ .session = s, .n_prompt = PROMPT, .n_out = OUTPUT };
	q->tokens = xcalloc(PROMPT + OUTPUT, sizeof(*q->tokens));
	for (int i = 0; i < PROMPT + OUTPUT; i++)
		q->tokens[i] = i * 7 % config.vocab;
	return q;
}

/* ---- measuring ---- */

struct spent { double wall, processor; };

static struct spent
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (struct spent){ clock_monotonic(), (double)t.tv_sec + 1e-9 * (double)t.tv_nsec };
}

/* Keeps the best; returns the time that it is. */
static struct spent
best(struct spent *b, struct spent from)
{
	struct spent to = now();
	b->wall = fmin(b->wall, to.wall - from.wall);
	b->processor = fmin(b->processor, to.processor - from.processor);
	return now();
}

static void
rank(struct query *q, int from, int to)
{
	struct ranking *r;
	const struct rank_options o = { .method = method_find("features"), .from = from, .to = to, .top = 5000 };
	must(query_rank(q, &o, NULL, &r));
	ranking_free(r);
}

enum { PASSES, RANKING, SPAN, MATRIX, N_PARTS };

static void
measure(struct session *s, struct spent part[N_PARTS])
{
	for (int i = 0; i < N_PARTS; i++)
		part[i] = (struct spent){ INFINITY, INFINITY };
	for (int i = 0; i < ROUNDS; i++) {
		struct query *q = query_make(s);
		struct spent t = now();
		must(query_scores(q, NULL));
		t = best(&part[PASSES], t);
		rank(q, 0, OUTPUT);
		t = best(&part[RANKING], t);
		rank(q, 8, 16);
		t = best(&part[SPAN], t);
		if (i < 2) {
			must(query_matrix(q, NULL));
			best(&part[MATRIX], t);
		}
		query_free(q);
	}
}

static void
bench_size(struct session *s, size_t n)
{
	struct features f;
	struct shard shard = {0};
	struct spent part[N_PARTS];
	features_make(&f, &shard, &s->index->layout, n);
	s->index->features = &f;
	examples_make(s, n);
	measure(s, part);
	printf("%8zu  %9.1f", n, (double)n * (double)s->index->layout.code_bytes / 1e6);
	for (int i = 0; i < N_PARTS; i++)
		printf("  %7.1f %7.1f", part[i].wall * 1e3, part[i].processor * 1e3);
	printf("\n");
	fflush(stdout);
	features_unmake(&f);
}

int
main(int argc, char **argv)
{
	static const size_t size[] = { 1000, 4000, 10000 };
	struct index x = {0};
	struct session s = { .pool = pool_new(argc > 1 ? atoi(argv[1]) : 0), .index = &x };
	mm_init();
	must(model_new(&s.model, &config, true));
	points_make(&s, &x);
	printf("first ranking of a query of %d + %d tokens, %d checkpoints, %.2f million parameters, rows of %.1f KB, "
		"%d threads; milliseconds, wall and processor\n", PROMPT, OUTPUT, POINTS, (double)s.model.n_params / 1e6,
		(double)x.layout.code_bytes / 1e3, pool_threads(s.pool));
	printf("%8s  %9s  %15s  %15s  %15s  %15s\n", "examples", "megabytes", "own passes", "ranking", "another span", "matrix");
	for (size_t i = 0; i < ARRAY_LEN(size); i++)
		bench_size(&s, size[i]);
	return EXIT_SUCCESS;
}
