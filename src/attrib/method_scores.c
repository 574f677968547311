/* method_scores: one method over the whole outputs of many queries, together where the method can. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/features.h"
#include "byline/mem.h"
#include "direction.h"
#include "query_private.h"

/* What a ranking leaves in a query would, over many of them, fill the memory. */
static void
query_forget(struct query *q)
{
	query_spans_free(q->spans);
	free(q->matrix);
	if (q->features)
		feature_query_free(q->features);
	free(q->features);
	q->spans = NULL;
	q->matrix = NULL;
	q->features = NULL;
	direction_free(q->direction);
	q->direction = NULL;
}

static enum err
ranked_scores(const struct method *m, struct query *q, float *scores, struct job *job)
{
	struct rank_options o = { .method = m, .to = q->n_out, .exact = METHOD_EXACT };
	struct ranking *r;
	enum err err = query_rank(q, &o, job, &r);
	query_forget(q);
	TRY(err);
	memcpy(scores, r->scores, q->session->data.n * sizeof(*scores));
	ranking_free(r);
	return OK;
}

static size_t
trained_count(const struct session *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->data.n; i++)
		n += session_trained_on(s, i) ? 1 : 0;
	return n;
}

/* What rankings of all these queries will ask for one by one, together: feature scores, and exact ones of every example
 * where the candidates would be more. */
static enum err
prepare(struct query *const *q, size_t n, struct job *job)
{
	size_t examples = q[0]->session->data.n;
	float *scores;
	enum err err = OK;
	TRY(mem_array(&scores, n * examples, sizeof(*scores), "scores of all examples"));
	TRY_OUT(method_features_many(q, n, scores, job));
	for (size_t i = 0; i < n; i++)
		query_spans_know(q[i], 0, q[i]->n_out, scores + i * examples);
	if (n * METHOD_EXACT < trained_count(q[0]->session))
		goto out;
	TRY_OUT(method_exact_many(q, n, scores, job));
	for (size_t i = 0; i < n; i++)
		direction_know(q[i], 0, q[i]->n_out, scores + i * examples);
out:
	free(scores);
	return err;
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

static enum err
many_scores(const struct method *m, struct query *const *q, size_t n, float *scores, struct job *job)
{
	return m->score_many(q, n, scores, job);
}

static enum err
ranked_many(const struct method *m, struct query *const *q, size_t n, float *scores, struct job *job)
{
	enum err err = n > 1 && m->rescore == RESCORE_BEST ? prepare(q, n, job) : OK;
	for (size_t i = 0; err == OK && i < n; i++)
		err = ranked_scores(m, q[i], scores + i * q[0]->session->data.n, job);
	for (size_t i = 0; i < n; i++)
		query_forget(q[i]);
	return err;
}

enum err
method_scores(const struct method *m, struct query *const *q, size_t n, float *scores, struct job *job)
{
	TRY(check(m, q, n));
	size_t examples = n > 0 ? q[0]->session->data.n : 0;
	TRY((m->score_many ? many_scores : ranked_many)(m, q, n, scores, job));
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
