/* curvature_spectrum: pass 2, second moments of each example's gradient in the eigenbases. */
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"

#include "curvature_fit.h"

/* A worker's room: a batch's inputs and gradients turned into the bases, and some rows of one example's gradient. */
struct room { float *a, *g, *product; };

struct spectrum {
	struct fit *fit;
	struct room *room;
	size_t *slot;			/* by layer: the turns at its diagonal, then at its blocks */
	float **diagonal;		/* by layer (out): stands for the outputs' eigenvalues where there are none */
};

static size_t
layer_floats(const struct curvature_layer *l)
{
	return (size_t)l->out * (size_t)l->in;
}

/* Rows of a layer's gradient that are at work at a time: they stay in the processor's cache. */
enum { BLOCK_FLOATS = 1 << 17, BLOCK_ROWS_MIN = 16 };

static int
block_rows(const struct curvature_layer *l)
{
	int n = BLOCK_FLOATS / l->in;
	n = n > BLOCK_ROWS_MIN ? n : BLOCK_ROWS_MIN;
	return n < l->out ? n : l->out;
}

/* rows x n times q; x itself where q is the identity. */
static const float *
rotate(const struct curvature_side *side, const float *x, int rows, float *to)
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

static void
add_diagonal(float *sum, const float *g, int rows, int n)
{
	for (int r = 0; r < rows; r++, g += n)
		for (int i = 0; i < n; i++)
			sum[i] += g[i] * g[i];
}

/* At the unembedding, where logits are not capped, g is scale (p - onehot); the mean of its square over labels,
 * scale^2 p (1 - p), also knows of the words that were not drawn. */
static void
add_head_diagonal(float *sum, const float *g, const struct batch *b, int n, float scale)
{
	for (int r = 0; r < b->rows; r++, g += n)
		for (int i = 0; i < n; i++) {
			float p = g[i] / scale + (i == b->target[r] ? 1 : 0);
			sum[i] += scale * scale * p * (1 - p);
		}
}

/* Rows [first, first + n) of lambda: each example's squares, in its turn. */
static void
add_block(const struct curvature_layer *l, const float *a, const float *g, const struct batch *b, int first, int n,
	const struct turn *turn, size_t slot, float *product)
{
	float *sum = l->lambda + (size_t)first * (size_t)l->in;
	for (int q = 0; q < b->n_seq; q++) {
		size_t from = (size_t)b->start[q];
		mm_at(n, l->in, b->start[q + 1] - b->start[q], 1, g + from * (size_t)l->out + first, l->out,
			a + from * (size_t)l->in, l->in, 0, product, l->in);
		if (q == 0)
			turn_wait(turn, slot);
		add_squares(sum, product, (size_t)n * (size_t)l->in);
	}
	turn_pass(turn, slot);
}

static void
spectrum_linear(void *arg, const struct turn *turn, int worker, int index, const float *a, const float *g,
	const struct batch *b)
{
	const struct spectrum *s = arg;
	const struct room *room = &s->room[worker];
	int i = s->fit->layer_of[index];
	if (i < 0)
		return;
	const struct curvature_layer *l = &s->fit->c->layers[i];
	const struct model *m = s->fit->sampled.model;
	size_t slot = s->slot[i];
	turn_wait(turn, slot);
	if (s->diagonal[i] && m->linears[index].role == ROLE_HEAD && m->config.logit_cap == 0)
		add_head_diagonal(s->diagonal[i], g, b, l->out, model_logit_scale(&m->config));
	else if (s->diagonal[i])
		add_diagonal(s->diagonal[i], g, b->rows, l->out);
	turn_pass(turn, slot++);
	a = rotate(&l->a, a, b->rows, room->a);
	g = rotate(&l->s, g, b->rows, room->g);
	for (int first = 0, n; first < l->out; first += n) {
		n = l->out - first < block_rows(l) ? l->out - first : block_rows(l);
		add_block(l, a, g, b, first, n, turn, slot++, room->product);
	}
}

/* ---- room ---- */

struct room_floats { size_t a, g, product; };

static struct room_floats
room_floats(const struct fit *f)
{
	struct room_floats most = {0};
	size_t rows = (size_t)f->pieces.max_rows;
	for (int i = 0; i < f->c->n_layers; i++) {
		const struct curvature_layer *l = &f->c->layers[i];
		size_t a = rows * (size_t)l->in, g = l->s.q ? rows * (size_t)l->out : 0;
		size_t product = (size_t)block_rows(l) * (size_t)l->in;
		most.a = a > most.a ? a : most.a;
		most.g = g > most.g ? g : most.g;
		most.product = product > most.product ? product : most.product;
	}
	return most;
}

