/*
 * Exact EK-FAC scores of chosen examples, in full dimension, averaged over the checkpoints (design section 5):
 *
 *   s_i = (1/N) mean_checkpoints sum_layers < V, G_i >,   V = H^-1 G_q,   G_i = sum_t g_t a_t^T
 *       = (1/N) mean_checkpoints sum_t sum_layers g_t^T V a_t
 *
 * so the example's gradient is never formed, and the terms of the outer sum are what its tokens contribute.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "exact.h"
#include "query_private.h"
#include "session_index.h"
#include "sweep.h"

struct exact {
	struct query *q;
	const struct direction *direction;
	const float *params;		/* of the checkpoint */
	float *const *v;		/* the direction there, a matrix a layer */
	const uint32_t *example;
	size_t n;
	double weight;			/* of the checkpoint */
	double *sum;			/* n */
	float **per_token;
};

static size_t
rows_of(const struct session *s, uint32_t example)
{
	uint64_t n = s->data.start[example + 1] - s->data.start[example];
	return n > 0 ? (size_t)n - 1 : 0;
}

struct along { const struct exact *e; double *row; float *product; };

/* row_t += g_t^T V a_t */
static void
along_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	struct along *t = arg;
	int layer = t->e->direction->layers.layer_of[index];
	if (layer < 0)
		return;
	const struct linear *l = &t->e->q->session->model.linears[index];
	mm(b->rows, l->in, l->out, 1, g, l->out, t->e->v[layer], l->in, 0, t->product, l->in);
	for (int r = 0; r < b->rows; r++) {
		const float *x = t->product + (size_t)r * (size_t)l->in, *y = a + (size_t)r * (size_t)l->in;
		double sum = 0;
		for (int i = 0; i < l->in; i++)
			sum += (double)x[i] * y[i];
		t->row[r] += sum;
	}
}

static int
widest_input(const struct model *m)
{
	int widest = 0;
	for (int i = 0; i < m->n_linears; i++)
		if (m->linears[i].in > widest)
			widest = m->linears[i].in;
	return widest;
}

static void
piece_collect(struct exact *e, size_t first, const struct batch *b, const double *row)
{
	for (int i = 0; i < b->n_seq; i++) {
		size_t j = first + (size_t)i;
		int from = b->start[i], to = b->start[i + 1];
		for (int r = from; r < to; r++) {
			e->sum[j] += e->weight * row[r];
			if (e->per_token)
				e->per_token[j][r - from] += (float)(e->weight * row[r]);
		}
	}
}

static enum err
piece_score(void *arg, size_t first, const struct batch *b, struct acts *acts, int worker)
{
	struct exact *e = arg;
	const struct model *m = &e->q->session->model;
	struct along along = { .e = e };
	struct tap tap = { .arg = &along, .linear = along_linear, .roles = e->direction->layers.roles };
	enum err err = OK;
	(void)worker;
	TRY_OUT(mem_array(&along.row, (size_t)b->rows, sizeof(*along.row), "scores of tokens"));
	TRY_OUT(mem_array(&along.product, (size_t)b->rows * (size_t)widest_input(m), sizeof(*along.product),
		"exact scores"));
	acts_loss(m, acts, b, NULL, NULL);
	model_backward(m, e->params, acts, b, NULL, &tap);
	piece_collect(e, first, b, along.row);
out:
	free(along.row);
	free(along.product);
	return err;
}

/* Checkpoint after checkpoint, so that every sum is taken in one order. */
static enum err
points_run(struct exact *e, struct direction *d, const double *weight, struct job *job)
{
	const struct session *s = e->q->session;
	for (int k = 0; k < d->n_points; k++) {
		TRY(direction_make(d, e->q, k, job));
		e->params = s->index->point[k].model.params;
		e->v = d->v + k * d->layers.n;
		e->weight = weight[k];
		struct sweep sweep = { .s = s, .forward = true, .params = e->params, .example = e->example, .n = e->n,
			.arg = e, .piece = piece_score };
		enum err err = sweep_run(&sweep, (uint64_t)k * e->n, job);
		direction_release(d, k);
		TRY(err);
	}
	return OK;
}

static enum err
exact_check(const struct query *q, int from, int to, const uint32_t *example, size_t n)
{
	if (!q->session->index)
		return err_set(ERR_MISSING, "run %s has no index: run `byline index`", q->session->run.name);
	TRY(span_check(q, from, to));
	for (size_t j = 0; j < n; j++)
		if (example[j] >= q->session->data.n)
			return err_set(ERR_USAGE, "example %u: the run has %zu", example[j], q->session->data.n);
	return OK;
}

static bool
all_known(const struct direction *d, const uint32_t *example, size_t n, float *scores)
{
	for (size_t j = 0; j < n; j++) {
		if (!d->known || !isfinite(d->known[example[j]]))
			return false;
		scores[j] = d->known[example[j]];
	}
	return true;
}

static void
per_token_clear(const struct exact *e)
{
	for (size_t j = 0; e->per_token && j < e->n; j++)
		memset(e->per_token[j], 0, rows_of(e->q->session, e->example[j]) * sizeof(**e->per_token));
}

enum err
query_exact(struct query *q, int from, int to, const uint32_t *example, size_t n, float *scores, float **per_token,
	struct job *job)
{
	TRY(exact_check(q, from, to, example, n));
	const struct session *s = q->session;
	enum err err = OK;
	TRY(index_ready(s->index, s, job));
	struct direction *d = direction_of(q, from, to);
	if (!per_token && all_known(d, example, n, scores))
		return OK;
	struct exact e = { .q = q, .direction = d, .example = example, .n = n, .per_token = per_token };
	double *weight = xcalloc((size_t)d->n_points, sizeof(*weight));
	job_phase(job, "exact scores", (uint64_t)d->n_points * n);
	per_token_clear(&e);
	e.sum = xcalloc(n + 1, sizeof(*e.sum));
	TRY_OUT(exact_weights(s, &exact_ekfac, weight));
	TRY_OUT(points_run(&e, d, weight, job));
	for (size_t j = 0; j < n; j++)
		scores[j] = (float)e.sum[j];
out:
	free(e.sum);
	free(weight);
	return err;
}
