/* stream: plain or compressed bytes, a buffer at a time. */
#include "config.h"

#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "byline/mem.h"

enum { CHUNK = 1 << 16 };

static enum err
stream_fill_input(struct stream *st)
{
	st->input = (ZSTD_inBuffer){ .src = st->in, .size = fread(st->in, 1, CHUNK, st->f) };
	st->taken += st->input.size;
	if (st->input.size == 0 && ferror(st->f))
		return err_set(ERR_IO, "cannot read %s: %s", st->path, strerror(errno));
	return OK;
}

/* A zstd frame, or one of the skippable frames that may come before it (RFC 8878, section 3.1). */
static bool
is_zstd(const unsigned char *p, size_t n)
{
	return n >= 4 && ((p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
		|| (p[0] >> 4 == 5 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18));
}

static enum err
stream_begin(struct stream *st)
{
	struct stat info;
	if (fstat(fileno(st->f), &info) == 0 && S_ISDIR(info.st_mode))
		return err_set(ERR_IO, "cannot read %s: it is a folder", st->path);
	if (S_ISREG(info.st_mode))
		st->size = (uint64_t)info.st_size;
	TRY(stream_fill_input(st));
	if (is_zstd((const unsigned char *)st->in, st->input.size)) {
		st->z = ZSTD_createDCtx();
		return st->z ? OK : err_set(ERR_MEMORY, "%s: no memory to decompress", st->path);
	}
	if (st->input.size >= 3 && memcmp(st->in, "\xef\xbb\xbf", 3) == 0)
		st->input.pos = 3;
	return OK;
}

enum err
stream_open(struct stream *st, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	*st = (struct stream){ .path = xstrdup(standard ? "standard input" : path) };
	st->f = standard ? stdin : fopen(path, "rbe");
	if (!st->f) {
		enum err err = err_set(errno == ENOENT ? ERR_MISSING : ERR_IO, "cannot open %s: %s", path,
			strerror(errno));
		stream_close(st);
		return err;
	}
	st->in = xmalloc(CHUNK);
	st->out = xmalloc(CHUNK);
	enum err err = stream_begin(st);
	if (err != OK)
		stream_close(st);
	return err;
}

void
stream_close(struct stream *st)
{
	if (st->f && st->f != stdin)
		fclose(st->f);
	ZSTD_freeDCtx(st->z);
	free(st->in);
	free(st->out);
	free(st->path);
	*st = (struct stream){0};
}

static enum err
stream_decompress(struct stream *st)
{
	ZSTD_outBuffer output = { .dst = st->out, .size = CHUNK };
	while (output.pos == 0) {
		if (st->input.pos == st->input.size)
			TRY(stream_fill_input(st));
		if (st->input.size == 0)
			return st->frame ? err_set(ERR_FORMAT, "the compressed data end in the middle") : OK;
		st->frame = ZSTD_decompressStream(st->z, &output, &st->input);
		if (ZSTD_isError(st->frame))
			return err_set(ERR_FORMAT, "the compressed data are damaged: %s", ZSTD_getErrorName(st->frame));
	}
	st->n = output.pos;
	return OK;
}

static enum err
stream_copy(struct stream *st)
{
	if (st->input.pos == st->input.size)
		TRY(stream_fill_input(st));
	st->n = st->input.size - st->input.pos;
	memcpy(st->out, st->in + st->input.pos, st->n);
	st->input.pos = st->input.size;
	return OK;
}

/* Afterwards n is 0 at the end of the file. */
static enum err
stream_fill(struct stream *st)
{
	st->at = st->n = 0;
	return st->z ? stream_decompress(st) : stream_copy(st);
}

enum err
stream_byte(struct stream *st, int *c)
{
	*c = -1;
	if (st->at == st->n)
		TRY(stream_fill(st));
	if (st->at < st->n)
		*c = (unsigned char)st->out[st->at++];
	return OK;
}

static void
line_add(struct str *line, const char *bytes, size_t n, size_t limit, bool *too_long)
{
	size_t room = limit - line->len;
	*too_long = *too_long || n > room;
	str_add(line, bytes, n < room ? n : room);
}

enum err
stream_line(struct stream *st, size_t limit, struct str *line, bool *have, bool *too_long)
{
	const char *end = NULL;
	str_clear(line);
	*have = *too_long = false;
	while (!end) {
		if (st->at == st->n)
			TRY(stream_fill(st));
		if (st->n == 0)
			return OK;
		*have = true;
		const char *from = st->out + st->at;
		size_t left = st->n - st->at;
		end = memchr(from, '\n', left);
		size_t n = end ? (size_t)(end - from) : left;
		line_add(line, from, n, limit, too_long);
		st->at += end ? n + 1 : n;
	}
	if (line->len > 0 && line->s[line->len - 1] == '\r')
		line->s[--line->len] = '\0';
	return OK;
}
