/*
 * toy: a model and a language small enough to train in a test, and hard enough to show whether it learned.
 */
#ifndef BYLINE_TEST_TOY_H
#define BYLINE_TEST_TOY_H

#include "byline/rng.h"
#include "byline/train.h"
#include "unit.h"

enum { TOY_VOCAB = 32, TOY_CTX = 40, TOY_SHORTEST = 6 };

/* Two layers. A unit whose binary uses only some of these would be warned about the rest if they were not inline. */
static inline void
toy_model(struct model *m)
{
	const struct model_config c = {
		.family = "llama", .n_layer = 2, .d_model = 32, .n_head = 4, .n_kv_head = 2, .head_dim = 8, .d_ff = 64,
		.vocab = TOY_VOCAB, .n_ctx = TOY_CTX, .norm = NORM_RMS, .pos = POS_ROPE, .mlp = MLP_GATED,
		.act = ACT_SILU, .norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = 0, .eos = 0,
	};
	assert_ok(model_new(m, &c, true));
}

/* A walk over the tokens 1..31 in which a token decides the next one nine times in ten. */
static inline void
toy_example(struct dataset *d, uint64_t seed, uint64_t number, bool heldout)
{
	struct rng r;
	int32_t token[TOY_CTX + 1] = { 0 };
	rng_init(&r, seed, number);
	size_t n = TOY_SHORTEST + (size_t)rng_below(&r, TOY_CTX + 2 - TOY_SHORTEST);
	for (size_t i = 1; i < n; i++) {
		int32_t sure = 1 + (3 * token[i - 1] + 5) % (TOY_VOCAB - 1);
		token[i] = rng_below(&r, 10) ? sure : 1 + (int32_t)rng_below(&r, TOY_VOCAB - 1);
	}
	dataset_add(d, token, n, heldout);
}

/* Every tenth example is held out when `heldout` is not 0; the held-out texts are drawn with it as their seed. */
static inline void
toy_dataset(struct dataset *d, size_t n, uint64_t heldout)
{
	*d = (struct dataset){0};
	for (size_t i = 0; i < n; i++) {
		toy_example(d, 7, i, false);
		if (heldout && i % 10 == 0)
			toy_example(d, heldout, i, true);
	}
}

static inline void
toy_options(struct train_options *o)
{
	train_defaults(o);
	o->epochs = 3;
	o->batch = 8;
	o->lanes = 4;
	o->lr = 0.01;
	o->save_every = 3600;
}

static inline void
assert_same_weights(const struct model *a, const struct model *b)
{
	assert_int_equal(a->n_params, b->n_params);
	assert_memory_equal(a->params, b->params, a->n_params * sizeof(float));
}

#endif
