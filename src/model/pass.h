/*
 * pass: what the passes share: where each block's weights lie, rotary tables, the memory of one batch, and the forward
 * pass itself, which training runs with whole sequences and generation with a cache. Private to the model floor.
 */
#ifndef BYLINE_MODEL_PASS_H
#define BYLINE_MODEL_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/model.h"

/* Offsets of a block's tensors in the flat vector by role and bias; -1: absent. plan[n_layer] holds those outside. */
struct block {
	ptrdiff_t at[ROLES][2];
};

struct block *plan_new(const struct model *m);		/* n_layer + 1, the caller frees */
/* NULL when absent. */
const float *block_weight(const struct block *b, const float *params, enum tensor_role role);
const float *block_bias(const struct block *b, const float *params, enum tensor_role role);
/* The same for gradients; NULL grads give NULL. */
float *block_weight_grad(const struct block *b, float *grads, enum tensor_role role);
float *block_bias_grad(const struct block *b, float *grads, enum tensor_role role);

/* Rotary tables (n, head_dim / 2) for positions [0, n); they grow with the longest sequence met, not with n_ctx. */
struct rope {
	float *cos, *sin;
	int n;
};

void rope_grow(struct rope *r, const struct model_config *c, int n);
void rope_free(struct rope *r);

/* Widths that several files need. */
int width_q(const struct model_config *c);		/* n_head * head_dim */
int width_qkv(const struct model_config *c);
float att_scale(const struct model_config *c);		/* 1 / sqrt(head_dim) */

/* What one block computes, and the backward pass needs again. (rows, width) each. */
struct saved {
	float *x;				/* residual stream before the block */
	float *norm1, *mean1, *rstd1;		/* mean: LayerNorm alone */
	float *qkv, *att;			/* queries and keys already turned; heads' outputs */
	float *mid, *norm2, *mean2, *rstd2;	/* residual stream between attention and MLP */
	float *gate, *up, *act;
};

/* The forward pass over `rows` rows. `attend` fills s->att from s->qkv. */
struct pass {
	const struct model *m;
	const struct block *plan;
	const float *params;
	const struct rope *rope;
	int rows;
	const int32_t *position;		/* of each row in its sequence */
	void (*attend)(void *arg, int layer, struct saved *s);
	void *arg;
};

void pass_embed(const struct pass *p, const int32_t *token, float *x);
/* From s->x to out, the residual stream after the block. */
void pass_block(const struct pass *p, int layer, struct saved *s, float *out);
/* From the residual stream to hidden (rows, d_model); mean and rstd (rows) are kept for the backward pass. */
void pass_norm_final(const struct pass *p, const float *x, float *hidden, float *mean, float *rstd);
void pass_head(const struct pass *p, const float *hidden, int rows, float *logits);

enum err check_tokens(const struct model *m, const int32_t *token, int n);

/* ---- acts ------------------------------------------------------------------------------------------------------- */

struct acts {
	const struct model *m;
	struct block *plan;
	struct rope rope;
	float *arena;				/* everything below but position, laid out anew for each batch */
	size_t arena_cap;
	int rows;
	int32_t *position;
	size_t position_cap;
	struct saved *saved;			/* n_layer */
	float *last, *hidden, *mean, *rstd;	/* residual stream before the final norm; after it; its moments */
	float *logits;				/* or their gradient */
	float *prob;				/* (L, L), one head of one sequence at a time */
	/* Backward alone. */
	float *dx, *dnorm, *dqkv, *datt, *dgate, *dup, *dact, *dprob, *nll;
};

/* Makes room for a batch and lays the arena out for it. */
enum err acts_fit(struct acts *a, const struct batch *b);

#endif
