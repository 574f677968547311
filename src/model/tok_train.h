/*
 * tok_train: what the two halves of training a tokenizer share; private to the model floor.
 */
#ifndef BYLINE_MODEL_TOK_TRAIN_H
#define BYLINE_MODEL_TOK_TRAIN_H

#include "byline/job.h"
#include "tok.h"

struct word { char *s; uint32_t n; int64_t count; };
struct words { struct word *v; size_t n, cap; struct str_map index; };

enum err words_collect(struct words *w, const struct text_source *src, struct job *job);
void words_free(struct words *w);

#endif
