/*
 * The query's features: one row for every output token.
 *
 * The gradient of a token's negative log-likelihood needs a pass of its own: the sequence is repeated once per output
 * token, cut before that token and with that token as its only target, and the repetitions go back through the model as
 * ragged batches.
 * Their way forward is the same for all, and taken once. Each checkpoint projects them in its own basis; the query's
 * row is their mean.
 */
#include "byline/attrib.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "fault.h"
#include "session_index.h"

enum { CHUNK_ROWS = 1024 };
static const size_t chunk_bytes = (size_t)256 << 20;

struct chunk { int from, to, rows; };	/* output tokens */

struct pass {
	struct query *q;
	struct index *index;
	struct chunk *chunk;
	size_t n_chunks;
	struct acts **whole;		/* one a checkpoint: the sequence run forward */
	struct projector **projector;	/* one a worker */
	struct feature_query *features;
	struct fault fault;
};

/* Rows of the sequence that ends before output token t. */
static int
rows_of(const struct query *q, int t)
{
	return q->n_prompt + t;
}

static bool
chunk_fits(const struct query *q, int rows, int longest)
{
	return rows <= CHUNK_ROWS && acts_bytes(&q->session->model, rows, longest) <= chunk_bytes;
}

/* Where the cuts are depends on the query and the model alone, never on the threads. */
static void
chunks_cut(struct pass *p)
{
	const struct query *q = p->q;
	p->chunk = xcalloc((size_t)q->n_out + 1, sizeof(*p->chunk));
	for (int t = 0; t < q->n_out;) {
		struct chunk *c = &p->chunk[p->n_chunks++];
		c->from = t;
		do
			c->rows += rows_of(q, t++);
		while (t < q->n_out && chunk_fits(q, c->rows + rows_of(q, t), rows_of(q, t)));
		c->to = t;
	}
}

static void
chunk_batch(const struct query *q, const struct chunk *c, int32_t *start, int32_t *token, int32_t *target,
	struct batch *b)
{
	int row = 0;
	for (int t = c->from; t < c->to; t++) {
		int n = rows_of(q, t);
		start[t - c->from] = row;
		memcpy(token + row, q->tokens, (size_t)n * sizeof(*token));
		for (int i = 0; i < n; i++)
			target[row + i] = i == n - 1 ? q->tokens[n] : -1;
		row += n;
	}
	start[c->to - c->from] = row;
	*b = (struct batch){ .n_seq = c->to - c->from, .rows = row, .start = start, .token = token, .target = target };
}

static enum err
chunk_rows(struct pass *p, const struct chunk *c, const struct batch *b, int worker)
{
	struct index *x = p->index;
	float scale = (float)(x->scale / x->n_points);
	for (int k = 0; k < x->n_points && fault_go(&p->fault); k++) {
		TRY(projector_prefixes(p->projector[worker], x->point[k].model.params, &x->point[k].curvature,
			p->whole[k], b, scale, p->features, c->from));
		fault_step(&p->fault, (uint64_t)c->rows);
	}
	return OK;
}

static void
chunk_run(void *arg, size_t i, int worker)
{
	struct pass *p = arg;
	/* The longest sequences first: no worker is left alone with them at the end. */
	const struct chunk *c = &p->chunk[p->n_chunks - 1 - i];
	if (!fault_go(&p->fault))
		return;
	int32_t *start = xcalloc((size_t)(c->to - c->from) + 1, sizeof(*start));
	int32_t *token = xcalloc((size_t)c->rows, sizeof(*token)), *target = xcalloc((size_t)c->rows, sizeof(*target));
	struct batch b;
	chunk_batch(p->q, c, start, token, target, &b);
	fault_set(&p->fault, chunk_rows(p, c, &b, worker));
	free(start);
	free(token);
	free(target);
}

static void
whole_run(void *arg, size_t k, int worker)
{
	struct pass *p = arg;
	const struct query *q = p->q;
	const struct model *m = &q->session->model;
	int32_t start[2] = { 0, rows_of(q, q->n_out - 1) };
	struct batch b = { .n_seq = 1, .rows = start[1], .start = start, .token = q->tokens };
	(void)worker;
	if (fault_go(&p->fault))
		fault_set(&p->fault, model_forward(m, p->index->point[k].model.params, p->whole[k], &b));
}

static void
pass_new(struct pass *p)
{
	const struct session *s = p->q->session;
	chunks_cut(p);
	p->projector = xcalloc((size_t)pool_threads(s->pool), sizeof(struct projector *));
	for (int i = 0; i < pool_threads(s->pool); i++)
		p->projector[i] = projector_new(&s->model, &p->index->layout);
	p->whole = xcalloc((size_t)p->index->n_points, sizeof(struct acts *));
	for (int k = 0; k < p->index->n_points; k++)
		p->whole[k] = acts_new(&s->model);
}

static void
pass_free(struct pass *p)
{
	for (int i = 0; i < pool_threads(p->q->session->pool); i++)
		projector_free(p->projector[i]);
	for (int k = 0; k < p->index->n_points; k++)
		acts_free(p->whole[k]);
	free(p->projector);
	free(p->whole);
	free(p->chunk);
}

static enum err
pass_run(struct pass *p, struct job *job)
{
	struct pool *pool = p->q->session->pool;
	uint64_t total = 0;
	if (p->q->n_out == 0)
		return OK;
	pass_new(p);
	for (size_t i = 0; i < p->n_chunks; i++)
		total += (uint64_t)p->chunk[i].rows * (uint64_t)p->index->n_points;
	job_phase(job, "gradients of the output", total);
	fault_init(&p->fault, job);
	pool_run(pool, (size_t)p->index->n_points, whole_run, p);
	pool_run(pool, p->n_chunks, chunk_run, p);
	enum err err = fault_end(&p->fault);
	pass_free(p);
	return err;
}

enum err
query_scores(struct query *q, struct job *job)
{
	const struct session *s = q->session;
	struct pass p = { .q = q, .index = s->index };
	enum err err = OK;
	TRY(session_want_model(s));
	if (!s->index)
		return err_set(ERR_MISSING, "run %s has no index: run `byline index`", s->run.name);
	if (q->features)
		return OK;
	TRY_OUT(index_ready(s->index, s, job));
	p.features = xcalloc(1, sizeof(*p.features));
	TRY_OUT(feature_query_new(p.features, &s->index->layout, q->n_out, s->index->n_points));
	TRY_OUT(pass_run(&p, job));
	q->features = p.features;
	p.features = NULL;
out:
	if (p.features)
		feature_query_free(p.features);
	free(p.features);
	return err;
}
