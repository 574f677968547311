/* span: see span.h. */
#include "span.h"

#include <stdlib.h>

#include "byline/mem.h"

void
span_batch_make(struct span_batch *b, const struct query *q, int from, int to)
{
	int rows = q->n_prompt + to - 1;
	*b = (struct span_batch){ .start = { 0, rows }, .target = xcalloc((size_t)rows + 1, sizeof(*b->target)) };
	for (int i = 0; i < rows; i++)
		b->target[i] = i + 1 >= q->n_prompt + from ? q->tokens[i + 1] : -1;
	b->batch = (struct batch){ .n_seq = 1, .rows = rows, .start = b->start, .token = q->tokens,
		.target = b->target };
}

void
span_batch_free(struct span_batch *b)
{
	free(b->target);
	b->target = NULL;
}

enum err
span_check(const struct query *q, int from, int to)
{
	if (from < 0 || to <= from || to > q->n_out)
		return err_set(ERR_USAGE, "span %d:%d: the output has %d tokens", from, to, q->n_out);
	return OK;
}

enum err
spans_one(struct query *q, int from, int to, spans_score_fn *fn, float *scores, struct job *job)
{
	const struct spans span = { &q, &from, &to, 1 };
	TRY(span_check(q, from, to));
	return fn(&span, scores, job);
}

enum err
spans_whole(struct query *const *q, size_t n, spans_score_fn *fn, float *scores, struct job *job)
{
	int *from = xcalloc(n + 1, sizeof(*from)), *to = xcalloc(n + 1, sizeof(*to));
	const struct spans spans = { q, from, to, n };
	enum err err = OK;
	for (size_t i = 0; err == OK && i < n; i++) {
		to[i] = q[i]->n_out;
		err = span_check(q[i], 0, to[i]);
	}
	if (err == OK && n > 0)
		err = fn(&spans, scores, job);
	free(from);
	free(to);
	return err;
}
