/* gguf_parts: what the files that read GGUF share; private to the model floor. */
#ifndef BYLINE_MODEL_GGUF_PARTS_H
#define BYLINE_MODEL_GGUF_PARTS_H

#include <jansson.h>

#include "byline/gguf.h"
#include "byline/tokenizer.h"
#include "byline/weights.h"

size_t gguf_kind_size(enum gguf_kind kind);		/* 0 for strings and arrays */

/* A config.json, as `transformers` would write it for this model, from the metadata and the names of the tensors
 * (gguf_config.c). ERR_UNSUPPORTED for architectures that we have no table for. */
enum err gguf_config(const struct weights *w, json_t **out);
/* The tokenizer in the metadata (gguf_tokenizer.c). */
enum err gguf_tokenizer(const struct gguf *g, struct tokenizer **out);

#endif
