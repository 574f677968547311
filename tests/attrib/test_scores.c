/* Feature scores: sums of columns, agreement with exact scores, rankings that mix both, threads. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/stats.h"
#include "session_index.h"
#include "toy.h"
#include "unit.h"

struct world { struct toy toy; struct session *s; struct query *q; };

static int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	toy_new(&w->toy, &toy_small);
	w->s = toy_session(&w->toy, 1);
	w->q = toy_query(w->s, "the boat", " and the tide. no sail without a");
	assert_ok(query_scores(w->q, NULL));
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

static float *
span_scores(struct query *q, int from, int to)
{
	float *v = xcalloc(q->session->data.n, sizeof(*v));
	assert_ok(query_span_scores(q, from, to, v, NULL));
	return v;
}

static double
largest(const float *v, size_t n)
{
	double most = 0;
	for (size_t i = 0; i < n; i++)
		if (isfinite(v[i]))
			most = fmax(most, fabs((double)v[i]));
	return most;
}

/* ---- columns ---------------------------------------------------------------------------------------------------------- */

static void
test_columns_add(void **state)
{
	struct world *w = *state;
	size_t n = w->s->data.n;
	assert_ok(query_matrix(w->q, NULL));
	float *whole = span_scores(w->q, 1, 6), *left = span_scores(w->q, 1, 3), *right = span_scores(w->q, 3, 6);
	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		for (int t = 1; t < 6; t++)
			sum += w->q->matrix[i * (size_t)w->q->n_out + (size_t)t];
		assert_true(session_trained_on(w->s, i) <= (isfinite(whole[i]) != 0));
		if (!isfinite(whole[i]))
			continue;
		assert_true(fabs(sum - whole[i]) <= 1e-5 * largest(whole, n));
		assert_true(fabs((double)left[i] + right[i] - whole[i]) <= 1e-5 * largest(whole, n));
	}
	free(whole);
	free(left);
	free(right);
}

/* One example at every token, and all of them, and what is remembered of a span. */
static void
test_ways_agree(void **state)
{
	struct world *w = *state;
	size_t n = w->s->data.n, columns = (size_t)w->q->n_out;
	float *first = span_scores(w->q, 0, 2), *row = xcalloc(columns, sizeof(*row));
	assert_ok(query_matrix(w->q, NULL));
	for (uint32_t i = 0; i < n; i++) {
		const float *want = w->q->matrix + i * columns;
		assert_true(query_example_row(w->q, i, row));
		for (size_t t = 0; t < columns; t++)
			assert_true(isnan(want[t]) ? isnan(row[t])
				: fabs((double)row[t] - want[t]) <= 1e-5 * largest(w->q->matrix, n * columns));
	}
	assert_false(query_example_row(w->q, (uint32_t)n, row));
	for (int from = 0; from < w->q->n_out; from++)
		free(span_scores(w->q, from, w->q->n_out));
	float *again = span_scores(w->q, 0, 2);
	assert_memory_equal(first, again, n * sizeof(*first));
	free(first);
	free(again);
	free(row);
}

/* The whole span's gradient in one pass, against the sum of its tokens', each from a pass of its own. */
static void
test_span_features(void **state)
{
	struct world *w = *state;
	struct query *q = w->q;
	const struct index *x = w->s->index;
	int from = 2, to = 6, rows = q->n_prompt + to - 1;
	int32_t start[2] = { 0, rows }, *target = xcalloc((size_t)rows, sizeof(*target));
	for (int i = 0; i < rows; i++)
		target[i] = i + 1 >= q->n_prompt + from ? q->tokens[i + 1] : -1;
	struct batch b = { .n_seq = 1, .rows = rows, .start = start, .token = q->tokens, .target = target };
	float *scan = xcalloc(w->s->data.n, sizeof(*scan));
	struct feature_query whole;
	assert_ok(feature_query_new(&whole, &x->layout, 1, x->n_points * (to - from)));
	struct projector *p = projector_new(&w->s->model, &x->layout);
	for (int k = 0; k < x->n_points; k++)
		assert_ok(projector_query(p, x->point[k].model.params, &x->point[k].curvature, &b,
			(float)(x->scale / x->n_points), &whole, 0));
	assert_ok(features_scores(x->features, &whole, &(int){ 0 }, &(int){ 1 }, 1, scan, w->s->pool, NULL));
	feature_query_free(&whole);
	float *sum = span_scores(q, from, to);
	for (size_t r = 0; r < features_rows(x->features); r++)
		assert_true(fabs(scan[r] - (double)sum[features_example(x->features, r)]) <= 1e-4 * largest(sum, w->s->data.n));
	projector_free(p);
	free(target);
	free(scan);
	free(sum);
}

