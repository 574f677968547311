/*
 * npy: headers of NumPy's array files: "\x93NUMPY", a version, a length, and a Python dictionary of three keys that is
 * read as the literal it is and never evaluated.
 */
#include <stdio.h>
#include <string.h>

#include "byline/scores.h"

static const size_t header_most = (size_t)1 << 20;

struct reader { const char *at, *end; const char *name; };

static enum err
bad(const struct reader *r, const char *what)
{
	return err_set(ERR_FORMAT, "%s: not a NumPy array: %s", r->name, what);
}

static void
skip_blank(struct reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
		r->at++;
}

/* One character, with blanks before it. */
static bool
take(struct reader *r, char c)
{
	skip_blank(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* 'text' or "text", without escapes. */
static bool
take_text(struct reader *r, char *out, size_t size)
{
	skip_blank(r);
	if (r->at == r->end || (*r->at != '\'' && *r->at != '"'))
		return false;
	char quote = *r->at++;
	size_t n = 0;
	while (r->at < r->end && *r->at != quote && *r->at != '\\' && n + 1 < size)
		out[n++] = *r->at++;
	out[n] = '\0';
	return take(r, quote);
}

static bool
take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);
	skip_blank(r);
	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static bool
take_number(struct reader *r, uint64_t *out)
{
	const char *from;
	skip_blank(r);
	*out = 0;
	for (from = r->at; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
		if (__builtin_mul_overflow(*out, 10, out)
			|| __builtin_add_overflow(*out, (uint64_t)(*r->at - '0'), out))
			return false;
	return r->at > from;
}

/* ---- the three keys ---- */

/* A list is the type of a record. */
static enum err
read_descr(struct reader *r, struct npy *out)
{
	static const struct { const char *descr; enum st_dtype dtype; } types[] = {
		{ "<f2", ST_F16 }, { "<f4", ST_F32 }, { "<f8", ST_F64 },
	};
	char descr[32];
	if (take(r, '['))
		return err_set(ERR_UNSUPPORTED, "%s: an array of records; give one of float32", r->name);
	if (!take_text(r, descr, sizeof(descr)))
		return bad(r, "its type cannot be read");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(descr, types[i].descr) == 0) {
			out->dtype = types[i].dtype;
			return OK;
		}
	if (strchr(descr, 'O'))
		return err_set(ERR_UNSUPPORTED, "%s: an array of Python objects, which are pickled and never read here;"
			" save it as float32: numpy.save(file, array.astype('float32'))", r->name);
	return err_set(ERR_UNSUPPORTED, "%s: numbers of type %s; those of type <f4, <f8 and <f2 are read: save it as"
		" numpy.save(file, array.astype('<f4'))", r->name, descr);
}

static enum err
read_order(struct reader *r, struct npy *out)
{
	out->fortran = take_word(r, "True");
	return out->fortran || take_word(r, "False") ? OK : bad(r, "its order cannot be read");
}

static enum err
read_shape(struct reader *r, struct npy *out)
{
	if (!take(r, '('))
		return bad(r, "its shape cannot be read");
	for (out->n_dims = 0; !take(r, ')'); out->n_dims++) {
		if (out->n_dims == ST_MAX_DIMS)
			return bad(r, "it has more than 8 dimensions");
		if (!take_number(r, &out->shape[out->n_dims]))
			return bad(r, "its shape cannot be read");
		if (!take(r, ',') && (r->at == r->end || *r->at != ')'))
			return bad(r, "its shape cannot be read");
	}
	return OK;
}

static enum err
read_dictionary(struct reader *r, struct npy *out)
{
	static const struct {
		const char *key;
		enum err (*read)(struct reader *r, struct npy *out);
	} keys[] = { { "descr", read_descr }, { "fortran_order", read_order }, { "shape", read_shape } };
	enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
	bool seen[KEYS] = { false };
	if (!take(r, '{'))
		return bad(r, "its header is no dictionary");
	while (!take(r, '}')) {
		char key[32];
		size_t i = 0;
		if (!take_text(r, key, sizeof(key)) || !take(r, ':'))
			return bad(r, "its header cannot be read");
		while (i < KEYS && strcmp(keys[i].key, key) != 0)
			i++;
		if (i == KEYS || seen[i])
			return bad(r, "its header has a key too many");
		seen[i] = true;
		TRY(keys[i].read(r, out));
		skip_blank(r);
		if (!take(r, ',') && (r->at == r->end || *r->at != '}'))
			return bad(r, "its header cannot be read");
	}
	skip_blank(r);
	for (size_t i = 0; i < KEYS; i++)
		if (!seen[i])
			return bad(r, "its header lacks a key");
	return r->at == r->end ? OK : bad(r, "its header goes on after its end");
}

/* ---- the whole ---- */

static enum err
check_size(const struct reader *r, struct npy *out, size_t left)
{
	uint64_t bytes = st_dtype_size(out->dtype);
	out->count = 1;
	for (int i = 0; i < out->n_dims; i++)
		if (__builtin_mul_overflow(out->count, out->shape[i], &out->count))
			return bad(r, "its shape is larger than memory");
	if (__builtin_mul_overflow(out->count, bytes, &bytes) || bytes != left)
		return bad(r, "its size is not that of its shape");
	return OK;
}

enum err
npy_parse(const uint8_t *bytes, size_t n, const char *name, struct npy *out)
{
	struct reader r = { .name = name };
	*out = (struct npy){0};
	if (n < 6 || memcmp(bytes, "\x93NUMPY", 6) != 0)
		return bad(&r, "it does not begin like one");
	if (n < 10)
		return bad(&r, "it is cut off");
	int version = bytes[6];
	if (version < 1 || version > 3 || bytes[7] != 0)
		return err_set(ERR_UNSUPPORTED, "%s: version %d.%d of NumPy's format; versions 1 to 3 are read", name,
			version, bytes[7]);
	size_t at = version == 1 ? 10 : 12;
	if (n < at)
		return bad(&r, "it is cut off");
	size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
	if (version > 1)
		length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
	if (length > header_most)
		return bad(&r, "its header is larger than a megabyte");
	if (length > n - at)
		return bad(&r, "it is cut off");
	r.at = (const char *)bytes + at;
	r.end = r.at + length;
	TRY(read_dictionary(&r, out));
	out->data = bytes + at + length;
	return check_size(&r, out, n - at - length);
}
