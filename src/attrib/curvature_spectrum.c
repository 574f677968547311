/* curvature_spectrum: pass 2, second moments of each example's gradient in the eigenbases. */
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"

#include "curvature_fit.h"

/* A worker's room: a batch's inputs and gradients turned into the bases, and the gradient of one example. */
struct room { float *a, *g, *product; };

struct spectrum {
	struct fit_sums sums;
	struct room *room;
};

static size_t
layer_floats(const struct curvature_layer *l)
{
	return (size_t)l->out * (size_t)l->in;
}

/* L, and where the outputs have no eigenvalues what stands for them. */
static size_t
layer_sums(const struct curvature_layer *l)
{
	return layer_floats(l) + (l->s.w ? 0 : (size_t)l->out);
}

/* rows x n times q; x itself where q is the identity. */
static const float *
turn(const struct curvature_side *side, const float *x, int rows, float *to)
{
	if (!side->q)
		return x;
	mm(rows, side->n, side->n, 1, x, side->n, side->q, side->n, 0, to, side->n);
	return to;
}

static void
add_squares(float *sum, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += x[i] * x[i];
}

/* The diagonal of S. At the unembedding g is p - onehot; the mean of its square over labels, p (1 - p), also knows of
 * the words that were not drawn. */
static void
add_diagonal(float *sum, const float *g, const struct batch *b, int n, bool head)
{
	for (int r = 0; r < b->rows; r++, g += n)
		for (int i = 0; i < n; i++) {
			float p = head && i == b->target[r] ? g[i] + 1 : g[i];
			sum[i] += head ? p * (1 - p) : p * p;
		}
}

static void
spectrum_linear(void *arg, int lane, int worker, int index, const float *a, const float *g, const struct batch *b)
{
	const struct spectrum *s = arg;
	const struct room *room = &s->room[worker];
	int i = s->sums.fit->layer_of[index];
	if (i < 0)
		return;
	const struct curvature_layer *l = &s->sums.fit->c->layers[i];
	float *sum = fit_sums_layer(&s->sums, lane, i);
	if (!l->s.w)
		add_diagonal(sum + layer_floats(l), g, b, l->out,
			s->sums.fit->lanes.model->linears[index].role == ROLE_HEAD);
	a = turn(&l->a, a, b->rows, room->a);
	g = turn(&l->s, g, b->rows, room->g);
	for (int q = 0; q < b->n_seq; q++) {
		size_t from = (size_t)b->start[q];
		mm_at(l->out, l->in, b->start[q + 1] - b->start[q], 1, g + from * (size_t)l->out, l->out,
			a + from * (size_t)l->in, l->in, 0, room->product, l->in);
		add_squares(sum, room->product, layer_floats(l));
	}
}

static void
rooms_free(struct room *room, int n)
{
	for (int i = 0; i < n; i++) {
		free(room[i].a);
		free(room[i].g);
		free(room[i].product);
	}
	free(room);
}

static enum err
rooms_new(struct room *room, int n, const struct fit *f)
{
	size_t in = 0, out = 0, product = 0, rows = (size_t)f->lanes.pieces->max_rows;
	for (int i = 0; i < f->c->n_layers; i++) {
		const struct curvature_layer *l = &f->c->layers[i];
		in = (size_t)l->in > in ? (size_t)l->in : in;
		out = l->s.q && (size_t)l->out > out ? (size_t)l->out : out;
		product = layer_floats(l) > product ? layer_floats(l) : product;
	}
	for (int i = 0; i < n; i++) {
		TRY(mem_array(&room[i].a, rows * in, sizeof(float), "gradients in the eigenbasis"));
		TRY(mem_array(&room[i].g, rows * out, sizeof(float), "gradients in the eigenbasis"));
		TRY(mem_array(&room[i].product, product, sizeof(float), "gradients in the eigenbasis"));
	}
	return OK;
}

/* Adds the prior's examples to the sums of one layer; how many that makes. */
static size_t
add_prior(const struct fit *f, const struct curvature_layer *l, float *sum)
{
	const float tokens = (float)f->n_rows / (float)f->n_examples, prior = (float)f->options->prior;
	if (f->options->prior == 0 || !l->a.w)
		return f->n_examples;
	for (int o = 0; o < l->out; o++) {
		float w = l->s.w ? l->s.w[o] : sum[layer_floats(l) + (size_t)o] / (float)f->n_rows;
		float scale = prior * tokens * (w > 0 ? w : 0);
		for (int i = 0; i < l->in; i++)
			sum[(size_t)o * (size_t)l->in + (size_t)i] += l->a.w[i] > 0 ? scale * l->a.w[i] : 0;
	}
	return f->n_examples + (size_t)f->options->prior;
}

enum err
fit_spectrum(struct fit *f)
{
	enum err err;
	struct spectrum s;
	int workers = pool_threads(f->lanes.pool);
	fit_sums_plan(&s.sums, f, layer_sums);
	s.room = xcalloc((size_t)workers, sizeof(*s.room));
	TRY_OUT(rooms_new(s.room, workers, f));
	TRY_OUT(fit_sums_run(&s.sums, spectrum_linear, &s));
	for (int i = 0; i < f->c->n_layers; i++) {
		struct curvature_layer *l = &f->c->layers[i];
		float *sum = fit_sums_layer(&s.sums, 0, i);
		curvature_set_lambda(l, sum, add_prior(f, l, sum), f->options->damping);
	}
out:
	rooms_free(s.room, workers);
	fit_sums_free(&s.sums);
	return err;
}
