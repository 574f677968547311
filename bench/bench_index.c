/*
 * bench_index: what indexing costs beside the passes it cannot do without, and how fast the scan reads.
 *
 * Cost: time an example for the plain forward and backward pass (with gradients of all weights), for the two passes of
 * curvature_compute, and for one checkpoint's rows of features, for two sizes of model. Scan: bytes of codes a second beside
 * what memcpy and only reading the same bytes reach, in the same run. All in processor time, of several rounds in which the
 * contestants take turns the best, so that other work on the machine does not decide.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "byline/features.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/pool.h"
#include "byline/rng.h"

#include "../src/attrib/features_internal.h"
#include "../src/attrib/pieces.h"

enum { EXAMPLES = 32, LENGTH = 256, ROUNDS = 3, SHARD_BYTES = 64 << 20, QUERIES = 32 };

struct bench {
	struct model m;
	struct dataset data;
	struct pool *pool;
	uint32_t example[EXAMPLES];
	struct pieces pieces;
	struct curvature c;
	struct feature_layout layout;
	/* By worker: */
	struct acts **acts;
	struct ragged *ragged;
	float **grads;
	struct projector **projector;
	float *rows;
};

static void
check(enum err err)
{
	if (err != OK) {
		fprintf(stderr, "bench_index: %s\n", err_message());
		exit(EXIT_FAILURE);
	}
}

static void *
room(size_t n, size_t size)
{
	void *p;
	check(mem_array(&p, n, size, "benchmark"));
	return p;
}

/* Of all threads together. */
static double
processor_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the passes ---- */

static void
setup(struct bench *s, int d_model, int d_ff, int n_layer)
{
	struct model_config c = { .family = "llama", .n_layer = n_layer, .d_model = d_model, .n_head = 4, .n_kv_head = 4,
		.head_dim = d_model / 4, .d_ff = d_ff, .vocab = 4096, .n_ctx = LENGTH, .norm = NORM_RMS, .pos = POS_ROPE,
		.mlp = MLP_GATED, .act = ACT_SILU, .tied = true, .norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02,
		.bos = -1, .eos = -1 };
	int32_t token[LENGTH + 1];
	struct rng rng;
	size_t workers;
	*s = (struct bench){ .pool = pool_new(0) };
	check(model_new(&s->m, &c, true));
	model_init(&s->m, 1);
	rng_init(&rng, 1, 2);
	for (uint32_t i = 0; i < EXAMPLES; i++) {
		for (int t = 0; t <= LENGTH; t++)
			token[t] = (int32_t)rng_below(&rng, 4096);
		dataset_add(&s->data, token, LENGTH + 1, false);
		s->example[i] = i;
	}
	pieces_cut(&s->pieces, &s->data, s->example, EXAMPLES);
	workers = (size_t)pool_threads(s->pool);
	s->acts = xcalloc(workers, sizeof(struct acts *));
	s->grads = xcalloc(workers, sizeof(float *));
	s->projector = xcalloc(workers, sizeof(struct projector *));
	s->ragged = xcalloc(workers, sizeof(*s->ragged));
	for (size_t i = 0; i < workers; i++) {
		s->acts[i] = acts_new(&s->m);
		s->grads[i] = room(s->m.n_params, sizeof(float));
	}
}

static void
teardown(struct bench *s)
{
	for (int i = 0; i < pool_threads(s->pool); i++) {
		acts_free(s->acts[i]);
		free(s->grads[i]);
		ragged_free(&s->ragged[i]);
	}
	free(s->acts);
	free(s->grads);
	free(s->ragged);
	free(s->projector);
	pieces_free(&s->pieces);
	dataset_free(&s->data);
	model_free(&s->m);
	pool_free(s->pool);
}

static const struct batch *
piece_batch(struct bench *s, size_t piece, int worker)
{
	ragged_fill(&s->ragged[worker], &s->data, s->example + s->pieces.start[piece], pieces_count(&s->pieces, piece));
	return &s->ragged[worker].batch;
}

