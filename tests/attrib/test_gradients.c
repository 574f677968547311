/*
 * Methods made of gradients against the formulae at the top of their files, computed in double from dense gradients of
 * the backward pass: TracIn, gradient cosine, LoGra, TRAK; and one query against many.
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/train.h"
#include "dense.h"
#include "exact.h"
#include "session_index.h"
#include "tables.h"
#include "toy.h"

enum { FROM = 1, TO = 4, QUERIES = 5 };

struct world { struct toy toy; struct session *s; struct query *q; struct layer_set layers; float *got; };

static int
world_new(void **state)
{
	static const struct toy_options tiny = { .d_model = 12, .d_ff = 20, .n_layer = 1, .n_ctx = 48, .epochs = 4, .k = 4,
		.bits = 8, .checkpoints = 3 };
	struct world *w = xcalloc(1, sizeof(*w));
	toy_new(&w->toy, &tiny);
	w->s = toy_session(&w->toy, 2);
	w->q = toy_query(w->s, "the boat", " and the tide. no sail");
	layer_set_make(&w->layers, &w->s->model);
	w->got = xcalloc(QUERIES * w->s->data.n, sizeof(*w->got));
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	free(w->got);
	layer_set_free(&w->layers);
	query_free(w->q);
	session_close(w->s);
	toy_free(&w->toy);
	free(w);
	return 0;
}

/* ---- by force ---------------------------------------------------------------------------------------------------- */

static double
inner(const struct layer_set *l, const float *x, const float *y)
{
	double sum = 0;
	for (int i = 0; i < l->n; i++) {
		size_t at = l->model->linears[l->linear[i]].w, n = layer_set_size(l, i);
		for (size_t j = at; j < at + n; j++)
			sum += (double)x[j] * y[j];
	}
	return sum;
}

static double
largest(const double *v, size_t n)
{
	double most = 0;
	for (size_t i = 0; i < n; i++)
		most = isfinite(v[i]) ? fmax(most, fabs(v[i])) : most;
	return most;
}

static void
check_scores(const struct session *s, const float *got, const double *want, double tolerance)
{
	double most = largest(want, s->data.n);
	assert_true(most > 0);
	for (size_t i = 0; i < s->data.n; i++)
		if (!session_trained_on(s, i))
			assert_true(isnan(got[i]));
		else if (!(fabs(got[i] - want[i]) <= tolerance * most))
			fail_msg("example %zu: %.9g, by force %.9g", i, got[i], want[i]);
}

/* Sum over checkpoints of weight times inner product, or cosine. */
static double *
products(const struct world *w, const double *weight, bool cosine)
{
	const struct session *s = w->s;
	double *sum = xcalloc(s->data.n, sizeof(*sum));
	for (int k = 0; k < s->index->n_points; k++) {
		const float *params = s->index->point[k].model.params;
		float *g = span_gradient(w->q, params, FROM, TO);
		double gg = inner(&w->layers, g, g);
		for (size_t i = 0; i < s->data.n; i++) {
			float *e = example_gradient(s, params, (uint32_t)i);
			double unit = cosine ? sqrt(gg * inner(&w->layers, e, e)) : 1;
			sum[i] += weight[k] * inner(&w->layers, g, e) / unit;
			free(e);
		}
		free(g);
	}
	return sum;
}

static void
test_tracin(void **state)
{
	struct world *w = *state;
	struct train_journal j;
	double weight[3], sum = 0;
	assert_ok(index_ready(w->s->index, w->s, NULL));
	assert_ok(train_journal_read(w->s->run.dir, &j));
	assert_int_equal(j.n_checkpoints, 3);
	assert_int_equal(w->s->index->n_points, 3);
	for (int k = 0; k < 3; k++)
		sum += weight[k] = j.checkpoints[k].lr;
	/* The rate falls, so the weights are not even. */
	assert_true(weight[2] > 0 && weight[2] < 0.5 * weight[0]);
	for (int k = 0; k < 3; k++)
		weight[k] /= sum;
	double *want = products(w, weight, false);
	assert_ok(method_find("tracin")->score(w->q, FROM, TO, w->got, NULL));
	check_scores(w->s, w->got, want, 1e-4);
	free(want);
	train_journal_free(&j);
}

