/* index_hidden: the third stage, each example's mean final hidden state under the final weights. */
#include <stdlib.h>

#include "byline/mem.h"

#include "capture_internal.h"
#include "fault.h"
#include "indexing.h"
#include "pieces.h"

#define HIDDEN_FORMAT "byline hidden 1"

struct hidden {
	struct indexing *x;
	struct pieces pieces;
	struct acts **acts;		/* by worker */
	struct ragged *ragged;
	float *mean;			/* (rows, d_model) */
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
	const struct model *m = &h->x->model;
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

static enum err
hidden_run(struct hidden *h)
{
	struct indexing *x = h->x;
	int workers = pool_threads(x->pool);
	h->acts = xcalloc((size_t)workers, sizeof(struct acts *));
	h->ragged = xcalloc((size_t)workers, sizeof(*h->ragged));
	pieces_cut(&h->pieces, &x->data, x->row, (size_t)x->info.n_rows);
	job_phase(x->job, "hidden states", (uint64_t)x->info.n_rows);
	fault_init(&h->fault, x->job);
	pool_run(x->pool, h->pieces.n, hidden_piece, h);
	for (int i = 0; i < workers; i++) {
		acts_free(h->acts[i]);
		ragged_free(&h->ragged[i]);
	}
	free(h->acts);
	free(h->ragged);
	pieces_free(&h->pieces);
	return fault_end(&h->fault);
}

static enum err
hidden_write(const struct hidden *h, const char *path)
{
	enum err err;
	struct st_writer w = {0};
	uint64_t shape[2] = { (uint64_t)h->x->info.n_rows, (uint64_t)h->x->model.config.d_model };
	TRY_OUT(st_writer_open(&w, path));
	indexing_tie(h->x, &w, HIDDEN_FORMAT);
	st_writer_declare(&w, "hidden", ST_F16, 2, shape);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(st_writer_f32(&w, ST_F16, h->mean, shape[0] * shape[1]));
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	return err;
}

enum err
indexing_hidden(struct indexing *x)
{
	enum err err = OK;
	struct hidden h = { .x = x };
	char *path = indexing_path(x, HIDDEN_FILE);
	if (!indexing_is_tied(x, path, HIDDEN_FORMAT)) {
		TRY_OUT(mem_array(&h.mean, (size_t)x->info.n_rows * (size_t)x->model.config.d_model, sizeof(float),
			"hidden states"));
		TRY_OUT(x->capture ? capture_hidden(x->capture, x->row, (size_t)x->info.n_rows, h.mean)
			: hidden_run(&h));
		TRY_OUT(hidden_write(&h, path));
	}
	err = indexing_note(x, HIDDEN_FILE);
out:
	free(h.mean);
	free(path);
	return err;
}
