/*
 * tok_component: reading tokenizer.json's components, which are objects with a "type" each; private to the model floor.
 */
#ifndef BYLINE_MODEL_TOK_COMPONENT_H
#define BYLINE_MODEL_TOK_COMPONENT_H

#include "tok.h"

/* Where we are in the file; `kind` is what messages call a component. */
struct reading { struct tokenizer *t; const char *name, *kind; };
struct component { const char *type; enum err (*read)(const struct reading *r, const json_t *value, int row); };

/* Finds the component's row by its type and lets it read the rest. null is no component. */
enum err read_component(const struct reading *r, const json_t *value, const struct component *table, size_t n);
/* Each of the list `key` of a Sequence. */
enum err read_list(const struct reading *r, const json_t *value, const char *key,
	enum err (*read)(const struct reading *, const json_t *));

/* "pattern": {"Regex": s} or {"String": s}; borrowed, never empty. */
struct pattern { const char *s; size_t n; bool regex; };
enum err read_pattern(const struct reading *r, const json_t *value, struct pattern *out);
/* "replacement": one code point, U+2581 when the key is absent. */
enum err read_mark(const struct reading *r, const json_t *value, char mark[8]);

#endif