/* As beside a checkpoint that was trained elsewhere. */
static void
test_tracin_without_journal(void **state)
{
	struct world *w = *state;
	const double even[3] = { 1 / 3., 1 / 3., 1 / 3. };
	char *path = toy_path(&w->toy, "journal.jsonl"), *aside = toy_path(&w->toy, "journal.aside");
	assert_ok(index_ready(w->s->index, w->s, NULL));
	double *want = products(w, even, false);
	assert_int_equal(rename(path, aside), 0);
	enum err err = method_find("tracin")->score(w->q, FROM, TO, w->got, NULL);
	assert_int_equal(rename(aside, path), 0);
	assert_ok(err);
	check_scores(w->s, w->got, want, 1e-4);
	free(want);
	free(path);
	free(aside);
}

static void
test_gradcos(void **state)
{
	struct world *w = *state;
	const double even[3] = { 1 / 3., 1 / 3., 1 / 3. };
	assert_ok(index_ready(w->s->index, w->s, NULL));
	double *want = products(w, even, true);
	assert_true(largest(want, w->s->data.n) <= 1);
	assert_ok(method_find("gradcos")->score(w->q, FROM, TO, w->got, NULL));
	check_scores(w->s, w->got, want, 1e-4);
	free(want);
}

/* s_i = z_q^T F^-1 z_i, F = sum over the examples trained on of z z^T + 0.1 tr / d. z (data.n + 1, d), the query's last. */
static void
solved_products(const struct session *s, const double *z, size_t d, double *sum)
{
	double *f = xcalloc(d * d, sizeof(*f)), *v = xcalloc(d, sizeof(*v)), trace = 0;
	for (size_t i = 0; i < s->data.n; i++)
		for (size_t a = 0; session_trained_on(s, i) && a < d; a++)
			for (size_t b = 0; z[i * d + a] != 0 && b < d; b++)
				f[a * d + b] += z[i * d + a] * z[i * d + b];
	for (size_t a = 0; a < d; a++)
		trace += f[a * d + a];
	for (size_t a = 0; a < d; a++)
		f[a * d + a] += 0.1 * trace / (double)d;
	memcpy(v, z + s->data.n * d, d * sizeof(*v));
	assert_ok(linalg_solve_spd(f, v, (int)d));
	for (size_t i = 0; i < s->data.n; i++)
		for (size_t a = 0; a < d; a++)
			sum[i] += v[a] * z[i * d + a];
	free(f);
	free(v);
}

/* z (ks, ka) = P_S G P_A^T */
static void
two_sided(double *z, const float *g, const struct linear *l, const float *ps, int ks, const float *pa, int ka)
{
	for (int a = 0; a < ks; a++)
		for (int b = 0; b < ka; b++) {
			double sum = 0;
			for (int o = 0; o < l->out; o++)
				for (int i = 0; i < l->in; i++)
					sum += (double)ps[a * l->out + o] * pa[b * l->in + i] * g[l->w + (size_t)(o * l->in + i)];
			z[a * ka + b] = sum;
		}
}

static void
test_logra(void **state)
{
	struct world *w = *state;
	const struct session *s = w->s;
	size_t n = s->data.n;
	double *want = xcalloc(n, sizeof(*want));
	float **g = xcalloc(n + 1, sizeof(float *));
	for (size_t i = 0; i < n; i++)
		g[i] = example_gradient(s, s->model.params, (uint32_t)i);
	g[n] = span_gradient(w->q, s->model.params, FROM, TO);
	for (int i = 0; i < w->layers.n; i++) {
		const struct linear *l = &s->model.linears[w->layers.linear[i]];
		int ka = l->in < 16 ? l->in : 16, ks = l->out < 16 ? l->out : 16;
		float *pa = xcalloc((size_t)(ka * l->in), sizeof(*pa)), *ps = xcalloc((size_t)(ks * l->out), sizeof(*ps));
		double *z = xcalloc((n + 1) * (size_t)(ka * ks), sizeof(*z));
		assert_ok(linalg_orthonormal_rows(pa, ka, l->in, 16, 2 * (uint64_t)i));
		assert_ok(linalg_orthonormal_rows(ps, ks, l->out, 16, 2 * (uint64_t)i + 1));
		for (size_t e = 0; e <= n; e++)
			two_sided(z + e * (size_t)(ka * ks), g[e], l, ps, ks, pa, ka);
		solved_products(s, z, (size_t)(ka * ks), want);
		free(pa);
		free(ps);
		free(z);
	}
	assert_ok(method_find("logra")->score(w->q, FROM, TO, w->got, NULL));
	check_scores(s, w->got, want, 1e-3);
	for (size_t i = 0; i <= n; i++)
		free(g[i]);
	free(g);
	free(want);
}

