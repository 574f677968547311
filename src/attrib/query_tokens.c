/*
 * Between the tokens of a span and those of one example. In the eigenbasis of a layer the exact score (query_exact)
 * falls apart over both sides at once: with G'_o the gradient of output token o alone, g'_t and a'_t those of target t
 * of the example,
 *
 *   s_ot = (1/N) mean_checkpoints sum_layers g'_t^T [ G'_o / (L + damping) ] a'_t
 *
 * Summed over o and t that is the score, since every part is linear in G'_o and in g'_t a'_t^T (Grosse et al. 2023, eq.
 * 21). One output token is worked on at a time on each thread, so memory is a layer's matrix and not the span's.
 */
#include "byline/attrib.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "exact.h"
#include "fault.h"
#include "layer_set.h"
#include "session_index.h"

/* Inputs and output gradients of one layer, a row a token, in the layer's basis. */
struct turned { float *g, *a; };

struct hand {				/* what a worker needs of its own */
	struct acts *acts;
	float *g, *a, *v, *product;	/* (rows, out), (rows, in), (out, in), (n_in, in) of the largest layer */
};

struct between {
	const struct query *q;
	const struct session *s;
	struct layer_set layers;
	const struct curvature_layer **curved;	/* by layer, at this checkpoint */
	const float *params;
	double weight;			/* of the checkpoint */
	uint32_t example;
	int from, to, n_in;
	struct turned *turned;		/* by layer: the example */
	struct acts *whole;		/* the output, run forward */
	struct hand *hand;		/* by worker */
	double *matrix, *layer;		/* (to - from, n_in), (to - from, layers) */
	struct fault fault;
};

static const struct linear *
linear_of(const struct between *w, int layer)
{
	return &w->s->model.linears[w->layers.linear[layer]];
}

/* x (rows, n) into the side's basis. */
static void
turn(const struct curvature_side *side, const float *x, int rows, float *to)
{
	if (side->q)
		mm(rows, side->n, side->n, 1, x, side->n, side->q, side->n, 0, to, side->n);
	else
		memcpy(to, x, (size_t)rows * (size_t)side->n * sizeof(*x));
}

/* ---- the example -------------------------------------------------------------------------------------------- */

static void
example_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	struct between *w = arg;
	int layer = w->layers.layer_of[index];
	if (layer < 0)
		return;
	turn(&w->curved[layer]->s, g, b->rows, w->turned[layer].g);
	turn(&w->curved[layer]->a, a, b->rows, w->turned[layer].a);
}

static enum err
example_turn(struct between *w)
{
	const struct model *m = &w->s->model;
	struct tap tap = { .arg = w, .linear = example_linear, .roles = w->layers.roles };
	struct ragged r = {0};
	struct acts *acts = acts_new(m);
	ragged_fill(&r, &w->s->data, &w->example, 1);
	assert(r.batch.rows == w->n_in);
	enum err err = model_forward(m, w->params, acts, &r.batch);
	if (err == OK) {
		acts_loss(m, acts, &r.batch, NULL, NULL);
		model_backward(m, w->params, acts, &r.batch, NULL, &tap);
	}
	acts_free(acts);
	ragged_free(&r);
	return err;
}

/* ---- one output token --------------------------------------------------------------------------------------- */

struct along { struct between *w; struct hand *hand; double *row, *layer; };

static void
along_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	struct along *t = arg;
	struct between *w = t->w;
	struct hand *h = t->hand;
	int layer = w->layers.layer_of[index];
	if (layer < 0)
		return;
	const struct curvature_layer *c = w->curved[layer];
	const struct turned *e = &w->turned[layer];
	size_t in = (size_t)c->in;
	turn(&c->s, g, b->rows, h->g);
	turn(&c->a, a, b->rows, h->a);
	mm_at(c->out, c->in, b->rows, 1, h->g, c->out, h->a, c->in, 0, h->v, c->in);
	for (size_t i = 0; i < (size_t)c->out * in; i++)
		h->v[i] /= c->lambda[i] + c->damping;
	mm(w->n_in, c->in, c->out, 1, e->g, c->out, h->v, c->in, 0, h->product, c->in);
	for (int r = 0; r < w->n_in; r++) {
		double sum = 0;
		for (size_t i = (size_t)r * in; i < (size_t)(r + 1) * in; i++)
			sum += (double)h->product[i] * e->a[i];
		t->row[r] += w->weight * sum;
		t->layer[layer] += w->weight * sum;
	}
}

