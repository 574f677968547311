/*
 * bergson_info: what a gradient index of bergson (EleutherAI) says of itself in info.json, processor_config.yaml and
 * config.yaml, every number checked before it is used. What it says and we cannot do is refused by name.
 *
 * gradients.bin: (n_rows, width) without a header; a row is the gradient of an example, or of one of its tokens, its
 * modules side by side in the order of info.json.
 */
#ifndef BYLINE_ATTRIB_BERGSON_INFO_H
#define BYLINE_ATTRIB_BERGSON_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/safetensors.h"

/* What queries ask of the folder; of these, those that are there make it the index it is. */
extern const char *const bergson_files[];
extern const int n_bergson_files;
#define BERGSON_GRADIENTS "gradients.bin"
#define BERGSON_OFFSETS "offsets.npy"

struct bergson_block { char *name; uint64_t at, size; };	/* a module's columns */

/* A gradient (out, in) is kept as it is (dim 0), or as L G R^T with random L (dim, out), R (dim, in), or all of them as
 * one sum of random products (dim). */
struct bergson_projection {
	int dim, version;
	bool normal;			/* random numbers are normal; else signs */
	bool row_norm;			/* each row of norm 1; else all divided by sqrt(dim) */
	bool global;
	bool bias;			/* the gradient of a layer's bias is one more column of G */
	bool seeded;
	int64_t seed;
};

struct bergson_info {
	uint64_t n_items, n_rows, width;
	enum st_dtype dtype;		/* F32, F16 or BF16 */
	bool tokens;			/* a row for each token of an example: offsets.npy says which */
	struct bergson_block *block;
	int n_blocks;
	struct bergson_projection projection;
	bool unit;			/* rows were divided by their norms */
	bool mean;			/* losses were divided by their numbers of tokens */
};

/* The folder as a whole, the size of gradients.bin included. ERR_FORMAT, ERR_UNSUPPORTED, ERR_MISSING. */
enum err bergson_info_read(const char *dir, struct bergson_info *info);
void bergson_info_free(struct bergson_info *info);		/* safe on a zeroed struct */
uint64_t bergson_row_bytes(const struct bergson_info *info);

/* offsets.npy: the rows of example i are [offset[i], offset[i + 1]); n_items + 1, the caller's. */
enum err bergson_offsets_read(const char *dir, const struct bergson_info *info, uint64_t **offset);

/* The pure parts, for bytes of strangers: each fills what its file says. */
enum err bergson_info_parse(const char *text, size_t n, const char *name, struct bergson_info *info);
enum err bergson_processor_parse(const char *text, size_t n, const char *name, struct bergson_info *info);
enum err bergson_config_parse(const char *text, size_t n, const char *name, struct bergson_info *info);
enum err bergson_offsets_parse(const void *data, size_t n, const char *name, const struct bergson_info *info,
	uint64_t **offset);

#endif
