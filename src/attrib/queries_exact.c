/*
 * queries_exact: every example against the directions of many spans. The examples' gradients are formed (gradients.h),
 * once for all spans of a batch, and multiplied with the directions side by side.
 */
#include "exact.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "fault.h"
#include "gradients.h"
#include "session_index.h"
#include "sweep.h"

/* Directions held at a time. */
static const size_t batch_bytes = (size_t)1 << 30;

struct fan {
	const struct session *s;
	const struct exact_kind *kind;
	struct layer_set layers;
	struct spans spans;		/* of the batch */
	uint32_t *example;		/* n */
	size_t n;
	float **v;			/* [layer] (spans, out * in): the directions at this checkpoint */
	const float *params;
	double weight;
	double *sum;			/* (spans, n) */
};

/* ---- one piece ---------------------------------------------------------------------------------------------- */

struct along {
	struct fan *f;
	double *dot;			/* (sequences, spans): over the layers so far */
	double *square;			/* (sequences): of the gradient's length */
	float *product;			/* (GRADIENTS_BLOCK, spans) */
};

static void
along_take(void *arg, int layer, int first, int n, const float *g)
{
	struct along *t = arg;
	size_t size = layer_set_size(&t->f->layers, layer), width = t->f->spans.n;
	mm_bt(n, (int)width, (int)size, 1, g, (int)size, t->f->v[layer], (int)size, 0, t->product, (int)width);
	for (size_t i = 0; i < (size_t)n * width; i++)
		t->dot[(size_t)first * width + i] += t->product[i];
	for (int s = 0; t->f->kind->cosine && s < n; s++)
		for (size_t i = 0; i < size; i++)
			t->square[first + s] += (double)g[(size_t)s * size + i] * g[(size_t)s * size + i];
}

static void
along_collect(const struct along *t, size_t first, int n_seq)
{
	struct fan *f = t->f;
	for (size_t s = 0; s < (size_t)n_seq; s++) {
		double weight = f->weight;
		if (f->kind->cosine)
			weight = t->square[s] > 0 ? weight / sqrt(t->square[s]) : 0;
		for (size_t q = 0; q < f->spans.n; q++)
			f->sum[q * f->n + first + s] += weight * t->dot[s * f->spans.n + q];
	}
}

static enum err
fan_piece(void *arg, size_t first, const struct batch *b, struct acts *acts, int worker)
{
	struct fan *f = arg;
	struct along t = { .f = f };
	const struct gradients g = { .layers = &f->layers, .arg = &t, .take = along_take };
	(void)worker;
	t.dot = xcalloc((size_t)b->n_seq * f->spans.n, sizeof(*t.dot));
	t.square = xcalloc((size_t)b->n_seq, sizeof(*t.square));
	t.product = xcalloc(GRADIENTS_BLOCK * f->spans.n, sizeof(*t.product));
	acts_loss(&f->s->model, acts, b, NULL, NULL);
	enum err err = gradients_back(&g, f->params, acts, b);
	if (err == OK)
		along_collect(&t, first, b->n_seq);
	free(t.dot);
	free(t.square);
	free(t.product);
	return err;
}

/* ---- a batch of spans --------------------------------------------------------------------------------------- */

static void
fan_drop(struct fan *f)
{
	for (int l = 0; l < f->layers.n; l++) {
		free(f->v[l]);
		f->v[l] = NULL;
	}
}

static enum err
fan_point(struct fan *f, int point, uint64_t done, struct job *job)
{
	enum err err = OK;
	f->params = f->s->index->point[point].model.params;
	for (int l = 0; l < f->layers.n; l++)
		TRY_OUT(mem_array(&f->v[l], f->spans.n * layer_set_size(&f->layers, l), sizeof(float),
			"directions of queries"));
	TRY_OUT(directions_make(f->s, &f->layers, &f->spans, f->kind->turn, point, f->v, job));
	struct sweep sweep = { .s = f->s, .forward = true, .params = f->params, .example = f->example, .n = f->n,
		.wide = true, .arg = f, .piece = fan_piece };
	err = sweep_run(&sweep, done, job);
out:
	fan_drop(f);
	return err;
}

static enum err
fan_run(struct fan *f, const double *weight, uint64_t *done, float *scores, struct job *job)
{
	const struct session *s = f->s;
	enum err err = OK;
	TRY_OUT(mem_array(&f->sum, f->spans.n * f->n, sizeof(*f->sum), "exact scores"));
	for (int k = 0; k < s->index->n_points; k++) {
		f->weight = weight[k];
		if (f->weight != 0)
			TRY_OUT(fan_point(f, k, *done, job));
		*done += f->n;
	}
	for (size_t i = 0; i < f->spans.n * s->data.n; i++)
		scores[i] = NAN;
	for (size_t q = 0; q < f->spans.n; q++)
		for (size_t j = 0; j < f->n; j++)
			scores[q * s->data.n + f->example[j]] = (float)f->sum[q * f->n + j];
out:
	free(f->sum);
	f->sum = NULL;
	return err;
}

/* How many spans go together: a function of the model and the data alone. */
static size_t
batch_of(const struct fan *f)
{
	size_t bytes = layer_set_values(&f->layers) * sizeof(float) + (f->n + 1) * sizeof(double);
	size_t fit = batch_bytes / bytes;
	return fit > 0 ? fit : 1;
}

static enum err
fan_batches(struct fan *f, const struct spans *all, size_t most, const double *weight, float *scores, struct job *job)
{
	size_t batches = (all->n + most - 1) / most;
	uint64_t done = 0;
	job_phase(job, "exact scores", (uint64_t)batches * (uint64_t)f->s->index->n_points * f->n);
	for (size_t from = 0; from < all->n; from += f->spans.n) {
		size_t n = all->n - from < most ? all->n - from : most;
		f->spans = (struct spans){ all->q + from, all->from + from, all->to + from, n };
		TRY(fan_run(f, weight, &done, scores + from * f->s->data.n, job));
	}
	return OK;
}

enum err
queries_exact(const struct spans *spans, const struct exact_kind *kind, size_t most, float *scores, struct job *job)
{
	const struct session *s = spans->q[0]->session;
	if (!s->index)
		return err_set(ERR_MISSING, "run %s has no index: run `byline index`", s->run.name);
	struct fan f = { .s = s, .kind = kind };
	double *weight = xcalloc((size_t)s->index->n_points, sizeof(*weight));
	enum err err = OK;
	layer_set_make(&f.layers, &s->model);
	f.v = xcalloc((size_t)f.layers.n + 1, sizeof(*f.v));
	f.n = sweep_trained(s, &f.example);
	if (most == 0 || most > batch_of(&f))
		most = batch_of(&f);
	TRY_OUT(index_ready(s->index, s, job));
	TRY_OUT(exact_weights(s, kind, weight));
	err = fan_batches(&f, spans, most, weight, scores, job);
out:
	free(f.example);
	free(f.v);
	layer_set_free(&f.layers);
	free(weight);
	return err;
}
