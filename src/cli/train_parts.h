/*
 * train_parts: what `byline train` is made of beside its option table: what the options mean, the tokenizer of a run,
 * what a run trained as another takes over from it, and the training itself.
 */
#ifndef BYLINE_CLI_TRAIN_PARTS_H
#define BYLINE_CLI_TRAIN_PARTS_H

#include "byline/attrib.h"
#include "byline/job.h"
#include "byline/model.h"
#include "byline/store.h"
#include "byline/train.h"

struct likeness {
	struct run run;
	struct train_journal journal;
	char *tokenizer;		/* path */
	double heldout;			/* fraction */
};
/* ERR_MISSING when there is no such run, or when it was not trained here. */
enum err likeness_open(struct store *s, const char *run, struct likeness *l);
void likeness_close(struct likeness *l);			/* safe on a zeroed struct */

/* Filled by the command line; config and options hold what it says of them and zeros for the rest. */
struct train_args {
	const char *run, *as, *tokenizer;
	int runs, family, dtype, threads;
	struct model_config config;	/* vocab: of a tokenizer trained here */
	struct train_options options;
	bool untied;
	double heldout;
	int k, own, bits;
	int64_t curvature_tokens;
	bool no_capture, quiet;
	uint64_t given;			/* bit i: option i of the table was on the command line */
	const struct likeness *like;	/* what --as takes over; NULL without it */
};

void train_args_config(const struct train_args *a, const struct tokenizer *t, struct model_config *c);
void train_args_options(const struct train_args *a, size_t n_train, struct train_options *o);
void train_args_index(const struct train_args *a, struct index_options *o);
/* What the command line would have to say to train that run; its seed stays. */
void train_args_as(struct train_args *a, const struct likeness *l);

/* The run's own tokenizer: the file at `path` in its folder once the run has begun, so that resuming never trains
 * another; until then the one in file `given`, or one of `vocab` tokens trained on the corpus when that is NULL. */
enum err train_tokenizer(struct store *s, const char *given, int vocab, const char *path, struct job *job,
	struct tokenizer **t);
int32_t train_begin_token(const struct tokenizer *t);		/* -1: none */

struct train_watch {
	struct job *job;
	struct train_status last;
	bool captured;
	const char *refusal;		/* why it is not, though it was to be */
};

/* Begins the run of these options or goes on with it, trains it, and captures its index. run is the caller's to free,
 * also after an error; w->last.steps is 0 when it was trained already. */
enum err train_store(struct store *s, const struct train_args *a, struct train_watch *w, struct run *run);

#endif
