/*
 * bench_scan: a pass over stored features against the memory it must read: shards on disk, mapped as a session maps
 * them, rows of two sizes, one query, a few and many.
 *
 *   bench/bench_scan [THREADS] [MOST_ROWS]
 *
 * "of memory" divides the bytes of codes read a second by what the same threads reach adding up a buffer of 1 GiB,
 * measured in turn with the scans; both are the best of a few, and in processor time divided by the threads, all of
 * which work: others on the machine then disturb less. "cold" is the first pass after opening, which also maps
 * the pages. Rows: 4 layers at k = 32; 4 at k = 64 and the unembedding by 96 tokens of the example's own, as an index has
 * them by default; 9 at k = 64. A scan of own tokens includes making the table of the vocabulary that they look into.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "byline/clock.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"
#include "features_internal.h"

enum { ROUNDS = 7, SHARD_ROWS = 256, MANY = 32 };

static const char sha[] = "bench";

struct kind { const char *name; int blocks, k, own; };
static const struct kind kinds[] = { { "2 KB", 4, 32, 0 }, { "14 KB", 4, 64, 96 }, { "18 KB", 9, 64, 0 } };
enum { VOCAB = 2048 };

/* Of one thread, when all of them are busy. */
static double
busy_seconds(const struct pool *pool)
{
	return processor_seconds() / pool_threads(pool);
}

/* ---- shards of random codes ---- */

static void
layout_make(struct feature_layout *l, const struct kind *kind)
{
	*l = (struct feature_layout){ .bits = 4, .n_blocks = kind->blocks,
		.block = xcalloc((size_t)kind->blocks + 1, sizeof(*l->block)) };
	for (int i = 0; i < kind->blocks; i++) {
		l->block[i] = (struct feature_block){ .linear = i, .ka = kind->k, .ks = kind->k, .at = l->width, .weight = 1 };
		l->width += (size_t)kind->k * (size_t)kind->k;
	}
	l->dense = l->width;
	if (kind->own) {
		l->block[l->n_blocks++] = (struct feature_block){ .linear = kind->blocks, .ka = 2 * kind->k, .ks = kind->own,
			.at = l->width, .own = true, .weight = 1 };
		l->width += 2 * (size_t)kind->k * (size_t)kind->own;
		l->vocab = VOCAB;
	}
	l->code_bytes = l->width / 2;
}

static void
shard_make(const char *dir, const struct feature_layout *l, size_t number, size_t shards, size_t n, const uint8_t *codes)
{
	struct st_writer w;
	uint32_t example[SHARD_ROWS];
	float *scales = xcalloc(n * (size_t)l->n_blocks, sizeof(*scales));
	char text[32], *path = shard_path(dir, number);
	uint64_t numbers[] = { number, shards, (uint64_t)l->bits, l->width };
	static const char *const names[] = { "shard", "shards", "bits", "width" };
	for (size_t i = 0; i < n * (size_t)l->n_blocks; i++)
		scales[i] = 0.01f;
	for (size_t i = 0; i < n; i++)
		example[i] = (uint32_t)(number * SHARD_ROWS + i);
	must(st_writer_open(&w, path));
	st_writer_meta(&w, "format", FEATURES_FORMAT);
	st_writer_meta(&w, "curvature_sha256", sha);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		snprintf(text, sizeof(text), "%" PRIu64, numbers[i]);
		st_writer_meta(&w, names[i], text);
	}
	st_writer_declare(&w, "examples", ST_U32, 1, (uint64_t[]){ n });
	st_writer_declare(&w, "scales", ST_F32, 2, (uint64_t[]){ n, (uint64_t)l->n_blocks });
	st_writer_declare(&w, "codes", ST_U8, 2, (uint64_t[]){ n, l->code_bytes });
	const struct feature_block *own = feature_layout_own(l);
	if (own)
		st_writer_declare(&w, "tokens", ST_U32, 2, (uint64_t[]){ n, (uint64_t)own->ks });
	must(st_writer_begin(&w));
	must(st_writer_bytes(&w, example, n * sizeof(*example)));
	must(st_writer_bytes(&w, scales, n * (size_t)l->n_blocks * sizeof(*scales)));
	must(st_writer_bytes(&w, codes, n * l->code_bytes));
	for (size_t i = 0; own && i < n * (size_t)own->ks; i++) {
		uint32_t step = VOCAB / (uint32_t)own->ks;
		uint32_t token = (uint32_t)(i % (size_t)own->ks) * step + (uint32_t)(i * 7919 % step);
		must(st_writer_bytes(&w, &token, sizeof(token)));
	}
	must(st_writer_commit(&w));
	free(path);
	free(scales);
}

static void
shards_make(const char *dir, const struct feature_layout *l, size_t rows)
{
	size_t shards = (rows + SHARD_ROWS - 1) / SHARD_ROWS, bytes = SHARD_ROWS * l->code_bytes;
	uint8_t *codes = xmalloc(bytes);
	struct rng rng;
	rng_init(&rng, 1, 0);
	for (size_t i = 0; i < bytes; i++)
		codes[i] = (uint8_t)rng_u32(&rng);
	for (size_t i = 0; i < shards; i++)
		shard_make(dir, l, i, shards, rows - i * SHARD_ROWS < SHARD_ROWS ? rows - i * SHARD_ROWS : SHARD_ROWS,
			codes);
	free(codes);
}

