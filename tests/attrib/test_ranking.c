/* Rankings over scores that a test makes up: who is in the list, in which order, and what is refused. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "fake.h"
#include "ranking.h"
#include "unit.h"

enum { N = 12 };

/* Examples 3 (held out), 5 (opted out) and 7 (no score) are in no list; 2 and 8 tie. */
static const float made_up[N] = { 0.5f, -1, 2, 99, 0, -99, 3, NAN, 2, -0.25f, 1, -4 };

static enum err
score_made_up(struct query *q, int from, int to, float *scores, struct job *job)
{
	(void)job;
	for (size_t i = 0; i < q->session->data.n; i++)
		scores[i] = (float)(to - from) * made_up[i];
	return OK;
}

static enum err
score_fails(struct query *q, int from, int to, float *scores, struct job *job)
{
	(void)q, (void)from, (void)to, (void)scores, (void)job;
	return err_set(ERR_IO, "no scores today");
}

static const struct method simple = { .name = "made up", .score = score_made_up };

struct world { struct session s; struct query q; };

static int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	fake_session(&w->s);
	int64_t a = fake_contributor(&w->s, "a", false);
	int64_t one = fake_work(&w->s, &(struct fake_author){ a, 1 }, 1), two = fake_work(&w->s, &(struct fake_author){ a, 1 }, 1);
	for (size_t i = 0; i < N; i++)
		fake_example(&w->s, i < 4 ? one : two, i == 3, i == 5);
	w->q = (struct query){ .session = &w->s, .n_out = 6 };
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	fake_free(&w->s);
	free(w);
	return 0;
}

static void
test_order(void **state)
{
	struct world *w = *state;
	static const uint32_t best[] = { 6, 2, 8, 10, 0 }, worst[] = { 11, 1, 9 };
	struct ranking *r;
	assert_ok(query_rank(&w->q, &(struct rank_options){ .method = &simple, .from = 1, .to = 3, .top = 100, .exact = 9 },
		NULL, &r));
	assert_int_equal(r->n_top, ARRAY_LEN(best));
	assert_int_equal(r->n_bottom, ARRAY_LEN(worst));
	for (size_t i = 0; i < ARRAY_LEN(best); i++) {
		assert_int_equal(r->top[i].example, best[i]);
		assert_true(r->top[i].score == 2 * made_up[best[i]] && !r->top[i].exact);
	}
	for (size_t i = 0; i < ARRAY_LEN(worst); i++)
		assert_int_equal(r->bottom[i].example, worst[i]);
	for (size_t i = 0; i < N; i++)
		assert_true((i == 3 || i == 5 || i == 7) == (isnan(r->scores[i]) != 0));
	assert_true(isnan(r->floor) && isnan(r->exact_slope) && isnan(r->exact_spearman) && r->n_exact == 0);
	assert_true(r->method == &simple && r->from == 1 && r->to == 3);
	ranking_free(r);
}

static void
test_top_is_a_prefix(void **state)
{
	struct world *w = *state;
	for (size_t top = 0; top < N + 2; top++) {
		struct ranking *r, *whole;
		struct rank_options o = { .method = &simple, .from = 0, .to = 1, .top = top };
		assert_ok(query_rank(&w->q, &o, NULL, &r));
		o.top = N;
		assert_ok(query_rank(&w->q, &o, NULL, &whole));
		assert_int_equal(r->n_top, top < whole->n_top ? top : whole->n_top);
		assert_int_equal(r->n_bottom, top < whole->n_bottom ? top : whole->n_bottom);
		for (size_t i = 0; i < r->n_top; i++)
			assert_int_equal(r->top[i].example, whole->top[i].example);
		for (size_t i = 0; i < r->n_bottom; i++)
			assert_int_equal(r->bottom[i].example, whole->bottom[i].example);
		ranking_free(r);
		ranking_free(whole);
	}
}

/* A bracket ends where a score differs from its first by more than two standard errors of the difference. */
static void
test_brackets(void **state)
{
	(void)state;
	static const struct { float score, error; int bracket; } row[] = {
		{ 10, 1, 0 },
		{ 7.2f, 1, 0 },		/* 2.8 apart, and 2 sqrt 2 is 2.83 */
		{ 7.1f, 1, 1 },		/* 2.9 */
		{ 4.5f, 1, 1 },
		{ 3, 0.1f, 2 },		/* 4.1 against 2.01 */
		{ 2.9f, 0, 2 },		/* 0.1 against 0.2 */
		{ 2.7f, 0, 3 },
		{ 2.7f, NAN, 3 },	/* nothing is known, and nothing differs */
		{ 2.6f, NAN, 4 },
		{ -5, 100, 4 },		/* so uncertain that it could be anywhere */
	};
	struct ranked list[ARRAY_LEN(row)];
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		list[i] = (struct ranked){ .score = row[i].score, .error = row[i].error, .bracket = 77 };
	ranking_brackets(list, ARRAY_LEN(row));
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		assert_int_equal(list[i].bracket, row[i].bracket);
	ranking_brackets(NULL, 0);
}

