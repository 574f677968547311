/* sweep: see sweep.h. */
#include "sweep.h"

#include <stdlib.h>

#include "byline/mem.h"
#include "fault.h"
#include "pieces.h"

/* Rows of a wide piece, and the memory a worker may spend on its activations. */
enum { WIDE_ROWS = 2048 };
static const size_t wide_bytes = (size_t)256 << 20;

struct sweeping {
	const struct sweep *w;
	struct pieces pieces;
	struct acts **acts;		/* by worker */
	struct ragged *ragged;
	struct fault fault;
};

static enum err
piece_take(struct sweeping *g, size_t i, int worker)
{
	const struct sweep *w = g->w;
	struct ragged *r = &g->ragged[worker];
	ragged_fill(r, &w->s->data, w->example + g->pieces.start[i], pieces_count(&g->pieces, i));
	if (r->batch.rows == 0)
		return OK;
	if (w->forward && !g->acts[worker])
		g->acts[worker] = acts_new(&w->s->model);
	if (w->forward)
		TRY(model_forward(&w->s->model, w->params, g->acts[worker], &r->batch));
	return w->piece(w->arg, g->pieces.start[i], &r->batch, g->acts[worker], worker);
}

static void
piece_run(void *arg, size_t i, int worker)
{
	struct sweeping *g = arg;
	if (!fault_go(&g->fault))
		return;
	fault_set(&g->fault, piece_take(g, i, worker));
	fault_step(&g->fault, pieces_count(&g->pieces, i));
}

static int
piece_rows(const struct sweep *w)
{
	const struct model *m = &w->s->model;
	return w->wide && acts_bytes(m, WIDE_ROWS, m->config.n_ctx) <= wide_bytes ? WIDE_ROWS : PIECE_ROWS;
}

enum err
sweep_run(const struct sweep *w, uint64_t done, struct job *job)
{
	int threads = pool_threads(w->s->pool);
	struct sweeping g = { .w = w };
	pieces_cut_rows(&g.pieces, &w->s->data, w->example, w->n, piece_rows(w));
	g.acts = xcalloc((size_t)threads, sizeof(struct acts *));
	g.ragged = xcalloc((size_t)threads, sizeof(*g.ragged));
	fault_init(&g.fault, job);
	atomic_store(&g.fault.done, done);
	pool_run(w->s->pool, g.pieces.n, piece_run, &g);
	for (int i = 0; i < threads; i++) {
		acts_free(g.acts[i]);
		ragged_free(&g.ragged[i]);
	}
	free(g.acts);
	free(g.ragged);
	pieces_free(&g.pieces);
	return fault_end(&g.fault);
}

size_t
sweep_trained(const struct session *s, uint32_t **example)
{
	size_t n = 0;
	*example = xcalloc(s->data.n + 1, sizeof(**example));
	for (size_t i = 0; i < s->data.n; i++)
		if (session_trained_on(s, i))
			(*example)[n++] = (uint32_t)i;
	return n;
}
