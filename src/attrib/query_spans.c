/*
 * Feature scores: of every example for a span, of one example or of all for every output token.
 *
 * A score is <z_q, z_i> for gradients of losses both: what lowers the example's loss lowers the query's, so positive
 * helped. It is linear in the query: a span's row is the sum of its tokens' rows, and takes one pass over the features.
 */
#include "byline/attrib.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "query_private.h"
#include "session_index.h"

/* The scan's rows are the indexed examples in ascending order: from the last one back, each moves to its example's
 * place and what lies between becomes NaN. */
static void
scores_spread(const struct features *f, float *scores, size_t n, size_t columns)
{
	size_t row = features_rows(f);
	for (size_t i = n; i-- > 0;) {
		float *to = scores + i * columns;
		if (row > 0 && features_example(f, row - 1) == i)
			memmove(to, scores + --row * columns, columns * sizeof(*to));
		else
			for (size_t c = 0; c < columns; c++)
				to[c] = NAN;
	}
}

/* ---- a span ------------------------------------------------------------------------------------------------- */

/* Going back and forth between selections costs nothing. */
enum { SPANS_KEPT = 4 };

struct query_spans {
	struct { int from, to; float *scores; } span[SPANS_KEPT];
	int next;			/* the one to give up */
};

void
query_spans_free(struct query_spans *s)
{
	for (int i = 0; s && i < SPANS_KEPT; i++)
		free(s->span[i].scores);
	free(s);
}

static const float *
spans_find(const struct query_spans *s, int from, int to)
{
	for (int i = 0; i < SPANS_KEPT; i++)
		if (s->span[i].scores && s->span[i].from == from && s->span[i].to == to)
			return s->span[i].scores;
	return NULL;
}

static void
spans_keep(struct query_spans *s, int from, int to, float *scores)
{
	free(s->span[s->next].scores);
	s->span[s->next].from = from;
	s->span[s->next].to = to;
	s->span[s->next].scores = scores;
	s->next = (s->next + 1) % SPANS_KEPT;
}

static enum err
span_scan(struct query *q, int from, int to, struct job *job)
{
	const struct session *s = q->session;
	float *scores = NULL;
	enum err err = OK;
	job_phase(job, "comparing", 1);
	TRY_OUT(mem_array(&scores, s->data.n, sizeof(*scores), "scores of all examples"));
	TRY_OUT(features_scores(s->index->features, q->features, &from, &to, 1, scores, s->pool,
		job));
	scores_spread(s->index->features, scores, s->data.n, 1);
	spans_keep(q->spans, from, to, scores);
	scores = NULL;
out:
	free(scores);
	return err;
}

static struct query_spans *
spans_of(struct query *q)
{
	if (!q->spans)
		q->spans = xcalloc(1, sizeof(*q->spans));
	return q->spans;
}

void
query_spans_know(struct query *q, int from, int to, const float *scores)
{
	float *copy = xcalloc(q->session->data.n + 1, sizeof(*copy));
	memcpy(copy, scores, q->session->data.n * sizeof(*copy));
	spans_keep(spans_of(q), from, to, copy);
}

enum err
query_span_scores(struct query *q, int from, int to, float *scores, struct job *job)
{
	assert(from >= 0 && from < to && to <= q->n_out);
	if (!spans_find(spans_of(q), from, to)) {
		TRY(query_scores(q, job));
		TRY(span_scan(q, from, to, job));
	}
	memcpy(scores, spans_find(q->spans, from, to), q->session->data.n * sizeof(*scores));
	return OK;
}

/* ---- every output token ------------------------------------------------------------------------------------- */

bool
query_example_row(const struct query *q, uint32_t example, float *out)
{
	const struct index *x = q->session->index;
	if (q->session->imported && example < q->session->data.n) {
		memcpy(out, q->matrix + (size_t)example * (size_t)q->n_out, (size_t)q->n_out * sizeof(*out));
		return true;
	}
	if (!q->features || example >= q->session->data.n)
		return false;
	const struct feature_block *own = feature_layout_own(&x->layout);
	float *row = xcalloc(x->layout.width + 1, sizeof(*row));
	uint32_t *tokens = xcalloc((size_t)(own ? own->ks : 0) + 1, sizeof(*tokens));
	if (features_read(x->features, example, row, tokens))
		features_row_scores(q->features, row, tokens, out);
	else
		for (int t = 0; t < q->n_out; t++)
			out[t] = NAN;
	free(row);
	free(tokens);
	return true;
}

enum err
query_matrix(struct query *q, struct job *job)
{
	const struct session *s = q->session;
	size_t columns = (size_t)q->n_out;
	float *matrix = NULL;
	int *from = NULL, *to = NULL;
	enum err err = OK;
	if (q->matrix)
		return OK;
	TRY(query_scores(q, job));
	job_phase(job, "comparing every token", columns);
	from = xcalloc(columns + 1, sizeof(*from));
	to = xcalloc(columns + 1, sizeof(*to));
	for (int t = 0; t < q->n_out; t++) {
		from[t] = t;
		to[t] = t + 1;
	}
	TRY_OUT(mem_array(&matrix, s->data.n * columns, sizeof(*matrix), "scores of all examples and tokens"));
	TRY_OUT(features_scores(s->index->features, q->features, from, to, q->n_out, matrix, s->pool,
		job));
	scores_spread(s->index->features, matrix, s->data.n, columns);
	q->matrix = matrix;
	matrix = NULL;
out:
	free(matrix);
	free(from);
	free(to);
	return err;
}
