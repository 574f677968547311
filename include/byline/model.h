/*
 * model: a decoder-only transformer made from a tensor table; its forward and backward passes.
 *
 * All parameters are one flat float vector; `tensors` lays names, shapes and roles over it, and drives allocation, file
 * names, initialisation, gradients, attribution and tests. A `struct model` is immutable while in use and may be shared
 * by threads; each thread brings its own `struct acts`. Weight matrices are (out, in), as y = x w^T, whatever the file
 * does.
 */
#ifndef BYLINE_MODEL_H
#define BYLINE_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"

/* Gain: LayerNorm without a bias; bare: without a gain either. */
enum norm_kind { NORM_RMS, NORM_LAYER, NORM_BARE, NORM_GAIN };
enum pos_kind { POS_ROPE, POS_LEARNED };
enum mlp_kind { MLP_GATED, MLP_PLAIN };
enum act_kind { ACT_SILU, ACT_GELU_TANH, ACT_GELU_ERF, ACT_RELU };
/* Where attention and MLP are normalised: what goes in, what comes out before it joins the residual stream, or both. */
enum norm_place { PLACE_PRE, PLACE_POST, PLACE_BOTH };
/* Queries and keys normalised before rotation: never, each head by itself (Qwen3), all heads as one (OLMo 2). */
enum qk_norm { QK_NONE, QK_HEAD, QK_WHOLE };
/* Which layers see the last `window` positions alone. */
enum window_rule { WINDOW_NONE, WINDOW_ALL, WINDOW_LISTED };

/* How rotary frequencies are stretched beyond the context they were trained on. */
enum rope_kind { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3, ROPE_YARN, ROPE_LONG };
enum { ROPE_FACTORS_MAX = 128 };
struct rope_scaling {
	enum rope_kind kind;
	double factor;
	double original;		/* positions trained on at first */
	double low, high;		/* Llama 3: turns over `original` below and above which a frequency is one that
					 * is stretched, or kept */
	double fast, slow;		/* YaRN: the same, ramp between (Peng et al. 2023, section 3.2) */
	double attention;		/* YaRN, LongRoPE: queries and keys are multiplied by it */
	/* LongRoPE: what divides each frequency up to `original` positions, which are the context; what would divide
	 * it in sequences up to `longest`, which is for files alone. */
	int n_factors;
	double longest, near_factors[ROPE_FACTORS_MAX], far_factors[ROPE_FACTORS_MAX];
};

enum { MODEL_LAYERS_MAX = 512 };

/*
 * What a config.json says, in our words; a family is a row of the arch table (src/model/arch.h). Zero is the commonest
 * answer to every question below the first four lines.
 */
struct model_config {
	char family[32];		/* config.json's model_type: "llama", "gpt2" */
	int n_layer, d_model, n_head, n_kv_head, head_dim, d_ff, vocab, n_ctx;
	int bos, eos;			/* -1: none */
	double norm_eps, rope_theta, init_range;
	enum norm_kind norm;
	enum pos_kind pos;
	enum mlp_kind mlp;
	enum act_kind act;
	bool tied;			/* unembedding is the embedding */
	bool attn_bias;			/* of queries, keys and values */
	bool out_bias, mlp_bias, head_bias;
	enum norm_place place;
	bool parallel;			/* the MLP reads what the attention reads, not what it wrote */
	bool shared_norm;		/* parallel: the attention's norm is also the MLP's */
	enum qk_norm qk_norm;
	double rotary_part;		/* of a head's dimensions; 0: all */
	int rotary_dims;		/* the same as a number; 0: rotary_part says */
	bool rotary_pairs;		/* neighbours turn together, 0 with 1, not 0 with n/2 (GPT-J) */
	struct rope_scaling rope;
	double local_theta;		/* of layers with a window, where nothing is stretched; 0: as the others */
	uint64_t unturned[MODEL_LAYERS_MAX / 64];	/* layers without positions, bits as in `local` (SmolLM3) */
	int pos_offset;			/* rows of the table of positions before the first one's (OPT) */
	bool embed_root;		/* the embedding is multiplied by sqrt(d_model) */
	double query_scalar;		/* queries times keys are divided by its root; 0: head_dim */
	/* Factors, of which 0 is none: of the embedding, of queries times keys instead of the root, of what attention
	 * and MLP add to the residual stream, of the logits; the last divides those (Granite, Cohere). */
	double embed_factor, score_factor, residual_factor, logit_factor, logit_divisor;
	double att_cap, logit_cap;	/* c tanh(x / c) of attention scores and of logits; 0: not (Gemma 2) */
	double qkv_clip;		/* queries, keys and values are kept within; 0: not (OLMo) */
	enum window_rule windows;
	int window;			/* positions, its own among them */
	uint64_t local[MODEL_LAYERS_MAX / 64];	/* WINDOW_LISTED: bit i % 64 of word i / 64 for layer i */
};

/* Positions that layer sees, its own among them; 0: all. */
int model_window(const struct model_config *c, int layer);
/* Do its queries and keys turn? */
bool model_turns(const struct model_config *c, int layer);
/* What the head's outputs are multiplied by to be logits, before their cap. */
float model_logit_scale(const struct model_config *c);

