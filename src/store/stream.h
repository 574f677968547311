/*
 * stream: bytes and lines of a file that may be zstd-compressed, in bounded memory. Private to the store floor.
 */
#ifndef BYLINE_STORE_STREAM_H
#define BYLINE_STORE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <zstd.h>

#include "byline/err.h"
#include "byline/str.h"

struct stream {
	char *path;
	FILE *f;
	ZSTD_DCtx *z;			/* NULL: not compressed */
	char *in, *out;
	ZSTD_inBuffer input;
	size_t at, n;			/* what is left of out */
	size_t frame;			/* not 0: a frame has begun and not ended */
	uint64_t taken, size;		/* bytes of the file, for progress; size 0: unknown */
};

/* "-" is standard input. Whether it is compressed is told by its first bytes. */
enum err stream_open(struct stream *st, const char *path);
void stream_close(struct stream *st);
/* One byte, -1 at the end. ERR_FORMAT: the compression is broken or cut off. */
enum err stream_byte(struct stream *st, int *c);
/* A line without its end ("\n" or "\r\n"), false at the end of the file. What is beyond `limit` is read and thrown
 * away, and then *too_long. A last line that broken compression cut off is not given. */
enum err stream_line(struct stream *st, size_t limit, struct str *line, bool *have, bool *too_long);

#endif
