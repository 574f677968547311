/*
 * generate: one token at a time with a key-value cache; sampling; what the model thought of each token.
 */
#ifndef BYLINE_GENERATE_H
#define BYLINE_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "byline/err.h"
#include "byline/job.h"
#include "byline/model.h"

struct kv;				/* keys and values of one sequence; not shared between threads */
struct kv *kv_new(const struct model *m);
void kv_free(struct kv *kv);
void kv_rewind(struct kv *kv, int length);	/* forgets all but the first `length` tokens */
int kv_length(const struct kv *kv);

/* Feeds n tokens; logits (vocab) of the last one. ERR_LIMIT beyond n_ctx. Agrees with model_forward to rounding. */
enum err model_step(const struct model *m, struct kv *kv, const int32_t *token, int n, float *logits);
/* `each` sees the logits (vocab) after every token i of one sequence, in order, in memory that does not grow with n
 * but for keys and values. */
enum err model_logits(const struct model *m, const int32_t *token, int n,
	void (*each)(void *arg, int i, const float *logits), void *arg);

struct sample_options {
	double temperature;		/* 0: greedy */
	int top_k;			/* 0: off */
	double top_p;			/* 1: off */
	uint64_t seed;
	int max_tokens;
	const int32_t *stop;		/* tokens that end the output, not part of it */
	int n_stop;
};

/* Chooses from logits (vocab); step is the index in the output, so that the draw is word `step` of the seed's
 * stream. */
int32_t sample_token(const float *logits, int vocab, const struct sample_options *o, int step);

#define ALTERNATIVES 8
struct token_fact {
	int32_t token;
	float logprob;			/* natural log, under the model at temperature 1 */
	int rank;			/* 1 = the model's first choice */
	int32_t alt[ALTERNATIVES];	/* most probable tokens, best first; -1 when the vocabulary is smaller */
	float alt_logprob[ALTERNATIVES];
};

void token_fact_fill(struct token_fact *f, const float *logits, int vocab, int32_t token);

/* Generates after `prompt`; `on_token` (may be NULL) sees each token as it comes; false ends generation.
 * facts has room for max_tokens; *n_out is how many came. A prompt longer than n_ctx - 1 keeps its last half. */
enum err generate(const struct model *m, const int32_t *prompt, int n_prompt, const struct sample_options *o,
	struct job *job, bool (*on_token)(void *arg, const struct token_fact *f), void *arg,
	struct token_fact *facts, int *n_out);

/* The same facts for a given continuation. */
enum err score_continuation(const struct model *m, const int32_t *prompt, int n_prompt, const int32_t *cont, int n_cont,
	struct token_fact *facts);

#endif
