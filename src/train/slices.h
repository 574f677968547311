/*
 * slices: the parameter vector cut into fixed pieces, none across two tensors: the unit of work of everything that goes
 * over all parameters, and the order in which sums over them are taken. From the tensor table alone.
 */
#ifndef BYLINE_TRAIN_SLICES_H
#define BYLINE_TRAIN_SLICES_H

#include <stdbool.h>
#include <stddef.h>

#include "byline/model.h"

struct slice {
	size_t at, n;
	bool decay;			/* part of a matrix */
};

struct slices {
	struct slice *v;
	size_t n;
};

void slices_make(struct slices *s, const struct model *m);
void slices_free(struct slices *s);

#endif
