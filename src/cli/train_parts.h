/*
 * train_parts: what `byline train` needs beside its options: the tokenizer of a run, and what a run trained as another
 * takes over from it.
 */
#ifndef BYLINE_CLI_TRAIN_PARTS_H
#define BYLINE_CLI_TRAIN_PARTS_H

#include "byline/store.h"
#include "byline/train.h"

/* The run's own tokenizer: the file at `path` in its folder once the run has begun, so that resuming never trains
 * another; until then the one in file `given`, or one of `vocab` tokens trained on the corpus when that is NULL. */
enum err train_tokenizer(struct store *s, const char *given, int vocab, const char *path, struct job *job,
	struct tokenizer **t);
int32_t train_begin_token(const struct tokenizer *t);		/* -1: none */

struct likeness {
	struct run run;
	struct train_journal journal;
	char *tokenizer;		/* path */
	double heldout;			/* fraction */
};
/* ERR_MISSING when there is no such run, or when it was not trained here. */
enum err likeness_open(struct store *s, const char *run, struct likeness *l);
void likeness_close(struct likeness *l);			/* safe on a zeroed struct */

#endif
