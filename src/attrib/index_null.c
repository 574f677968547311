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

/* Of a group of queries: their features are (terms, vocabulary) each, which for all together may be far more than the
 * model. */
static const size_t group_bytes = (size_t)64 << 20;

void
indexing_null_declare(const struct indexing *x, struct st_writer *w, int n_lengths)
{
	uint64_t n = (uint64_t)n_lengths, shape[2] = { n, (uint64_t)x->info.n_rows };
	indexing_tie(x, w, NULL_FORMAT);
	st_writer_declare(w, "lengths", ST_I32, 1, &n);
	st_writer_declare(w, "queries", ST_I32, 1, &n);
	st_writer_declare(w, "sd", ST_F32, 2, shape);
}

/* ---- the spread ---- */

/*
 * Of the scores of each row at each length under the queries that are long enough and of another work, as they come:
 * Welford's recurrence, since the mean may be far larger than the spread. Query after query, so that no more scores are
 * in memory than a group of queries makes.
 */
struct moments { double mean, square; int n; };

static void
moments_add(struct moments *m, double score)
{
	double off = score - m->mean;
	m->mean += off / ++m->n;
	m->square += off * (score - m->mean);
}

/* scores (rows, n, NULL_LENGTHS) under queries first to first + n - 1; to (rows, NULL_LENGTHS). */
static void
spread_add(const struct indexing *x, const struct null_queries *q, int first, int n, const float *scores,
	struct moments *to)
{
	for (int64_t row = 0; row < x->info.n_rows; row++, to += NULL_LENGTHS)
		for (int i = first; i < first + n; i++, scores += NULL_LENGTHS) {
			if (x->examples[q->example[i]].work == x->examples[x->row[row]].work)
				continue;
			for (int length = 0; length < NULL_LENGTHS; length++)
				if (null_has(q, i, length))
					moments_add(&to[length], scores[length]);
		}
}

static float
moments_spread(const struct moments *m)
{
	return m->n > 1 ? (float)sqrt(m->square / (m->n - 1)) : 0;
}

