/* tiny_model: small models with random weights, one for each way of building a model that the engine has. */
#ifndef BYLINE_TESTS_TINY_MODEL_H
#define BYLINE_TESTS_TINY_MODEL_H

#include <string.h>

#include "byline/model.h"
#include "byline/rng.h"

enum tiny { TINY_LLAMA, TINY_LLAMA_BIASED, TINY_GPT2, TINY_GPT2_ERF, TINY_KINDS };

/* The width of a llama's heads is not d_model / n_head, as some checkpoints have it. */
static inline struct model_config
tiny_config(enum tiny kind)
{
	struct model_config c = {.n_layer = 3, .d_model = 16, .n_head = 4, .d_ff = 20, .vocab = 50, .n_ctx = 40, .bos = 1, .eos = 2,
		.norm_eps = 1e-5, .init_range = 0.2, .rope_theta = 10000};
	bool llama = kind == TINY_LLAMA || kind == TINY_LLAMA_BIASED;
	strcpy(c.family, llama ? "llama" : "gpt2");
	c.norm = llama ? NORM_RMS : NORM_LAYER;
	c.pos = llama ? POS_ROPE : POS_LEARNED;
	c.mlp = llama ? MLP_GATED : MLP_PLAIN;
	c.act = llama ? ACT_SILU : kind == TINY_GPT2 ? ACT_GELU_TANH : ACT_GELU_ERF;
	c.n_kv_head = llama ? 2 : 4;
	c.head_dim = llama ? 6 : 4;
	c.tied = kind == TINY_LLAMA || kind == TINY_GPT2;
	c.attn_bias = c.out_bias = c.mlp_bias = kind != TINY_LLAMA;
	return c;
}

/* Gains and biases are random too, or mistakes with them would not show. */
static inline void
tiny_fill(struct model *m, uint64_t seed)
{
	model_init(m, seed);
	for (int i = 0; i < m->n_tensors; i++) {
		struct rng rng;
		rng_init(&rng, seed, 1000 + (uint64_t)i);
		float *v = m->params + m->tensors[i].at;
		for (int r = 0; m->tensors[i].cols == 1 && r < m->tensors[i].rows; r++)
			v[r] += 0.2f * (float)rng_normal(&rng);
	}
}

static inline enum err
tiny_model(struct model *m, enum tiny kind, uint64_t seed)
{
	struct model_config c = tiny_config(kind);
	enum err err = model_new(m, &c, true);
	if (err == OK)
		tiny_fill(m, seed);
	return err;
}

#endif