/* Asking twice does nothing; cancelled leaves nothing behind and can be asked again. */
static void
test_once_and_cancelled(void **state)
{
	struct world *w = *state;
	const struct feature_query *features = w->q->features;
	float unused;
	assert_ok(query_scores(w->q, NULL));
	assert_ptr_equal(w->q->features, features);
	struct query *q = toy_query(w->s, "no bread", " without a salt");
	struct job job;
	job_init(&job);
	job_cancel(&job);
	assert_err(query_scores(q, &job), ERR_CANCELLED);
	assert_null(q->features);
	assert_false(query_example_row(q, 0, &unused));
	assert_err(query_matrix(q, &job), ERR_CANCELLED);
	job_done(&job);
	assert_ok(query_scores(q, NULL));
	query_free(q);
}

/* ---- agreement -------------------------------------------------------------------------------------------------------- */

/* Rank agreement and slope of features with exact scores over everything that was trained on. */
static void
check_agreement(struct query *q, const char *what)
{
	const struct session *s = q->session;
	size_t n = s->data.n, k = 0;
	float *features = span_scores(q, 0, q->n_out), *exact = xcalloc(n, sizeof(*exact));
	double *x = xcalloc(n, sizeof(*x)), *y = xcalloc(n, sizeof(*y)), xy = 0, xx = 0;
	assert_ok(method_find("ekfac")->score(q, 0, q->n_out, exact, NULL));
	for (size_t i = 0; i < n; i++) {
		if (!session_trained_on(s, i))
			continue;
		x[k] = features[i];
		y[k] = exact[i];
		xy += x[k] * y[k];
		xx += x[k] * x[k];
		k++;
	}
	double agreement = stats_spearman(x, y, k), slope = xy / xx;
	print_message("# %s, features against exact: Spearman %.3f, slope %.3f, %zu examples\n", what, agreement, slope, k);
	/* Chance has a standard deviation of 1 / sqrt(k - 1). */
	assert_true(agreement > 4 / sqrt((double)k - 1));
	assert_true(slope > 0.2 && slope < 5);
	free(features);
	free(exact);
	free(x);
	free(y);
}

static void
test_agrees_with_exact(void **state)
{
	struct world *w = *state;
	check_agreement(w->q, "untied");
}

/* The other way of building a model, four bits, and projections that lose something. */
static void
test_agrees_with_exact_gpt2(void **state)
{
	(void)state;
	struct toy toy;
	struct toy_options o = toy_small;
	o.gpt2 = true;
	o.n_layer = 2;
	o.d_model = 16;
	o.d_ff = 32;
	o.k = 12;
	o.bits = 4;
	toy_new(&toy, &o);
	struct session *s = toy_session(&toy, 2);
	struct query *q = toy_query(s, "the boat", " and the tide. no sail without a");
	assert_ok(query_scores(q, NULL));
	check_agreement(q, "GPT-2");
	query_free(q);
	session_close(s);
	toy_free(&toy);
}

/* ---- rankings --------------------------------------------------------------------------------------------------------- */

static void
test_mixed_ranking(void **state)
{
	struct world *w = *state;
	struct rank_options o = { .method = method_find("influence"), .from = 0, .to = 4, .top = 100, .exact = 10 };
	struct ranking *r;
	float *features = span_scores(w->q, 0, 4);
	size_t exact = 0;
	uint32_t worst;
	assert_ok(query_rank(w->q, &o, NULL, &r));
	assert_int_equal(r->n_exact, 10);
	assert_true(r->exact_slope > 0 && r->exact_spearman >= -1 && r->exact_spearman <= 1);
	/* What features do not explain of exact scores is noise, too. */
	assert_true(r->floor > r->exact_slope * session_null_floor(w->s, 4) && isfinite(r->floor));
	for (size_t i = 0; i < r->n_top; i++) {
		const struct ranked *e = &r->top[i];
		exact += e->exact ? 1 : 0;
		assert_true(e->score > 0 && e->score == r->scores[e->example]);
		assert_true(i == 0 || e->score <= r->top[i - 1].score);
		if (!e->exact)
			assert_true(fabs(e->score - r->exact_slope * features[e->example]) <= 1e-5 * fabs((double)e->score));
	}
	for (size_t i = 0; i < r->n_bottom; i++) {
		exact += r->bottom[i].exact ? 1 : 0;
		assert_true(r->bottom[i].score < 0 && (i == 0 || r->bottom[i].score >= r->bottom[i - 1].score));
	}
	assert_int_equal(exact, 10);
	/* The worst by features is always a candidate: what it has now is not its feature score made larger. */
	assert_int_equal(stats_top(features, w->s->data.n, 1, -1, &worst), 1);
	assert_true(r->scores[worst] != (float)(r->exact_slope * features[worst]));
	for (size_t i = 0; i < w->s->data.n; i++)
		assert_true(session_trained_on(w->s, i) == (isfinite(r->scores[i]) != 0));
	ranking_free(r);
	free(features);
}

