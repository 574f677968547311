/*
 * toy: a store of a few dozen little texts, a model trained on them for a second, and its index: a whole run made in a test.
 *
 * Each contributor writes about something of their own in their own words; "Olga" has opted out, and one work has two authors.
 */
#ifndef BYLINE_TEST_TOY_H
#define BYLINE_TEST_TOY_H

#include "byline/attrib.h"
#include "byline/train.h"

struct toy_options {
	int d_model, d_ff, n_layer, n_ctx;
	int epochs, k, bits, checkpoints;
	bool tied, gpt2, no_index, no_weights;
	double lr;			/* 0: 0.01 */
};

struct toy {
	char top[64];			/* a fresh folder with everything in it */
	char *dir;			/* of the store */
	struct store *store;
	int64_t run;
};

extern const struct toy_options toy_small;	/* d 8, one layer, untied; k 8; 3 checkpoints */

enum { TOY_SEED = 3 };			/* of the run "toy" */

/* Any failure ends the test. */
void toy_new(struct toy *t, const struct toy_options *o);
/* Another run with the same tokenizer, on the same examples or on another split of the works. */
void toy_again(struct toy *t, const struct toy_options *o, const char *name, uint64_t seed, bool same_examples);
void toy_free(struct toy *t);			/* removes the folder */
struct session *toy_session(const struct toy *t, int threads);
char *toy_path(const struct toy *t, const char *name);	/* of a file in the run's folder */
/* A query with the given continuation. */
struct query *toy_query(struct session *s, const char *prompt, const char *target);

#endif
