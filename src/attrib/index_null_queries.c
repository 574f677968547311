/* index_null_queries: which spans of which examples stand for unrelated queries. */
#include "index_null.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/rng.h"

#include "curvature_internal.h"

const int32_t null_lengths[NULL_LENGTHS] = { 1, 2, 4, 8, 16 };

/* Tokens that a span is given to go by. All that come before it, in windows of 256 tokens, would take six times the
 * passes, and with a small corpus make the noise floor the dearest part of a capture. */
enum { NULL_CONTEXT = 16 };

static int32_t
example_targets(const struct dataset *d, uint32_t i)
{
	uint64_t tokens = d->start[i + 1] - d->start[i];
	return tokens > 0 ? (int32_t)(tokens - 1) : 0;
}

/* Better first: long enough for every length before short, held out before trained on. Opted out: never. */
static int
null_class(const struct indexing *x, uint32_t i)
{
	if (x->examples[i].opted_out || example_targets(&x->data, i) == 0)
		return -1;
	return 2 * (example_targets(&x->data, i) < null_lengths[NULL_LENGTHS - 1]) + !x->data.heldout[i];
}

static void
null_count(struct null_queries *q)
{
	q->n_lengths = 0;
	memset(q->fit, 0, sizeof(q->fit));
	for (int length = 0; length < NULL_LENGTHS; length++) {
		for (int i = 0; i < q->n; i++)
			q->fit[length] += null_has(q, i, length);
		if (q->fit[length] > 1)
			q->n_lengths = length + 1;
	}
}

void
null_choose(struct null_queries *q, const struct indexing *x)
{
	uint32_t *order = xcalloc(x->data.n + 1, sizeof(*order));
	struct rng rng;
	int want = x->info.options.null_queries;
	*q = (struct null_queries){ .example = xcalloc((size_t)want + 1, sizeof(*q->example)), .data = &x->data };
	q->from = xcalloc((size_t)want * NULL_LENGTHS + 1, sizeof(*q->from));
	for (uint32_t i = 0; i < x->data.n; i++)
		order[i] = i;
	rng_init(&rng, x->info.options.seed, STREAM_NULL);
	rng_shuffle(&rng, order, x->data.n);
	for (int class = 0; class < 4; class++)
		for (size_t i = 0; i < x->data.n && q->n < want; i++)
			if (null_class(x, order[i]) == class)
				q->example[q->n++] = order[i];
	for (int i = 0; i < q->n * NULL_LENGTHS; i++)
		if (null_has(q, i / NULL_LENGTHS, i % NULL_LENGTHS)) {
			int32_t room = example_targets(q->data, q->example[i / NULL_LENGTHS])
				- null_lengths[i % NULL_LENGTHS];
			q->from[i] = (uint32_t)rng_below(&rng, (uint64_t)room + 1);
		}
	null_count(q);
	free(order);
}

void
null_free(struct null_queries *q)
{
	free(q->example);
	free(q->from);
}

bool
null_has(const struct null_queries *q, int query, int length)
{
	return example_targets(q->data, q->example[query]) >= null_lengths[length];
}

void
null_batch_make(struct null_batch *b, const struct null_queries *q, const struct dataset *d, int query)
{
	size_t most = (size_t)(NULL_CONTEXT + null_lengths[NULL_LENGTHS - 1]) * NULL_LENGTHS;
	int32_t row = 0;
	*b = (struct null_batch){ .token = xcalloc(most, sizeof(*b->token)),
		.target = xcalloc(most, sizeof(*b->target)) };
	for (int length = 0; length < NULL_LENGTHS; length++) {
		uint32_t at = q->from[query * NULL_LENGTHS + length];
		int32_t from = at < NULL_CONTEXT ? (int32_t)at : NULL_CONTEXT;
		int32_t end = null_has(q, query, length) ? from + null_lengths[length] : 0;
		const int32_t *text = d->token + d->start[q->example[query]] + at - from;
		b->start[length] = row;
		for (int32_t t = 0; t < end; t++, row++) {
			b->token[row] = text[t];
			b->target[row] = t < from ? -1 : text[t + 1];
		}
	}
	b->start[NULL_LENGTHS] = row;
	b->batch = (struct batch){ .n_seq = NULL_LENGTHS, .rows = row, .start = b->start, .token = b->token,
		.target = b->target };
}

void
null_batch_free(struct null_batch *b)
{
	free(b->token);
	free(b->target);
}
