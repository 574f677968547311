/*
 * bench_generate: a model larger than the processor's caches, run from its file as it lies: 16-bit weights, mapped.
 *
 *   bench/bench_generate [GIGABYTES] [f32|f16|bf16]      (default: 1 bf16)
 *
 * A Llama of that size with made-up weights is written below $TMPDIR. Then, in one run and in turn:
 *   - one token at a time: the bytes of all matrices a second, divided by what the same threads reach adding up a buffer
 *     of 1 GiB;
 *   - a prompt of 512 tokens: multiplications and additions a second, divided by what the same threads reach in sgemm
 *     of 1,024 x 1,024 x 1,024, each for itself;
 *   - the first token after opening: seconds, and how much memory the process took that is not the file's.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "byline/checkpoint.h"
#include "byline/clock.h"
#include "byline/file.h"
#include "byline/generate.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/pool.h"
#include "stored.h"

enum { ROUNDS = 5, TOKENS = 8, PROMPT = 512, SIDE = 1024 };

/* ---- what the machine gives ---- */

static double
wall_seconds(const struct pool *pool)
{
	(void)pool;
	return clock_monotonic();
}

struct gemm { float **c; const float *a; };

static void
multiply(void *arg, size_t i, int worker)
{
	const struct gemm *g = arg;
	(void)i;
	mm(SIDE, SIDE, SIDE, 1, g->a, SIDE, g->a, SIDE, 0, g->c[worker], SIDE);
}

/* Multiplications and additions a second. */
static double
multiply_matrices(const struct gemm *g, struct pool *pool)
{
	size_t n = (size_t)pool_threads(pool) * 4;
	double at = clock_monotonic();
	pool_run(pool, n, multiply, (void *)(uintptr_t)g);
	return 2.0 * SIDE * SIDE * SIDE * (double)n / (clock_monotonic() - at);
}

/* ---- the model ---- */

static void
write_model(const char *dir, double gigabytes, enum st_dtype dtype)
{
	const int d = 1536, ff = 4096, vocab = 16384;
	double block = 4.0 * d * d + 3.0 * d * ff, rest = (double)d * vocab;
	double wanted = gigabytes * 1e9 / (double)st_dtype_size(dtype);
	int layers = (int)fmax(round((wanted - rest) / block), 1);
	struct model_config c = { .family = "llama", .n_layer = layers, .d_model = d, .n_head = 12, .n_kv_head = 12,
		.head_dim = d / 12, .d_ff = ff, .vocab = vocab, .n_ctx = 2048, .mlp = MLP_GATED, .tied = true,
		.norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = 0, .eos = 0 };
	struct model m;
	must(model_new(&m, &c, true));
	for (size_t i = 0; i < m.n_params; i++)
		m.params[i] = 0.02f * ((float)((uint32_t)i * 2654435761u >> 8) * 0x1p-23f - 1);
	must(checkpoint_save(dir, &m, m.params, NULL, dtype));
	printf("%d layers, %.0f million parameters\n", layers, (double)m.n_params / 1e6);
	model_free(&m);
}

/* Memory of the process that is no file's, in bytes. */
static double
own_memory(void)
{
	char line[256];
	double kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lf", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * 1024;
}

static void
first_token(const char *dir, float *logits)
{
	const int32_t token = 1;
	struct model m;
	double before = own_memory(), at = clock_monotonic();
	must(checkpoint_map(dir, &m));
	struct kv *kv = kv_new(&m);
	must(model_step(&m, kv, &token, 1, logits));
	printf("first token: %.2f s after opening, %.1f MB of memory beside the file's %.1f\n", clock_monotonic() - at,
		(own_memory() - before) / 1e6, (double)stored_bytes(m.stored) / 1e6);
	kv_free(kv);
	model_free(&m);
}

/* ---- in turn ---- */

struct rates { double memory, tokens, gemm, prompt; };

static void
take_turn(const struct model *m, struct rates *best, const uint64_t *word, const struct gemm *g, struct pool *pool,
	float *logits)
{
	int32_t token[PROMPT];
	for (int i = 0; i < PROMPT; i++)
		token[i] = (37 * i + 5) % m->config.vocab;
	struct kv *kv = kv_new(m);
	must(model_step(m, kv, token, 4, logits));
	best->memory = fmax(best->memory, (double)BENCH_BUFFER / bench_read_memory(word, pool, wall_seconds));
	double at = clock_monotonic();
	for (int i = 0; i < TOKENS; i++)
		must(model_step(m, kv, token + i, 1, logits));
	best->tokens = fmax(best->tokens, TOKENS / (clock_monotonic() - at));
	best->gemm = fmax(best->gemm, multiply_matrices(g, pool));
	kv_rewind(kv, 0);
	at = clock_monotonic();
	must(model_step(m, kv, token, PROMPT, logits));
	best->prompt = fmax(best->prompt, PROMPT / (clock_monotonic() - at));
	kv_free(kv);
}

static void
run(const char *dir)
{
	struct pool *pool = pool_new(0);
	struct model m;
	struct rates best = {0};
	float **c = xcalloc((size_t)pool_threads(pool), sizeof(*c)), *a = xcalloc(SIDE * SIDE, sizeof(*a));
	uint64_t *word = xmalloc(BENCH_BUFFER);
	memset(word, 1, BENCH_BUFFER);
	must(checkpoint_map(dir, &m));
	float *logits = xcalloc((size_t)m.config.vocab, sizeof(*logits));
	for (int i = 0; i < pool_threads(pool); i++)
		c[i] = xcalloc(SIDE * SIDE, sizeof(**c));
	first_token(dir, logits);
	for (int i = 0; i < ROUNDS; i++)
		take_turn(&m, &best, word, &(struct gemm){ c, a }, pool, logits);
	double bytes = (double)stored_bytes(m.stored);
	/* The unembedding is for the last token of the prompt alone. */
	double matrices = (double)m.n_params - (double)m.config.vocab * m.config.d_model;
	printf("%d threads; memory gives %.1f GB/s, sgemm %.0f Gflop/s\n", pool_threads(pool), best.memory / 1e9,
		best.gemm / 1e9);
	printf("one token at a time: %.1f a second, %.1f GB/s: %.2f of memory\n", best.tokens, best.tokens * bytes / 1e9,
		best.tokens * bytes / best.memory);
	printf("a prompt of %d: %.0f tokens a second: %.2f of sgemm\n", PROMPT, best.prompt,
		2 * matrices * best.prompt / best.gemm);
	for (int i = 0; i < pool_threads(pool); i++)
		free(c[i]);
	free(c);
	free(a);
	free(word);
	free(logits);
	model_free(&m);
	pool_free(pool);
}

int
main(int argc, char **argv)
{
	static const struct { const char *name; enum st_dtype dtype; } kinds[] = {
		{ "bf16", ST_BF16 }, { "f16", ST_F16 }, { "f32", ST_F32 } };
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/byline-bench-XXXXXX", tmp ? tmp : "/tmp");
	enum st_dtype dtype = ST_BF16;
	for (size_t i = 0; argc > 2 && i < ARRAY_LEN(kinds); i++)
		dtype = strcmp(kinds[i].name, argv[2]) == 0 ? kinds[i].dtype : dtype;
	if (!mkdtemp(dir)) {
		fprintf(stderr, "bench_generate: %s: cannot be made\n", dir);
		return EXIT_FAILURE;
	}
	write_model(dir, argc > 1 ? atof(argv[1]) : 1, dtype);
	run(dir);
	must(file_remove_tree(dir));
	free(dir);
	return EXIT_SUCCESS;
}
