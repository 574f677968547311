/*
 * Exact scores against linear algebra by force: for every layer and checkpoint the whole curvature matrix is formed and
 * solved in double, and the solution dotted with dense gradients from the backward pass.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/linalg.h"
#include "byline/mem.h"
#include "dense.h"
#include "direction.h"
#include "session_index.h"
#include "toy.h"
#include "unit.h"

enum { CHOSEN = 9 };

struct world { struct toy toy; struct session *s; struct query *q; };

static int
world_new(void **state)
{
	static const struct toy_options tiny = { .d_model = 4, .d_ff = 6, .n_layer = 1, .n_ctx = 48, .epochs = 4, .k = 4, .bits = 8,
		.checkpoints = 2 };
	struct world *w = xcalloc(1, sizeof(*w));
	toy_new(&w->toy, &tiny);
	w->s = toy_session(&w->toy, 1);
	w->q = toy_query(w->s, "the boat", " and the tide. no sail");
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	query_free(w->q);
	session_close(w->s);
	toy_free(&w->toy);
	free(w);
	return 0;
}

/* ---- by force ---------------------------------------------------------------------------------------------------------- */

static double
basis(const float *q, int n, int row, int column)
{
	return q ? q[row * n + column] : row == column;
}

/* h (n,n), n = out * in: (Q_S x Q_A) diag(L + damping) (Q_S x Q_A)^T */
static void
whole_curvature(const struct curvature_layer *l, double *h)
{
	size_t n = (size_t)l->out * (size_t)l->in;
	for (int p = 0; p < l->out; p++)
		for (int j = 0; j < l->in; j++) {
			double lambda = (double)l->lambda[p * l->in + j] + l->damping;
			double *u = xcalloc(n, sizeof(*u));
			for (int o = 0; o < l->out; o++)
				for (int i = 0; i < l->in; i++)
					u[o * l->in + i] = basis(l->s.q, l->out, o, p) * basis(l->a.q, l->in, i, j);
			for (size_t r = 0; r < n; r++)
				for (size_t c = 0; u[r] != 0 && c < n; c++)
					h[r * n + c] += lambda * u[r] * u[c];
			free(u);
		}
}

static void
layer_scores(const struct session *s, const struct curvature_layer *l, const float *query, float *const *example, double *sum)
{
	const struct linear *x = &s->model.linears[l->linear];
	size_t n = (size_t)l->out * (size_t)l->in;
	double *h = xcalloc(n * n, sizeof(*h)), *v = xcalloc(n, sizeof(*v));
	whole_curvature(l, h);
	for (size_t i = 0; i < n; i++)
		v[i] = query[x->w + i];
	assert_ok(linalg_solve_spd(h, v, (int)n));
	for (size_t j = 0; j < CHOSEN; j++)
		for (size_t i = 0; i < n; i++)
			sum[j] += v[i] * example[j][x->w + i];
	free(h);
	free(v);
}

static size_t
trained(const struct session *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->data.n; i++)
		n += session_trained_on(s, i) ? 1 : 0;
	return n;
}

static void
point_scores(const struct query *q, int point, int from, int to, const uint32_t *chosen, double *sum)
{
	const struct session *s = q->session;
	const struct index_checkpoint *k = &s->index->info.checkpoint[point];
	struct model m;
	struct curvature c;
	float *example[CHOSEN];
	char *dir = path_join(s->run.dir, k->path);
	assert_ok(checkpoint_load(dir, &m));
	free(dir);
	assert_ok(curvature_load(&s->index->curvature, k->name, &s->model, NULL, &c));
	float *query = span_gradient(q, m.params, from, to);
	for (size_t j = 0; j < CHOSEN; j++)
		example[j] = example_gradient(s, m.params, chosen[j]);
	for (int l = 0; l < c.n_layers; l++)
		layer_scores(s, &c.layers[l], query, example, sum);
	for (size_t j = 0; j < CHOSEN; j++)
		free(example[j]);
	free(query);
	curvature_free(&c);
	model_free(&m);
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

static void
chosen_make(uint32_t *chosen)
{
	for (uint32_t j = 0; j < CHOSEN; j++)
		chosen[j] = 3 * j + 1;
}

static double
largest(const double *v, size_t n)
{
	double most = 0;
	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(v[i]));
	return most;
}

