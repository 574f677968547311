/* Shares and works of contributors in a ranking, over a session with nothing behind it. */
#include "byline/credit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/store.h"
#include "fake.h"
#include "unit.h"

/*
 * Ann and Ben wrote work 10 (3/4 and 1/4, two examples), Ann work 20, nobody known work 30, Cleo work 40 and has opted out,
 * Dan's work 50 was held out, Eve's work 60 spoke against the output. Threshold 0.5.
 */
static const float scores[] = { 4, 1, 0.5f, 2, NAN, NAN, -3 };
enum { ANN = 1, BEN, NOBODY, CLEO, DAN, EVE };

struct world { struct session s; struct ranking r; };

static int
world_new(void **state)
{
	static const struct { const char *name; bool out; } people[] = {
		{ "Ann", false }, { "Ben", false }, { UNKNOWN, false }, { "Cleo", true }, { "Dan", false }, { "Eve", false } };
	struct world *w = xcalloc(1, sizeof(*w));
	fake_session(&w->s);
	for (size_t i = 0; i < ARRAY_LEN(people); i++)
		fake_contributor(&w->s, people[i].name, people[i].out);
	int64_t both = fake_work(&w->s, (struct fake_author[]){ { ANN, 0.75 }, { BEN, 0.25 } }, 2);
	fake_example(&w->s, both, false, false);
	fake_example(&w->s, both, false, false);
	fake_example(&w->s, fake_work(&w->s, &(struct fake_author){ ANN, 1 }, 1), false, false);
	fake_example(&w->s, fake_work(&w->s, &(struct fake_author){ NOBODY, 1 }, 1), false, false);
	fake_example(&w->s, fake_work(&w->s, &(struct fake_author){ CLEO, 1 }, 1), false, true);
	fake_example(&w->s, fake_work(&w->s, &(struct fake_author){ DAN, 1 }, 1), true, false);
	fake_example(&w->s, fake_work(&w->s, &(struct fake_author){ EVE, 1 }, 1), false, false);
	w->r = (struct ranking){ .floor = 0.5 / CREDIT_FLOORS, .scores = xcalloc(ARRAY_LEN(scores), sizeof(float)) };
	for (size_t i = 0; i < ARRAY_LEN(scores); i++)
		w->r.scores[i] = scores[i];
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	fake_free(&w->s);
	free(w->r.scores);
	free(w);
	return 0;
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12;
}

/* Beyond the threshold of 0.5: 3.5, 0.5, 0, 1.5; within it 0.5 four times and -0.5 once, which is 1.5: 7 in all. */
static void
test_shares(void **state)
{
	struct world *w = *state;
	static const struct { int64_t id; double share, score; int64_t works, examples; bool out; } want[] = {
		{ ANN, 3.0 / 7, 4.25, 2, 3, false },
		{ NOBODY, 1.5 / 7, 2, 1, 1, false },
		{ BEN, 1.0 / 7, 1.25, 1, 2, false },
		{ CLEO, 0, 0, 1, 0, true },
		{ DAN, 0, 0, 1, 0, false },
		{ EVE, 0, -3, 1, 1, false },
	};
	struct shares sh;
	double sum = 0;
	assert_ok(credit_shares(&w->s, &w->r, &sh));
	assert_int_equal(sh.n, ARRAY_LEN(want));
	for (size_t i = 0; i < sh.n; i++) {
		const struct contribution *c = &sh.c[i];
		assert_int_equal(c->contributor, want[i].id);
		assert_true(near(c->share, want[i].share) && near(c->score, want[i].score));
		assert_true(c->works == want[i].works && c->examples == want[i].examples && c->opted_out == want[i].out);
		assert_ptr_equal(c->name, session_contributor(&w->s, want[i].id)->name);
		sum += c->share;
	}
	assert_string_equal(sh.c[1].name, UNKNOWN);
	assert_true(near(sh.residual, 1.0 - 5.5 / 7) && near(sum + sh.residual, 1));
	shares_free(&sh);
	assert_null(sh.c);
}

/* Two runs that disagree, and their mean: half the difference of their shares is the error, and ranks span both. */
static void
test_errors(void **state)
{
	struct world *w = *state;
	enum { N = ARRAY_LEN(scores) };
	static const float second[] = { 0.5f, 1, 0.5f, 6, NAN, NAN, -3 };
	static const struct { int64_t id; double share, one, two; size_t lo, hi; } want[] = {
		{ NOBODY, 3.5 / 7.25, 1.5 / 7, 5.5 / 7.5, 1, 2 },
		{ ANN, 1.6875 / 7.25, 3.0 / 7, 0.375 / 7.5, 1, 2 },
		{ BEN, 0.5625 / 7.25, 1.0 / 7, 0.125 / 7.5, 3, 3 },
	};
	float both[2 * N], mean[N];
	double floor[] = { w->r.floor, w->r.floor };
	for (size_t i = 0; i < N; i++) {
		both[i] = scores[i];
		both[N + i] = second[i];
		mean[i] = (scores[i] + second[i]) / 2;
	}
	struct ranking r = { .floor = w->r.floor, .scores = mean, .run_scores = both, .run_floor = floor, .n_runs = 2 };
	struct shares sh;
	assert_ok(credit_shares(&w->s, &r, &sh));
	assert_int_equal(sh.n_runs, 2);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct contribution *c = &sh.c[i];
		assert_true(c->contributor == want[i].id && near(c->share, want[i].share));
		assert_true(near(c->error, fabs(want[i].one - want[i].two) / 2));
		assert_true(c->rank == i + 1 && c->rank_lo == want[i].lo && c->rank_hi == want[i].hi);
	}
	assert_true(near(sh.residual_error, fabs(1.5 / 7 - 1.5 / 7.5) / 2));
	shares_free(&sh);
	assert_ok(credit_shares(&w->s, &w->r, &sh));
	assert_true(sh.n_runs == 1 && isnan(sh.c[0].error) && isnan(sh.residual_error));
	assert_true(sh.c[0].rank_lo == 1 && sh.c[0].rank_hi == 1);
	shares_free(&sh);
}

