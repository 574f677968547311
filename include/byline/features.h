/*
 * features: one quantised row per example: its gradient in the run's projected, whitened coordinates, averaged over the
 * run's checkpoints.
 *
 * Layer block of one example: sum_t (P_S g_t)(P_A a_t)^T, (ks, ka) row-major; a row is the blocks of all layers in
 * order. P_S, P_A project on k orthonormal directions (LoGra: Choe et al. 2024, section 3.1), whitened by the Kronecker
 * factors (curvature.h).
 *
 * The unembedding's block is another: its output side is the vocabulary, g_t = p_t - onehot(y_t), and whitened by the
 * tokens' own second moments nearly all of a gradient's weight lies on the few dozen tokens that the example predicts.
 * Random directions lose them; so a block keeps the rows of the example's own target tokens, ks of them, and drops the
 * rest: sum_t w_v g_tv (P_A a_t) for each own token v. The query's side of it is whole, (vocabulary, ka), and a score
 * takes the rows it meets. (Sample corpus, 21 subsets: LDS 0.36 in 3 kB a row; 64 x 512 random directions 0.27 in 16
 * kB; exact scores 0.39.)
 */
#ifndef BYLINE_FEATURES_H
#define BYLINE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/curvature.h"
#include "byline/dataset.h"
#include "byline/err.h"
#include "byline/job.h"
#include "byline/model.h"
#include "byline/pool.h"

struct feature_block {
	int linear, ka, ks;
	size_t at;			/* offset in the row, in values */
	bool own;			/* ks rows of the example's own tokens; the last block if any */
	float weight;			/* of its inner products, so that all blocks' add up: in out / (ka ks); of own
					 * rows in / ka */
};
struct feature_layout {
	struct feature_block *block;
	int n_blocks, bits;		/* 4 or 8 */
	size_t width;			/* values a row */
	size_t dense;			/* of them before the own block */
	int vocab;			/* output side of the own block; 0: there is none */
	size_t code_bytes;		/* of one row's codes: every block starts on a byte */
};
/* Every layer projected on both sides, as c has it. */
void feature_layout_make(struct feature_layout *l, const struct model *m, const struct curvature *c, int bits);
/* What an index has, from any curvature of m with k rows a side: `own` tokens for the unembedding. */
void feature_layout_plan(struct feature_layout *l, const struct model *m, int k, int own, int bits);
void feature_layout_free(struct feature_layout *l);
const struct feature_block *feature_layout_own(const struct feature_layout *l);		/* NULL: none */

/* Own tokens of an example: its distinct targets, ascending; of more than `own`, those rarest in the corpus. The rest
 * of out (own) is FEATURE_NONE. count (vocab): of targets over trained examples. */
#define FEATURE_NONE UINT32_MAX
void feature_tokens_count(const struct dataset *d, int vocab, uint32_t *count);
void feature_tokens(const struct dataset *d, uint32_t example, const uint32_t *count, int own, uint32_t *out);

/* Rows of the sequences of a batch at one checkpoint: forward, loss with weight 1 on every target, backward with a tap.
 * rows (batch n_seq, width) is ADDED to, times `scale`. targets as in b. tokens (n_seq, own): of the own block, NULL
 * when the layout has none. */
struct projector;			/* scratch; one a thread */
struct projector *projector_new(const struct model *m, const struct feature_layout *l);
void projector_free(struct projector *p);
enum err projector_rows(struct projector *p, const float *params, const struct curvature *c, const struct batch *b,
	const uint32_t *tokens, float scale, float *rows);

/* Queries, whose side of a score is whole and not quantised: blocks are times their weight; the own block's share is a
 * sum of outer products s a^T, `terms` of them at most: one for each target and checkpoint. */
struct feature_query {
	const struct feature_layout *layout;	/* borrowed */
	int n, terms;
	float *dense;			/* (n, layout->dense) */
	int *n_terms;			/* n: so far */
	float *s, *a;			/* (n, terms, vocab), (n, terms, ka) */
};
enum err feature_query_new(struct feature_query *q, const struct feature_layout *l, int n, int terms);
void feature_query_free(struct feature_query *q);	/* safe on a zeroed struct */
/* Adds sequence i of the batch at one checkpoint to query first + i. Different queries may be added to at once. */
enum err projector_query(struct projector *p, const float *params, const struct curvature *c, const struct batch *b,
	float scale, struct feature_query *q, int first);
/* The same for beginnings of one sequence that `whole` has run forward at this checkpoint: see
 * model_forward_prefixes. */
enum err projector_prefixes(struct projector *p, const float *params, const struct curvature *c,
	const struct acts *whole, const struct batch *b, float scale, struct feature_query *q, int first);

/* codes (code_bytes) and one scale a block: absmax / 7 or / 127, round to nearest; a zero block has scale 0. The
 * codes are those of codes.h. */
void features_quantise(const struct feature_layout *l, const float *row, uint8_t *codes, float *scales);
void features_dequantise(const struct feature_layout *l, const uint8_t *codes, const float *scales, float *row);

/* The shards of a run, mapped: runs/NAME/features-NNNNN.safetensors, tensors "codes" U8 (n, code_bytes), "scales" F32
 * (n, n_blocks), "examples" U32 (n): the examples' indices, ascending over all shards, and with an own block "tokens"
 * U32 (n, own). Metadata ties them to the curvature file's SHA-256 and says how many shards there are. What is opened
 * is checked: any code is a number, scales are finite, indices below n_examples, tokens ascending and below vocab. */
struct features;
enum err features_open(const char *run_dir, const struct feature_layout *l, const char *curvature_sha256,
	size_t n_examples, struct features **out);
void features_close(struct features *f);
size_t features_rows(const struct features *f);
uint32_t features_example(const struct features *f, size_t row);
/* One example's row, dequantised: row (width), tokens (own) as stored. False, and nothing written, when it has none. */
bool features_read(const struct features *f, uint32_t example, float *row, uint32_t *tokens);
/* The score of such a row at each of q's queries: out (q->n). */
void features_row_scores(const struct feature_query *q, const float *row, const uint32_t *tokens, float *out);

/*
 * out (rows, nq) = dense blocks . query^T, query (nq, layout dense): one pass over the mapped rows, the same bits
 * for any number of threads.
 *
 * Few queries (up to 16) meet the codes as they are, at the speed of memory: each of a query's values is a whole
 * number of more than 22 bits and a sign beside one scale a block (codes.h), which is off by no more than float32's
 * rounding of the block's largest; their products are exact. The score is off by some 1e-8 |query| |row| and the
 * same bits on every machine. More queries go through matrix products in float32.
 */
void features_scan(const struct features *f, const float *query, int nq, float *out, struct pool *pool);
/* out (rows, n): span j is the sum of queries from[j] to to[j] - 1. The dense blocks at once, the own one span by span
 * as a table (vocab, ka) with one scale, in whole numbers as well. The job counts spans. ERR_MEMORY; ERR_CANCELLED. */
enum err features_scores(const struct features *f, const struct feature_query *q, const int *from, const int *to, int n,
	float *out, struct pool *pool, struct job *job);

/* Noise floor, null.safetensors: "sd" F32 (lengths, rows): per-example spread of scores under unrelated queries whose
 * span has 1, 2, 4, ... tokens; metadata names the lengths and counts. "hidden" F16 (rows, d_model) in
 * hidden.safetensors: mean final hidden states. */

#endif
