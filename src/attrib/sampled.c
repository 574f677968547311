/* sampled: sampled-label backward passes, a piece at a time on each worker. */
#include "sampled.h"

#include <stdlib.h>

#include "byline/mem.h"

#include "curvature_internal.h"
#include "fault.h"

struct worker {
	struct acts *acts;
	struct ragged ragged;
	int32_t *label;
	size_t cap;
};

struct passes {
	const struct sampled *s;
	struct worker *worker;
	struct turns turns;
	struct fault fault;
};

struct piece_tap { const struct sampled *s; struct turn turn; int worker; };

static void
piece_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	const struct piece_tap *t = arg;
	t->s->linear(t->s->arg, &t->turn, t->worker, index, a, g, b);
}

static enum err
run_piece(const struct sampled *s, struct worker *w, size_t piece, const struct tap *tap)
{
	const struct pieces *p = s->pieces;
	ragged_fill(&w->ragged, s->data, p->example + p->start[piece], pieces_count(p, piece));
	struct batch b = w->ragged.batch;
	if (b.rows == 0)
		return OK;
	TRY(model_forward(s->model, s->params, w->acts, &b));
	mem_grow(&w->label, &w->cap, (size_t)b.rows, sizeof(*w->label));
	acts_sample_targets(s->model, w->acts, &b, s->seed, STREAM_LABELS + piece, w->label);
	b.target = w->label;
	acts_loss(s->model, w->acts, &b, NULL, NULL);
	model_backward(s->model, s->params, w->acts, &b, NULL, tap);
	return OK;
}

/* Whatever becomes of a piece, those after it must not wait for it. */
static void
run_one(void *arg, size_t piece, int worker)
{
	struct passes *j = arg;
	struct worker *w = &j->worker[worker];
	struct piece_tap t = { j->s, { &j->turns, piece }, worker };
	struct tap tap = { .arg = &t, .linear = piece_linear, .roles = j->s->roles };
	if (!w->acts)
		w->acts = acts_new(j->s->model);
	if (fault_go(&j->fault)) {
		fault_set(&j->fault, run_piece(j->s, w, piece, &tap));
		fault_step(&j->fault, pieces_count(j->s->pieces, piece));
	}
	turn_end(&t.turn);
}

enum err
sampled_run(const struct sampled *s)
{
	int threads = pool_threads(s->pool);
	struct passes j = { .s = s };
	j.worker = xcalloc((size_t)threads, sizeof(*j.worker));
	turns_init(&j.turns, s->slots);
	fault_init(&j.fault, s->job);
	atomic_store(&j.fault.done, s->done);
	pool_run(s->pool, s->pieces->n, run_one, &j);
	for (int i = 0; i < threads; i++) {
		acts_free(j.worker[i].acts);
		ragged_free(&j.worker[i].ragged);
		free(j.worker[i].label);
	}
	free(j.worker);
	turns_free(&j.turns);
	return fault_end(&j.fault);
}
