/* A report's way to its file and back, what is refused on the way, and the numbers of a bank made by formula. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/trust/trust_private.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"

/* ---- the file --------------------------------------------------------------------------------------------------- */

static const struct interval unmeasured = { NAN, NAN, NAN };

static struct trust *
report_new(void)
{
	struct trust *t = xcalloc(1, sizeof(*t));
	*t = (struct trust){ .n_queries = 80, .n_heldout = 40, .n_generated = 40, .n_subsets = 60,
		.n_other_subsets = 24,
		.n_contributors = 12, .span = 64, .alpha = 0.5, .seed = 7, .run_seed = UINT64_MAX, .other_seed = 8,
		.ceiling_other_seed = 0.6, .ceiling_lo = 0.5, .ceiling_hi = 0.7, .floor = 0.125, .duplicates = NAN,
		.randomised = -0.25, .measured = 1795000000 };
	t->n_methods = 2;
	t->method = xcalloc(2, sizeof(*t->method));
	t->method[0] = (struct method_trust){ .name = "influence", .is_default = true, .lds = { 0.3, 0.25, 0.35 },
		.lds_heldout = { 0.31, 0.2, 0.4 }, .lds_generated = unmeasured, .lds_other_seed = { 0.2, 0.1, 0.3 },
		.lds_less_default = unmeasured, .contributor_r = 0.5, .contributor_r_size = -0.5,
		.contributor_partial = NAN, .slope = -1.5, .slope_error = 0.25, .ndcg20 = 0.875, .cardinality = 0.75,
		.bytes_per_example = 18000, .seconds_per_query = 0.5 };
	t->method[1] = t->method[0];
	t->method[1].is_default = false;
	t->method[1].lds_less_default = (struct interval){ -0.2, -0.3, -0.1 };
	snprintf(t->method[1].name, sizeof(t->method[1].name), "bm25");
	t->n_points = 3;
	t->point = xcalloc(3, sizeof(*t->point));
	for (int i = 0; i < 3; i++)
		t->point[i] = (struct calibration_point){ 0.1 * i, -0.3 * i };
	memset(t->index, 'a', HASH_HEX - 1);
	return t;
}

static char *
folder_new(void)
{
	char *dir = xstrdup("/tmp/byline-trust-XXXXXX"), *bank;
	assert_non_null(mkdtemp(dir));
	bank = path_join(dir, "bank");
	assert_ok(file_mkdirs(bank));
	free(bank);
	return dir;
}

static void
test_round_trip(void **state)
{
	(void)state;
	struct trust *t = report_new(), *back;
	char *dir = folder_new();
	assert_err(trust_read(dir, &back), ERR_MISSING);
	assert_null(back);
	assert_ok(trust_write(dir, t));
	assert_ok(trust_read(dir, &back));
	json_t *a = trust_json(t), *b = trust_json(back);
	assert_true(json_equal(a, b));
	assert_true(back->run_seed == UINT64_MAX && back->n_points == 3 && isnan(back->duplicates));
	assert_true(back->method[0].lds.lo == 0.25 && isnan(back->method[0].lds_generated.value));
	assert_true(trust_method(back, "bm25") == &back->method[1] && !trust_method(back, "random"));
	assert_null(trust_method(NULL, "bm25"));
	json_decref(a);
	json_decref(b);
	trust_free(t);
	trust_free(back);
	assert_ok(file_remove_tree(dir));
	free(dir);
}

/* The names that scripts rely on: see byline-eval(1). */
static void
test_keys(void **state)
{
	(void)state;
	static const char *const key[] = { "method", "default", "lds", "lds_lo", "lds_hi", "lds_other_seed",
		"ceiling_other_seed", "lds_heldout", "lds_generated", "contributor_r", "ndcg20", "bytes_per_example" };
	struct trust *t = report_new();
	json_t *o = trust_json(t), *m = json_array_get(json_object_get(o, "methods"), 0);
	for (size_t i = 0; i < ARRAY_LEN(key); i++)
		assert_non_null(json_object_get(m, key[i]));
	assert_true(json_is_null(json_object_get(m, "lds_generated")) && json_is_true(json_object_get(m, "default")));
	assert_true(json_integer_value(json_object_get(o, "subsets")) == 60);
	assert_true(json_real_value(json_object_get(m, "ceiling_other_seed")) == 0.6);
	json_decref(o);
	trust_free(t);
}