static void
plain_piece(void *arg, size_t piece, int worker)
{
	struct bench *s = arg;
	const struct batch *b = piece_batch(s, piece, worker);
	check(model_forward(&s->m, s->m.params, s->acts[worker], b));
	acts_loss(&s->m, s->acts[worker], b, NULL, NULL);
	model_backward(&s->m, s->m.params, s->acts[worker], b, s->grads[worker], NULL);
}

static void
rows_piece(void *arg, size_t piece, int worker)
{
	struct bench *s = arg;
	check(projector_rows(s->projector[worker], s->m.params, &s->c, piece_batch(s, piece, worker), 1,
		s->rows + s->pieces.start[piece] * s->layout.width));
}

static void
plain(struct bench *s)
{
	pool_run(s->pool, s->pieces.n, plain_piece, s);
}

static void
rows(struct bench *s)
{
	pool_run(s->pool, s->pieces.n, rows_piece, s);
}

static void
curvature(struct bench *s)
{
	struct curvature_options o;
	curvature_defaults(&o);
	curvature_free(&s->c);
	check(curvature_compute(&s->c, &s->m, s->m.params, &s->data, &o, s->pool, NULL));
}

static void
begin_rows(struct bench *s, int k)
{
	struct curvature_options o;
	curvature_defaults(&o);
	o.k = k;
	check(curvature_compute(&s->c, &s->m, s->m.params, &s->data, &o, s->pool, NULL));
	feature_layout_make(&s->layout, &s->m, &s->c, 4);
	s->rows = room(EXAMPLES * s->layout.width, sizeof(float));
	for (int i = 0; i < pool_threads(s->pool); i++)
		s->projector[i] = projector_new(&s->m, &s->layout);
}

static void
end_rows(struct bench *s)
{
	for (int i = 0; i < pool_threads(s->pool); i++)
		projector_free(s->projector[i]);
	feature_layout_free(&s->layout);
	free(s->rows);
}

/* The best of several rounds in which the two take turns, in seconds; the first, which allocates, is not counted. */
static void
race(struct bench *s, void (*one)(struct bench *s), void (*other)(struct bench *s), double least[2])
{
	void (*what[2])(struct bench *s) = { one, other };
	least[0] = least[1] = 1e30;
	for (int i = 0; i < 2 * ROUNDS + 2; i++) {
		double t = processor_seconds();
		what[i % 2](s);
		t = processor_seconds() - t;
		if (i > 1 && t < least[i % 2])
			least[i % 2] = t;
	}
}

static void
bench_rows(struct bench *s, int k)
{
	double t[2];
	begin_rows(s, k);
	race(s, plain, rows, t);
	printf("  features, k %d         %8.2f ms   %.2f x   %zu bytes an example\n", k, 1e3 * t[1] / EXAMPLES, t[1] / t[0],
		s->layout.code_bytes + (size_t)s->layout.n_blocks * sizeof(float));
	end_rows(s);
	curvature_free(&s->c);
}

static void
bench_cost(int d_model, int d_ff, int n_layer)
{
	struct bench s;
	double t[2];
	setup(&s, d_model, d_ff, n_layer);
	race(&s, plain, curvature, t);
	printf("model of %.1f million parameters, examples of %d tokens; an example and checkpoint:\n",
		(double)s.m.n_params / 1e6, LENGTH);
	printf("  forward and backward   %8.2f ms\n", 1e3 * t[0] / EXAMPLES);
	printf("  curvature              %8.2f ms   %.2f x   (eigenvectors among it, %d examples)\n", 1e3 * t[1] / EXAMPLES,
		t[1] / t[0], EXAMPLES);
	curvature_free(&s.c);
	bench_rows(&s, 32);
	bench_rows(&s, 64);
	teardown(&s);
}

/* ---- the scan ---- */

struct scan {
	struct pool *pool;
	struct features *f;
	const uint8_t *codes;
	uint8_t *copy;
	size_t bytes;
	float *query, *out;
	int nq;
	uint64_t *sum;
};

enum { SLICES = 64 };

static void
copy_slice(void *arg, size_t i, int worker)
{
	struct scan *s = arg;
	size_t n = s->bytes / SLICES;
	(void)worker;
	memcpy(s->copy + i * n, s->codes + i * n, n);
}

