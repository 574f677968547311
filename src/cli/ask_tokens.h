/* ask_tokens: what each token of one example adds to each of the span, and through which layers. */
#ifndef BYLINE_CLI_ASK_TOKENS_H
#define BYLINE_CLI_ASK_TOKENS_H

#include <jansson.h>

#include "byline/attrib.h"

json_t *ask_tokens_json(const struct token_influence *t, const struct session *s);	/* new reference */
void ask_tokens_print(const struct token_influence *t, const struct query *q);

#endif
