/* index_features: the second stage, shards of rows averaged over the checkpoints. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/mem.h"

#include "capture_internal.h"
#include "fault.h"
#include "features_internal.h"
#include "indexing.h"
#include "pieces.h"

/* Rows of one shard at one checkpoint. */
struct pass {
	const struct indexing *x;
	const struct model *model;
	const struct curvature *projections;
	struct pieces pieces;
	struct projector **projector;	/* by worker */
	struct ragged *ragged;
	float *rows;
	const uint32_t *tokens;		/* (n, own) */
	struct fault fault;
};

static void
pass_piece(void *arg, size_t i, int worker)
{
	struct pass *p = arg;
	const struct indexing *x = p->x;
	if (!fault_go(&p->fault))
		return;
	if (!p->projector[worker])
		p->projector[worker] = projector_new(p->model, &x->layout);
	ragged_fill(&p->ragged[worker], &x->data, p->pieces.example + p->pieces.start[i], pieces_count(&p->pieces, i));
	fault_set(&p->fault,
		projector_rows(p->projector[worker], p->model->params, p->projections, &p->ragged[worker].batch,
		p->tokens + p->pieces.start[i] * (size_t)feature_layout_own(&x->layout)->ks,
		(float)(1.0 / x->info.n_checkpoints), p->rows + p->pieces.start[i] * x->layout.width));
	fault_step(&p->fault, pieces_count(&p->pieces, i));
}

enum err
indexing_features_rows(const struct indexing *x, const struct model *m, const struct curvature *projections,
	const uint32_t *example, size_t n, const uint32_t *tokens, uint64_t done, float *rows)
{
	int workers = pool_threads(x->pool);
	struct pass p = { .x = x, .model = m, .projections = projections, .rows = rows, .tokens = tokens };
	p.projector = xcalloc((size_t)workers, sizeof(struct projector *));
	p.ragged = xcalloc((size_t)workers, sizeof(*p.ragged));
	pieces_cut(&p.pieces, &x->data, example, n);
	fault_init(&p.fault, x->job);
	atomic_store(&p.fault.done, done);
	pool_run(x->pool, p.pieces.n, pass_piece, &p);
	for (int i = 0; i < workers; i++) {
		projector_free(p.projector[i]);
		ragged_free(&p.ragged[i]);
	}
	free(p.projector);
	free(p.ragged);
	pieces_free(&p.pieces);
	return fault_end(&p.fault);
}

uint32_t *
indexing_own_tokens(const struct indexing *x, const uint32_t *count, const uint32_t *example, size_t n)
{
	size_t own = (size_t)feature_layout_own(&x->layout)->ks;
	uint32_t *tokens = xcalloc(n * own + 1, sizeof(*tokens));
	for (size_t i = 0; i < n; i++)
		feature_tokens(&x->data, example[i], count, (int)own, tokens + i * own);
	return tokens;
}

static enum err
check_rows(const struct indexing *x, const uint32_t *example, size_t n, const float *rows)
{
	for (size_t i = 0; i < n * x->layout.width; i++)
		if (!isfinite(rows[i]))
			return err_set(ERR_FORMAT,
				"run %s: the gradient of example %u is not a number; do its checkpoints hold a model "
				"that learned?", x->run.name, example[i / x->layout.width]);
	return OK;
}

static enum err
compute_rows(struct indexing *x, uint64_t done, const uint32_t *example, size_t n, const uint32_t *tokens,
	float *rows)
{
	enum err err = OK;
	for (int i = 0; err == OK && i < x->info.n_checkpoints; i++) {
		struct model m = {0};
		TRY(indexing_weights(x, i, &m));
		err = indexing_features_rows(x, &m, &x->projections[i], example, n, tokens, done + (uint64_t)i * n,
			rows);
		model_free(&m);
	}
	return err;
}

static enum err
make_shard(struct indexing *x, const struct shard_spec *spec, const char *path, const uint32_t *count,
	const uint32_t *example, size_t n)
{
	enum err err = OK;
	float *rows = NULL;
	uint32_t *tokens = indexing_own_tokens(x, count, example, n);
	uint64_t done = (uint64_t)spec->number * SHARD_ROWS * (uint64_t)x->info.n_checkpoints;
	TRY_OUT(mem_array(&rows, n * x->layout.width, sizeof(*rows), "a shard of features"));
	TRY_OUT(x->capture ? capture_features(x->capture, example, n, rows) : compute_rows(x, done, example, n, tokens,
		rows));
	TRY_OUT(check_rows(x, example, n, rows));
	err = shard_write(path, spec, example, n, rows, tokens);
out:
	free(tokens);
	free(rows);
	return err;
}

/* Is this shard there, and of these examples? */
static bool
have_shard(const struct indexing *x, const struct shard_spec *spec, const char *path, const uint32_t *example, size_t n)
{
	struct shard s;
	bool have = shard_open(&s, path, &x->layout, spec->curvature_sha256, x->data.n) == OK && s.n == n &&
		s.shards == spec->shards && memcmp(s.example, example, n * sizeof(*example)) == 0;
	shard_close(&s);
	err_clear();
	return have;
}

/* Of an earlier index of more examples. */
static void
remove_surplus(const struct indexing *x, size_t number)
{
	bool more = true;
	for (; more; number++) {
		char *path = shard_path(x->run.dir, number);
		more = unlink(path) == 0;
		free(path);
	}
}

enum err
indexing_features(struct indexing *x)
{
	enum err err = OK;
	size_t rows = (size_t)x->info.n_rows;
	uint32_t *count = xcalloc((size_t)x->layout.vocab + 1, sizeof(*count));
	struct shard_spec spec = { &x->layout, x->curvature_sha256, 0, (rows + SHARD_ROWS - 1) / SHARD_ROWS };
	feature_tokens_count(&x->data, x->layout.vocab, count);
	job_phase(x->job, "features", (uint64_t)rows * (uint64_t)x->info.n_checkpoints);
	for (; err == OK && spec.number < spec.shards; spec.number++) {
		size_t from = spec.number * SHARD_ROWS, n = rows - from < SHARD_ROWS ? rows - from : SHARD_ROWS;
		char *path = shard_path(x->run.dir, spec.number);
		job_note(x->job, "shard %zu of %zu", spec.number + 1, spec.shards);
		if (!have_shard(x, &spec, path, x->row + from, n))
			err = make_shard(x, &spec, path, count, x->row + from, n);
		if (err == OK)
			err = indexing_note(x, path_base(path));
		free(path);
	}
	if (err == OK)
		remove_surplus(x, spec.shards);
	free(count);
	return err;
}
