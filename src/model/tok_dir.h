/*
 * tok_dir: tokenizers of vocab.json and merges.txt, in parts; private to the model floor.
 */
#ifndef BYLINE_MODEL_TOK_DIR_H
#define BYLINE_MODEL_TOK_DIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "byline/err.h"
#include "byline/tokenizer.h"

/* What the files do not say. `split` NULL: as GPT-2 does; `end`: the special token of those that name none. */
struct tokenizer_class { const char *name, *model, *split; bool nfc; const char *end; };

/* The files; those that are not there are {}. */
struct tokenizer_pair {
	json_t *vocab, *merges, *config, *specials, *added;
	const struct tokenizer_class *class;
};

/* The lines of merges.txt appended to the list. */
enum err tokenizer_merges(const char *text, size_t n, const char *path, json_t *merges);
/* tokenizer_pair.c; `path` is what messages name. */
enum err tokenizer_of_pair(struct tokenizer **out, const struct tokenizer_pair *p, const char *path);

#endif