static void
refuses(const char *where, const char *key, json_t *value, enum err want)
{
	struct trust *t = report_new(), *out;
	json_t *o = trust_json(t), *at = o;
	if (strcmp(where, "method") == 0)
		at = json_array_get(json_object_get(o, "methods"), 1);
	if (strcmp(where, "point") == 0)
		at = json_array_get(json_object_get(o, "calibration"), 1);
	json_object_set_new(at, key, value);
	assert_err(trust_parse(o, "trust.json", &out), want);
	assert_null(out);
	assert_true(strlen(err_message()) > 0);
	json_decref(o);
	trust_free(t);
}

static void
test_refused(void **state)
{
	(void)state;
	json_t *many = json_array();
	for (int i = 0; i <= TRUST_POINTS; i++)
		json_array_append_new(many, json_pack("{s:f, s:f}", "predicted", 1.0, "observed", 1.0));
	refuses("", "version", json_integer(2), ERR_UNSUPPORTED);
	refuses("", "queries", json_integer(-1), ERR_FORMAT);
	refuses("", "queries", json_integer(10), ERR_FORMAT);
	refuses("", "subsets", json_integer((json_int_t)1 << 40), ERR_FORMAT);
	refuses("", "seed", json_string("12x"), ERR_FORMAT);
	refuses("", "seed", json_string("-1"), ERR_FORMAT);
	refuses("", "seed", json_string("99999999999999999999999"), ERR_FORMAT);
	refuses("", "alpha", json_real(1.5), ERR_FORMAT);
	refuses("", "ceiling_other_seed_lo", json_real(0.9), ERR_FORMAT);
	refuses("", "index", json_string("abc"), ERR_FORMAT);
	refuses("", "methods", json_object(), ERR_FORMAT);
	refuses("", "calibration", many, ERR_FORMAT);
	refuses("method", "method", json_string("influence"), ERR_FORMAT);
	refuses("method", "method", json_string("\033[2J"), ERR_FORMAT);
	refuses("method", "method", json_string(""), ERR_FORMAT);
	refuses("method", "method", json_string("a-name-that-is-longer-than-31-bytes"), ERR_FORMAT);
	refuses("method", "lds", json_real(1.01), ERR_FORMAT);
	refuses("method", "lds_lo", json_real(0.9), ERR_FORMAT);
	refuses("method", "lds", json_string("0.3"), ERR_FORMAT);
	refuses("method", "default", json_true(), ERR_FORMAT);
	refuses("method", "bytes_per_example", json_real(0.5), ERR_FORMAT);
	refuses("point", "observed", json_null(), ERR_FORMAT);
}

/* ---- a bank made by formula ------------------------------------------------------------------------------------- */

enum { QUERIES = 8, EXAMPLES = 40, SUBSETS = 50, OTHERS = 20, PEOPLE = 5, TOKENS = 4 };

struct made {
	struct bank bank;
	struct session session;
	struct bank_query query[QUERIES];
	struct bank_member member[SUBSETS + OTHERS + PEOPLE + 1];
	double own[QUERIES];
	float worth[QUERIES * EXAMPLES];	/* nats of a span, by each example */
};

/* The bank's own, of members made up here: contributor c wrote every fifth example from c on. */
void
bank_drop(const struct bank *b, const struct bank_member *m, uint8_t *drop)
{
	memset(drop, 0, b->session->data.n);
	if (m->kind == MEMBER_SUBSET)
		retrain_subset(&b->session->data, b->options.alpha, b->options.seed, (int)m->number, drop);
	for (size_t i = 0; m->kind == MEMBER_WITHOUT && i < b->session->data.n; i++)
		drop[i] = !b->session->data.heldout[i] && (int64_t)(i % PEOPLE) == m->number;
}

