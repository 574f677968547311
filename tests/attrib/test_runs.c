/* Several runs of one recipe: which belong together, that scores are their mean and errors their spread, and what happens
 * when one of them is broken. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/stats.h"
#include "toy.h"
#include "unit.h"

enum { RUNS = 3 };
static const char *const names[RUNS] = { "toy", "eight", "nine" };
static const char prompt[] = "the boat", target[] = " and the tide. no harbour without a sail.";

struct world { struct toy toy; };

static int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct toy_options other = toy_small;
	toy_new(&w->toy, &toy_small);
	toy_again(&w->toy, &toy_small, "eight", 8, true);
	toy_again(&w->toy, &toy_small, "nine", 9, true);
	/* None of these is a peer: other examples, the same seed again, another recipe, other features, no index. */
	toy_again(&w->toy, &toy_small, "split", 10, false);
	toy_again(&w->toy, &toy_small, "twice", TOY_SEED, true);
	other.lr = 5e-3;
	toy_again(&w->toy, &other, "slow", 11, true);
	other = toy_small;
	other.k = 4;
	toy_again(&w->toy, &other, "coarse", 12, true);
	other.no_index = true;
	toy_again(&w->toy, &other, "bare", 13, true);
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	toy_free(&w->toy);
	free(w);
	return 0;
}

static struct session *
open_run(const struct world *w, const char *name, bool alone)
{
	struct session *s;
	assert_ok(session_open(w->toy.store, name, 2, &s));
	s->alone = alone;
	return s;
}

static struct ranking *
rank(struct query *q, const char *method, size_t exact)
{
	struct ranking *r;
	struct rank_options o = { .method = method_find(method), .from = 1, .to = q->n_out, .top = 1000, .exact = exact };
	assert_ok(query_rank(q, &o, NULL, &r));
	return r;
}

static void
test_who_belongs(void **state)
{
	struct world *w = *state;
	static const struct { const char *name; int runs; } want[] = { { "toy", 3 }, { "eight", 3 }, { "nine", 3 },
		{ "split", 1 }, { "twice", 3 }, { "slow", 1 }, { "coarse", 1 }, { "bare", 1 } };
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct session *s = open_run(w, want[i].name, false);
		assert_int_equal(session_runs(s), want[i].runs);
		s->alone = true;
		assert_int_equal(session_runs(s), 1);
		session_close(s);
	}
}

/* Each run's scores as it would give them by itself. */
static void
alone_scores(const struct world *w, int run, const char *method, size_t n, float *scores, double *floor)
{
	struct session *s = open_run(w, names[run], true);
	struct query *q = toy_query(s, prompt, target);
	struct ranking *r = rank(q, method, n);
	assert_true(r->n_runs == 1 && !r->run_scores && !r->run_floor);
	memcpy(scores, r->scores, n * sizeof(*scores));
	*floor = r->floor;
	ranking_free(r);
	query_free(q);
	session_close(s);
}

static void
check_mean(const struct ranking *r, size_t n, float *const own[RUNS])
{
	float size = 0;
	for (size_t i = 0; i < n; i++)
		size = isnan(own[0][i]) ? size : fmaxf(size, fabsf(own[0][i]));
	for (size_t i = 0; i < n; i++) {
		double mean = ((double)own[0][i] + own[1][i] + own[2][i]) / RUNS, squares = 0;
		for (int k = 0; k < RUNS; k++) {
			squares += (own[k][i] - mean) * (own[k][i] - mean);
			/* To the bit, but where exact scores were taken of other batches of candidates. */
			float got = r->run_scores[(size_t)k * n + i];
			assert_true(r->n_exact > 0 || memcmp(&got, &own[k][i], sizeof(got)) == 0);
			assert_true(isnan(got) || fabsf(got - own[k][i]) <= 1e-4f * size);
		}
		if (isnan(mean)) {
			assert_true(isnan(r->scores[i]) && isnan(r->error[i]));
			continue;
		}
		double error = sqrt(squares / (RUNS - 1)) / sqrt(RUNS);
		assert_true(fabs(r->scores[i] - mean) <= 1e-4 * size);
		assert_true(r->error[i] > 0 && fabs((double)r->error[i] - error) <= 1e-4 * size);
	}
}