/* ---- TRAK -------------------------------------------------------------------------------------------------------- */

/* Sum of log odds of the targets; miss (rows), or NULL: 1 - p, 0 without a target. */
static double
log_odds(const struct model *m, const float *params, const int32_t *token, const int32_t *target, int rows, double *miss)
{
	int32_t start[2] = { 0, rows };
	struct batch b = { .n_seq = 1, .rows = rows, .start = start, .token = token, .target = target };
	struct acts *acts = acts_new(m);
	int vocab = m->config.vocab;
	double sum = 0;
	assert_ok(model_forward(m, params, acts, &b));
	for (int r = 0; r < rows; r++) {
		const float *logit = acts_logits(acts) + (size_t)r * (size_t)vocab;
		double other = 0;
		if (target[r] < 0)
			continue;
		for (int v = 0; v < vocab; v++)
			other += v == target[r] ? 0 : exp((double)logit[v] - logit[target[r]]);
		sum -= log(other);
		if (miss)
			miss[r] = other / (1 + other);
	}
	acts_free(acts);
	return sum;
}

/* Dense gradient of minus the summed log odds. */
static float *
odds_gradient(const struct model *m, const int32_t *token, const int32_t *target, int rows, double *mean_miss)
{
	double *miss = xcalloc((size_t)rows, sizeof(*miss)), sum = 0;
	float *weight = xcalloc((size_t)rows, sizeof(*weight));
	log_odds(m, m->params, token, target, rows, miss);
	for (int r = 0; r < rows; r++) {
		weight[r] = miss[r] > 0 ? (float)(1 / miss[r]) : 0;
		sum += miss[r];
	}
	*mean_miss = sum / rows;
	float *g = dense_gradient(m, m->params, token, target, rows, weight);
	free(miss);
	free(weight);
	return g;
}

/* The gradient is that of the log odds: a small step along it at the unembedding changes them as it says. */
static void
check_odds(const struct session *s, const int32_t *token, const int32_t *target, int rows, const float *g)
{
	const struct linear *head = &s->model.linears[s->model.n_linears - 1];
	size_t n = (size_t)head->in * (size_t)head->out;
	float *params = xcalloc(s->model.n_params, sizeof(*params));
	double square = 0, f[2];
	for (size_t i = head->w; i < head->w + n; i++)
		square += (double)g[i] * g[i];
	double step = 1e-2 / sqrt(square);
	for (int side = 0; side < 2; side++) {
		memcpy(params, s->model.params, s->model.n_params * sizeof(*params));
		for (size_t i = head->w; i < head->w + n; i++)
			params[i] += (float)(side ? step : -step) * g[i];
		f[side] = log_odds(&s->model, params, token, target, rows, NULL);
	}
	assert_true(fabs((f[0] - f[1]) / (2 * step) - square) <= 1e-2 * square);
	free(params);
}

static void
sketch(const struct world *w, const uint16_t *code, const float *g, double *row)
{
	for (int i = 0; i < w->layers.n; i++) {
		size_t at = w->s->model.linears[w->layers.linear[i]].w, n = layer_set_size(&w->layers, i);
		for (size_t j = 0; j < n; j++, code++)
			row[*code & 2047] += *code & 0x8000 ? -g[at + j] : g[at + j];
	}
}

