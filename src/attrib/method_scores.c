/* method_scores: one method over the whole outputs of many queries, together where the method can. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "query_private.h"

/* What a ranking leaves in a query would, over many of them, fill the memory. */
static void
query_forget(struct query *q)
{
	query_spans_free(q->spans);
	free(q->matrix);
	free(q->rows);
	q->spans = NULL;
	q->matrix = q->rows = NULL;
	direction_free(q->direction);
	q->direction = NULL;
}

static enum err
ranked_scores(const struct method *m, struct query *q, float *scores, struct job *job)
{
	struct rank_options o = { .method = m, .to = q->n_out, .exact = METHOD_EXACT };
	struct ranking *r;
	bool fresh = !q->rows && !q->direction;
	enum err err = query_rank(q, &o, job, &r);
	if (fresh)
		query_forget(q);
	TRY(err);
	memcpy(scores, r->scores, q->session->data.n * sizeof(*scores));
	ranking_free(r);
	return OK;
}

static enum err
check(const struct method *m, struct query *const *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (q[i]->session != q[0]->session)
			return err_set(ERR_USAGE, "method %s: the queries are of different sessions", m->name);
		else if (q[i]->n_out < 1)
			return err_set(ERR_USAGE, "method %s: query %zu has an empty output", m->name, i);
	return n > 0 ? method_ready(q[0]->session, m) : OK;
}

enum err
method_scores(const struct method *m, struct query *const *q, size_t n, float *scores, struct job *job)
{
	TRY(check(m, q, n));
	size_t examples = n > 0 ? q[0]->session->data.n : 0;
	if (m->score_many)
		TRY(m->score_many(q, n, scores, job));
	for (size_t i = 0; i < n && !m->score_many; i++)
		TRY(ranked_scores(m, q[i], scores + i * examples, job));
	for (size_t i = 0; i < n * examples; i++)
		if (!session_trained_on(q[0]->session, i % examples))
			scores[i] = NAN;
	return OK;
}

size_t
method_bytes(const struct method *m, const struct session *s)
{
	return s->index && m->stored ? m->stored(s) : 0;
}