static void
test_by_force(void **state)
{
	struct world *w = *state;
	static const int span[][2] = { { 0, 1 }, { 2, 5 } };
	uint32_t chosen[CHOSEN];
	chosen_make(chosen);
	assert_int_equal(session_checkpoints(w->s), 2);
	for (size_t i = 0; i < ARRAY_LEN(span); i++) {
		float got[CHOSEN];
		double want[CHOSEN] = {0};
		for (int k = 0; k < w->s->index->n_points; k++)
			point_scores(w->q, k, span[i][0], span[i][1], chosen, want);
		assert_ok(query_exact(w->q, span[i][0], span[i][1], chosen, CHOSEN, got, NULL, NULL));
		for (size_t j = 0; j < CHOSEN; j++)
			want[j] /= (double)trained(w->s) * w->s->index->n_points;
		assert_true(largest(want, CHOSEN) > 0);
		for (size_t j = 0; j < CHOSEN; j++)
			if (fabs(got[j] - want[j]) > 1e-3 * largest(want, CHOSEN))
				fail_msg("example %u: %.9g, by force %.9g", chosen[j], got[j], want[j]);
	}
}

static void
test_final_by_force(void **state)
{
	struct world *w = *state;
	uint32_t chosen[CHOSEN];
	double want[CHOSEN] = {0};
	float *got = xcalloc(w->s->data.n, sizeof(*got));
	chosen_make(chosen);
	point_scores(w->q, w->s->index->n_points - 1, 1, 4, chosen, want);
	assert_ok(method_find("ekfac-final")->score(w->q, 1, 4, got, NULL));
	assert_true(largest(want, CHOSEN) > 0);
	for (size_t j = 0; j < CHOSEN; j++)
		if (session_trained_on(w->s, chosen[j]))
			assert_true(fabs(got[chosen[j]] - want[j] / (double)trained(w->s))
				<= 1e-3 * largest(want, CHOSEN) / (double)trained(w->s));
	free(got);
}

static void
test_tokens_sum_to_the_score(void **state)
{
	struct world *w = *state;
	uint32_t chosen[CHOSEN];
	float score[CHOSEN], alone[CHOSEN], *token[CHOSEN];
	chosen_make(chosen);
	for (size_t j = 0; j < CHOSEN; j++)
		token[j] = xcalloc(w->s->examples[chosen[j]].n_tokens, sizeof(float));
	assert_ok(query_exact(w->q, 1, 4, chosen, CHOSEN, alone, NULL, NULL));
	assert_ok(query_exact(w->q, 1, 4, chosen, CHOSEN, score, token, NULL));
	assert_memory_equal(alone, score, sizeof(score));
	for (size_t j = 0; j < CHOSEN; j++) {
		double sum = 0, size = 0;
		for (uint32_t t = 0; t + 1 < w->s->examples[chosen[j]].n_tokens; t++) {
			sum += token[j][t];
			size += fabs((double)token[j][t]);
		}
		assert_true(size > 0 && fabs(sum - score[j]) <= 1e-5 * size);
		/* Nothing is written behind the last target. */
		assert_true(token[j][w->s->examples[chosen[j]].n_tokens - 1] == 0);
		free(token[j]);
	}
}

