/* gguf_parts: what the files that read GGUF share; private to the model floor. */
#ifndef BYLINE_MODEL_GGUF_PARTS_H
#define BYLINE_MODEL_GGUF_PARTS_H

#include <jansson.h>

#include "byline/gguf.h"
#include "byline/tokenizer.h"
#include "byline/weights.h"

/* ---- a reader that cannot run past the end (gguf_read.c) ---- */

struct gguf_cursor {
	const char *path;
	const uint8_t *at, *end;
};

size_t gguf_room(const struct gguf_cursor *c);		/* bytes left */
/* `where` is what messages say the file ends inside of. */
enum err gguf_cut_short(const struct gguf_cursor *c, const char *where);
enum err gguf_take(struct gguf_cursor *c, void *out, size_t n, const char *where);
enum err gguf_take_string(struct gguf_cursor *c, const char **s, uint64_t *n, const char *where);
/* In fresh memory, NUL-terminated; what cannot be a C string is no name. */
enum err gguf_take_name(struct gguf_cursor *c, char **out, uint64_t max, const char *where);

/* ---- parts of opening (gguf_tensors.c) ---- */

enum err gguf_parse_tensors(struct gguf *g, struct gguf_cursor *c, uint64_t n);
/* `begin`: where the list of tensors ended. */
enum err gguf_place_tensors(struct gguf *g, uint64_t begin);

/* ---- files in parts (gguf_split.c) ---- */

int gguf_part_count(const char *path);			/* by its name: 3 of "m-00001-of-00003.gguf", else 1 */
/* The path of part `no`, from 1, in fresh memory; the path itself where it is no part. */
char *gguf_part_path(const char *path, int no);
/* All parts of which `path` names one, in order; the first has the metadata. */
enum err gguf_open_parts(struct gguf **out, size_t *n, const char *path);
void gguf_close_parts(struct gguf *parts, size_t n);	/* safe on NULL with 0 */

/* ---- what is made of it ---- */

size_t gguf_kind_size(enum gguf_kind kind);		/* 0 for strings and arrays */

/* A config.json, as `transformers` would write it for this model, from the metadata and the names of the tensors
 * (gguf_config.c). ERR_UNSUPPORTED for architectures that we have no table for. */
enum err gguf_config(const struct weights *w, json_t **out);
/* The tokenizer in the metadata (gguf_tokenizer.c). */
enum err gguf_tokenizer(const struct gguf *g, struct tokenizer **out);

#endif