static enum err
null_write(const struct indexing *x, const struct null_queries *q, const struct moments *moments, const char *path)
{
	enum err err;
	struct st_writer w = {0};
	size_t rows = (size_t)x->info.n_rows;
	uint64_t n = (uint64_t)q->n_lengths;
	float *sd = NULL;
	TRY_OUT(mem_array(&sd, rows, sizeof(*sd), "the noise floor"));
	TRY_OUT(st_writer_open(&w, path));
	indexing_null_declare(x, &w, q->n_lengths);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(st_writer_bytes(&w, null_lengths, n * sizeof(*null_lengths)));
	TRY_OUT(st_writer_bytes(&w, q->fit, n * sizeof(*q->fit)));
	for (int length = 0; length < q->n_lengths; length++) {
		for (size_t i = 0; i < rows; i++)
			sd[i] = moments_spread(&moments[i * NULL_LENGTHS + (size_t)length]);
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
	int first;			/* of the group */
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
	null_batch_make(&b, p->q, &p->x->data, p->first + (int)i);
	fault_set(&p->fault, projector_query(p->projector[worker], p->model->params, p->projections, &b.batch,
		(float)(1.0 / p->x->info.n_checkpoints), p->features, (int)i * NULL_LENGTHS));
	null_batch_free(&b);
	fault_step(&p->fault, 1);
}

enum err
indexing_null_pass(const struct indexing *x, const struct null_queries *q, int first, int n, const struct model *m,
	const struct curvature *projections, uint64_t done, struct feature_query *features)
{
	int workers = pool_threads(x->pool);
	struct pass p = { .x = x, .q = q, .first = first, .model = m, .projections = projections,
		.features = features };
	p.projector = xcalloc((size_t)workers, sizeof(struct projector *));
	fault_init(&p.fault, x->job);
	atomic_store(&p.fault.done, done);
	pool_run(x->pool, (size_t)n, pass_query, &p);
	for (int i = 0; i < workers; i++)
		projector_free(p.projector[i]);
	free(p.projector);
	return fault_end(&p.fault);
}

static enum err
group_features(struct indexing *x, const struct null_queries *q, int first, int n, struct feature_query *features)
{
	enum err err = OK;
	for (int i = 0; err == OK && i < x->info.n_checkpoints; i++) {
		struct model m = {0};
		uint64_t done = (uint64_t)first * (uint64_t)x->info.n_checkpoints + (uint64_t)i * (uint64_t)n;
		TRY(indexing_weights(x, i, &m));
		err = indexing_null_pass(x, q, first, n, &m, &x->projections[i], done, features);
		model_free(&m);
	}
	return err;
}

int
indexing_null_terms(const struct indexing *x)
{
	return null_lengths[NULL_LENGTHS - 1] * x->info.n_checkpoints;
}

size_t
indexing_null_query_bytes(const struct indexing *x)
{
	const struct feature_layout *l = &x->layout;
	const struct feature_block *own = feature_layout_own(l);
	size_t term = own ? (size_t)l->vocab + (size_t)own->ka : 0;
	return NULL_LENGTHS * ((size_t)indexing_null_terms(x) * term + 2 * l->dense + (size_t)x->info.n_rows)
		* sizeof(float);
}

int
indexing_null_group(const struct indexing *x)
{
	size_t n = group_bytes / indexing_null_query_bytes(x), most = (size_t)x->info.options.null_queries;
	n = n < most ? n : most;
	return n > 0 ? (int)n : 1;
}

/* Scores (rows, n, lengths) of everything under queries first to first + n - 1. */
static enum err
group_scores(struct indexing *x, const struct null_queries *q, int first, int n, const struct features *f,
	float **scores)
{
	enum err err = OK;
	struct feature_query features = {0};
	int columns = n * NULL_LENGTHS;
	int *span = xcalloc((size_t)columns + 2, sizeof(*span));
	for (int i = 0; i <= columns; i++)
		span[i] = i;
	TRY_OUT(feature_query_new(&features, &x->layout, columns, indexing_null_terms(x)));
	TRY_OUT(group_features(x, q, first, n, &features));
	TRY_OUT(mem_array(scores, (size_t)x->info.n_rows * (size_t)columns, sizeof(**scores),
		"scores of unrelated queries"));
	err = features_scores(f, &features, span, span + 1, columns, *scores, x->pool, NULL);
out:
	feature_query_free(&features);
	free(span);
	return err;
}

static enum err
null_moments(struct indexing *x, const struct null_queries *q, struct moments *moments)
{
	enum err err = OK;
	struct features *f = NULL;
	int group = indexing_null_group(x);
	job_phase(x->job, "noise floor", (uint64_t)q->n * (uint64_t)x->info.n_checkpoints);
	TRY_OUT(features_open(x->run.dir, &x->layout, x->curvature_sha256, x->data.n, &f));
	if (features_rows(f) != (size_t)x->info.n_rows)
		err = err_set(ERR_MISMATCH, "run %s: its features changed while it was indexed", x->run.name);
	for (int first = 0; err == OK && first < q->n; first += group) {
		int n = q->n - first < group ? q->n - first : group;
		float *scores = NULL;
		err = group_scores(x, q, first, n, f, &scores);
		if (err == OK)
			spread_add(x, q, first, n, scores, moments);
		free(scores);
	}
out:
	features_close(f);
	return err;
}

enum err
indexing_null(struct indexing *x)
{
	enum err err = OK;
	struct moments *moments = NULL;
	struct null_queries q;
	char *path = indexing_path(x, NULL_FILE);
	null_choose(&q, x);
	x->info.n_null_lengths = q.n_lengths;
	memcpy(x->info.null_length, null_lengths, sizeof(null_lengths));
	if (!indexing_is_tied(x, path, NULL_FORMAT)) {
		TRY_OUT(mem_array(&moments, (size_t)x->info.n_rows * NULL_LENGTHS, sizeof(*moments),
			"the noise floor"));
		TRY_OUT(null_moments(x, &q, moments));
		TRY_OUT(null_write(x, &q, moments, path));
	}
	err = indexing_note(x, NULL_FILE);
out:
	null_free(&q);
	free(moments);
	free(path);
	return err;
}
