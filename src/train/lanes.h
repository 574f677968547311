/*
 * lanes: a batch dealt to a fixed number of groups of about as many tokens each.
 */
#ifndef BYLINE_TRAIN_LANES_H
#define BYLINE_TRAIN_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "byline/dataset.h"

/* Longest example first, to the lane with the fewest tokens so far (Graham 1969: at most 4/3 of the best largest
 * lane); ties by place in the batch and by lane. Lane l gets out[start[l] .. start[l + 1]), in the order of the batch.
 * out (n), start (lanes + 1). Returns how many lanes have examples: min(n, lanes), and they are the first. */
size_t lanes_deal(const struct dataset *d, const uint32_t *example, size_t n, size_t lanes, uint32_t *out,
	size_t *start);

#endif
