/* lanes: sampled-label backward passes in fixed pieces. */
#include "lanes.h"

#include <stdlib.h>

#include "byline/mem.h"

#include "curvature_internal.h"
#include "fault.h"

enum { LANES_MAX = 16 };
static const size_t lanes_bytes = (size_t)1 << 30;

int
lanes_count(size_t bytes_per_lane, size_t n_pieces)
{
	size_t n = lanes_bytes / (bytes_per_lane + 1);
	n = n < LANES_MAX ? n : LANES_MAX;
	n = n < n_pieces ? n : n_pieces;
	return n > 0 ? (int)n : 1;
}

struct worker {
	struct acts *acts;
	struct ragged ragged;
	int32_t *label;
	size_t cap;
};

struct lanes_job {
	const struct lanes *l;
	struct worker *worker;
	struct fault fault;
};

struct lane_tap { const struct lanes *l; int lane, worker; };

static void
lane_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	const struct lane_tap *t = arg;
	t->l->linear(t->l->arg, t->lane, t->worker, index, a, g, b);
}

static enum err
run_piece(const struct lanes *l, struct worker *w, size_t piece, const struct tap *tap)
{
	const struct pieces *p = l->pieces;
	ragged_fill(&w->ragged, l->data, p->example + p->start[piece], pieces_count(p, piece));
	struct batch b = w->ragged.batch;
	if (b.rows == 0)
		return OK;
	TRY(model_forward(l->model, l->params, w->acts, &b));
	mem_grow(&w->label, &w->cap, (size_t)b.rows, sizeof(*w->label));
	acts_sample_targets(l->model, w->acts, &b, l->seed, STREAM_LABELS + piece, w->label);
	b.target = w->label;
	acts_loss(l->model, w->acts, &b, NULL, NULL);
	model_backward(l->model, l->params, w->acts, &b, NULL, tap);
	return OK;
}

static void
run_lane(void *arg, size_t lane, int worker)
{
	struct lanes_job *j = arg;
	struct worker *w = &j->worker[worker];
	struct lane_tap t = { j->l, (int)lane, worker };
	struct tap tap = { .arg = &t, .linear = lane_linear, .roles = j->l->roles };
	if (!w->acts)
		w->acts = acts_new(j->l->model);
	for (size_t piece = lane; piece < j->l->pieces->n && fault_go(&j->fault); piece += (size_t)j->l->n) {
		fault_set(&j->fault, run_piece(j->l, w, piece, &tap));
		fault_step(&j->fault, pieces_count(j->l->pieces, piece));
	}
}

enum err
lanes_run(const struct lanes *l)
{
	int threads = pool_threads(l->pool);
	struct lanes_job j = { .l = l };
	j.worker = xcalloc((size_t)threads, sizeof(*j.worker));
	fault_init(&j.fault, l->job);
	atomic_store(&j.fault.done, l->done);
	pool_run(l->pool, (size_t)l->n, run_lane, &j);
	for (int i = 0; i < threads; i++) {
		acts_free(j.worker[i].acts);
		ragged_free(&j.worker[i].ragged);
		free(j.worker[i].label);
	}
	free(j.worker);
	return fault_end(&j.fault);
}
