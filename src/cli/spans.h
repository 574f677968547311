/* spans: what stands word for word in the corpus, as JSON and for people; one form for every command. */
#ifndef BYLINE_CLI_SPANS_H
#define BYLINE_CLI_SPANS_H

#include <jansson.h>

#include "byline/store.h"
#include "byline/verbatim.h"

/* A text and what of it was found. The text is borrowed. */
struct spans { const char *text; size_t n_text; struct verbatim_span *v; size_t n; };

enum err spans_find(const struct verbatim *v, const char *text, size_t n, int min_words, struct spans *out);
void spans_free(struct spans *s);

/* A list of objects: the member "verbatim" of byline-ask(1). */
enum err spans_json(struct store *s, const struct spans *spans, json_t **out);
/* At most `most` works are listed of each. */
enum err spans_print(struct store *s, const struct spans *spans, size_t most);

#endif
