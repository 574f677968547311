/*
 * pieces: examples cut into small batches, the units that workers draw. What is in a piece depends on the examples
 * alone.
 */
#ifndef BYLINE_ATTRIB_PIECES_H
#define BYLINE_ATTRIB_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "byline/dataset.h"

enum { PIECE_ROWS = 512 };	/* rows of a piece, unless one example alone has more */

struct pieces {
	const uint32_t *example;	/* borrowed */
	size_t *start;			/* n + 1: piece i is example[start[i] .. start[i + 1]) */
	size_t n;
	int max_rows;
};
void pieces_cut(struct pieces *p, const struct dataset *data, const uint32_t *example, size_t n);
/* The same, with `most` rows instead. */
void pieces_cut_rows(struct pieces *p, const struct dataset *data, const uint32_t *example, size_t n, int most);
void pieces_free(struct pieces *p);
size_t pieces_count(const struct pieces *p, size_t i);	/* examples of piece i */

#endif