/* The gradient of a span is the sum of its tokens'. */
static void
test_spans_add(void **state)
{
	struct world *w = *state;
	uint32_t chosen[CHOSEN];
	float whole[CHOSEN], one[CHOSEN];
	double sum[CHOSEN] = {0}, most = 0;
	chosen_make(chosen);
	for (int t = 0; t < w->q->n_out; t++) {
		assert_ok(query_exact(w->q, t, t + 1, chosen, CHOSEN, one, NULL, NULL));
		for (size_t j = 0; j < CHOSEN; j++) {
			sum[j] += one[j];
			most = fmax(most, fabs((double)one[j]));
		}
	}
	assert_ok(query_exact(w->q, 0, w->q->n_out, chosen, CHOSEN, whole, NULL, NULL));
	for (size_t j = 0; j < CHOSEN; j++)
		assert_true(fabs(sum[j] - whole[j]) <= 1e-4 * most);
}

/* Neither the company of other examples nor asking again changes a score beyond rounding. */
static void
test_company(void **state)
{
	struct world *w = *state;
	uint32_t chosen[CHOSEN];
	float all[CHOSEN], again[CHOSEN], one;
	chosen_make(chosen);
	assert_ok(query_exact(w->q, 0, 3, chosen, CHOSEN, all, NULL, NULL));
	for (size_t j = 0; j < CHOSEN; j++) {
		assert_ok(query_exact(w->q, 0, 3, &chosen[j], 1, &one, NULL, NULL));
		assert_true(fabsf(one - all[j]) <= 1e-4f * fabsf(all[0]) + 1e-5f * fabsf(all[j]));
	}
	assert_ok(query_exact(w->q, 0, 3, chosen, CHOSEN, again, NULL, NULL));
	assert_memory_equal(all, again, sizeof(all));
	assert_ok(query_exact(w->q, 0, 3, chosen, 0, NULL, NULL, NULL));
}

/* A model too large to keep every curvature and direction in memory: read again, used and given back, the same bytes. */
static void
test_nothing_kept(void **state)
{
	struct world *w = *state;
	uint32_t chosen[CHOSEN];
	float kept[CHOSEN], not_kept[CHOSEN];
	chosen_make(chosen);
	assert_ok(query_exact(w->q, 0, 3, chosen, CHOSEN, kept, NULL, NULL));
	assert_non_null(w->q->direction->v[0]);
	struct session *s = toy_session(&w->toy, 1);
	s->index->keep = false;
	struct query *q = toy_query(s, "the boat", " and the tide. no sail");
	assert_ok(query_exact(q, 0, 3, chosen, 1, not_kept, NULL, NULL));
	assert_null(s->index->point[0].curvature.layers[0].lambda);
	q->direction->kept = false;
	direction_release(q->direction, 0);
	direction_release(q->direction, 1);
	assert_ok(query_exact(q, 0, 3, chosen, CHOSEN, not_kept, NULL, NULL));
	assert_null(q->direction->v[0]);
	assert_memory_equal(kept, not_kept, sizeof(kept));
	query_free(q);
	session_close(s);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	uint32_t beyond = (uint32_t)w->s->data.n;
	float score;
	assert_err(query_exact(w->q, 0, 1, &beyond, 1, &score, NULL, NULL), ERR_USAGE);
	assert_err(query_exact(w->q, 2, 2, &beyond, 0, &score, NULL, NULL), ERR_USAGE);
	assert_err(query_exact(w->q, 0, w->q->n_out + 1, &beyond, 0, &score, NULL, NULL), ERR_USAGE);
}

static void
test_cancel(void **state)
{
	struct world *w = *state;
	struct job job;
	uint32_t chosen[CHOSEN];
	float score[CHOSEN];
	chosen_make(chosen);
	job_init(&job);
	job_cancel(&job);
	assert_err(query_exact(w->q, 0, 2, chosen, CHOSEN, score, NULL, &job), ERR_CANCELLED);
	job_done(&job);
	assert_ok(query_exact(w->q, 0, 2, chosen, CHOSEN, score, NULL, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_force),
		cmocka_unit_test(test_final_by_force),
		cmocka_unit_test(test_tokens_sum_to_the_score),
		cmocka_unit_test(test_spans_add),
		cmocka_unit_test(test_company),
		cmocka_unit_test(test_nothing_kept),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cancel),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