static void
test_trak(void **state)
{
	struct world *w = *state;
	const struct session *s = w->s;
	enum { D = 2048 };
	size_t n = s->data.n, values = layer_set_values(&w->layers);
	double *z = xcalloc((n + 1) * D, sizeof(*z)), *want = xcalloc(n, sizeof(*want)), *miss = xcalloc(n + 1, sizeof(*miss));
	uint16_t *code = xcalloc(values, sizeof(*code));
	int rows = w->q->n_prompt + TO - 1;
	int32_t *target = xcalloc((size_t)rows, sizeof(*target));
	struct rng rng;
	rng_init(&rng, 2048, 0);
	for (size_t i = 0; i < values; i++)
		code[i] = (uint16_t)(rng_u32(&rng) & 0x87ff);
	for (size_t i = 0; i < n; i++) {
		const int32_t *token = s->data.token + s->data.start[i];
		int length = (int)(s->data.start[i + 1] - s->data.start[i]) - 1;
		float *g = odds_gradient(&s->model, token, token + 1, length, &miss[i]);
		sketch(w, code, g, z + i * D);
		if (i == 0)
			check_odds(s, token, token + 1, length, g);
		free(g);
	}
	for (int r = 0; r < rows; r++)
		target[r] = r + 1 >= w->q->n_prompt + FROM ? w->q->tokens[r + 1] : -1;
	float *g = odds_gradient(&s->model, w->q->tokens, target, rows, &miss[n]);
	sketch(w, code, g, z + n * D);
	solved_products(s, z, D, want);
	for (size_t i = 0; i < n; i++)
		want[i] *= miss[i];
	assert_ok(method_find("trak")->score(w->q, FROM, TO, w->got, NULL));
	check_scores(s, w->got, want, 1e-3);
	free(g);
	free(z);
	free(want);
	free(miss);
	free(code);
	free(target);
}

/* ---- one and many ------------------------------------------------------------------------------------------------ */

static void
queries_make(struct session *s, struct query **q)
{
	static const char *const target[QUERIES] = { " and the tide.", "bread without a salt. no oven", " hill", " frost, then sledge",
		" clock and the wheel. the hour" };
	for (int i = 0; i < QUERIES; i++)
		q[i] = toy_query(s, "the boat", target[i]);
}

static void
queries_free(struct query **q)
{
	for (int i = 0; i < QUERIES; i++)
		query_free(q[i]);
}

static double
size_of(const float *v, size_t n)
{
	double most = 0;
	for (size_t i = 0; i < n; i++)
		most = isfinite(v[i]) ? fmax(most, fabs((double)v[i])) : most;
	return most;
}

static void
test_many_is_one_by_one(void **state)
{
	struct world *w = *state;
	struct query *q[QUERIES];
	size_t n = w->s->data.n, seen = 0;
	float *one = xcalloc(n, sizeof(*one));
	queries_make(w->s, q);
	for (int m = 0; m < n_methods; m++) {
		if (!methods[m].score_many || methods[m].ready)
			continue;
		seen++;
		assert_ok(methods[m].score_many(q, QUERIES, w->got, NULL));
		for (size_t i = 0; i < QUERIES; i++) {
			const float *many = w->got + i * n;
			assert_ok(methods[m].score(q[i], 0, q[i]->n_out, one, NULL));
			for (size_t e = 0; e < n; e++)
				if (session_trained_on(w->s, e) && !(fabsf(one[e] - many[e]) <= 1e-4f * size_of(one, n)))
					fail_msg("%s, query %zu, example %zu: %.9g, with others %.9g", methods[m].name, i, e,
						one[e], many[e]);
		}
	}
	assert_true(seen >= 7);
	free(one);
	queries_free(q);
}

/* Where not all directions fit in memory at a time. */
static void
test_batches(void **state)
{
	struct world *w = *state;
	struct query *q[QUERIES];
	int from[QUERIES] = { 0, 1, 0, 0, 2 }, to[QUERIES];
	size_t n = QUERIES * w->s->data.n;
	float *two = xcalloc(n, sizeof(*two));
	queries_make(w->s, q);
	for (int i = 0; i < QUERIES; i++)
		to[i] = q[i]->n_out;
	const struct spans spans = { q, from, to, QUERIES };
	assert_ok(queries_exact(&spans, &exact_ekfac, 0, w->got, NULL));
	assert_ok(queries_exact(&spans, &exact_ekfac, 2, two, NULL));
	for (size_t i = 0; i < n; i++)
		assert_true(isnan(two[i]) ? isnan(w->got[i]) : fabsf(two[i] - w->got[i]) <= 1e-5f * size_of(two, n));
	free(two);
	queries_free(q);
}

