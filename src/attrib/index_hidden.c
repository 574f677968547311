/* index_hidden: the third stage, each example's mean final hidden state under the final weights. */
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

#include "capture_internal.h"
#include "fault.h"
#include "indexing.h"
#include "pieces.h"

#define HIDDEN_FORMAT "byline hidden 1"

/* Floats of the means that are in memory at a time. */
enum { BLOCK_FLOATS = 4 << 20 };

struct hidden {
	const struct indexing *x;
	const struct model *model;
	struct pieces pieces;
	struct acts **acts;		/* by worker */
	struct ragged *ragged;
	float *mean;			/* (rows of a block, d_model) */
	struct fault fault;
};

void
indexing_mean(float *to, const float *hidden, int rows, size_t width)
{
	for (size_t r = 0; r < (size_t)rows; r++)
		for (size_t i = 0; i < width; i++)
			to[i] += hidden[r * width + i] / (float)rows;
}

static void
add_means(float *to, const float *hidden, const struct batch *b, size_t width)
{
	for (int s = 0; s < b->n_seq; s++)
		indexing_mean(to + (size_t)s * width, hidden + (size_t)b->start[s] * width,
			b->start[s + 1] - b->start[s], width);
}

static void
hidden_piece(void *arg, size_t i, int worker)
{
	struct hidden *h = arg;
	const struct model *m = h->model;
	struct ragged *r = &h->ragged[worker];
	size_t width = (size_t)m->config.d_model;
	if (!fault_go(&h->fault))
		return;
	if (!h->acts[worker])
		h->acts[worker] = acts_new(m);
	ragged_fill(r, &h->x->data, h->pieces.example + h->pieces.start[i], pieces_count(&h->pieces, i));
	enum err err = model_forward(m, m->params, h->acts[worker], &r->batch);
	if (err == OK)
		add_means(h->mean + h->pieces.start[i] * width, acts_hidden(h->acts[worker]), &r->batch, width);
	fault_set(&h->fault, err);
	fault_step(&h->fault, pieces_count(&h->pieces, i));
}

enum err
indexing_hidden_rows(const struct indexing *x, const struct model *m, const uint32_t *row, size_t n, uint64_t done,
	float *mean)
{
	struct hidden h = { .x = x, .model = m, .mean = mean };
	int workers = pool_threads(x->pool);
	h.acts = xcalloc((size_t)workers, sizeof(struct acts *));
	h.ragged = xcalloc((size_t)workers, sizeof(*h.ragged));
	memset(mean, 0, n * (size_t)m->config.d_model * sizeof(*mean));
	pieces_cut(&h.pieces, &x->data, row, n);
	fault_init(&h.fault, x->job);
	atomic_store(&h.fault.done, done);
	pool_run(x->pool, h.pieces.n, hidden_piece, &h);
	for (int i = 0; i < workers; i++) {
		acts_free(h.acts[i]);
		ragged_free(&h.ragged[i]);
	}
	free(h.acts);
	free(h.ragged);
	pieces_free(&h.pieces);
	return fault_end(&h.fault);
}

size_t
indexing_hidden_block(const struct indexing *x)
{
	size_t rows = BLOCK_FLOATS / (size_t)x->model.config.d_model, all = (size_t)x->info.n_rows;
	return rows == 0 ? 1 : rows < all ? rows : all;
}

static enum err
hidden_blocks(struct indexing *x, const struct model *m, struct st_writer *w)
{
	enum err err = OK;
	size_t all = (size_t)x->info.n_rows, block = indexing_hidden_block(x), width = (size_t)x->model.config.d_model;
	float *mean = NULL;
	TRY_OUT(mem_array(&mean, block * width, sizeof(float), "hidden states"));
	for (size_t from = 0; err == OK && from < all; from += block) {
		size_t n = all - from < block ? all - from : block;
		err = x->capture ? capture_hidden(x->capture, x->row + from, n, mean)
			: indexing_hidden_rows(x, m, x->row + from, n, from, mean);
		if (err == OK)
			err = st_writer_f32(w, ST_F16, mean, n * width);
	}
out:
	free(mean);
	return err;
}

void
indexing_hidden_declare(const struct indexing *x, struct st_writer *w)
{
	uint64_t shape[2] = { (uint64_t)x->info.n_rows, (uint64_t)x->model.config.d_model };
	indexing_tie(x, w, HIDDEN_FORMAT);
	st_writer_declare(w, "hidden", ST_F16, 2, shape);
}

static enum err
hidden_make(struct indexing *x, const char *path)
{
	enum err err;
	struct st_writer w = {0};
	struct model m = {0};
	job_phase(x->job, "hidden states", (uint64_t)x->info.n_rows);
	if (!x->capture)
		TRY_OUT(indexing_final(x, &m));
	TRY_OUT(st_writer_open(&w, path));
	indexing_hidden_declare(x, &w);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(hidden_blocks(x, &m, &w));
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	model_free(&m);
	return err;
}

enum err
indexing_hidden(struct indexing *x)
{
	enum err err = OK;
	char *path = indexing_path(x, HIDDEN_FILE);
	if (!indexing_is_tied(x, path, HIDDEN_FORMAT))
		err = hidden_make(x, path);
	free(path);
	return err == OK ? indexing_note(x, HIDDEN_FILE) : err;
}
