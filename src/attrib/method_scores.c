/* method_scores: one method over the whole outputs of many queries, together where the method can. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "direction.h"
#include "query_peers.h"
#include "query_private.h"

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
	if (n * METHOD_EXACT < session_trained(q[0]->session))
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

/* run (runs, n): the queries before each run, the session's own first. What goes beyond q is q's. */
struct before { struct query **run; size_t runs, n; };

static enum err
before_make(struct before *b, const struct method *m, struct query *const *q, size_t n, struct job *job)
{
	enum err err = OK;
	b->n = n;
	b->runs = n == 0 || m->blind ? 1 : (size_t)session_runs(q[0]->session);
	b->run = xcalloc(b->runs * n + 1, sizeof(struct query *));
	struct query **each = xcalloc(b->runs, sizeof(struct query *));
	for (size_t i = 0; err == OK && i < n; i++) {
		each[0] = q[i];
		if (b->runs > 1)
			err = query_runs(q[i], each, job);
		for (size_t k = 0; err == OK && k < b->runs; k++)
			b->run[k * n + i] = each[k];
	}
	free(each);
	return err;
}

static void
before_free(struct before *b, struct query *const *q)
{
	for (size_t i = 0; i < b->n; i++)
		query_peers_free(q[i]);
	free(b->run);
}

static enum err
many_scores(const struct method *m, const struct before *b, float *scores, struct job *job)
{
	size_t values = b->n * (b->n > 0 ? b->run[0]->session->data.n : 0);
	float *part;
	enum err err = OK;
	if (b->runs == 1)
		return m->score_many(b->run, b->n, scores, job);
	TRY(mem_array(&part, values, sizeof(*part), "scores of all runs"));
	memset(scores, 0, values * sizeof(*scores));
	for (size_t k = 0; k < b->runs; k++) {
		TRY_OUT(m->score_many(b->run + k * b->n, b->n, part, job));
		for (size_t i = 0; i < values; i++)
			scores[i] += part[i] / (float)b->runs;
	}
out:
	free(part);
	return err;
}

static enum err
ranked_many(const struct method *m, const struct before *b, float *scores, struct job *job)
{
	enum err err = OK;
	for (size_t k = 0; err == OK && k < b->runs && b->n > 1 && m->rescore == RESCORE_BEST; k++)
		err = prepare(b->run + k * b->n, b->n, job);
	for (size_t i = 0; err == OK && i < b->n; i++)
		err = ranked_scores(m, b->run[i], scores + i * b->run[0]->session->data.n, job);
	for (size_t i = 0; i < b->n; i++)
		query_forget(b->run[i]);
	return err;
}

enum err
method_scores(const struct method *m, struct query *const *q, size_t n, float *scores, struct job *job)
{
	TRY(check(m, q, n));
	size_t examples = n > 0 ? q[0]->session->data.n : 0;
	struct before b;
	enum err err = before_make(&b, m, q, n, job);
	if (err == OK)
		err = (m->score_many ? many_scores : ranked_many)(m, &b, scores, job);
	before_free(&b, q);
	TRY(err);
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