/* Where nothing is chosen to be rescored, or everything is, a run among others says what it says alone. */
static void
test_mean_and_error(void **state)
{
	struct world *w = *state;
	static const char *const method[] = { "features", "ekfac", "influence", "hidden", "logra" };
	struct session *s = open_run(w, "toy", false);
	struct query *q = toy_query(s, prompt, target);
	size_t n = s->data.n;
	float *own[RUNS];
	for (int k = 0; k < RUNS; k++)
		own[k] = xcalloc(n, sizeof(float));
	for (size_t m = 0; m < ARRAY_LEN(method); m++) {
		double floor[RUNS];
		struct ranking *r = rank(q, method[m], n);
		assert_int_equal(r->n_runs, RUNS);
		for (int k = 0; k < RUNS; k++)
			alone_scores(w, k, method[m], n, own[k], &floor[k]);
		check_mean(r, n, own);
		double square = (floor[0] * floor[0] + floor[1] * floor[1] + floor[2] * floor[2]) / RUNS;
		assert_true(isnan(square) ? isnan(r->floor) : fabs(r->floor - sqrt(square)) <= 1e-4 * r->floor);
		ranking_free(r);
	}
	for (int k = 0; k < RUNS; k++)
		free(own[k]);
	query_free(q);
	session_close(s);
}

static void
largest(const struct ranking *r, size_t n, uint32_t *chosen, size_t want)
{
	float *size = xcalloc(n, sizeof(*size));
	for (size_t i = 0; i < n; i++)
		size[i] = fabsf(r->scores[i]);
	assert_int_equal(stats_top(size, n, want, 1, chosen), want);
	free(size);
}

/* However few the opponents among the largest scores, an eighth of the candidates are some, and the other way round. */
static void
test_candidates_of_either_sign(void **state)
{
	struct world *w = *state;
	struct session *s = open_run(w, "toy", false);
	struct query *q = toy_query(s, prompt, target);
	struct ranking *first = rank(q, "features", 0);
	uint32_t end[2];
	stats_top(first->scores, s->data.n, 1, 1, &end[0]);
	stats_top(first->scores, s->data.n, 1, -1, &end[1]);
	struct ranking *r = rank(q, "influence", 8);
	assert_int_equal(r->n_exact, 8);
	for (int side = 0; side < 2; side++) {
		bool exact = false;
		for (size_t i = 0; i < r->n_top + r->n_bottom; i++) {
			const struct ranked *e = i < r->n_top ? &r->top[i] : &r->bottom[i - r->n_top];
			exact |= e->exact && e->example == end[side];
		}
		assert_true(exact);
	}
	ranking_free(r);
	ranking_free(first);
	query_free(q);
	session_close(s);
}

/* A few candidates: chosen on the mean, and exact in every run. */
static void
test_candidates(void **state)
{
	struct world *w = *state;
	struct session *s = open_run(w, "toy", false);
	struct query *q = toy_query(s, prompt, target);
	struct ranking *r = rank(q, "influence", 6), *first = rank(q, "features", 0);
	size_t n_exact = 0;
	uint32_t chosen[6];
	largest(first, s->data.n, chosen, ARRAY_LEN(chosen));
	for (size_t i = 0; i < r->n_top + r->n_bottom; i++) {
		const struct ranked *e = i < r->n_top ? &r->top[i] : &r->bottom[i - r->n_top];
		n_exact += e->exact;
		assert_true(e->score == r->scores[e->example] && e->error == r->error[e->example]);
	}
	assert_true(r->n_exact == 6 && n_exact == 6);
	for (int k = 0; k < RUNS; k++) {
		struct session *own = open_run(w, names[k], true);
		struct query *p = toy_query(own, prompt, target);
		float exact[6];
		assert_ok(query_exact(p, 1, p->n_out, chosen, 6, exact, NULL, NULL));
		for (size_t j = 0; j < 6; j++) {
			float got = r->run_scores[(size_t)k * s->data.n + chosen[j]];
			assert_true(fabsf(got - exact[j]) <= 1e-4f * fabsf(exact[0]));
		}
		query_free(p);
		session_close(own);
	}
	ranking_free(first);
	ranking_free(r);
	query_free(q);
	session_close(s);
}