/* How many stand out, either way; opponents' brackets count from 0 again. */
static void
test_lists(void **state)
{
	(void)state;
	static const struct { double floor; size_t above; } want[] = { { 0.5, 4 }, { 1, 3 }, { 1.34, 0 }, { 1.3, 1 }, { NAN, 6 } };
	float scores[] = { 3.5f, -4, 0.1f, NAN, -2, 3.5f, 0 };
	float error[] = { 0.5f, 0.5f, 0.5f, NAN, 0.5f, 0.5f, 0.5f };
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct ranking r = { .scores = scores, .error = error, .floor = want[i].floor };
		struct rescored done = { .example = (uint32_t[]){ 5, 1 }, .n = 2 };
		ranking_lists(&r, ARRAY_LEN(scores), 10, &done);
		assert_int_equal(r.n_above, want[i].above);
		assert_true(r.n_top == 3 && r.n_bottom == 2);
		assert_true(r.top[0].bracket == 0 && r.top[1].bracket == 0 && r.top[2].bracket == 1);
		assert_true(r.bottom[0].bracket == 0 && r.bottom[1].bracket == 1);
		assert_true(r.top[0].example == 0 && !r.top[0].exact && r.top[1].exact && r.bottom[0].exact);
		assert_true(r.top[0].error == 0.5f);
		free(r.top);
		free(r.bottom);
	}
}

/* Without a floor or other runs nothing is known of the error. */
static void
test_no_floor(void **state)
{
	struct world *w = *state;
	struct ranking *r;
	assert_ok(query_rank(&w->q, &(struct rank_options){ .method = &simple, .from = 0, .to = 1, .top = 3 }, NULL, &r));
	assert_true(r->n_runs == 1 && !r->error && !r->run_scores);
	assert_int_equal(r->n_above, N - 3);
	assert_true(isnan(r->top[0].error));
	assert_true(r->top[0].bracket == 0 && r->top[1].bracket == 1 && r->top[2].bracket == 1);
	ranking_free(r);
}

static void
test_works(void **state)
{
	struct world *w = *state;
	struct ranking *r;
	assert_ok(query_rank(&w->q, &(struct rank_options){ .method = &simple, .from = 0, .to = 1, .top = 1 }, NULL, &r));
	assert_true(ranking_work_score(r, &w->s, 10) == 1.5);
	assert_true(ranking_work_score(r, &w->s, 20) == 3 + 2 - 0.25 + 1 - 4);
	assert_true(ranking_work_score(r, &w->s, 30) == 0);
	ranking_free(r);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	static const int span[][2] = { { -1, 1 }, { 2, 2 }, { 3, 2 }, { 0, 7 }, { 6, 7 } };
	static const struct method broken = { .name = "broken", .score = score_fails };
	struct ranking *r = (struct ranking *)w;
	for (size_t i = 0; i < ARRAY_LEN(span); i++) {
		struct rank_options o = { .method = &simple, .from = span[i][0], .to = span[i][1], .top = 1 };
		assert_err(query_rank(&w->q, &o, NULL, &r), ERR_USAGE);
		assert_null(r);
	}
	assert_err(query_rank(&w->q, &(struct rank_options){ .from = 0, .to = 1 }, NULL, &r), ERR_USAGE);
	assert_err(query_rank(&w->q, &(struct rank_options){ .method = &broken, .to = 1 }, NULL, &r), ERR_IO);
	assert_string_equal(err_message(), "no scores today");
	ranking_free(NULL);
}

/* Each row of the table can be found, and says everything a screen needs. */
static void
test_table(void **state)
{
	(void)state;
	assert_string_equal(methods[0].name, "influence");
	assert_true(n_methods >= 5 && n_methods <= METHOD_MAX);
	for (int i = 0; i < n_methods; i++) {
		const struct method *m = &methods[i];
		assert_ptr_equal(method_find(m->name), m);
		assert_true(m->title && m->unit && m->evidence && m->cite && m->score);
		assert_true(m->rescore == RESCORE_NONE || m->needs_index);
	}
	assert_null(method_find("oracle"));
	assert_null(method_find(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_top_is_a_prefix),
		cmocka_unit_test(test_brackets),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_no_floor),
		cmocka_unit_test(test_works),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