size_t
fit_room(const struct fit *f)
{
	struct room_floats n = room_floats(f);
	return (n.a + n.g + n.product) * sizeof(float);
}

static enum err
rooms_new(struct spectrum *s)
{
	static const char what[] = "gradients in the eigenbasis";
	struct room_floats floats = room_floats(s->fit);
	int n = pool_threads(s->fit->sampled.pool);
	s->room = xcalloc((size_t)n, sizeof(*s->room));
	for (int i = 0; i < n; i++) {
		TRY(mem_array(&s->room[i].a, floats.a, sizeof(float), what));
		TRY(mem_array(&s->room[i].g, floats.g, sizeof(float), what));
		TRY(mem_array(&s->room[i].product, floats.product, sizeof(float), what));
	}
	return OK;
}

/* Sums are lambda itself and the diagonals, all 0. */
static enum err
sums_new(struct spectrum *s, size_t *slots)
{
	const struct curvature *c = s->fit->c;
	s->slot = xcalloc((size_t)c->n_layers + 1, sizeof(*s->slot));
	s->diagonal = xcalloc((size_t)c->n_layers + 1, sizeof(*s->diagonal));
	*slots = 0;
	for (int i = 0; i < c->n_layers; i++) {
		const struct curvature_layer *l = &c->layers[i];
		s->slot[i] = *slots;
		*slots += 1 + (size_t)((l->out + block_rows(l) - 1) / block_rows(l));
		memset(l->lambda, 0, layer_floats(l) * sizeof(*l->lambda));
		if (!l->s.w)
			TRY(mem_array(&s->diagonal[i], (size_t)l->out, sizeof(float), "a curvature diagonal"));
	}
	return OK;
}

static void
spectrum_free(struct spectrum *s)
{
	for (int i = 0; s->room && i < pool_threads(s->fit->sampled.pool); i++) {
		free(s->room[i].a);
		free(s->room[i].g);
		free(s->room[i].product);
	}
	for (int i = 0; s->diagonal && i < s->fit->c->n_layers; i++)
		free(s->diagonal[i]);
	free(s->room);
	free(s->diagonal);
	free(s->slot);
}

/* ---- from sums to means ---- */

/* Adds the prior's examples to the sums of one layer; how many that makes. */
static size_t
add_prior(const struct fit *f, struct curvature_layer *l, const float *diagonal)
{
	const float tokens = (float)f->n_rows / (float)f->n_examples, prior = (float)f->options->prior;
	if (f->options->prior == 0 || !l->a.w)
		return f->n_examples;
	for (int o = 0; o < l->out; o++) {
		float w = l->s.w ? l->s.w[o] : diagonal[o] / (float)f->n_rows;
		float scale = prior * tokens * (w > 0 ? w : 0);
		for (int i = 0; i < l->in; i++)
			l->lambda[(size_t)o * (size_t)l->in + (size_t)i] += l->a.w[i] > 0 ? scale * l->a.w[i] : 0;
	}
	return f->n_examples + (size_t)f->options->prior;
}

static void
set_lambda(struct curvature_layer *l, size_t count, double damping)
{
	size_t n = layer_floats(l);
	double total = 0;
	for (size_t i = 0; i < n; i++) {
		l->lambda[i] /= (float)count;
		total += l->lambda[i];
	}
	/* A layer that no gradient reaches has nothing to solve; 1 keeps the solve finite. */
	l->damping = total > 0 ? (float)(damping * total / (double)n) : 1;
}

enum err
fit_spectrum(struct fit *f)
{
	enum err err;
	struct spectrum s = { .fit = f };
	struct sampled pass = f->sampled;
	pass.linear = spectrum_linear;
	pass.arg = &s;
	TRY_OUT(sums_new(&s, &pass.slots));
	TRY_OUT(rooms_new(&s));
	TRY_OUT(sampled_run(&pass));
	for (int i = 0; i < f->c->n_layers; i++) {
		struct curvature_layer *l = &f->c->layers[i];
		set_lambda(l, add_prior(f, l, s.diagonal[i]), f->options->damping);
	}
out:
	spectrum_free(&s);
	return err;
}
