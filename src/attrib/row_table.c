/* row_table: rows of numbers, multiplied with themselves and with queries. */
#include "tables.h"

#include <math.h>
#include <stdlib.h>

#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "fault.h"
#include "sweep.h"

enum { GRAM_ROWS = 64, SCORE_ROWS = 256 };	/* of a piece */

enum err
row_table_new(struct row_table *t, const struct session *s, const char *method, size_t width, size_t more_bytes)
{
	*t = (struct row_table){ .width = width };
	t->n = sweep_trained(s, &t->example);
	enum err err = table_room(method, t->n, width * sizeof(float), more_bytes);
	if (err == OK)
		err = mem_array(&t->rows, t->n * width, sizeof(float), "a row for each example");
	if (err != OK)
		row_table_free(t);
	return err;
}

void
row_table_free(struct row_table *t)
{
	free(t->example);
	free(t->rows);
	free(t->factor);
	*t = (struct row_table){0};
}

struct gram { const struct row_table *t; size_t at; int width; float *gram; };

static void
gram_run(void *arg, size_t i, int worker)
{
	const struct gram *g = arg;
	int from = (int)i * GRAM_ROWS, n = g->width - from < GRAM_ROWS ? g->width - from : GRAM_ROWS;
	const float *rows = g->t->rows + g->at;
	(void)worker;
	mm_at(n, g->width, (int)g->t->n, 1, rows + from, (int)g->t->width, rows, (int)g->t->width, 0,
		g->gram + (size_t)from * (size_t)g->width, g->width);
}

enum err
row_table_factor(const struct row_table *t, struct pool *pool, size_t at, int width, double damping, double **factor)
{
	size_t n = (size_t)width;
	struct gram g = { t, at, width, NULL };
	double *f = NULL, trace = 0;
	enum err err = OK;
	TRY_OUT(mem_array(&g.gram, n * n, sizeof(*g.gram), "products of gradients"));
	TRY_OUT(mem_array(&f, n * n, sizeof(*f), "products of gradients"));
	pool_run(pool, (n + GRAM_ROWS - 1) / GRAM_ROWS, gram_run, &g);
	for (size_t i = 0; i < n; i++)
		trace += g.gram[i * n + i];
	for (size_t i = 0; i < n * n; i++)
		f[i] = g.gram[i];
	/* Where no gradient arrives there is nothing to solve; 1 keeps it finite. */
	for (size_t i = 0; i < n; i++)
		f[i * n + i] += trace > 0 ? damping * trace / width : 1;
	TRY_OUT(linalg_factor_spd(f, width));
	*factor = f;
	f = NULL;
out:
	free(g.gram);
	free(f);
	return err;
}

void
row_table_solve(const double *factor, int width, float *v)
{
	double *x = xcalloc((size_t)width, sizeof(*x));
	for (int i = 0; i < width; i++)
		x[i] = v[i];
	linalg_factor_solve(factor, x, width);
	for (int i = 0; i < width; i++)
		v[i] = (float)x[i];
	free(x);
}

struct scoring {
	const struct row_table *t;
	const float *query;
	size_t n, examples;
	float *scores;
	struct fault fault;
};

static void
scores_run(void *arg, size_t i, int worker)
{
	struct scoring *c = arg;
	const struct row_table *t = c->t;
	size_t from = i * SCORE_ROWS, rows = t->n - from < SCORE_ROWS ? t->n - from : SCORE_ROWS;
	float *product = xcalloc(rows * c->n, sizeof(*product));
	(void)worker;
	if (fault_go(&c->fault))
		mm_bt((int)rows, (int)c->n, (int)t->width, 1, t->rows + from * t->width, (int)t->width, c->query,
			(int)t->width, 0, product, (int)c->n);
	for (size_t j = from; j < from + rows; j++)
		for (size_t q = 0; q < c->n; q++)
			c->scores[q * c->examples + t->example[j]] = product[(j - from) * c->n + q]
				* (t->factor ? t->factor[j] : 1);
	free(product);
}

enum err
row_table_scores(const struct row_table *t, const struct session *s, const float *query, size_t n, float *scores,
	struct job *job)
{
	struct scoring c = { .t = t, .query = query, .n = n, .examples = s->data.n, .scores = scores };
	for (size_t i = 0; i < n * s->data.n; i++)
		scores[i] = NAN;
	job_phase(job, "comparing", 0);
	fault_init(&c.fault, job);
	pool_run(s->pool, (t->n + SCORE_ROWS - 1) / SCORE_ROWS, scores_run, &c);
	return fault_end(&c.fault);
}
