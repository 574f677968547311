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

/* ---- what is made of it ---- */

size_t gguf_kind_size(enum gguf_kind kind);		/* 0 for strings and arrays */

/* A config.json, as `transformers` would write it for this model, from the metadata and the names of the tensors
 * (gguf_config.c). ERR_UNSUPPORTED for architectures that we have no table for. */
enum err gguf_config(const struct weights *w, json_t **out);
/* The tokenizer in the metadata (gguf_tokenizer.c). */
enum err gguf_tokenizer(const struct gguf *g, struct tokenizer **out);

#endif
