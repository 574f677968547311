/*
 * capture_rows: one running sum a block for each trained example, in a file that outlives a kill.
 *
 * A block has two slots. Visit v reads slot (v - 1) % 2 and writes slot v % 2, so what the visit before left is whole
 * until the visit after: whoever comes back to a resume point since which no example was visited twice finds every sum
 * that the resume point knew of, and writes the rest once more. Each slot says of which visit it is, and carries a
 * checksum. Beside the blocks lies a vector of the model's width, written by the last visit alone.
 *
 * Read and written block by block with pread and pwrite, on any thread; a full disk is an error and not a signal.
 */
#ifndef BYLINE_ATTRIB_CAPTURE_ROWS_H
#define BYLINE_ATTRIB_CAPTURE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/features.h"
#include "byline/hash.h"

struct capture_rows {
	char *path;
	int fd;				/* -1: not open */
	const struct feature_layout *layout;	/* borrowed */
	size_t n, hidden;		/* rows; floats of the vector */
	uint64_t stride;		/* bytes a row */
	uint64_t *at;			/* by block, and of the vector: offset in the row */
	char identity[HASH_HEX];	/* of what it is the capture of */
};

/* A slot in memory: floats at slot_values(), capture_slot_floats() of room. */
size_t capture_slot_floats(const struct feature_layout *l, size_t hidden);
float *capture_slot_values(float *slot);

/* Sets everything but fd; rows_free closes. */
void capture_rows_init(struct capture_rows *r, const char *path, const struct feature_layout *l, size_t n,
	size_t hidden, const char *identity);
void capture_rows_free(struct capture_rows *r);		/* safe on a zeroed struct */

/* A new file with room for everything. ERR_IO, with how much it takes, when the disk has not that much. */
enum err capture_rows_create(struct capture_rows *r);
/* The one that is there, with how many steps it knew of when it was last saved. ERR_MISSING; ERR_FORMAT when damaged;
 * ERR_MISMATCH when it is of another run or of other options. */
enum err capture_rows_open(struct capture_rows *r, int64_t *done);
/* Everything written is on disk, then `done`. */
enum err capture_rows_save(struct capture_rows *r, int64_t done);

/* The sum as visit `visit` (from 0) left it, in a slot's values; ERR_FORMAT when it is not there whole. Block
 * layout->n_blocks is the vector, whose visit is 0. */
enum err capture_rows_read(const struct capture_rows *r, size_t row, int block, int visit, float *slot);
enum err capture_rows_write(const struct capture_rows *r, size_t row, int block, int visit, float *slot);

#endif
