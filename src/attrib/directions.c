/* directions: the gradients of several spans at one checkpoint, and what is made of them. */
#include "direction.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "fault.h"
#include "session_index.h"

struct making {
	const struct session *s;
	const struct layer_set *layers;
	const struct spans *spans;
	const float *params;
	const struct curvature *c;
	float **v;
	struct acts **acts;		/* by worker */
	struct fault fault;
};

/* ---- gradients of the spans --------------------------------------------------------------------------------- */

struct gather { const struct making *m; size_t span; };

static void
gather_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	const struct gather *t = arg;
	int layer = t->m->layers->layer_of[index];
	if (layer < 0)
		return;
	const struct linear *l = &t->m->s->model.linears[index];
	float *to = t->m->v[layer] + t->span * layer_set_size(t->m->layers, layer);
	mm_at(l->out, l->in, b->rows, 1, g, l->out, a, l->in, 1, to, l->in);
}

static void
gradient_run(void *arg, size_t i, int worker)
{
	struct making *m = arg;
	struct gather gather = { m, i };
	struct tap tap = { .arg = &gather, .linear = gather_linear, .roles = m->layers->roles };
	struct span_batch b;
	if (!fault_go(&m->fault))
		return;
	if (!m->acts[worker])
		m->acts[worker] = acts_new(&m->s->model);
	span_batch_make(&b, m->spans->q[i], m->spans->from[i], m->spans->to[i]);
	enum err err = model_forward(&m->s->model, m->params, m->acts[worker], &b.batch);
	if (err == OK) {
		acts_loss(&m->s->model, m->acts[worker], &b.batch, NULL, NULL);
		model_backward(&m->s->model, m->params, m->acts[worker], &b.batch, NULL, &tap);
	}
	fault_set(&m->fault, err);
	span_batch_free(&b);
}

static enum err
gradients_make(struct making *m, struct job *job)
{
	int threads = pool_threads(m->s->pool);
	m->acts = xcalloc((size_t)threads, sizeof(struct acts *));
	fault_init(&m->fault, job);
	pool_run(m->s->pool, m->spans->n, gradient_run, m);
	for (int i = 0; i < threads; i++)
		acts_free(m->acts[i]);
	free(m->acts);
	return fault_end(&m->fault);
}

/* ---- turns -------------------------------------------------------------------------------------------------- */

/* One span at one layer. */
static void
solve_run(void *arg, size_t i, int worker)
{
	struct making *m = arg;
	const struct curvature_layer *l = &m->c->layers[i / m->spans->n];
	int layer = m->layers->layer_of[l->linear];
	size_t size = layer_set_size(m->layers, layer);
	float *scratch = NULL;
	(void)worker;
	if (!fault_go(&m->fault))
		return;
	enum err err = mem_array(&scratch, 2 * size, sizeof(*scratch), "solving for the query");
	if (err == OK)
		curvature_solve(l, m->v[layer] + i % m->spans->n * size, scratch);
	fault_set(&m->fault, err);
	free(scratch);
}

static enum err
turn_solve(struct making *m, int point, struct job *job)
{
	const struct session *s = m->s;
	struct curvature *c;
	TRY(index_curvature(s->index, s, point, &c));
	m->c = c;
	fault_init(&m->fault, job);
	pool_run(s->pool, (size_t)c->n_layers * m->spans->n, solve_run, m);
	index_curvature_done(s->index, c);
	return fault_end(&m->fault);
}

static void
unit_run(void *arg, size_t span, int worker)
{
	const struct making *m = arg;
	double sum = 0;
	(void)worker;
	for (int l = 0; l < m->layers->n; l++) {
		size_t size = layer_set_size(m->layers, l);
		for (size_t i = 0; i < size; i++)
			sum += (double)m->v[l][span * size + i] * m->v[l][span * size + i];
	}
	float unit = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
	for (int l = 0; l < m->layers->n; l++) {
		size_t size = layer_set_size(m->layers, l);
		for (size_t i = 0; i < size; i++)
			m->v[l][span * size + i] *= unit;
	}
}

enum err
directions_make(const struct session *s, const struct layer_set *layers, const struct spans *spans, enum turn turn,
	int point, float **v, struct job *job)
{
	struct making m = { .s = s, .layers = layers, .spans = spans, .v = v,
		.params = s->index->point[point].model.params };
	TRY(gradients_make(&m, job));
	if (turn == TURN_SOLVE)
		return turn_solve(&m, point, job);
	if (turn == TURN_UNIT)
		pool_run(s->pool, spans->n, unit_run, &m);
	return OK;
}
