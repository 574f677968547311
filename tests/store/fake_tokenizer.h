/*
 * fake_tokenizer: words as tokens, so that a test can say what it expects. A token is a run of letters with the space
 * before it, a run of white space, or one other byte; its id is a hash of its bytes. Only what the store calls.
 */
#ifndef BYLINE_TEST_FAKE_TOKENIZER_H
#define BYLINE_TEST_FAKE_TOKENIZER_H

#include "byline/tokenizer.h"

struct tokenizer { int vocab; };

#endif
