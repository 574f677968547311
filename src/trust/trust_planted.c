/*
 * trust_planted: planted duplicates. A trained example is asked about as if the model had just written it: whatever
 * else the method finds, this one must stand on top.
 */
#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "trust_private.h"

/* "plant", so that no other use of the seed meets these numbers. */
static const uint64_t stream_plant = UINT64_C(0x706c616e74000000);

/* The example's first token as the prompt, the next ones, no more than a bank's span, as the output. */
static void
query_plant(const struct bank *b, uint32_t example, struct bank_query *q)
{
	const struct dataset *d = &b->session->data;
	uint64_t n = d->start[example + 1] - d->start[example] - 1;
	int span = b->options.span > 0 ? b->options.span : 1;
	*q = (struct bank_query){ .token = d->token + d->start[example], .n_prompt = 1,
		.n_out = n < (uint64_t)span ? (int)n : span, .example = example };
}

enum err
check_planted(const struct bank *b, const struct method *m, struct job *job, double *found)
{
	uint32_t example[TRUST_PLANTED];
	struct bank_query planted[TRUST_PLANTED];
	struct query *query[TRUST_PLANTED] = {0};
	/* A bank of other queries: what opens those of a bank opens these. */
	struct bank other = *b;
	float *score = NULL;
	enum err err = OK;
	int n = (int)sample_trained(b, stream_plant, TRUST_PLANTED, example);
	*found = NAN;
	if (n == 0)
		return OK;
	job_note(job, "planted duplicates");
	for (int i = 0; i < n; i++)
		query_plant(b, example[i], &planted[i]);
	other.query = planted;
	other.n_queries = n;
	TRY_OUT(mem_array(&score, (size_t)n * b->session->data.n, sizeof(*score), "scores of planted duplicates"));
	for (int i = 0; i < n; i++)
		TRY_OUT(bank_query_open(&other, i, &query[i]));
	TRY_OUT(method_scores(m, query, (size_t)n, score, job));
	*found = metrics_found_first(score, example, n, b->session->data.n);
out:
	for (int i = 0; i < n; i++)
		query_free(query[i]);
	free(score);
	return err;
}
