/*
 * split: text cut into words where the tokenizer of the full-text table cuts it (schema_words_sql).
 */
#ifndef BYLINE_STORE_SPLIT_H
#define BYLINE_STORE_SPLIT_H

#include <stddef.h>

/* fn gets each word as it was written; longer ones than 128 bytes are left out. */
void split_words(const char *text, size_t n, void (*fn)(void *arg, const char *word, size_t n), void *arg);

/* Case and accents away, much as the tokenizer of the table does, so that "The" and "the" count once. Fresh memory. */
char *split_fold(const char *word, size_t n);

#endif