static enum err
token_along(struct between *w, int o, struct hand *h)
{
	const struct model *m = &w->s->model;
	int rows = w->q->n_prompt + w->from + o;
	int32_t start[2] = { 0, rows }, *target = xcalloc((size_t)rows, sizeof(*target));
	struct batch b = { .n_seq = 1, .rows = rows, .start = start, .token = w->q->tokens, .target = target };
	struct along t = { w, h, w->matrix + (size_t)o * (size_t)w->n_in, w->layer + (size_t)o * (size_t)w->layers.n };
	struct tap tap = { .arg = &t, .linear = along_linear, .roles = w->layers.roles };
	for (int i = 0; i < rows; i++)
		target[i] = i == rows - 1 ? w->q->tokens[rows] : -1;
	enum err err = model_forward_prefixes(m, w->whole, h->acts, &b);
	if (err == OK) {
		acts_loss(m, h->acts, &b, NULL, NULL);
		model_backward(m, w->params, h->acts, &b, NULL, &tap);
	}
	free(target);
	return err;
}

static void
token_run(void *arg, size_t i, int worker)
{
	struct between *w = arg;
	if (!fault_go(&w->fault))
		return;
	/* The longest first: no worker is left alone with them at the end. */
	fault_set(&w->fault, token_along(w, w->to - w->from - 1 - (int)i, &w->hand[worker]));
	fault_step(&w->fault, 1);
}

/* ---- one checkpoint ----------------------------------------------------------------------------------------- */

static enum err
output_forward(struct between *w)
{
	int32_t start[2] = { 0, w->q->n_prompt + w->to - 1 };
	struct batch b = { .n_seq = 1, .rows = start[1], .start = start, .token = w->q->tokens };
	return model_forward(&w->s->model, w->params, w->whole, &b);
}

static enum err
point_curved(struct between *w, int point, uint64_t done, struct job *job)
{
	w->params = w->s->index->point[point].model.params;
	TRY(example_turn(w));
	TRY(output_forward(w));
	fault_init(&w->fault, job);
	atomic_store(&w->fault.done, done);
	pool_run(w->s->pool, (size_t)(w->to - w->from), token_run, w);
	return fault_end(&w->fault);
}

