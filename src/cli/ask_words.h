/* ask_words: what of an output stands word for word in the corpus, beside the ranking and apart from it. */
#ifndef BYLINE_CLI_ASK_WORDS_H
#define BYLINE_CLI_ASK_WORDS_H

#include "byline/attrib.h"
#include "spans.h"

struct ask_words {
	struct verbatim *v;		/* NULL: not looked up */
	struct spans found;
	char *why;			/* not */
};

/* A store without text.safetensors is no failure. */
enum err ask_words_find(struct store *s, const struct query *q, struct ask_words *out);
void ask_words_free(struct ask_words *w);

/* "", "verbatim", "influential" or "both". */
const char *ask_words_mark(const struct ask_words *w, const struct session *s, const struct ranking *r,
	const struct ranked *one);
/* Sets "verbatim", and "mark" on each of "examples" and "opponents", which stand as in the ranking. */
enum err ask_words_json(const struct ask_words *w, const struct session *s, const struct ranking *r, json_t *o);
enum err ask_words_print(const struct ask_words *w, struct store *s);

#endif
