/*
 * Methods "influence" and "features": inner products of projected, whitened gradients.
 *
 * Two-sided projection of a linear layer's gradient as in LoGra (Choe et al. 2024, "What is your data worth to GPT?",
 * section 3.1), whitened by the Kronecker factors as in EK-FAC influence (Grosse et al. 2023, eq. 21), averaged over
 * checkpoints as in TracIn (Pruthi et al. 2020, eq. 4):
 *
 *   s_i = < mean_k sum_t (P_S g_t)(P_A a_t)^T of the query, the example's stored row >
 *
 * Where only whole outputs are asked about, their tokens need no passes of their own: the sum over t is the gradient of
 * one.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "fault.h"
#include "query_private.h"
#include "session_index.h"
#include "span.h"

enum err
method_features_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return query_span_scores(q, from, to, scores, job);
}

/* ---- whole outputs of many queries -------------------------------------------------------------------------- */

/* What the queries of a group may take. */
static const size_t group_bytes = (size_t)256 << 20;

struct wholes {
	struct query *const *q;
	const struct session *s;
	struct projector **projector;	/* by worker */
	struct feature_query *features;
	struct fault fault;
};

static enum err
whole_features(struct wholes *w, size_t i, const struct batch *b, int worker)
{
	const struct index *x = w->s->index;
	if (!w->projector[worker])
		w->projector[worker] = projector_new(&w->s->model, &x->layout);
	for (int k = 0; k < x->n_points && fault_go(&w->fault); k++)
		TRY(projector_query(w->projector[worker], x->point[k].model.params, &x->point[k].curvature, b,
			(float)(x->scale / x->n_points), w->features, (int)i));
	return OK;
}

static void
whole_run(void *arg, size_t i, int worker)
{
	struct wholes *w = arg;
	struct span_batch b;
	if (!fault_go(&w->fault))
		return;
	span_batch_make(&b, w->q[i], 0, w->q[i]->n_out);
	fault_set(&w->fault, whole_features(w, i, &b.batch, worker));
	fault_step(&w->fault, 1);
	span_batch_free(&b);
}

static enum err
wholes_run(struct wholes *w, size_t n, struct job *job)
{
	int threads = pool_threads(w->s->pool);
	w->projector = xcalloc((size_t)threads, sizeof(struct projector *));
	fault_init(&w->fault, job);
	pool_run(w->s->pool, n, whole_run, w);
	for (int i = 0; i < threads; i++)
		projector_free(w->projector[i]);
	free(w->projector);
	return fault_end(&w->fault);
}

/* scores (n, data.n) from the scan's matrix (rows, n). */
static void
scores_place(const struct session *s, const float *matrix, size_t n, float *scores)
{
	const struct features *f = s->index->features;
	for (size_t i = 0; i < n * s->data.n; i++)
		scores[i] = NAN;
	for (size_t row = 0; row < features_rows(f); row++)
		for (size_t q = 0; q < n; q++)
			scores[q * s->data.n + features_example(f, row)] = matrix[row * n + q];
}

static enum err
group_scores(struct query *const *q, size_t n, int terms, float *scores, struct job *job)
{
	const struct session *s = q[0]->session;
	struct index *x = s->index;
	struct feature_query features;
	struct wholes w = { .q = q, .s = s, .features = &features };
	float *matrix = NULL;
	int *span = xcalloc(n + 2, sizeof(*span));
	enum err err = OK;
	for (size_t i = 0; i <= n; i++)
		span[i] = (int)i;
	TRY_OUT(feature_query_new(&features, &x->layout, (int)n, terms));
	TRY_OUT(mem_array(&matrix, n * features_rows(x->features), sizeof(*matrix), "scores of all examples"));
	TRY_OUT(wholes_run(&w, n, job));
	TRY_OUT(features_scores(x->features, &features, span, span + 1, (int)n, matrix, s->pool, job));
	scores_place(s, matrix, n, scores);
out:
	feature_query_free(&features);
	free(matrix);
	free(span);
	return err;
}

enum err
method_features_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	if (n == 0)
		return OK;
	const struct session *s = q[0]->session;
	TRY(index_ready(s->index, s, job));
	int longest = 0;
	for (size_t i = 0; i < n; i++)
		longest = q[i]->n_out > longest ? q[i]->n_out : longest;
	int terms = longest * s->index->n_points;
	size_t each = (size_t)terms * (size_t)s->index->layout.vocab * sizeof(float) + 1;
	size_t most = group_bytes / each > 0 ? group_bytes / each : 1;
	job_phase(job, "gradients of the outputs", n);
	for (size_t i = 0; i < n; i += most)
		TRY(group_scores(q + i, n - i < most ? n - i : most, terms, scores + i * s->data.n, job));
	return OK;
}
