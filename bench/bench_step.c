/*
 * bench_step: whole training steps (passes, reduction, clipping, AdamW) of a model of ten million parameters, 16 sequences
 * of 256 tokens each: tokens a second, the best of a few steps. bench/train_torch.py runs it in turn with the same model
 * in PyTorch.
 *
 *   bench/bench_step [STEPS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "../src/train/trainer.h"
#include "bench.h"
#include "byline/clock.h"
#include "byline/mem.h"
#include "byline/rng.h"

enum { LENGTH = 256, BATCH = 16, BATCHES = 4, VOCAB = 4096 };

static void
make_data(struct dataset *d)
{
	struct rng r;
	int32_t token[LENGTH + 1];
	rng_init(&r, 1, 0);
	for (int i = 0; i < BATCH * BATCHES; i++) {
		for (int j = 0; j <= LENGTH; j++)
			token[j] = (int32_t)rng_below(&r, VOCAB);
		dataset_add(d, token, LENGTH + 1, false);
	}
}

int
main(int argc, char **argv)
{
	const struct model_config c = { .family = "llama", .n_layer = 8, .d_model = 320, .n_head = 5, .n_kv_head = 5,
		.head_dim = 64, .d_ff = 864, .vocab = VOCAB, .n_ctx = LENGTH + 1, .mlp = MLP_GATED, .tied = true,
		.norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = 0, .eos = 0 };
	int steps = argc > 1 ? atoi(argv[1]) : 6;
	struct pool *pool = pool_new(0);
	struct dataset d = {0};
	struct train_spec spec = { .data = &d };
	struct trainer t = {0};
	struct model m;
	double best = 0;
	make_data(&d);
	train_defaults(&spec.options);
	spec.options.batch = BATCH;
	must(model_new(&m, &c, true));
	must(trainer_open(&t, &m, &spec, pool, NULL));
	for (int i = 0; i < steps; i++) {
		double from = clock_monotonic();
		must(trainer_step(&t));
		double rate = BATCH * LENGTH / (clock_monotonic() - from);
		best = rate > best ? rate : best;
	}
	printf("%.0f tokens a second, %.1f million parameters, %d threads\n", best, (double)m.n_params / 1e6,
		pool_threads(pool));
	trainer_close(&t);
	model_free(&m);
	dataset_free(&d);
	pool_free(pool);
	return EXIT_SUCCESS;
}
