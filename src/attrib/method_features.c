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

struct wholes {
	struct query *const *q;
	const struct session *s;
	struct projector **projector;	/* by worker */
	float *rows;			/* (queries, width) */
	struct fault fault;
};

static enum err
whole_row(struct wholes *w, const struct query *q, const struct batch *b, int worker, float *row)
{
	const struct index *x = w->s->index;
	if (!w->projector[worker])
		w->projector[worker] = projector_new(&q->session->model, &x->layout);
	for (int k = 0; k < x->n_points && fault_go(&w->fault); k++)
		TRY(projector_rows(w->projector[worker], x->point[k].model.params, &x->point[k].curvature, b,
			(float)(x->scale / x->n_points), row));
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
	fault_set(&w->fault, whole_row(w, w->q[i], &b.batch, worker, w->rows + i * w->s->index->layout.width));
	fault_step(&w->fault, 1);
	span_batch_free(&b);
}

static enum err
wholes_run(struct wholes *w, size_t n, struct job *job)
{
	int threads = pool_threads(w->s->pool);
	w->projector = xcalloc((size_t)threads, sizeof(struct projector *));
	job_phase(job, "gradients of the outputs", n);
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

enum err
method_features_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	if (n == 0)
		return OK;
	const struct session *s = q[0]->session;
	struct index *x = s->index;
	struct wholes w = { .q = q, .s = s };
	float *matrix = NULL;
	enum err err = OK;
	TRY_OUT(index_ready(x, s, job));
	TRY_OUT(mem_array(&w.rows, n * x->layout.width, sizeof(*w.rows), "features of the queries"));
	TRY_OUT(mem_array(&matrix, n * features_rows(x->features), sizeof(*matrix), "scores of all examples"));
	TRY_OUT(wholes_run(&w, n, job));
	job_phase(job, "comparing", 0);
	features_scan(x->features, w.rows, (int)n, matrix, s->pool);
	scores_place(s, matrix, n, scores);
out:
	free(w.rows);
	free(matrix);
	return err;
}