/* What method_scores says is what a ranking says; the queries stay as they were, and so do spans that were asked about. */
static void
test_method_scores(void **state)
{
	struct world *w = *state;
	struct query *q[QUERIES];
	size_t n = w->s->data.n;
	queries_make(w->s, q);
	for (int m = 0; m < n_methods; m++) {
		if (methods[m].ready)
			continue;
		assert_ok(method_scores(&methods[m], q, QUERIES, w->got, NULL));
		for (size_t i = 0; i < QUERIES; i++)
			assert_true(!q[i]->matrix && !q[i]->direction);
		for (size_t i = 0; i < QUERIES * n; i++)
			assert_true(session_trained_on(w->s, i % n) == (isfinite(w->got[i]) != 0));
		struct rank_options o = { .method = &methods[m], .to = q[1]->n_out, .exact = 64 };
		struct query *fresh = toy_query(w->s, "the boat", "bread without a salt. no oven");
		struct ranking *r;
		assert_ok(query_rank(fresh, &o, NULL, &r));
		for (size_t e = 0; e < n; e++)
			if (session_trained_on(w->s, e))
				assert_true(fabsf(r->scores[e] - w->got[n + e]) <= 1e-4f * size_of(r->scores, n));
		ranking_free(r);
		query_free(fresh);
	}
	assert_ok(method_scores(&methods[0], q, 0, NULL, NULL));
	queries_free(q);
}

static void
test_threads_do_not_matter(void **state)
{
	struct world *w = *state;
	size_t n = QUERIES * w->s->data.n;
	float *got[2] = { xcalloc(n, sizeof(float)), xcalloc(n, sizeof(float)) };
	struct session *s[2] = { toy_session(&w->toy, 1), toy_session(&w->toy, 3) };
	struct query *q[2][QUERIES];
	for (int t = 0; t < 2; t++)
		queries_make(s[t], q[t]);
	for (int m = 0; m < n_methods; m++) {
		for (int t = 0; t < 2 && !methods[m].ready; t++)
			assert_ok(method_scores(&methods[m], q[t], QUERIES, got[t], NULL));
		assert_memory_equal(got[0], got[1], n * sizeof(float));
	}
	for (int t = 0; t < 2; t++) {
		queries_free(q[t]);
		session_close(s[t]);
		free(got[t]);
	}
}

static void
test_cancel(void **state)
{
	struct world *w = *state;
	struct session *s = toy_session(&w->toy, 2);
	struct query *q[QUERIES];
	struct job job;
	queries_make(s, q);
	job_init(&job);
	job_cancel(&job);
	for (int m = 0; m < n_methods; m++) {
		if (methods[m].ready)
			continue;
		assert_err(methods[m].score(q[0], 0, q[0]->n_out, w->got, &job), ERR_CANCELLED);
		assert_err(method_scores(&methods[m], q, QUERIES, w->got, &job), ERR_CANCELLED);
		assert_ok(method_scores(&methods[m], q, 1, w->got, NULL));
	}
	job_done(&job);
	queries_free(q);
	session_close(s);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	for (int m = 0; m < n_methods; m++)
		if (methods[m].score_many && strcmp(methods[m].name, "features") != 0) {
			assert_err(methods[m].score(w->q, 2, 2, w->got, NULL), ERR_USAGE);
			assert_err(methods[m].score(w->q, 0, w->q->n_out + 1, w->got, NULL), ERR_USAGE);
		}
	assert_ok(table_room("m", 1 << 20, 2048, 0));
	assert_err(table_room("m", (1 << 20) + 1, 2048, 0), ERR_LIMIT);
	assert_err(table_room("m", 1 << 20, 2048, 1), ERR_LIMIT);
	assert_err(table_room("m", SIZE_MAX, SIZE_MAX, 0), ERR_LIMIT);
	assert_err(table_room("m", 0, 0, SIZE_MAX), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tracin),
		cmocka_unit_test(test_tracin_without_journal),
		cmocka_unit_test(test_gradcos),
		cmocka_unit_test(test_logra),
		cmocka_unit_test(test_trak),
		cmocka_unit_test(test_many_is_one_by_one),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_method_scores),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
