/*
 * safetensors: reading (memory-mapped) and writing the format of Hugging Face.
 * Layout: u64 LE header length, JSON header {name: {dtype, shape, data_offsets}}, bytes.
 *
 * Files come from strangers: header size, JSON, every dtype, shape, offset and overlap is checked before the first
 * tensor is given out; gaps, duplicates, truncation and trailing bytes are refused with ERR_FORMAT.
 */
#ifndef BYLINE_SAFETENSORS_H
#define BYLINE_SAFETENSORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/file.h"

enum st_dtype { ST_F32, ST_F16, ST_BF16, ST_F64, ST_I64, ST_I32, ST_I16, ST_I8, ST_U8, ST_BOOL, ST_U16, ST_U32, ST_U64,
	ST_DTYPES };

size_t st_dtype_size(enum st_dtype t);
const char *st_dtype_name(enum st_dtype t);

#define ST_MAX_DIMS 8

struct st_tensor {
	const char *name;		/* owned by the file */
	enum st_dtype dtype;
	int n_dims;
	uint64_t shape[ST_MAX_DIMS];
	uint64_t count;			/* elements */
	const uint8_t *data;		/* into the map; may be unaligned */
	uint64_t size;			/* bytes */
};

struct st_file {
	char *path;
	struct file_map map;
	json_t *metadata;		/* object of strings, or NULL */
	struct st_tensor *tensors;	/* by data offset */
	size_t n_tensors;
	void *index;			/* private */
};

enum err st_open(struct st_file *f, const char *path);
void st_close(struct st_file *f);				/* safe on a zeroed struct */
const struct st_tensor *st_find(const struct st_file *f, const char *name);	/* NULL when absent */
const char *st_meta(const struct st_file *f, const char *key);	/* NULL when absent */

/* The tensor called `name` with exactly this shape (dims ended by 0 are not checked: pass n_dims), or a clear error. */
enum err st_want(const struct st_file *f, const char *name, int n_dims, const uint64_t *shape,
	const struct st_tensor **out);
/* Elements [from, from + n) widened to float; F32, F16, BF16, F64 only. */
enum err st_read_f32(const struct st_file *f, const struct st_tensor *t, uint64_t from, uint64_t n, float *out);

/* Writing: declare all tensors, then give the bytes of each in the order of declaration, in any number of pieces. */
struct st_slot;
struct st_writer {
	struct file_writer file;
	json_t *header;
	uint64_t declared, written;	/* bytes, over all tensors */
	bool started;
	/* private: */
	struct st_slot *slots;		/* in order of declaration; in the file large elements come first */
	size_t n, slot;
	uint64_t in_slot, data_at, at;
};
enum err st_writer_open(struct st_writer *w, const char *path);
void st_writer_meta(struct st_writer *w, const char *key, const char *value);
void st_writer_declare(struct st_writer *w, const char *name, enum st_dtype dtype, int n_dims, const uint64_t *shape);
enum err st_writer_begin(struct st_writer *w);			/* writes the header */
enum err st_writer_bytes(struct st_writer *w, const void *data, uint64_t n);
/* n floats narrowed to `dtype` (F32, F16, BF16). */
enum err st_writer_f32(struct st_writer *w, enum st_dtype dtype, const float *data, uint64_t n);
/* A writer of no file: what the declared tensors and the metadata would take, in bytes. Ends with st_writer_abort. */
void st_writer_plan(struct st_writer *w);
uint64_t st_writer_size(struct st_writer *w);
enum err st_writer_commit(struct st_writer *w);			/* refuses when bytes are owed */
void st_writer_abort(struct st_writer *w);			/* safe after commit and on a zeroed struct */

#endif
