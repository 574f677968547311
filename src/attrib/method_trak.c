/*
 * Method "trak": sketched gradients of the model's log odds at the final checkpoint, after Park et al. 2023, "TRAK:
 * Attributing model behavior at scale", eq. 13 to 17, with one model:
 *
 *   f(z) = sum_t log(p_t / (1 - p_t)),   phi(z) = S grad f(z)
 *   s_i = phi(q)^T (Phi^T Phi + 0.1 tr / d I)^-1 phi(i) * mean_t (1 - p_t) of example i
 *
 * S (2048, parameters of the layers) has one random sign in a random row of each column (Charikar, Chen, Farach-Colton
 * 2002, "Finding frequent items in data streams"): inner products survive as they do under the paper's dense signs, at
 * the cost of reading the gradient. Needs the weights alone: the rows of all examples are made once a session.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>

#include "byline/layers.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "gradients.h"
#include "query_private.h"
#include "span.h"
#include "sweep.h"
#include "tables.h"

enum { WIDTH = 2048, SIGN = 0x8000 };
static const double damping = 0.1;
static const uint64_t seed = 2048;
/* p of a token learned by heart is 1 in single precision. */
static const float least_miss = 1e-5f;

struct trak {
	struct row_table table;		/* its factors are mean (1 - p) */
	struct layer_set layers;
	size_t *at;			/* by layer: its first column in code */
	uint16_t *code;			/* by column of S: the row, and SIGN */
	double *gram;			/* the factor of Phi^T Phi + damping */
	const struct session *s;
};

/* ---- sketches ----------------------------------------------------------------------------------------------- */

struct sketching { const struct trak *k; float *row; };

static void
sketch_take(void *arg, int layer, int first, int n, const float *g)
{
	const struct sketching *t = arg;
	size_t size = layer_set_size(&t->k->layers, layer);
	const uint16_t *code = t->k->code + t->k->at[layer];
	for (int s = 0; s < n; s++, g += size) {
		float *row = t->row + (size_t)(first + s) * WIDTH;
		for (size_t i = 0; i < size; i++)
			row[code[i] & (WIDTH - 1)] += code[i] & SIGN ? -g[i] : g[i];
	}
}

/* 1 - p of each target, 0 where there is none. */
static enum err
misses(const struct model *m, struct acts *acts, const struct batch *b, float **miss)
{
	float *v;
	TRY(mem_array(&v, (size_t)b->rows, sizeof(*v), "probabilities of tokens"));
	xent(v, NULL, acts_logits(acts), b->target, NULL, b->rows, m->config.vocab);
	for (int r = 0; r < b->rows; r++)
		v[r] = -expm1f(-v[r]);
	*miss = v;
	return OK;
}

/* Rows (sequences, WIDTH) += S grad -f, of a batch run forward. d f / d logits is that of log p, over 1 - p; the sign
 * goes away in the product of two. mean (sequences) or NULL: mean (1 - p). */
static enum err
sketch_batch(const struct trak *k, struct acts *acts, const struct batch *b, float *row, float *mean)
{
	const struct model *m = &k->s->model;
	struct sketching t = { k, row };
	const struct gradients g = { .layers = &k->layers, .arg = &t, .take = sketch_take };
	float *weight;
	TRY(misses(m, acts, b, &weight));
	for (int s = 0; mean && s < b->n_seq; s++)
		for (int r = b->start[s]; r < b->start[s + 1]; r++)
			mean[s] += weight[r] / (float)(b->start[s + 1] - b->start[s]);
	for (int r = 0; r < b->rows; r++)
		weight[r] = 1 / fmaxf(weight[r], least_miss);
	acts_loss(m, acts, b, weight, NULL);
	free(weight);
	return gradients_back(&g, m->params, acts, b);
}

/* ---- the session's table ------------------------------------------------------------------------------------ */

