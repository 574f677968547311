/*
 * bank: a run's measured truth: the same training, repeated without random subsets, without one contributor, and from
 * other seeds, and what each of these models thinks of a fixed set of queries.
 *
 * Folder runs/NAME/bank/:  plan.json               options, queries' hash, identity of the run
 *                          queries.safetensors     their tokens
 *                          KEY.json                one finished member: identity, outcomes, loss, seconds
 *                          KEY.lock                held by the process that works on it
 *                          models/KEY.safetensors  its weights (retrain.h), when they are kept: new queries then
 *                                                  cost no training
 * KEY: "subset-0007-seed-7", "without-12-seed-7" (a contributor's id), "full-0000-seed-8". Any number of processes, on
 * machines that share the folder, may work on one bank: each takes a member nobody holds. Files are replaced
 * atomically; a kill loses the member in hand. See retrain.h for what a member's training is.
 */
#ifndef BYLINE_BANK_H
#define BYLINE_BANK_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/attrib.h"
#include "byline/retrain.h"

struct bank_options {
	int subsets;			/* 60 */
	double alpha;			/* part of the trained examples that a subset keeps, 0.5 */
	uint64_t seed;			/* of subsets and queries */
	int seeds;			/* 1: the run's own; 2: subsets are also trained from the next seed; ... */
	int other_subsets;		/* how many of them for the other seeds; 0: all */
	bool contributors;		/* one member for each contributor, everything of theirs left out */
	int heldout, generated;		/* queries, 40 each */
	int span;			/* tokens of a query's span, 64 */
	int prompt;			/* tokens before a generated span, 16; as many or more before a held-out one
					 * where there are */
	bool keep_models;
};
void bank_defaults(struct bank_options *o);

struct bank_query {
	int32_t *token;			/* prompt, then span; as query->tokens */
	int n_prompt, n_out;
	bool generated;
	uint32_t example;		/* where the text, or the generated one's prompt, was taken from */
};

enum member_kind { MEMBER_SUBSET, MEMBER_WITHOUT, MEMBER_FULL };

struct bank_member {
	enum member_kind kind;
	int64_t number;			/* subset; contributor; 0 */
	uint64_t seed;			/* of the training */
	char key[64], identity[HASH_HEX];
	bool done;
	double *outcome;		/* per query: mean log-probability of the span's tokens, nats; NULL: not done */
	double heldout;			/* nats per token; NaN: none */
	double seconds;
};

struct bank {
	struct bank_options options;
	struct session *session;	/* borrowed */
	struct retraining retraining;
	char *dir;
	struct bank_query *query;
	int n_queries;
	struct bank_member *member;	/* full ones first, then subsets by seed and number, then contributors */
	int n_members;
	double *own;			/* per query: the outcome of the run's own final weights */
	int exact;			/* the full member of the run's own seed has the run's weights, bit for bit;
					 * -1: not known yet */
};

/* Makes the plan (queries included) or takes up the one there; ERR_MISMATCH, naming what, when that is of other options
 * or of another run. More subsets, seeds or contributors than the plan there has is no mismatch: it grows. */
enum err bank_begin(struct session *s, const struct bank_options *o, struct job *job, struct bank **out);
/* What bank_begin would give; nothing is written. */
enum err bank_preview(struct session *s, const struct bank_options *o, struct job *job, struct bank **out);
/* What is there. ERR_MISSING: no bank. */
enum err bank_open(struct session *s, struct bank **out);
void bank_close(struct bank *b);
/* Reads what other processes have finished since. */
enum err bank_refresh(struct bank *b);

/* What is left out for a member: drop (data.n), 1 = left out. */
void bank_drop(const struct bank *b, const struct bank_member *m, uint8_t *drop);
/* Seconds that what is not done will take one process, from finished members, else from a few timed steps. */
double bank_estimate(struct bank *b, int *left);
/* Works on members until all are done or held by others: as many at once as the session has threads, each on one. */
enum err bank_run(struct bank *b, struct job *job);

/* Takes the sums of reports and cached scores (trust.h), which carry none of their own, for bank_verify; forgets them,
 * before those are made anew. */
enum err bank_sums_write(const struct bank *b);
void bank_sums_forget(const struct bank *b);
/* Rechecks the files of every bank of the store against their sums; each finding goes to fn, as in store_verify. */
enum err bank_verify(struct store *s, struct job *job, void (*fn)(void *arg, const char *finding), void *arg,
	int64_t *n_findings);

/* A bank query as a query of the session, ready for query_rank and its like. */
enum err bank_query_open(const struct bank *b, int query, struct query **out);

#endif