static enum err
point_run(struct between *w, int point, struct job *job)
{
	struct curvature *c;
	TRY(job_check(job));
	TRY(index_curvature(w->s->index, w->s, point, &c));
	for (int i = 0; i < c->n_layers; i++)
		w->curved[w->layers.layer_of[c->layers[i].linear]] = &c->layers[i];
	enum err err = point_curved(w, point, (uint64_t)point * (uint64_t)(w->to - w->from), job);
	index_curvature_done(w->s->index, c);
	return err;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

struct largest { size_t in, out, matrix; };

static struct largest
largest_layer(const struct between *w)
{
	struct largest x = {0};
	for (int i = 0; i < w->layers.n; i++) {
		size_t in = (size_t)linear_of(w, i)->in, out = (size_t)linear_of(w, i)->out;
		x.in = in > x.in ? in : x.in;
		x.out = out > x.out ? out : x.out;
		x.matrix = in * out > x.matrix ? in * out : x.matrix;
	}
	return x;
}

static enum err
hand_new(const struct between *w, struct hand *h)
{
	struct largest x = largest_layer(w);
	size_t rows = (size_t)(w->q->n_prompt + w->to);
	h->acts = acts_new(&w->s->model);
	TRY(mem_array(&h->g, rows * x.out, sizeof(*h->g), "gradients of the output"));
	TRY(mem_array(&h->a, rows * x.in, sizeof(*h->a), "gradients of the output"));
	TRY(mem_array(&h->v, x.matrix, sizeof(*h->v), "a gradient of the output"));
	return mem_array(&h->product, (size_t)w->n_in * x.in, sizeof(*h->product), "influence between tokens");
}

static enum err
between_new(struct between *w)
{
	size_t n_out = (size_t)(w->to - w->from);
	int threads = pool_threads(w->s->pool);
	w->curved = xcalloc((size_t)w->layers.n + 1, sizeof(const struct curvature_layer *));
	w->turned = xcalloc((size_t)w->layers.n + 1, sizeof(*w->turned));
	w->hand = xcalloc((size_t)threads, sizeof(*w->hand));
	w->whole = acts_new(&w->s->model);
	TRY(mem_array(&w->matrix, n_out * (size_t)w->n_in, sizeof(*w->matrix), "influence between tokens"));
	TRY(mem_array(&w->layer, n_out * (size_t)w->layers.n, sizeof(*w->layer), "influence of layers"));
	for (int i = 0; i < w->layers.n; i++) {
		size_t in = (size_t)linear_of(w, i)->in, out = (size_t)linear_of(w, i)->out;
		TRY(mem_array(&w->turned[i].g, (size_t)w->n_in * out, sizeof(float), "gradients of the example"));
		TRY(mem_array(&w->turned[i].a, (size_t)w->n_in * in, sizeof(float), "inputs of the example"));
	}
	for (int i = 0; i < threads; i++)
		TRY(hand_new(w, &w->hand[i]));
	return OK;
}

static void
between_free(struct between *w)
{
	for (int i = 0; w->hand && i < pool_threads(w->s->pool); i++) {
		acts_free(w->hand[i].acts);
		free(w->hand[i].g);
		free(w->hand[i].a);
		free(w->hand[i].v);
		free(w->hand[i].product);
	}
	for (int i = 0; w->turned && i < w->layers.n; i++) {
		free(w->turned[i].g);
		free(w->turned[i].a);
	}
	free(w->hand);
	free(w->turned);
	free(w->curved);
	free(w->matrix);
	free(w->layer);
	acts_free(w->whole);
	layer_set_free(&w->layers);
}

static struct token_influence *
result_make(const struct between *w)
{
	struct token_influence *t = xcalloc(1, sizeof(*t));
	size_t n_out = (size_t)(w->to - w->from), n = n_out * (size_t)w->n_in, layers = (size_t)w->layers.n;
	*t = (struct token_influence){ .example = w->example, .from = w->from, .to = w->to, .n_in = w->n_in,
		.n_layers = w->layers.n };
	t->matrix = xcalloc(n + 1, sizeof(*t->matrix));
	t->layer = xcalloc(layers + 1, sizeof(*t->layer));
	t->linear = xcalloc(layers + 1, sizeof(*t->linear));
	for (size_t i = 0; i < n; i++) {
		t->matrix[i] = (float)w->matrix[i];
		t->score += w->matrix[i];
	}
	for (size_t l = 0; l < layers; l++) {
		double sum = 0;
		for (size_t o = 0; o < n_out; o++)
			sum += w->layer[o * layers + l];
		t->layer[l] = (float)sum;
		t->linear[l] = w->layers.linear[l];
	}
	return t;
}

static enum err
tokens_check(const struct query *q, int from, int to, uint32_t example)
{
	const struct session *s = q->session;
	if (!s->index)
		return err_set(ERR_MISSING, "run %s has no index: run `byline index`", s->run.name);
	TRY(span_check(q, from, to));
	if (example >= s->data.n)
		return err_set(ERR_USAGE, "example %u: the run has %zu", example, s->data.n);
	return OK;
}

enum err
query_tokens(struct query *q, int from, int to, uint32_t example, struct job *job, struct token_influence **out)
{
	*out = NULL;
	TRY(tokens_check(q, from, to, example));
	const struct session *s = q->session;
	struct between w = { .q = q, .s = s, .example = example, .from = from, .to = to,
		.n_in = (int)(s->data.start[example + 1] - s->data.start[example]) - 1 };
	int points = s->index->n_points;
	double *weight = xcalloc((size_t)points, sizeof(*weight));
	enum err err = OK;
	layer_set_make(&w.layers, &s->model);
	TRY_OUT(index_ready(s->index, s, job));
	TRY_OUT(exact_weights(s, &exact_ekfac, weight));
	TRY_OUT(between_new(&w));
	job_phase(job, "between tokens", (uint64_t)points * (uint64_t)(to - from));
	for (int k = 0; k < points; k++) {
		w.weight = weight[k];
		TRY_OUT(point_run(&w, k, job));
	}
	*out = result_make(&w);
out:
	between_free(&w);
	free(weight);
	return err;
}

void
token_influence_free(struct token_influence *t)
{
	if (!t)
		return;
	free(t->matrix);
	free(t->linear);
	free(t->layer);
	free(t);
}
