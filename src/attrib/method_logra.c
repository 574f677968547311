/*
 * Method "logra": projected gradients at the final checkpoint and the inverse of their own Fisher, a block a layer:
 *
 *   z = sum_t (P_S g_t)(P_A a_t)^T,   s_i = sum_layers z_q^T [ sum_j z_j z_j^T + 0.1 tr / d I ]^-1 z_i
 *
 * Choe et al. 2024, "What is your data worth to GPT? LLM-scale data valuation with influence functions", section 3.1: P
 * random (here with orthonormal rows), k = 16 a side, nothing whitened. Needs the weights alone: the rows of all
 * examples are made once a session.
 */
#include "byline/attrib.h"

#include <stdlib.h>

#include "byline/features.h"
#include "byline/linalg.h"
#include "byline/mem.h"
#include "query_private.h"
#include "span.h"
#include "sweep.h"
#include "tables.h"

enum { SIDE = 16 };
static const double damping = 0.1;
static const uint64_t seed = 16;

struct logra {
	struct row_table table;
	struct curvature projections;	/* of the layers nothing but p */
	struct feature_layout layout;
	double **fisher;		/* by block: the factor of its damped Fisher */
	struct projector **projector;	/* by worker, while the rows are made */
	const struct session *s;
};

/* ---- the session's table ------------------------------------------------------------------------------------ */

static void
logra_free(void *table)
{
	struct logra *l = table;
	if (!l)
		return;
	for (int i = 0; i < l->layout.n_blocks && l->fisher; i++)
		free(l->fisher[i]);
	free(l->fisher);
	row_table_free(&l->table);
	feature_layout_free(&l->layout);
	curvature_free(&l->projections);
	free(l);
}

static enum err
projection(struct curvature_side *side, int n, uint64_t stream)
{
	*side = (struct curvature_side){ .n = n, .k = SIDE < n ? SIDE : n, .mean = 1 };
	TRY(mem_array(&side->p, (size_t)side->k * (size_t)n, sizeof(float), "a projection"));
	return linalg_orthonormal_rows(side->p, side->k, n, seed, stream);
}

static enum err
projections_make(struct curvature *c, const struct model *m)
{
	int *linear, n;
	enum err err = OK;
	curvature_layers(m, &linear, &n);
	c->layers = xcalloc((size_t)n + 1, sizeof(*c->layers));
	for (int i = 0; err == OK && i < n; i++) {
		const struct linear *x = &m->linears[linear[i]];
		struct curvature_layer *l = &c->layers[c->n_layers++];
		*l = (struct curvature_layer){ .linear = linear[i], .in = x->in, .out = x->out };
		err = projection(&l->a, x->in, 2 * (uint64_t)i);
		if (err == OK)
			err = projection(&l->s, x->out, 2 * (uint64_t)i + 1);
	}
	free(linear);
	return err;
}

static enum err
rows_piece(void *arg, size_t first, const struct batch *b, struct acts *acts, int worker)
{
	struct logra *l = arg;
	(void)acts;
	if (!l->projector[worker])
		l->projector[worker] = projector_new(&l->s->model, &l->layout);
	return projector_rows(l->projector[worker], l->s->model.params, &l->projections, b, NULL, 1,
		l->table.rows + first * l->table.width);
}

static enum err
rows_make(struct logra *l, struct job *job)
{
	int threads = pool_threads(l->s->pool);
	l->projector = xcalloc((size_t)threads, sizeof(struct projector *));
	struct sweep sweep = { .s = l->s, .example = l->table.example, .n = l->table.n, .arg = l, .piece = rows_piece };
	job_phase(job, "gradients of all examples", l->table.n);
	enum err err = sweep_run(&sweep, 0, job);
	for (int i = 0; i < threads; i++)
		projector_free(l->projector[i]);
	free(l->projector);
	l->projector = NULL;
	return err;
}

static enum err
fisher_make(struct logra *l)
{
	l->fisher = xcalloc((size_t)l->layout.n_blocks + 1, sizeof(*l->fisher));
	for (int i = 0; i < l->layout.n_blocks; i++) {
		const struct feature_block *b = &l->layout.block[i];
		TRY(row_table_factor(&l->table, l->s->pool, b->at, b->ka * b->ks, damping, &l->fisher[i]));
	}
	return OK;
}

static enum err
logra_make(const struct session *s, struct job *job, void **out)
{
	struct logra *l = xcalloc(1, sizeof(*l));
	enum err err = OK;
	l->s = s;
	TRY_OUT(projections_make(&l->projections, &s->model));
	feature_layout_make(&l->layout, &s->model, &l->projections, 8);
	TRY_OUT(row_table_new(&l->table, s, "logra", l->layout.width, 0));
	TRY_OUT(rows_make(l, job));
	TRY_OUT(fisher_make(l));
	*out = l;
	l = NULL;
out:
	logra_free(l);
	return err;
}

/* ---- queries ------------------------------------------------------------------------------------------------ */

static enum err
query_row(const struct logra *l, struct projector *p, const struct query *q, int from, int to, float *row)
{
	struct span_batch b;
	span_batch_make(&b, q, from, to);
	enum err err = projector_rows(p, l->s->model.params, &l->projections, &b.batch, NULL, 1, row);
	span_batch_free(&b);
	for (int i = 0; err == OK && i < l->layout.n_blocks; i++) {
		const struct feature_block *block = &l->layout.block[i];
		row_table_solve(l->fisher[i], block->ka * block->ks, row + block->at);
	}
	return err;
}

static enum err
logra_spans(const struct spans *spans, float *scores, struct job *job)
{
	static const struct table_kind kind = { TABLE_LOGRA, logra_make, logra_free };
	const struct session *s = spans->q[0]->session;
	void *table;
	float *row = NULL;
	enum err err = OK;
	TRY(table_of(s, &kind, job, &table));
	const struct logra *l = table;
	struct projector *p = projector_new(&s->model, &l->layout);
	TRY_OUT(mem_array(&row, spans->n * l->table.width, sizeof(*row), "rows of queries"));
	job_phase(job, "gradients of the output", spans->n);
	for (size_t i = 0; i < spans->n; i++) {
		TRY_OUT(job_check(job));
		TRY_OUT(query_row(l, p, spans->q[i], spans->from[i], spans->to[i], row + i * l->table.width));
		job_step(job, i + 1);
	}
	err = row_table_scores(&l->table, s, row, spans->n, scores, job);
out:
	projector_free(p);
	free(row);
	return err;
}

enum err
method_logra_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return spans_one(q, from, to, logra_spans, scores, job);
}

enum err
method_logra_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	return spans_whole(q, n, logra_spans, scores, job);
}
