/* gguf: files in parts, as llama-gguf-split writes them: the metadata is in NAME-00001-of-00003.gguf, tensors are in
 * all of them. */
#include "byline/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/str.h"
#include "gguf_parts.h"

enum { DIGITS = 5, PARTS_MAX = 4096 };

static bool
take_number(const char **s, int *out)
{
	*out = 0;
	for (int i = 0; i < DIGITS; i++, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

static bool
take_text(const char **s, const char *text)
{
	size_t n = strlen(text);
	if (strncmp(*s, text, n) != 0)
		return false;
	*s += n;
	return true;
}

/* Bytes of the path before "-00001-of-00003.gguf"; 0: it does not end so. */
static size_t
name_parse(const char *path, int *no, int *count)
{
	static const char like[] = "-00001-of-00003.gguf";
	size_t n = strlen(path), tail = sizeof(like) - 1;
	const char *s = path + (n > tail ? n - tail : n);
	return take_text(&s, "-") && take_number(&s, no) && take_text(&s, "-of-") && take_number(&s, count) &&
		take_text(&s, ".gguf") && *no >= 1 && *no <= *count ? n - tail : 0;
}

int
gguf_part_count(const char *path)
{
	int no, count;
	return name_parse(path, &no, &count) > 0 ? count : 1;
}

char *
gguf_part_path(const char *path, int no)
{
	int any, count;
	size_t n = name_parse(path, &any, &count);
	return n > 0 ? xasprintf("%.*s-%05d-of-%05d.gguf", (int)n, path, no, count) : xstrdup(path);
}

static enum err
check_part(const struct gguf *g, int no, int count)
{
	int64_t said_no, said_count;
	TRY(gguf_int(g, "split.count", 0, UINT16_MAX, 1, &said_count));
	TRY(gguf_int(g, "split.no", 0, UINT16_MAX, 0, &said_no));
	if (said_count == count && said_no + 1 == no)
		return OK;
	if (said_count <= 1)
		return err_set(ERR_FORMAT, "%s: is called part %d of %d, and is whole: give it another name", g->path,
			no, count);
	return err_set(count == 1 ? ERR_UNSUPPORTED : ERR_FORMAT, "%s: is part %" PRId64 " of %" PRId64
		", and must be called NAME-%05d-of-%05d.gguf; or join the parts: llama-gguf-split --merge FIRST NEW",
		g->path, said_no + 1, said_count, (int)said_no + 1, (int)said_count);
}

static enum err
open_part(struct gguf *g, const char *path, int no, int count)
{
	char *part = gguf_part_path(path, no);
	enum err err = count == 1 || file_exists(part) ? gguf_open(g, part)
		: err_set(ERR_MISSING, "%s: is missing; the model is in %d parts", part, count);
	free(part);
	if (err == OK)
		err = check_part(g, no, count);
	if (err != OK)
		gguf_close(g);
	return err;
}

/* The first says how many tensors there are in all. */
static enum err
check_tensors(const struct gguf *parts, int n)
{
	int64_t want, have = 0;
	for (int i = 0; i < n; i++)
		have += (int64_t)parts[i].n_tensors;
	TRY(gguf_int(&parts[0], "split.tensors.count", 0, INT64_MAX, have, &want));
	return want == have ? OK : err_set(ERR_MISMATCH, "%s: says there are %" PRId64 " tensors, its %d parts have %"
		PRId64, parts[0].path, want, n, have);
}

enum err
gguf_open_parts(struct gguf **out, size_t *n, const char *path)
{
	int count = gguf_part_count(path);
	enum err err = OK;
	*out = NULL;
	*n = 0;
	if (count > PARTS_MAX)
		return err_set(ERR_LIMIT, "%s: is one of %d parts, at most %d are read", path, count, PARTS_MAX);
	struct gguf *parts = xcalloc((size_t)count, sizeof(*parts));
	for (int i = 0; err == OK && i < count; i++)
		err = open_part(&parts[i], path, i + 1, count);
	if (err == OK && count > 1)
		err = check_tensors(parts, count);
	if (err != OK) {
		gguf_close_parts(parts, (size_t)count);
		return err;
	}
	*out = parts;
	*n = (size_t)count;
	return OK;
}

void
gguf_close_parts(struct gguf *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gguf_close(&parts[i]);
	free(parts);
}
