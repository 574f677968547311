/* checkpoint_parts: an opened checkpoint, before its numbers are read; private to the model floor. */
#ifndef BYLINE_MODEL_CHECKPOINT_PARTS_H
#define BYLINE_MODEL_CHECKPOINT_PARTS_H

#include "arch.h"
#include "byline/weights.h"

/* Config and tensors agree: every tensor of the model has been found, of the right shape, and nothing else is there.
 * wanted[i] says where found[i], a view into the map, belongs in the flat vector and how its numbers lie. */
struct checkpoint {
	struct weights weights;
	struct model plan;			/* without weights */
	struct file_tensor *wanted;
	const struct weights_tensor **found;	/* per wanted; NULL: an optional one that is not there */
	size_t n;
};

/* `path` is a directory or a GGUF file. */
enum err checkpoint_open(struct checkpoint *c, const char *path);
void checkpoint_close(struct checkpoint *c);	/* safe on a zeroed struct */
/* All numbers, in our layout, into plan.n_params floats; ERR_FORMAT when one is not finite. */
enum err checkpoint_read(const struct checkpoint *c, float *params);
/* The rows of one entry, (rows, cols), as they are in our layout. */
enum err checkpoint_read_rows(const struct file_tensor *want, const struct weights_tensor *t, float *out);
/* ERR_FORMAT, naming the first tensor with a number that is not finite. */
enum err checkpoint_finite(const struct checkpoint *c);
/* ERR_FORMAT when one of n numbers of a tensor is not finite. */
enum err checkpoint_check_finite(const struct weights_tensor *t, const float *v, size_t n);

#endif