static void
test_nothing_trained_on(void **state)
{
	struct world *w = *state;
	struct ranking none = { .floor = NAN, .scores = xcalloc(ARRAY_LEN(scores), sizeof(float)) };
	struct shares sh;
	for (size_t i = 0; i < ARRAY_LEN(scores); i++)
		none.scores[i] = NAN;
	assert_ok(credit_shares(&w->s, &none, &sh));
	assert_true(sh.n == 6 && sh.residual == 1);
	/* All alike: by name, and in ASCII capitals come first. */
	assert_string_equal(sh.c[0].name, "Ann");
	assert_string_equal(sh.c[5].name, UNKNOWN);
	shares_free(&sh);
	free(none.scores);
}

static void
test_works(void **state)
{
	struct world *w = *state;
	struct work_score *ws;
	size_t n;
	assert_ok(credit_works(&w->s, &w->r, ANN, &ws, &n));
	assert_int_equal(n, 2);
	assert_true(ws[0].work->id == 10 && near(ws[0].score, 0.75 * 5) && ws[0].part == 0.75);
	assert_true(ws[1].work->id == 20 && near(ws[1].score, 0.5) && ws[1].part == 1);
	free(ws);
	assert_ok(credit_works(&w->s, &w->r, DAN, &ws, &n));
	assert_true(n == 1 && ws[0].score == 0);
	free(ws);
	assert_err(credit_works(&w->s, &w->r, 77, &ws, &n), ERR_MISSING);
	assert_null(ws);
}

/* ---- in saved queries ---- */

static void
test_saved(void **state)
{
	struct world *w = *state;
	const struct method method = { .name = "imported", .unit = "units" };
	struct shares sh;
	struct saved_share s;
	struct str text = {0};
	json_t *o = json_object();
	w->r.method = &method;
	assert_ok(credit_shares(&w->s, &w->r, &sh));
	credit_put_standing(&w->r, o);
	credit_put_shares(&sh, false, o);
	json_print(&text, o, 0);
	for (size_t i = 0; i < sh.n; i++) {
		assert_true(credit_saved_share(text.s, sh.c[i].name, &s));
		assert_true(fabs(s.share - sh.c[i].share) < 1e-12 && isnan(s.error));
		assert_int_equal(s.rank, sh.c[i].share > 0 ? i + 1 : 0);
		assert_string_equal(s.method, "imported");
		saved_share_free(&s);
	}
	str_free(&text);
	json_decref(o);
	shares_free(&sh);
}

/* Those who have most are listed, and of the others their number and sum; nothing false is read of who is not there. */
static void
test_saved_many(void **state)
{
	enum { N = 4000 };
	(void)state;
	struct shares sh = { .c = xcalloc(N, sizeof(*sh.c)), .n = N, .residual = 0.5, .residual_error = (double)NAN };
	char (*name)[8] = xcalloc(N, sizeof(*name));
	struct saved_share s;
	struct str text = {0};
	json_t *o = json_object();
	double sum = 0, others;
	for (size_t i = 0; i < N; i++) {
		snprintf(name[i], sizeof(*name), "P%zu", i);
		sh.c[i] = (struct contribution){ .name = name[i], .share = i < N - 50 ? (double)(N - i) * 6e-8 : 0,
			.error = (double)NAN };
		sum += sh.c[i].share;
	}
	credit_put_shares(&sh, false, o);
	json_print(&text, o, 0);
	assert_in_range(text.len, 1000, 100 * 200);
	others = json_number_value(json_object_get(json_object_get(o, "others"), "share"));
	for (size_t i = 0; i < 102; i++) {
		assert_true(credit_saved_share(text.s, name[i], &s));
		assert_int_equal(s.of, N - 50);
		assert_int_equal(s.rank, i < 100 ? i + 1 : 0);
		assert_true(near(s.share, i < 100 ? sh.c[i].share : 0));
		assert_true(near(s.below, i < 100 ? 0 : sh.c[99].share));
		sum -= s.share;
	}
	assert_true(fabs(sum - others) < 1e-9);
	str_free(&text);
	json_decref(o);
	free(name);
	free(sh.c);
}

static void
test_saved_by_strangers(void **state)
{
	static const char *const without[] = { "", "{", "[]", "{\"contributors\": 5}", "{\"method\": \"x\"}" };
	struct saved_share s;
	(void)state;
	assert_false(credit_saved_share(NULL, "Ann", &s));
	for (size_t i = 0; i < ARRAY_LEN(without); i++)
		assert_false(credit_saved_share(without[i], "Ann", &s));
	assert_true(credit_saved_share("{\"contributors\": [7, {\"name\": \"Ann\", \"share\": 2}, {\"name\": \"Ben\","
		" \"share\": 0.5, \"error\": -1}]}", "Ann", &s));
	assert_true(s.rank == 0 && s.share == 0 && s.of == 3 && !s.method);
	assert_true(credit_saved_share("{\"contributors\": [7, {\"name\": \"Ben\", \"share\": 0.5, \"error\": -1}]}",
		"Ben", &s));
	assert_true(s.rank == 2 && s.share == 0.5 && isnan(s.error));
	saved_share_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_nothing_trained_on),
		cmocka_unit_test(test_works),
		cmocka_unit_test(test_saved),
		cmocka_unit_test(test_saved_many),
		cmocka_unit_test(test_saved_by_strangers),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
