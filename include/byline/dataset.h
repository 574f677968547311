/*
 * dataset: the token sequences a run trains on, one per example, in a fixed order.
 *
 * Example i is token[start[i] .. start[i+1]), beginning with the begin-of-text token; its inputs are all but the last
 * of them, its targets all but the first. Immutable while in use.
 */
#ifndef BYLINE_DATASET_H
#define BYLINE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/hash.h"
#include "byline/model.h"

struct dataset {
	size_t n;
	uint64_t *start;	/* n + 1 */
	int32_t *token;
	uint8_t *heldout;	/* n: 1 = never trained on */
};

void dataset_free(struct dataset *d);			/* safe on a zeroed struct */
/* Appends a copy; n >= 2, so that every example has a target. The only way to grow a dataset. */
void dataset_add(struct dataset *d, const int32_t *token, size_t n, bool heldout);
void dataset_hash(const struct dataset *d, char hex[HASH_HEX]);	/* of lengths, tokens and held-out marks */
size_t dataset_tokens(const struct dataset *d, bool heldout);	/* targets, i.e. tokens with a loss */

/* A ragged batch over chosen examples: sequence s is example[s]. Owns its arrays; zero-initialise, fill as often as
 * needed. */
struct ragged { struct batch batch; int32_t *start, *token, *target; uint32_t *example; size_t cap_rows, cap_seq; };
void ragged_fill(struct ragged *r, const struct dataset *d, const uint32_t *example, size_t n);
void ragged_free(struct ragged *r);

#endif