static void
shards_drop(const char *dir, size_t rows)
{
	for (size_t i = 0; i < (rows + SHARD_ROWS - 1) / SHARD_ROWS; i++) {
		char *path = shard_path(dir, i);
		unlink(path);
		free(path);
	}
}

/* ---- measuring ---- */

/* As many queries as asked for, each of one term. */
static void
query_make(struct feature_query *q, const struct feature_layout *l)
{
	struct rng rng;
	must(feature_query_new(q, l, MANY, 1));
	rng_init(&rng, 2, 0);
	for (size_t i = 0; i < MANY * l->dense; i++)
		q->dense[i] = (float)rng_normal(&rng);
	for (size_t i = 0; i < MANY * (size_t)l->vocab; i++)
		q->s[i] = (float)rng_normal(&rng);
	for (size_t i = 0; feature_layout_own(l) && i < MANY * (size_t)feature_layout_own(l)->ka; i++)
		q->a[i] = (float)rng_normal(&rng);
	for (int i = 0; i < MANY; i++)
		q->n_terms[i] = q->terms;
}

static double
scan_seconds(const struct features *f, const struct feature_query *q, int n, float *out, struct pool *pool)
{
	int span[MANY + 1];
	for (int i = 0; i <= MANY; i++)
		span[i] = i;
	double start = busy_seconds(pool);
	must(features_scores(f, q, span, span + 1, n, out, pool, NULL));
	return busy_seconds(pool) - start;
}

/* Seconds for 1, 4 and MANY queries in turn with the bandwidth, so that a noisy neighbour disturbs all alike. */
static void
measure(const struct features *f, const struct feature_layout *l, const uint64_t *word, struct pool *pool)
{
	static const int n[] = { 1, 4, MANY };
	size_t rows = features_rows(f);
	double best[3] = { INFINITY, INFINITY, INFINITY }, memory = 0, bytes = (double)rows * (double)l->code_bytes;
	float *out = xcalloc(MANY * rows, sizeof(*out));
	struct feature_query q;
	query_make(&q, l);
	double cold = scan_seconds(f, &q, 1, out, pool);
	for (int i = 0; i < ROUNDS; i++) {
		memory = fmax(memory, (double)BENCH_BUFFER / bench_read_memory(word, pool, busy_seconds));
		best[0] = fmin(best[0], scan_seconds(f, &q, n[0], out, pool));
		if (i < 2)
			for (int j = 1; j < 3; j++)
				best[j] = fmin(best[j], scan_seconds(f, &q, n[j], out, pool));
	}
	printf("  %7.1f  %7.1f  %6.1f  %6.1f%%  %8.3f", cold * 1e3, best[0] * 1e3, bytes / best[0] / 1e9,
		100 * bytes / best[0] / memory, best[0] * 1e6 / (double)rows);
	printf("  %6.1f  %6.1f  %8.1f\n", bytes / best[1] / 1e9, bytes / best[2] / 1e9, memory / 1e9);
	feature_query_free(&q);
	free(out);
}

static void
bench(const char *dir, const struct kind *kind, size_t rows, const uint64_t *word, struct pool *pool)
{
	struct feature_layout l;
	struct features *f;
	layout_make(&l, kind);
	shards_make(dir, &l, rows);
	double start = clock_monotonic();
	must(features_open(dir, &l, sha, rows, &f));
	printf("%6s  %8zu  %7.1f", kind->name, rows, (clock_monotonic() - start) * 1e3);
	measure(f, &l, word, pool);
	fflush(stdout);
	features_close(f);
	shards_drop(dir, rows);
	feature_layout_free(&l);
}

int
main(int argc, char **argv)
{
	static const size_t most_bytes = (size_t)3 << 30;
	size_t most = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	struct pool *pool = pool_new(argc > 1 ? atoi(argv[1]) : 0);
	char dir[] = "bench_scan.XXXXXX";
	uint64_t *word;
	mm_init();
	must(mem_array(&word, BENCH_BUFFER, 1, "a buffer to read"));
	memset(word, 1, BENCH_BUFFER);
	if (!mkdtemp(dir))
		must(err_set(ERR_IO, "%s: cannot be made", dir));
	printf("one pass over features of 4 bits, shards of %d rows, %d threads; milliseconds, GB of codes a second\n",
		SHARD_ROWS, pool_threads(pool));
	printf("%6s  %8s  %7s  %7s  %7s  %6s  %7s  %8s  %6s  %6s  %8s\n", "row", "rows", "open", "cold", "1 query",
		"GB/s", "of mem.", "us a row", "4 q.", "32 q.", "memory");
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t rows = 10000; rows <= most; rows *= 10)
			if (rows * (size_t)(kinds[k].blocks * kinds[k].k + 2 * kinds[k].own) * (size_t)kinds[k].k / 2
				<= most_bytes)
				bench(dir, &kinds[k], rows, word, pool);
	rmdir(dir);
	free(word);
	pool_free(pool);
	return EXIT_SUCCESS;
}