static void
trak_free(void *table)
{
	struct trak *k = table;
	if (!k)
		return;
	row_table_free(&k->table);
	layer_set_free(&k->layers);
	free(k->at);
	free(k->code);
	free(k->gram);
	free(k);
}

static enum err
codes_make(struct trak *k, size_t n)
{
	struct rng rng;
	k->at = xcalloc((size_t)k->layers.n + 1, sizeof(*k->at));
	for (int i = 0; i < k->layers.n; i++)
		k->at[i + 1] = k->at[i] + layer_set_size(&k->layers, i);
	TRY(mem_array(&k->code, n, sizeof(*k->code), "a sketch"));
	rng_init(&rng, seed, 0);
	for (size_t i = 0; i < n; i++)
		k->code[i] = (uint16_t)(rng_u32(&rng) & (SIGN | (WIDTH - 1)));
	return OK;
}

static enum err
rows_piece(void *arg, size_t first, const struct batch *b, struct acts *acts, int worker)
{
	struct trak *k = arg;
	(void)worker;
	return sketch_batch(k, acts, b, k->table.rows + first * WIDTH, k->table.factor + first);
}

static enum err
trak_make(const struct session *s, struct job *job, void **out)
{
	struct trak *k = xcalloc(1, sizeof(*k));
	enum err err = OK;
	k->s = s;
	layer_set_make(&k->layers, &s->model);
	size_t columns = layer_set_values(&k->layers);
	TRY_OUT(row_table_new(&k->table, s, "trak", WIDTH, columns * sizeof(*k->code)));
	k->table.factor = xcalloc(k->table.n + 1, sizeof(*k->table.factor));
	TRY_OUT(codes_make(k, columns));
	job_phase(job, "gradients of all examples", k->table.n);
	struct sweep sweep = { .s = s, .forward = true, .params = s->model.params, .example = k->table.example,
		.n = k->table.n, .wide = true, .arg = k, .piece = rows_piece };
	TRY_OUT(sweep_run(&sweep, 0, job));
	TRY_OUT(row_table_factor(&k->table, s->pool, 0, WIDTH, damping, &k->gram));
	*out = k;
	k = NULL;
out:
	trak_free(k);
	return err;
}

/* ---- queries ------------------------------------------------------------------------------------------------ */

static enum err
query_row(const struct trak *k, struct acts *acts, const struct query *q, int from, int to, float *row)
{
	const struct model *m = &k->s->model;
	struct span_batch b;
	span_batch_make(&b, q, from, to);
	enum err err = model_forward(m, m->params, acts, &b.batch);
	if (err == OK)
		err = sketch_batch(k, acts, &b.batch, row, NULL);
	span_batch_free(&b);
	if (err == OK)
		row_table_solve(k->gram, WIDTH, row);
	return err;
}

static enum err
trak_spans(const struct spans *spans, float *scores, struct job *job)
{
	static const struct table_kind kind = { TABLE_TRAK, trak_make, trak_free };
	const struct session *s = spans->q[0]->session;
	void *table;
	float *row = NULL;
	enum err err = OK;
	TRY(table_of(s, &kind, job, &table));
	const struct trak *k = table;
	struct acts *acts = acts_new(&s->model);
	TRY_OUT(mem_array(&row, spans->n * WIDTH, sizeof(*row), "rows of queries"));
	job_phase(job, "gradients of the output", spans->n);
	for (size_t i = 0; i < spans->n; i++) {
		TRY_OUT(job_check(job));
		TRY_OUT(query_row(k, acts, spans->q[i], spans->from[i], spans->to[i], row + i * WIDTH));
		job_step(job, i + 1);
	}
	err = row_table_scores(&k->table, s, row, spans->n, scores, job);
out:
	acts_free(acts);
	free(row);
	return err;
}

enum err
method_trak_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return spans_one(q, from, to, trak_spans, scores, job);
}

enum err
method_trak_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	return spans_whole(q, n, trak_spans, scores, job);
}
