/*
 * features_internal: blocks of codes, and shards as they are written and mapped.
 */
#ifndef BYLINE_ATTRIB_FEATURES_INTERNAL_H
#define BYLINE_ATTRIB_FEATURES_INTERNAL_H

#include <stdbool.h>

#include "byline/features.h"
#include "byline/safetensors.h"
#include "fault.h"

#define FEATURES_FORMAT "byline features 1"

size_t block_values(const struct feature_block *b);
size_t block_bytes(const struct feature_layout *l, const struct feature_block *b);

/* Where the blocks of a pass go. open: what to add a sequence's block to, or NULL to leave it out; done, which may be
 * NULL: it has been added. */
struct projector_sink {
	void *arg;
	float *(*open)(void *arg, int block, int sequence);
	void (*done)(void *arg, int block, int sequence, float *values);
	const uint32_t *(*tokens)(void *arg, int sequence);	/* own ones; NULL: for a query */
	bool weighted;			/* times the block's weight: for a query */
};
/* What projector_rows does in a pass of its own, for a pass of somebody else's: begin, then each of its layers, as in
 * struct tap. */
void projector_begin(struct projector *p, const struct curvature *c, float scale, const struct projector_sink *sink);
void projector_tap(struct projector *p, int index, const float *a, const float *g, const struct batch *b);

struct shard {
	struct st_file file;
	size_t n;
	const uint8_t *codes;		/* (n, code_bytes), in the map */
	const uint8_t *tokens;		/* (n, own) of uint32_t, in the map and perhaps unaligned; NULL: no own block */
	float *scales;			/* (n, n_blocks) */
	uint32_t *example;		/* (n) */
	uint64_t shards;		/* how many there are, says its metadata */
};

struct features {
	struct feature_layout layout;	/* a copy */
	struct shard *shard;
	size_t n_shards, rows;
	size_t *first;			/* n_shards + 1: the first row of each shard */
};

/* "dir/features-00007.safetensors"; the caller's. */
char *shard_path(const char *run_dir, size_t number);
/* Opens and checks one shard against everything but its neighbours. Safe to shard_close after failure. */
enum err shard_open(struct shard *s, const char *path, const struct feature_layout *l, const char *curvature_sha256,
	size_t n_examples);
void shard_close(struct shard *s);
/* rows (n, width) are quantised as they are written; tokens (n, own) or NULL. */
struct shard_spec { const struct feature_layout *layout; const char *curvature_sha256; size_t number, shards; };
uint64_t shard_bytes(const struct shard_spec *spec, size_t n);	/* of its file */
enum err shard_write(const char *path, const struct shard_spec *spec, const uint32_t *example, size_t n,
	const float *rows, const uint32_t *tokens);

/* out[row * stride] += the own block of all rows times that of queries from to to - 1. */
enum err features_scan_own(const struct features *f, const struct feature_query *q, int from, int to, float *out,
	size_t stride, struct pool *pool, struct fault *fault);
/* What features_scan does, by pieces that stop at a fault. */
void features_scan_dense(const struct features *f, const float *query, int nq, float *out, struct pool *pool,
	struct fault *fault);
/* The tokens of a row of a shard, wherever they lie. */
void shard_tokens(const struct shard *s, const struct feature_layout *l, size_t row, uint32_t *out);

#endif
