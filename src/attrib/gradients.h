/*
 * gradients: each sequence's own gradient of each layer, G = sum_t g_t a_t^T, formed while the backward pass goes by.
 * A product with G is then one for the sequence instead of one for each of its tokens: what many directions at once,
 * norms and sketches want.
 */
#ifndef BYLINE_ATTRIB_GRADIENTS_H
#define BYLINE_ATTRIB_GRADIENTS_H

#include "byline/err.h"
#include "byline/model.h"
#include "layer_set.h"

enum { GRADIENTS_BLOCK = 16 };		/* sequences handed over at a time, or fewer of large layers */

struct gradients {
	const struct layer_set *layers;
	void *arg;
	/* g (n, out * in): the gradients of a layer of sequences [first, first + n) of the batch. */
	void (*take)(void *arg, int layer, int first, int n, const float *g);
};
/* The way back of a batch whose loss has been taken (acts_loss). Of one batch the layers come head first. */
enum err gradients_back(const struct gradients *g, const float *params, struct acts *acts, const struct batch *b);

#endif