static void
read_slice(void *arg, size_t i, int worker)
{
	struct scan *s = arg;
	size_t n = s->bytes / SLICES / sizeof(uint64_t);
	const uint8_t *from = s->codes + i * (s->bytes / SLICES);
	uint64_t sum[4] = { 0 };
	(void)worker;
	for (size_t j = 0; j + 4 <= n; j += 4)
		for (size_t k = 0; k < 4; k++) {
			uint64_t x;
			memcpy(&x, from + (j + k) * sizeof(x), sizeof(x));
			sum[k] += x;
		}
	s->sum[i] = sum[0] + sum[1] + sum[2] + sum[3];
}

static double
seconds_of(struct scan *s, int what)
{
	double least = 0;
	for (int i = 0; i <= 2 * ROUNDS; i++) {
		double t = processor_seconds();
		if (what == 0)
			pool_run(s->pool, SLICES, copy_slice, s);
		else if (what == 1)
			pool_run(s->pool, SLICES, read_slice, s);
		else
			features_scan(s->f, s->query, s->nq, s->out, s->pool);
		t = processor_seconds() - t;
		if (i > 0 && (least == 0 || t < least))
			least = t;
	}
	return least;
}

/* Ten blocks of k x k, as a model of three gated layers and a head has. */
static size_t
make_shard(const char *folder, const struct feature_layout *l)
{
	size_t n = SHARD_BYTES / l->code_bytes;
	float *row = room(n * l->width, sizeof(*row));
	uint32_t *example = room(n, sizeof(*example));
	struct rng rng;
	rng_init(&rng, 1, 1);
	for (size_t i = 0; i < l->width; i++)
		row[i] = (float)rng_normal(&rng);
	for (size_t i = 0; i < n; i++) {
		memmove(row + i * l->width, row, l->width * sizeof(*row));
		example[i] = (uint32_t)i;
	}
	char *path = shard_path(folder, 0);
	check(shard_write(path, &(struct shard_spec){ l, "", 0, 1 }, example, n, row));
	free(path);
	free(row);
	free(example);
	return n;
}

static void
bench_scan(int bits, int k)
{
	char folder[] = "bench_index.XXXXXX";
	struct feature_block block[10];
	size_t values = (size_t)k * (size_t)k;
	struct feature_layout l = { block, 10, bits, 10 * values, 10 * values * (size_t)bits / 8 };
	struct scan s = { .pool = pool_new(0) };
	for (int i = 0; i < 10; i++)
		block[i] = (struct feature_block){ i, k, k, (size_t)i * values };
	if (!mkdtemp(folder))
		exit(EXIT_FAILURE);
	size_t n = make_shard(folder, &l);
	check(features_open(folder, &l, "", n, &s.f));
	s.codes = s.f->shard[0].codes;
	s.bytes = n * l.code_bytes;
	s.copy = room(s.bytes, 1);
	s.query = room(QUERIES * l.width, sizeof(float));
	s.out = room(n * QUERIES, sizeof(float));
	s.sum = room(SLICES, sizeof(*s.sum));
	double gigabytes = (double)s.bytes / 1e9, copying = gigabytes / seconds_of(&s, 0), reading = gigabytes / seconds_of(&s, 1);
	printf("scan of %d-bit codes, k %d, %zu rows, %.0f MB; a core: memcpy %.1f GB/s, reading %.1f GB/s\n", bits, k, n, 1e3 * gigabytes, copying,
		reading);
	for (s.nq = 1; s.nq <= QUERIES; s.nq *= 32) {
		double rate = gigabytes / seconds_of(&s, 2);
		printf("  %2d queries            %8.2f GB/s   %.2f of memcpy   %.2f of reading   %.1f million rows a second\n", s.nq, rate,
			rate / copying, rate / reading, rate * 1e3 / (double)l.code_bytes);
	}
	features_close(s.f);
	check(file_remove_tree(folder));
	free(s.copy);
	free(s.query);
	free(s.out);
	free(s.sum);
	pool_free(s.pool);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_cost(128, 344, 3);
	bench_cost(256, 688, 4);
	bench_scan(4, 32);
	bench_scan(4, 64);
	bench_scan(8, 64);
	return EXIT_SUCCESS;
}
