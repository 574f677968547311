/*
 * bank_private: what the files of a bank share.
 */
#ifndef BYLINE_TRUST_BANK_PRIVATE_H
#define BYLINE_TRUST_BANK_PRIVATE_H

#include "byline/bank.h"

enum { BANK_QUERIES_MAX = 100000, BANK_TOKENS_MAX = 1 << 28 };

#define BANK_SUMS "sums.json"

char *bank_path(const struct bank *b, const char *name, const char *ending);	/* "dir/name" "ending"; the caller's */

/* Reads the member's record, if there is one by now. */
enum err bank_member_refresh(struct bank *b, struct bank_member *m);

/* ---- bank_plan.c ---- */

/* Of the run: its recipe, data and final weights. */
void bank_run_identity(const struct bank *b, char hex[HASH_HEX]);
bool bank_plan_exists(const struct bank *b);
/* Fills options, own and how many queries of either kind there are, all checked; `queries` gets their file's hash. */
enum err bank_plan_read(struct bank *b, char queries[HASH_HEX]);
enum err bank_plan_write(const struct bank *b, const char queries[HASH_HEX]);
/* ERR_MISMATCH when `o`, whose other_subsets is no more 0 for all, is not for the same bank as b->options; else lets
 * those grow to it. */
enum err bank_plan_grow(struct bank *b, const struct bank_options *o, bool *grew);

/* ---- bank_choose.c: the queries of a new bank, into b->query ---- */

enum err bank_choose(struct bank *b, struct job *job);

/* ---- bank_queries.c: queries.safetensors ---- */

enum err bank_queries_write(const struct bank *b, const char *path);
/* b->query, every number of the file checked against the run. */
enum err bank_queries_read(struct bank *b, const char *path);
void bank_queries_free(struct bank *b);

/* ---- bank_members.c ---- */

/* The list of members, from options and session; identities too. */
void bank_members_make(struct bank *b);
void bank_members_free(struct bank *b);

/* ---- bank_record.c: KEY.json ---- */

struct bank_record {
	double *outcome;		/* n_queries */
	double heldout, seconds;
	int exact;			/* as in struct bank; -1 for all other members */
	char model[HASH_HEX];		/* SHA-256 of the kept weights; "": not kept */
};
enum err bank_record_write(const struct bank *b, const struct bank_member *m, const struct bank_record *r);
/* Outcomes are the caller's to free. */
enum err bank_record_read(const struct bank *b, const struct bank_member *m, struct bank_record *r);
/* Takes the outcomes over. */
void bank_record_take(struct bank *b, struct bank_member *m, struct bank_record *r);

/* ---- bank_outcome.c ---- */

/* outcome (n_queries); ERR_FORMAT when the weights give none. The same bits for any number of threads. */
enum err bank_outcomes(const struct bank *b, const struct model *m, double *outcome);

#endif
