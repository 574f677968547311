/*
 * cut: where a long text ends one example and begins the next. Private to the store floor.
 */
#ifndef BYLINE_STORE_CUT_H
#define BYLINE_STORE_CUT_H

#include <stddef.h>

#include "byline/tokenizer.h"

enum {
	CUT_TAIL = 8,			/* fewer tokens than this never stand alone at the end of a text */
	CUT_ROOM_MIN = 16
};

/* The first token of the next example when one begins at token `from` of `n` and may hold `room` >= CUT_ROOM_MIN
 * tokens; n when the rest fits. The best place in the second half of the room wins, the last of as good ones: after a
 * paragraph, a line, a sentence, a space. */
size_t cut_next(const char *text, size_t len, const struct token_span *token, size_t n, size_t from, size_t room);

#endif