enum tensor_role {
	ROLE_EMBED, ROLE_POS, ROLE_NORM1, ROLE_QKV, ROLE_ATTN_OUT, ROLE_NORM2, ROLE_GATE, ROLE_UP, ROLE_DOWN,
	ROLE_NORM_FINAL, ROLE_HEAD, ROLE_Q_NORM, ROLE_K_NORM, ROLE_POST1, ROLE_POST2, ROLES
};

struct tensor {
	char name[48];			/* ours: "layers.3.mlp.down", ".bias" for biases */
	enum tensor_role role;
	bool bias;			/* the bias belonging to the role */
	int layer;			/* -1 outside the blocks */
	int rows, cols;			/* vectors: rows x 1 */
	size_t at;			/* first element in the flat vector */
};

/* A linear layer y = x w^T (+ b): the units of attribution. With tied weights the head is linear too. */
struct linear {
	char name[48];
	enum tensor_role role;
	int layer, in, out;
	size_t w;			/* offset of (out, in) */
	ptrdiff_t b;			/* offset of (out), or -1 */
};

struct model {
	struct model_config config;
	struct tensor *tensors;
	int n_tensors;
	struct linear *linears;		/* in order of the forward pass; the head is last */
	int n_linears;
	size_t n_params;
	float *params;			/* n_params, owned; NULL for a model made without weights */
	struct stored *stored;		/* weights in their file (checkpoint_map), owned; NULL otherwise */
	int threads;			/* for one sequence of a stored model; 0: as pool_new() chooses */
};

/* Builds the table; params is allocated zeroed when with_params. The config is checked first (ERR_FORMAT,
 * ERR_LIMIT). */
enum err model_new(struct model *m, const struct model_config *config, bool with_params);
void model_free(struct model *m);			/* safe on a zeroed struct */
/* Fresh weights: normal(0, init_range), residual outputs scaled by 1/sqrt(2 n_layer), gains 1, biases 0; from the seed
 * alone. */
void model_init(struct model *m, uint64_t seed);
/* NULL: absent */
const struct tensor *model_tensor(const struct model *m, enum tensor_role role, int layer, bool bias);

enum err model_config_parse(struct model_config *c, const json_t *root, const char *name);
json_t *model_config_json(const struct model_config *c);	/* a config.json that `transformers` reads */
enum err model_config_check(const struct model_config *c, const char *name);

/* ---- batches and passes ---------------------------------------------------------------------------------------- */

/* n_seq sequences end to end; sequence s is rows [start[s], start[s+1]). target -1: no loss at that row. Borrowed
 * arrays. */
struct batch {
	int n_seq, rows;
	const int32_t *start;		/* n_seq + 1 */
	const int32_t *token, *target;	/* rows; target may be NULL for a forward pass alone */
};

struct acts;				/* activations and scratch, for batches up to a size; grows on demand */
struct acts *acts_new(const struct model *m);
void acts_free(struct acts *a);
size_t acts_bytes(const struct model *m, int rows, int max_seq);	/* what a batch of this size will take */

/* Runs the batch; `params` is m->params or another vector of the same layout; NULL takes the weights of m->stored from
 * their file, and then there are no gradients but the tap's. Tokens out of range: ERR_FORMAT; a
 * sequence longer than n_ctx: ERR_LIMIT. Then acts_logits is (rows, vocab). */
enum err model_forward(const struct model *m, const float *params, struct acts *a, const struct batch *b);
float *acts_logits(struct acts *a);
/* The same for sequences that are all beginnings of one that `whole` has run alone, its loss not yet taken: copies
 * instead of computing. Rows without a target get no logits. */
enum err model_forward_prefixes(const struct model *m, const struct acts *whole, struct acts *a, const struct batch *b);
/* The residual stream (rows, d_model) after the final norm. */
const float *acts_hidden(const struct acts *a);

/* nll (rows) may be NULL. Turns the logits into dlogits = weight * (p - onehot), in place, ready for model_backward.
 * Returns the summed weighted loss. */
double acts_loss(const struct model *m, struct acts *a, const struct batch *b, const float *weight, float *nll);
/* Draws a target for each row whose b->target >= 0 from the model's own distribution: the labels of the true Fisher.
 * Call before acts_loss. Row r uses word r of (seed, stream). */
void acts_sample_targets(const struct model *m, struct acts *a, const struct batch *b, uint64_t seed, uint64_t stream,
	int32_t *out);

/* Called during the backward pass, once for each linear layer, head first: a (rows, in) its inputs, g (rows, out) the
 * gradient of the loss at its outputs. Both live until the call returns. */
struct tap {
	void *arg;
	void (*linear)(void *arg, int index, const float *a, const float *g, const struct batch *b);
	uint32_t roles;			/* bit per tensor_role wanted; 0 = all */
};

/* After acts_loss. grads (n_params, added to) or NULL; tap or NULL. Layers below the lowest wanted thing are still
 * run. */
void model_backward(const struct model *m, const float *params, struct acts *a, const struct batch *b, float *grads,
	const struct tap *tap);

#endif
