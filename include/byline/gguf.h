/*
 * gguf: the single-file format of llama.cpp: metadata by key, then tensors. Versions 2 and 3, little-endian.
 * Layout: "GGUF", u32 version, u64 tensors, u64 keys; each key with its type and value; each tensor's name, dimensions
 * (fastest first), type and offset; padding; data.
 *
 * Files come from strangers: every count, length, type, shape, offset and overlap is checked before the first value is
 * given out. Values stay in the map; the getters decode them.
 */
#ifndef BYLINE_GGUF_H
#define BYLINE_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/file.h"

enum gguf_kind { GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY,
	GGUF_U64, GGUF_I64, GGUF_F64, GGUF_KINDS };

struct gguf_key {
	char *name;
	enum gguf_kind kind;
	enum gguf_kind of;		/* elements of an array */
	uint64_t n;			/* elements of an array, else 1 */
	const uint8_t *at;		/* the first element, in the map */
	const uint8_t *end;
};

enum { GGUF_MAX_DIMS = 4 };

struct gguf_tensor {
	char *name;
	int type;			/* the format's number: gguf_type_name */
	int n_dims;
	uint64_t dims[GGUF_MAX_DIMS];	/* fastest first, as the file has them */
	uint64_t count, offset, size;	/* elements; bytes from the beginning of the data */
	const uint8_t *data;
};

struct gguf {
	char *path;
	struct file_map map;
	uint32_t version;
	uint64_t alignment;
	struct gguf_key *keys;		/* by name */
	size_t n_keys;
	struct gguf_tensor *tensors;	/* by offset */
	size_t n_tensors;
};

/* Tensors of a type that we cannot read are refused here, by name (ERR_UNSUPPORTED). */
enum err gguf_open(struct gguf *g, const char *path);
void gguf_close(struct gguf *g);				/* safe on a zeroed struct */

/* The types that are read, by the format's number. */
enum { GGUF_TYPE_F32 = 0, GGUF_TYPE_F16 = 1, GGUF_TYPE_Q8_0 = 8, GGUF_TYPE_BF16 = 30 };
const char *gguf_type_name(uint32_t type);			/* "Q4_K"; NULL for a number we do not know */

const struct gguf_key *gguf_find(const struct gguf *g, const char *name);	/* NULL when absent */
/* Any whole number of the file's, within [min, max]; `def` when the key is absent. ERR_FORMAT otherwise. */
enum err gguf_int(const struct gguf *g, const char *name, int64_t min, int64_t max, int64_t def, int64_t *out);
/* A floating-point or whole number. */
enum err gguf_real(const struct gguf *g, const char *name, double def, double *out);
enum err gguf_bool(const struct gguf *g, const char *name, bool def, bool *out);
/* The bytes of a string, borrowed and not NUL-terminated; NULL and 0 when the key is absent. */
enum err gguf_str(const struct gguf *g, const char *name, const char **s, size_t *n);
/* An array of `of`, or NULL when the key is absent. */
enum err gguf_array(const struct gguf *g, const char *name, enum gguf_kind of, const struct gguf_key **out);
/* Element i of an array of numbers, whole or not (`of` is not GGUF_STRING or GGUF_ARRAY). */
double gguf_number(const struct gguf_key *array, uint64_t i);
/* Walks an array of strings: begin with *at = NULL; false at the end. */
bool gguf_next_string(const struct gguf_key *array, const uint8_t **at, const char **s, size_t *n);

#endif