/* What only looks at texts has nothing to average; nor has a session that is to stay alone. */
static void
test_nothing_to_average(void **state)
{
	struct world *w = *state;
	struct session *s = open_run(w, "toy", false);
	struct query *q = toy_query(s, prompt, target);
	struct ranking *r = rank(q, "bm25", 0);
	assert_true(r->n_runs == 1 && !r->run_scores && !r->error && isnan(r->floor));
	assert_int_equal(r->n_above, s->run.n_train);
	ranking_free(r);
	s->alone = true;
	r = rank(q, "features", 0);
	assert_true(r->n_runs == 1 && !r->run_scores);
	for (size_t i = 0; i < s->data.n; i++)
		assert_true(session_trained_on(s, i) ? r->error[i] == (float)r->floor : isnan(r->error[i]));
	ranking_free(r);
	query_free(q);
	session_close(s);
}

/* Many queries at once say what each says by itself. */
static void
test_many(void **state)
{
	struct world *w = *state;
	static const char *const method[] = { "features", "influence", "ekfac", "tfidf" };
	struct session *s = open_run(w, "toy", false);
	struct query *q[] = { toy_query(s, prompt, target), toy_query(s, "no bread", " without a oven. a flour, then salt") };
	size_t n = s->data.n;
	float *scores = xcalloc(2 * n, sizeof(*scores));
	for (size_t m = 0; m < ARRAY_LEN(method); m++) {
		assert_ok(method_scores(method_find(method[m]), q, 2, scores, NULL));
		for (size_t k = 0; k < 2; k++) {
			struct rank_options o = { .method = method_find(method[m]), .to = q[k]->n_out, .top = 1,
				.exact = METHOD_EXACT };
			struct ranking *r;
			double size = 0;
			assert_ok(query_rank(q[k], &o, NULL, &r));
			for (size_t i = 0; i < n; i++)
				size = isnan(r->scores[i]) ? size : fmax(size, fabs((double)r->scores[i]));
			for (size_t i = 0; i < n; i++)
				assert_true(isnan(r->scores[i]) ? isnan(scores[k * n + i])
					: fabs((double)scores[k * n + i] - r->scores[i]) <= 1e-4 * size);
			ranking_free(r);
		}
	}
	free(scores);
	query_free(q[0]);
	query_free(q[1]);
	session_close(s);
}

/* A peer that is not what its journal says stops the answer, by name; alone, the run answers. Put right, all is well. */
static void
test_broken_peer(void **state)
{
	struct world *w = *state;
	struct run run;
	struct str was = {0};
	struct ranking *r;
	assert_ok(store_find_run(w->toy.store, "nine", &run));
	char *path = path_join(run.dir, "checkpoint/model.safetensors");
	assert_ok(file_read(path, (size_t)1 << 30, &was));
	was.s[was.len - 1] ^= 1;
	assert_ok(file_replace(path, was.s, was.len));
	struct session *s = open_run(w, "toy", false);
	struct query *q = toy_query(s, prompt, target);
	struct rank_options o = { .method = method_find("features"), .to = q->n_out, .top = 1 };
	assert_err(query_rank(q, &o, NULL, &r), ERR_MISMATCH);
	assert_non_null(strstr(err_message(), "nine"));
	assert_null(r);
	s->alone = true;
	assert_ok(query_rank(q, &o, NULL, &r));
	ranking_free(r);
	s->alone = false;
	was.s[was.len - 1] ^= 1;
	assert_ok(file_replace(path, was.s, was.len));
	assert_ok(query_rank(q, &o, NULL, &r));
	assert_int_equal(r->n_runs, RUNS);
	ranking_free(r);
	query_free(q);
	session_close(s);
	str_free(&was);
	free(path);
	run_free(&run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_belongs),
		cmocka_unit_test(test_mean_and_error),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_candidates_of_either_sign),
		cmocka_unit_test(test_nothing_to_average),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_broken_peer),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