static double
mean_square(const struct session *s, const float *v)
{
	double sum = 0;
	for (size_t i = 0; i < s->data.n; i++)
		sum += session_trained_on(s, i) ? (double)v[i] * v[i] : 0;
	return sum / (double)s->run.n_train;
}

static void
test_all_exact(void **state)
{
	struct world *w = *state;
	struct rank_options o = { .method = method_find("ekfac"), .from = 1, .to = 3, .top = 5, .exact = 0 };
	struct ranking *r;
	float *exact = xcalloc(w->s->data.n, sizeof(*exact));
	assert_ok(query_rank(w->q, &o, NULL, &r));
	assert_ok(o.method->score(w->q, 1, 3, exact, NULL));
	/* The floor grows as the scores do when all of them are known. */
	float *features = span_scores(w->q, 1, 3);
	double grown = sqrt(mean_square(w->s, r->scores) / mean_square(w->s, features));
	assert_true(fabs(r->floor / session_null_floor(w->s, 2) - grown) <= 1e-3 * grown);
	free(features);
	for (size_t i = 0; i < w->s->data.n; i++)
		assert_true(session_trained_on(w->s, i) ? fabs(exact[i] - (double)r->scores[i]) <= 1e-4 * largest(exact, w->s->data.n)
			: isnan(r->scores[i]));
	for (size_t i = 0; i < r->n_top; i++)
		assert_true(r->top[i].exact);
	ranking_free(r);
	free(exact);
}

static void
test_features_alone(void **state)
{
	struct world *w = *state;
	struct rank_options o = { .method = method_find("features"), .from = 0, .to = 2, .top = 3, .exact = 50 };
	struct ranking *r;
	assert_ok(query_rank(w->q, &o, NULL, &r));
	assert_true(r->n_exact == 0 && isnan(r->exact_slope) && r->floor == session_null_floor(w->s, 2));
	assert_false(r->top[0].exact);
	ranking_free(r);
}

/* Longer spans have more to say and more noise; between the measured lengths the floor is interpolated. */
static void
test_floor(void **state)
{
	struct world *w = *state;
	double last = 0;
	for (int n = 1; n <= 64; n++) {
		double f = session_null_floor(w->s, n);
		assert_true(isfinite(f) && f > 0);
		if ((n & (n - 1)) == 0 && n > 1 && n <= 8)
			assert_true(session_null_floor(w->s, n - 1) >= fmin(last, f) && session_null_floor(w->s, n - 1) <= fmax(last, f));
		if ((n & (n - 1)) == 0)
			last = f;
	}
	assert_true(session_null_floor(w->s, 16) > session_null_floor(w->s, 1));
	double two = session_null_floor(w->s, 2), four = session_null_floor(w->s, 4);
	assert_true(fabs(session_null_floor(w->s, 3) - (two + log2(1.5) * (four - two))) <= 1e-12 * two);
	assert_true(fabs(session_null_floor(w->s, 64) - 2 * session_null_floor(w->s, 16)) <= 1e-12 * last);
}

/* ---- threads ---------------------------------------------------------------------------------------------------------- */

static void
test_threads_do_not_matter(void **state)
{
	struct world *w = *state;
	size_t n = w->s->data.n, values = n * (size_t)w->q->n_out;
	struct session *two = toy_session(&w->toy, 2);
	struct query *q = toy_query(two, "the boat", " and the tide. no sail without a");
	float *a = xcalloc(n, sizeof(*a)), *b = xcalloc(n, sizeof(*b));
	assert_ok(query_matrix(w->q, NULL));
	assert_ok(query_matrix(q, NULL));
	assert_ok(query_span_scores(w->q, 0, 3, a, NULL));
	assert_ok(query_span_scores(q, 0, 3, b, NULL));
	assert_memory_equal(a, b, n * sizeof(*a));
	assert_memory_equal(q->matrix, w->q->matrix, values * sizeof(float));
	assert_ok(method_find("ekfac")->score(w->q, 0, 3, a, NULL));
	assert_ok(method_find("ekfac")->score(q, 0, 3, b, NULL));
	assert_memory_equal(a, b, n * sizeof(*a));
	free(a);
	free(b);
	query_free(q);
	session_close(two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_add),
		cmocka_unit_test(test_ways_agree),
		cmocka_unit_test(test_span_features),
		cmocka_unit_test(test_once_and_cancelled),
		cmocka_unit_test(test_agrees_with_exact),
		cmocka_unit_test(test_agrees_with_exact_gpt2),
		cmocka_unit_test(test_mixed_ranking),
		cmocka_unit_test(test_all_exact),
		cmocka_unit_test(test_features_alone),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_threads_do_not_matter),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
