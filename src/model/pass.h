/*
 * pass: what the passes share: where each block's weights lie, rotary tables, the memory of one batch, and the forward
 * pass itself, which training runs with whole sequences and generation with a cache. Private to the model floor.
 */
#ifndef BYLINE_MODEL_PASS_H
#define BYLINE_MODEL_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/layers.h"
#include "byline/model.h"

/* For matrices from a file (stored.h): threads of its own, or none but the caller's, and scratch; of one user. */
struct stored_work { struct pool *pool; float **scratch; int threads; };

/* Offsets of a block's tensors in the flat vector by role and bias; -1: absent. plan[n_layer] holds those outside. */
struct block {
	ptrdiff_t at[ROLES][2];
};

struct block *plan_new(const struct model *m);		/* n_layer + 1, the caller frees */
/* NULL when absent. */
const float *block_weight(const struct block *b, const float *params, enum tensor_role role);
const float *block_bias(const struct block *b, const float *params, enum tensor_role role);
/* The table of learned positions from the row of the first on. */
const float *block_positions(const struct block *b, const float *params, const struct model_config *c);
/* The same for gradients; NULL grads give NULL. */
float *block_weight_grad(const struct block *b, float *grads, enum tensor_role role);
float *block_bias_grad(const struct block *b, float *grads, enum tensor_role role);
float *block_positions_grad(const struct block *b, float *grads, const struct model_config *c);

/* Rotary tables (n, rope_dims / 2) for positions [0, n); they grow with the longest sequence met, not with n_ctx. The
 * second is of layers with a window, where those turn otherwise. */
struct rope {
	struct { float *cos, *sin; } table[2];
	int n;
};

void rope_grow(struct rope *r, const struct model_config *c, int n);
void rope_free(struct rope *r);
/* Queries and keys of `rows` rows of qkv (rows, width_qkv), as that layer turns them; sign as in rope_apply. */
void rope_turn(const struct rope *r, const struct model_config *c, int layer, float *qkv, const int32_t *position,
	int rows, int sign);

/* Widths that several files need. */
int width_q(const struct model_config *c);		/* n_head * head_dim */
int width_qkv(const struct model_config *c);
int rope_dims(const struct model_config *c);		/* of a head, those that turn */
float embed_scale(const struct model_config *c);	/* what the embedding is multiplied by */
/* How one head attends in a layer; n_seq and start are left to the caller. */
struct att_shape att_of(const struct model_config *c, int layer, int heads, int kv_heads);
/* Are queries, keys and values changed between the linear layer and the rotation? */
bool has_raw_qkv(const struct model_config *c);
bool has_norm1(const struct model_config *c);
bool has_norm2(const struct model_config *c);
bool has_post(const struct model_config *c);

/* What one block computes, and the backward pass needs again. (rows, width) each. */
struct saved {
	float *x;				/* residual stream before the block */
	float *norm1, *mean1, *rstd1;		/* mean: LayerNorm alone; x itself where there is no norm */
	float *qkv, *att;			/* queries and keys already turned; heads' outputs */
	float *raw, *rstd_q, *rstd_k;		/* qkv as the linear layer gave it, where it is normed or clipped */
	float *mid, *norm2, *mean2, *rstd2;	/* residual stream between attention and MLP; norm2 may be mid, x or
						 * norm1 */
	float *gate, *up, *act;
	float *out1, *post_mean1, *post_rstd1;	/* what attention gives, before the norm that follows it */
	float *out2, *post_mean2, *post_rstd2;	/* the same of the MLP */
};

/* Lays one block's memory over base, or nowhere when that is NULL; returns the floats it takes. */
size_t saved_lay_out(struct saved *s, const struct model_config *c, float *base, size_t rows);

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
	/* Matrices come from the file, not from params, which then has the rest (stored.h); NULL: they do not. */
	const struct stored *stored;
	struct stored_work *work;
};

void pass_embed(const struct pass *p, const int32_t *token, float *x);
/* From s->x to out, the residual stream after the block. */
void pass_block(const struct pass *p, int layer, struct saved *s, float *out);
/* From the residual stream to hidden (rows, d_model); mean and rstd (rows) are kept for the backward pass. */
void pass_norm_final(const struct pass *p, const float *x, float *hidden, float *mean, float *rstd);
void pass_head(const struct pass *p, const float *hidden, int rows, float *logits);
void scale_all(float *x, size_t n, float by);
/* y (n) += x */
void add_onto(float *y, const float *x, size_t n);
/* f of config.act, forward, or its backward, which adds to dx. */
void act_forward(enum act_kind act, float *y, const float *x, size_t n);
void act_backward(enum act_kind act, float *dx, const float *dy, const float *x, size_t n);
struct head_norm head_norm_of(const struct model_config *c, int rows, bool keys);

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
	struct stored_work work;		/* where weights are taken from their file */
	float *dout, *dpost;			/* parallel blocks: the gradient at the output; norms that follow */
	float *dscaled;				/* the gradient at the output times residual_factor */
	float *capped;				/* logits after their cap, while logits holds their gradient */
};

/* Makes room for a batch and lays the arena out for it. */
enum err acts_fit(struct acts *a, const struct batch *b);

#endif
