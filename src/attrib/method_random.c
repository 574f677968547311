/*
 * Method "random": a normal number from the query's tokens and the example's index, the same whenever they are asked
 * together. What is found by it was found by chance: the null that every measure of the others is read against.
 */
#include "byline/attrib.h"

#include <stdlib.h>

#include "byline/rng.h"
#include "query_private.h"

static uint64_t
query_seed(const struct query *q)
{
	char hex[HASH_HEX];
	hash_bytes(q->tokens, (size_t)(q->n_prompt + q->n_out) * sizeof(*q->tokens), hex);
	hex[16] = '\0';
	return strtoull(hex, NULL, 16);
}

enum err
method_random_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	uint64_t seed = query_seed(q);
	struct rng rng;
	(void)from;
	(void)to;
	for (size_t i = 0; i < q->session->data.n; i++) {
		rng_init(&rng, seed, i);
		scores[i] = (float)rng_normal(&rng);
	}
	return job_check(job);
}
