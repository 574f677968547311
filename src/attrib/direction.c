/* direction: the span's gradient at each checkpoint, solved against the checkpoint's curvature. */
#include "direction.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "fault.h"
#include "query_private.h"
#include "session_index.h"

static const size_t keep_bytes = (size_t)512 << 20;

static size_t
layer_size(const struct model *m, const struct direction *d, int layer)
{
	const struct linear *l = &m->linears[d->linear[layer]];
	return (size_t)l->out * (size_t)l->in;
}

void
direction_free(struct direction *d)
{
	if (!d)
		return;
	for (int i = 0; i < d->n_points * d->n_layers; i++)
		free(d->v[i]);
	free(d->v);
	free(d->linear);
	free(d->layer_of);
	free(d);
}

static struct direction *
direction_new(const struct session *s, int from, int to)
{
	const struct model *m = &s->model;
	struct direction *d = xcalloc(1, sizeof(*d));
	size_t values = 0;
	d->from = from;
	d->to = to;
	d->n_points = s->index->n_points;
	curvature_layers(m, &d->linear, &d->n_layers);
	d->layer_of = xcalloc((size_t)m->n_linears, sizeof(*d->layer_of));
	for (int i = 0; i < m->n_linears; i++)
		d->layer_of[i] = -1;
	for (int i = 0; i < d->n_layers; i++) {
		d->layer_of[d->linear[i]] = i;
		d->roles |= UINT32_C(1) << m->linears[d->linear[i]].role;
		values += layer_size(m, d, i);
	}
	d->v = xcalloc((size_t)d->n_points * (size_t)d->n_layers, sizeof(*d->v));
	d->kept = values * (size_t)d->n_points <= keep_bytes / sizeof(float);
	return d;
}

struct direction *
direction_of(struct query *q, int from, int to)
{
	if (q->direction && (q->direction->from != from || q->direction->to != to)) {
		direction_free(q->direction);
		q->direction = NULL;
	}
	if (!q->direction)
		q->direction = direction_new(q->session, from, to);
	return q->direction;
}

/* ---- the span's gradient ---------------------------------------------------------------------------------------- */

struct gather { const struct direction *d; const struct model *m; float **v; };

static void
gather_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	const struct gather *t = arg;
	int layer = t->d->layer_of[index];
	if (layer < 0)
		return;
	const struct linear *l = &t->m->linears[index];
	mm_at(l->out, l->in, b->rows, 1, g, l->out, a, l->in, 1, t->v[layer], l->in);
}

/* The prompt and the output up to the span's end, with the span's tokens as targets. */
static void
span_batch(const struct query *q, const struct direction *d, int32_t start[2], int32_t *target, struct batch *b)
{
	start[0] = 0;
	start[1] = q->n_prompt + d->to - 1;
	for (int i = 0; i < start[1]; i++)
		target[i] = i + 1 >= q->n_prompt + d->from ? q->tokens[i + 1] : -1;
	*b = (struct batch){ .n_seq = 1, .rows = start[1], .start = start, .token = q->tokens, .target = target };
}

static enum err
span_gradient(const struct direction *d, const struct query *q, const float *params, float **v)
{
	const struct model *m = &q->session->model;
	struct gather gather = { d, m, v };
	struct tap tap = { .arg = &gather, .linear = gather_linear, .roles = d->roles };
	int32_t start[2], *target = xcalloc((size_t)(q->n_prompt + d->to), sizeof(*target));
	struct acts *acts = acts_new(m);
	struct batch b;
	span_batch(q, d, start, target, &b);
	enum err err = model_forward(m, params, acts, &b);
	if (err == OK) {
		acts_loss(m, acts, &b, NULL, NULL);
		model_backward(m, params, acts, &b, NULL, &tap);
	}
	acts_free(acts);
	free(target);
	return err;
}

/* ---- solving ------------------------------------------------------------------------------------------------ */

struct solve { const struct direction *d; const struct curvature *c; float **v; struct fault fault; };

static void
solve_layer(void *arg, size_t i, int worker)
{
	struct solve *s = arg;
	const struct curvature_layer *l = &s->c->layers[i];
	float *scratch = NULL;
	(void)worker;
	if (!fault_go(&s->fault))
		return;
	enum err err = mem_array(&scratch, 2 * (size_t)l->out * (size_t)l->in, sizeof(*scratch),
		"solving for the query");
	if (err == OK)
		curvature_solve(l, s->v[s->d->layer_of[l->linear]], scratch);
	fault_set(&s->fault, err);
	free(scratch);
}

static enum err
span_solve(const struct direction *d, const struct query *q, int point, float **v, struct job *job)
{
	const struct session *s = q->session;
	struct curvature *c;
	TRY(index_curvature(s->index, s, point, &c));
	struct solve solve = { .d = d, .c = c, .v = v };
	fault_init(&solve.fault, job);
	pool_run(s->pool, (size_t)c->n_layers, solve_layer, &solve);
	index_curvature_done(s->index, c);
	return fault_end(&solve.fault);
}

static void
direction_drop(struct direction *d, int point)
{
	for (int i = 0; i < d->n_layers; i++) {
		free(d->v[point * d->n_layers + i]);
		d->v[point * d->n_layers + i] = NULL;
	}
}

enum err
direction_make(struct direction *d, const struct query *q, int point, struct job *job)
{
	float **v = d->v + point * d->n_layers;
	enum err err = OK;
	if (d->n_layers == 0 || v[0])
		return OK;
	for (int i = 0; i < d->n_layers; i++)
		TRY_OUT(mem_array(&v[i], layer_size(&q->session->model, d, i), sizeof(**v), "direction of the query"));
	TRY_OUT(span_gradient(d, q, q->session->index->point[point].model.params, v));
	TRY_OUT(span_solve(d, q, point, v, job));
out:
	if (err != OK)
		direction_drop(d, point);
	return err;
}

void
direction_release(struct direction *d, int point)
{
	if (!d->kept)
		direction_drop(d, point);
}