static double
value_of(const struct made *w, int q, const uint8_t *drop)
{
	double sum = 0;
	for (size_t i = 0; i < EXAMPLES; i++)
		if (!drop[i] && !w->session.data.heldout[i])
			sum += w->worth[(size_t)q * EXAMPLES + i];
	return sum / w->query[q].n_out;
}

/* A subset's outcome is what its examples are worth, at another level for another seed. */
static void
member_add(struct made *w, enum member_kind kind, int64_t number, uint64_t seed, bool done)
{
	struct bank_member *m = &w->member[w->bank.n_members++];
	uint8_t drop[EXAMPLES];
	*m = (struct bank_member){ .kind = kind, .number = number, .seed = seed, .done = done };
	if (!done)
		return;
	m->outcome = xcalloc(QUERIES, sizeof(double));
	bank_drop(&w->bank, m, drop);
	for (int q = 0; q < QUERIES; q++)
		m->outcome[q] = (seed == 7 ? -2 : -3) + value_of(w, q, drop);
}

static void
examples_make(struct made *w)
{
	static const int32_t token[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	for (size_t i = 0; i < EXAMPLES; i++)
		dataset_add(&w->session.data, token, 3 + i % 4, i % 10 == 9);
}

static struct made *
made_new(void)
{
	struct made *w = xcalloc(1, sizeof(*w));
	struct rng r;
	rng_init(&r, 1, 1);
	examples_make(w);
	w->bank = (struct bank){ .session = &w->session, .query = w->query, .n_queries = QUERIES, .member = w->member,
		.own = w->own, .options = { .alpha = 0.5, .seed = 3, .span = TOKENS } };
	w->bank.retraining.journal.options.seed = 7;
	for (int q = 0; q < QUERIES; q++)
		w->query[q] = (struct bank_query){ .n_prompt = 1, .n_out = TOKENS, .generated = q % 2 };
	for (int i = 0; i < QUERIES * EXAMPLES; i++)
		w->worth[i] = (float)rng_normal(&r);
	for (int q = 0; q < QUERIES; q++)
		w->own[q] = -2 + value_of(w, q, w->session.data.heldout);
	/* The last of each kind is still being made, and seed 9 is behind seed 8. */
	for (int j = 0; j < SUBSETS; j++)
		member_add(w, MEMBER_SUBSET, j, 7, j < SUBSETS - 1);
	for (int j = 0; j < OTHERS; j++)
		member_add(w, MEMBER_SUBSET, j, j < OTHERS - 3 ? 8 : 9, j != OTHERS - 1);
	for (int j = 0; j < PEOPLE; j++)
		member_add(w, MEMBER_WITHOUT, j, 7, true);
	for (int q = 0; q < QUERIES; q++)
		for (size_t i = 0; i < EXAMPLES; i++)
			if (w->session.data.heldout[i])
				w->worth[(size_t)q * EXAMPLES + i] = NAN;
	return w;
}

static void
made_free(struct made *w)
{
	for (int i = 0; i < w->bank.n_members; i++)
		free(w->member[i].outcome);
	dataset_free(&w->session.data);
	free(w);
}

static void
test_truth(void **state)
{
	(void)state;
	struct made *w = made_new();
	struct truth t;
	truth_gather(&w->bank, &t);
	assert_int_equal(t.same.n, SUBSETS - 1);
	assert_int_equal(t.other.n, OTHERS - 3);
	assert_int_equal(t.both.n, OTHERS - 3);
	assert_int_equal(t.without.n, PEOPLE);
	assert_true(t.other_seed == 8);
	for (int q = 0; q < QUERIES; q++) {
		assert_int_equal(t.generated[q], q % 2);
		assert_int_equal(t.heldout[q], !(q % 2));
		for (int j = 0; j < t.both.n; j++)
			assert_true(fabs(t.both.outcome[q * t.both.n + j] - t.other_of_both[q * t.both.n + j] - 1)
				< 1e-9);
	}
	/* Contributor 4 wrote examples 4, 9, 14, ... of which 9, 19, ... were held out. */
	assert_true(t.size[4] == 2 + 4 + 2 + 4);
	assert_int_equal(t.without.drop[4 * EXAMPLES + 9], 0);
	truth_free(&t);
	made_free(w);
}

static void
test_numbers(void **state)
{
	(void)state;
	struct made *w = made_new();
	struct truth t;
	struct predictions p, wrong;
	struct method_trust m = {0}, other = {0};
	truth_gather(&w->bank, &t);
	predictions_make(&w->bank, &t, w->worth, &p);
	trust_numbers(&w->bank, &t, &p, NULL, &m);
	assert_true(fabs(m.lds.value - 1) < 1e-9 && fabs(m.lds_heldout.value - 1) < 1e-9);
	assert_true(fabs(m.lds_generated.value - 1) < 1e-9 && fabs(m.lds_other_seed.value - 1) < 1e-9);
	assert_true(fabs(m.slope - 1) < 1e-6 && m.slope_error < 1e-6);
	assert_true(fabs(m.contributor_r - 1) < 1e-6 && fabs(m.contributor_partial - 1) < 1e-6);
	assert_true(fabs(m.contributor_r_size) < 0.9 && isnan(m.lds_less_default.value));
	/* Half as large and of the other sign. */
	for (int i = 0; i < QUERIES * EXAMPLES; i++)
		w->worth[i] *= -0.5f;
	predictions_make(&w->bank, &t, w->worth, &wrong);
	trust_numbers(&w->bank, &t, &wrong, &p, &other);
	assert_true(fabs(other.lds.value + 1) < 1e-9 && fabs(other.slope + 2) < 1e-6);
	assert_true(fabs(other.lds_less_default.value + 2) < 1e-9 && fabs(other.contributor_r + 1) < 1e-6);
	predictions_free(&p);
	predictions_free(&wrong);
	truth_free(&t);
	made_free(w);
}

static void
test_points(void **state)
{
	(void)state;
	struct made *w = made_new();
	struct truth truth;
	struct predictions p;
	struct trust *t = xcalloc(1, sizeof(*t));
	truth_gather(&w->bank, &truth);
	predictions_make(&w->bank, &truth, w->worth, &p);
	trust_points(&w->bank, &truth, &p, t);
	assert_int_equal(t->n_points, QUERIES * (SUBSETS - 1));
	double sum = 0;
	for (int i = 0; i < t->n_points; i++) {
		assert_true(fabs(t->point[i].predicted - t->point[i].observed) < 1e-6);
		sum += t->point[i].predicted;
	}
	assert_true(fabs(sum) < 1e-6);
	predictions_free(&p);
	truth_free(&truth);
	trust_free(t);
	made_free(w);
}

/* Nothing finished yet, or nobody left out: numbers that are not there, and no crash. */
static void
test_empty_bank(void **state)
{
	(void)state;
	struct made *w = made_new();
	struct truth t;
	struct predictions p;
	struct method_trust m = {0};
	for (int i = 0; i < w->bank.n_members; i++)
		w->member[i].done = false;
	truth_gather(&w->bank, &t);
	predictions_make(&w->bank, &t, w->worth, &p);
	trust_numbers(&w->bank, &t, &p, &p, &m);
	assert_true(isnan(m.lds.value) && isnan(m.lds_other_seed.value) && isnan(m.contributor_r) && isnan(m.slope));
	assert_true(t.other_seed == 0 && t.same.n == 0);
	predictions_free(&p);
	truth_free(&t);
	made_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_empty_bank),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
