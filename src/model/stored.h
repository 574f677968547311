/*
 * stored: a model run from its weights as they lie in their file: 16 or 8 bits, memory-mapped, nothing widened but what
 * is at work. Private to the model floor.
 */
#ifndef BYLINE_MODEL_STORED_H
#define BYLINE_MODEL_STORED_H

#include "byline/model.h"
#include "byline/narrow.h"
#include "byline/pool.h"
#include "checkpoint_parts.h"
#include "pass.h"

/* Rows of a matrix of ours that lie together in the file; `file_tensor` says how. */
struct stored_piece {
	enum narrow kind;
	const uint8_t *data;		/* the file's tensor */
	size_t stride;			/* bytes from one row of it to the next */
	int row, rows, from, cols;	/* cols: how many numbers a row of ours has */
	bool transposed;		/* the file's columns are our rows */
	int head;			/* rows of a head, which lie in rotary pairs; 0: they do not */
	size_t task[2];			/* the first piece of work on it: with one row of x, with more */
};

struct stored_matrix { struct stored_piece *piece; int n; size_t tasks[2]; };

struct stored {
	struct checkpoint checkpoint;
	struct stored_matrix (*matrix)[ROLES];	/* n_layer + 1; the last are those outside the blocks */
	struct block *plan;			/* of what is in `small`: norms, biases */
	float *small;
};

/* Takes the checkpoint over and leaves it empty; after an error, ERR_UNSUPPORTED where a matrix has numbers of another
 * kind, it is as it was. */
enum err stored_new(struct stored **out, struct checkpoint *c);
void stored_free(struct stored *s);		/* NULL: nothing */
/* Bytes of all matrices: what one token reads. */
size_t stored_bytes(const struct stored *s);

/* Weights that come from the file were not looked at before; what is wrong with them shows in the hidden states (rows,
 * d_model): OK, or ERR_FORMAT with the reason. */
enum err stored_check_hidden(const struct stored *s, const float *hidden, int rows);

/* threads: as pool_new() has them. */
void stored_work_init(struct stored_work *w, const struct stored *s, int threads);
void stored_work_free(struct stored_work *w);

/* y (rows, out) = x (rows, in) W^T + bias (out) or 0, W (out, in). */
void stored_linear(const struct stored *s, struct stored_work *work, int layer, enum tensor_role role,
	const float *bias, const float *x, float *y, int rows, int out);
/* dx (rows, in) += dy (rows, out) W, for weights that stay as they are. */
void stored_linear_back(const struct stored *s, struct stored_work *work, int layer, enum tensor_role role,
	float *dx, const float *dy, int rows, int in, int out);
/* Rows of a piece that one piece of work takes. */
int stored_step(const struct stored_piece *p, bool many);
/* One row of a table outside the blocks, widened. */
void stored_row(const struct stored *s, enum tensor_role role, int row, float *out);

#endif
