/*
 * weights: the tensors of a checkpoint by name, whatever holds them: model.safetensors, several files with
 * model.safetensors.index.json, or a GGUF file, in parts or not. Memory-mapped, nothing is copied: a tensor is a view
 * (type, shape, bytes) that stays valid until weights_close.
 *
 * Files come from strangers: whatever opens has been checked to lie within its file, once each, without overlaps.
 */
#ifndef BYLINE_WEIGHTS_H
#define BYLINE_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/gguf.h"
#include "byline/safetensors.h"

/* WEIGHTS_OTHER: not floating-point numbers; can be looked at, not read. WEIGHTS_Q8_0 is GGUF's: along the last
 * dimension blocks of 32 numbers in 34 bytes, an F16 scale and 32 signed bytes; number = scale * byte. */
enum weights_type { WEIGHTS_F32, WEIGHTS_F16, WEIGHTS_BF16, WEIGHTS_F64, WEIGHTS_Q8_0, WEIGHTS_OTHER };

enum { WEIGHTS_Q8_0_BLOCK = 32, WEIGHTS_Q8_0_BYTES = 34 };

struct weights_tensor {
	const char *name;		/* owned by the weights */
	const char *path;		/* the file it lies in, for messages */
	enum weights_type type;
	const char *type_name;		/* as its file's format calls it: "BF16", "I32", "Q8_0" */
	int n_dims;
	uint64_t shape[ST_MAX_DIMS];	/* slowest first, for GGUF too: a matrix (out, in) is (rows, cols) */
	uint64_t count;			/* elements */
	const uint8_t *data;		/* into the map; may be unaligned */
	uint64_t size;			/* bytes */
};

enum weights_container { WEIGHTS_NONE, WEIGHTS_SINGLE, WEIGHTS_SHARDED, WEIGHTS_GGUF };

struct weights {
	enum weights_container container;
	char *path;			/* what messages name: the safetensors file, the index or the first GGUF file */
	struct weights_tensor *tensors;	/* by name */
	size_t n_tensors, cap;
	struct st_file *files;		/* safetensors: one, or the shards by name */
	size_t n_files;
	struct gguf *gguf;		/* NULL unless the container is GGUF: the parts in order, the first with the
					 * metadata */
	size_t n_ggufs;
};

/* `path` is a checkpoint directory or a GGUF file; any part stands for all of its parts. What is there instead of
 * weights we read is named: pickles, adapters, Git LFS pointers, TensorFlow's and Flax's files (ERR_UNSUPPORTED,
 * ERR_FORMAT, ERR_MISSING). */
enum err weights_open(struct weights *w, const char *path);
void weights_close(struct weights *w);				/* safe on a zeroed struct */

/* What weights_open would open, in fresh memory (*file NULL on error), without opening it. */
enum err weights_locate(const char *path, enum weights_container *container, char **file);
/* SHA-256 of the weights: of the file; of several, what `sha256sum *.safetensors | sha256sum` (or *.gguf) prints in
 * their directory when they are the only ones there. */
enum err weights_hash(const char *path, char hex[65]);

const struct weights_tensor *weights_find(const struct weights *w, const char *name);	/* NULL when absent */
/* The tensor called `name` with exactly this shape, or a clear error: ERR_MISSING, ERR_MISMATCH. */
enum err weights_want(const struct weights *w, const char *name, int n_dims, const uint64_t *shape,
	const struct weights_tensor **out);
/* Elements [from, from + n) widened to float. ERR_UNSUPPORTED for WEIGHTS_OTHER. */
enum err weights_read_f32(const struct weights_tensor *t, uint64_t from, uint64_t n, float *out);

#endif
