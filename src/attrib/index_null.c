/*
 * index_null: the last stage, the noise floor: how far each example's score spreads under queries that have nothing to
 * do with it.
 *
 * Queries are spans of 1, 2, 4, 8 and 16 tokens at seeded places in held-out examples, which were never trained on;
 * where there are too few of them, in training examples, which then do not count for the examples of their own work.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/rng.h"

#include "curvature_internal.h"
#include "fault.h"
#include "index_null.h"
#include "indexing.h"

#define NULL_FORMAT "byline null 1"

/* ---- the spread ---- */

/* Of the scores of one row under the queries that are long enough and of another work; row (n_queries,
 * INDEX_LENGTHS). */
static float
spread(const struct indexing *x, const struct null_queries *q, uint32_t example, const float *row, int length)
{
	double mean = 0, square = 0;
	int n = 0;
	for (int i = 0; i < q->n; i++) {
		if (!null_has(q, i, length) || x->examples[q->example[i]].work == x->examples[example].work)
			continue;
		/* Welford's recurrence: the mean may be far larger than the spread. */
		double score = row[i * NULL_LENGTHS + length], off = score - mean;
		mean += off / ++n;
		square += off * (score - mean);
	}
	return n > 1 ? (float)sqrt(square / (n - 1)) : 0;
}

static enum err
null_write(const struct indexing *x, const struct null_queries *q, const float *scores, const char *path)
{
	enum err err;
	struct st_writer w = {0};
	size_t rows = (size_t)x->info.n_rows, columns = (size_t)q->n * NULL_LENGTHS;
	uint64_t n = (uint64_t)q->n_lengths, shape[2] = { n, rows };
	float *sd = NULL;
	TRY_OUT(mem_array(&sd, rows, sizeof(*sd), "the noise floor"));
	TRY_OUT(st_writer_open(&w, path));
	indexing_tie(x, &w, NULL_FORMAT);
	st_writer_declare(&w, "lengths", ST_I32, 1, &n);
	st_writer_declare(&w, "queries", ST_I32, 1, &n);
	st_writer_declare(&w, "sd", ST_F32, 2, shape);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(st_writer_bytes(&w, null_lengths, n * sizeof(*null_lengths)));
	TRY_OUT(st_writer_bytes(&w, q->fit, n * sizeof(*q->fit)));
	for (int length = 0; length < q->n_lengths; length++) {
		for (size_t i = 0; i < rows; i++)
			sd[i] = spread(x, q, x->row[i], scores + i * columns, length);
		TRY_OUT(st_writer_bytes(&w, sd, rows * sizeof(*sd)));
	}
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	free(sd);
	return err;
}

/* ---- the queries' rows ---- */

struct pass {
	const struct indexing *x;
	const struct null_queries *q;
	const struct model *model;
	const struct curvature *projections;
	struct projector **projector;	/* by worker */
	struct feature_query *features;	/* (queries, lengths) */
	struct fault fault;
};

static void
pass_query(void *arg, size_t i, int worker)
{
	struct pass *p = arg;
	struct null_batch b;
	if (!fault_go(&p->fault))
		return;
	if (!p->projector[worker])
		p->projector[worker] = projector_new(p->model, &p->x->layout);
	null_batch_make(&b, p->q, &p->x->data, (int)i);
	fault_set(&p->fault, projector_query(p->projector[worker], p->model->params, p->projections, &b.batch,
		(float)(1.0 / p->x->info.n_checkpoints), p->features, (int)i * NULL_LENGTHS));
	null_batch_free(&b);
	fault_step(&p->fault, 1);
}

static enum err
pass_run(struct indexing *x, const struct null_queries *q, int checkpoint, struct feature_query *features)
{
	int workers = pool_threads(x->pool);
	struct model m = {0};
	TRY(indexing_weights(x, checkpoint, &m));
	struct pass p = { .x = x, .q = q, .model = &m, .projections = &x->projections[checkpoint],
		.features = features };
	p.projector = xcalloc((size_t)workers, sizeof(struct projector *));
	fault_init(&p.fault, x->job);
	atomic_store(&p.fault.done, (uint64_t)checkpoint * (uint64_t)q->n);
	pool_run(x->pool, (size_t)q->n, pass_query, &p);
	for (int i = 0; i < workers; i++)
		projector_free(p.projector[i]);
	free(p.projector);
	model_free(&m);
	return fault_end(&p.fault);
}

/* Scores (rows, queries, lengths) of everything under every query. */
static enum err
null_scores(struct indexing *x, const struct null_queries *q, float **scores)
{
	enum err err = OK;
	struct feature_query features = {0};
	struct features *f = NULL;
	int columns = q->n * NULL_LENGTHS, terms = null_lengths[NULL_LENGTHS - 1] * x->info.n_checkpoints;
	int *span = xcalloc((size_t)columns + 2, sizeof(*span));
	for (int i = 0; i <= columns; i++)
		span[i] = i;
	job_phase(x->job, "noise floor", (uint64_t)q->n * (uint64_t)x->info.n_checkpoints);
	TRY_OUT(feature_query_new(&features, &x->layout, columns, terms));
	TRY_OUT(mem_array(scores, (size_t)x->info.n_rows * (size_t)columns, sizeof(**scores),
		"scores of unrelated queries"));
	for (int i = 0; i < x->info.n_checkpoints; i++)
		TRY_OUT(pass_run(x, q, i, &features));
	TRY_OUT(features_open(x->run.dir, &x->layout, x->curvature_sha256, x->data.n, &f));
	if (features_rows(f) == (size_t)x->info.n_rows)
		err = features_scores(f, &features, span, span + 1, columns, *scores, x->pool, NULL);
	else
		err = err_set(ERR_MISMATCH, "run %s: its features changed while it was indexed", x->run.name);
out:
	features_close(f);
	feature_query_free(&features);
	free(span);
	return err;
}

enum err
indexing_null(struct indexing *x)
{
	enum err err = OK;
	float *scores = NULL;
	struct null_queries q;
	char *path = indexing_path(x, NULL_FILE);
	null_choose(&q, x);
	x->info.n_null_lengths = q.n_lengths;
	memcpy(x->info.null_length, null_lengths, sizeof(null_lengths));
	if (!indexing_is_tied(x, path, NULL_FORMAT)) {
		TRY_OUT(null_scores(x, &q, &scores));
		TRY_OUT(null_write(x, &q, scores, path));
	}
	err = indexing_note(x, NULL_FILE);
out:
	null_free(&q);
	free(scores);
	free(path);
	return err;
}
