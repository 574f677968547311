/*
 * features: one quantised row per example: its gradient in the run's projected, whitened coordinates, averaged over the
 * run's checkpoints. The query's rows are made by the same projector and never quantised.
 *
 * Layer block of one example: sum_t (P_S g_t)(P_A a_t)^T, (ks, ka) row-major; a row is the blocks of all layers in
 * order.
 */
#ifndef BYLINE_FEATURES_H
#define BYLINE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/curvature.h"
#include "byline/err.h"
#include "byline/model.h"
#include "byline/pool.h"

struct feature_block { int linear, ka, ks; size_t at; };	/* at: offset in the row, in values */
struct feature_layout {
	struct feature_block *block;
	int n_blocks, bits;		/* 4 or 8 */
	size_t width;			/* values a row */
	size_t code_bytes;		/* of one row's codes: every block starts on a byte */
};
void feature_layout_make(struct feature_layout *l, const struct model *m, const struct curvature *c, int bits);
void feature_layout_free(struct feature_layout *l);

/* Rows of the sequences of a batch at one checkpoint: forward, loss with weight 1 on every target, backward with a tap.
 * rows (batch n_seq, width) is ADDED to, times `scale`. targets as in b. */
struct projector;			/* scratch; one a thread */
struct projector *projector_new(const struct model *m, const struct feature_layout *l);
void projector_free(struct projector *p);
enum err projector_rows(struct projector *p, const float *params, const struct curvature *c, const struct batch *b,
	float scale, float *rows);
/* The same for beginnings of one sequence that `whole` has run forward at this checkpoint: see
 * model_forward_prefixes. */
enum err projector_prefixes(struct projector *p, const float *params, const struct curvature *c,
	const struct acts *whole, const struct batch *b, float scale, float *rows);

/* codes (code_bytes) and one scale a block: absmax / 7 or / 127, round to nearest; a zero block has scale 0. The
 * codes are those of codes.h. */
void features_quantise(const struct feature_layout *l, const float *row, uint8_t *codes, float *scales);
void features_dequantise(const struct feature_layout *l, const uint8_t *codes, const float *scales, float *row);

/* The shards of a run, mapped: runs/NAME/features-NNNNN.safetensors, tensors "codes" U8 (n, code_bytes), "scales" F32
 * (n, n_blocks), "examples" U32 (n): the examples' indices, ascending over all shards. Metadata ties them to the
 * curvature file's SHA-256 and says how many shards there are. What is opened is checked: any code is a number, scales
 * are finite, indices below n_examples. */
struct features;
enum err features_open(const char *run_dir, const struct feature_layout *l, const char *curvature_sha256,
	size_t n_examples, struct features **out);
void features_close(struct features *f);
size_t features_rows(const struct features *f);
uint32_t features_example(const struct features *f, size_t row);
/* One example's row, dequantised: row (width). False, and nothing written, when it has none. */
bool features_read(const struct features *f, uint32_t example, float *row);

/* out (rows, nq) = features . query^T, query (nq, width); a pass of matrix products over blocks of mapped rows. */
void features_scan(const struct features *f, const float *query, int nq, float *out, struct pool *pool);

/* Noise floor, null.safetensors: "sd" F32 (lengths, rows): per-example spread of scores under unrelated queries whose
 * span has 1, 2, 4, ... tokens; metadata names the lengths and counts. "hidden" F16 (rows, d_model) in
 * hidden.safetensors: mean final hidden states. */

#endif
