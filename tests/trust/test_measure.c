/* trust_measure on a whole little run: a bank that was really trained, every method asked, and asked only once. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/safetensors.h"
#include "byline/trust.h"
#include "toy.h"

static const struct bank_options small = { .subsets = 6, .alpha = 0.5, .seed = 4, .seeds = 2, .other_subsets = 4,
	.contributors = true, .heldout = 2, .generated = 2, .span = 8, .prompt = 4 };

static struct toy toy;
static struct session *session;
static struct bank *bank;

static int
setup(void **state)
{
	(void)state;
	toy_new(&toy, &toy_small);
	session = toy_session(&toy, 1);
	assert_ok(bank_begin(session, &small, NULL, &bank));
	assert_ok(bank_run(bank, NULL));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	bank_close(bank);
	session_close(session);
	toy_free(&toy);
	return 0;
}

static char *
scores_path(const char *method)
{
	return xasprintf("%s/scores-%s.safetensors", bank->dir, method);
}

static struct trust *
measure(const char *const *method, int n)
{
	struct trust *t;
	assert_ok(trust_measure(bank, method, n, NULL, &t));
	return t;
}

/* Methods that ask for nothing but the run and its index. */
static int
n_ready(void)
{
	int n = 0;
	for (int i = 0; i < n_methods; i++)
		n += method_ready(session, &methods[i]) == OK;
	return n;
}

static void
test_all(void **state)
{
	(void)state;
	struct trust *t = measure(NULL, 0), *back;
	assert_int_equal(t->n_methods, n_ready());
	assert_int_equal(t->n_subsets, 6);
	assert_int_equal(t->n_other_subsets, 4);
	assert_true(t->n_contributors > 1 && t->run_seed != t->other_seed);
	assert_int_equal(t->n_points, 4 * 6);
	for (int i = 0; i < t->n_methods; i++) {
		const struct method_trust *m = &t->method[i];
		assert_int_equal(m->is_default, i == 0);
		assert_true(isfinite(m->lds.value) && isfinite(m->lds_other_seed.value) && isfinite(m->contributor_r));
		assert_true(m->lds.lo <= m->lds.hi && m->cardinality > 0 && m->cardinality <= 1);
		assert_true(m->seconds_per_query >= 0);
	}
	assert_true(fabs(trust_method(t, "ekfac")->ndcg20 - 1) < 1e-12);
	assert_true(isfinite(t->ceiling_other_seed) && t->floor > 0 && fabs(t->randomised) <= 1);
	/* Texts of the same few words resemble each other; by chance one in thirty would find itself. */
	assert_true(t->duplicates >= 0.2);
	assert_ok(trust_write(session->run.dir, t));
	assert_ok(trust_read(session->run.dir, &back));
	assert_true(trust_is_current(back, session->run.dir));
	json_t *a = trust_json(t), *b = trust_json(back);
	assert_true(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	trust_free(back);
	trust_free(t);
}

/* The numbers of a score file that was changed by hand: it was read, not made again. */
static void
scores_overwrite(const char *method, const char *index)
{
	char *path = scores_path(method);
	struct st_file f = {0};
	struct st_writer w = {0};
	assert_ok(st_open(&f, path));
	const struct st_tensor *s = st_find(&f, "scores");
	float *zero = xcalloc(s->count, sizeof(*zero));
	assert_ok(st_writer_open(&w, path));
	static const char *const key[] = { "format", "method", "queries", "checkpoint", "done", "seconds" };
	for (size_t i = 0; i < ARRAY_LEN(key); i++)
		st_writer_meta(&w, key[i], st_meta(&f, key[i]));
	st_writer_meta(&w, "index", index ? index : st_meta(&f, "index"));
	st_writer_declare(&w, "scores", ST_F32, 2, s->shape);
	assert_ok(st_writer_begin(&w));
	assert_ok(st_writer_bytes(&w, zero, s->size));
	assert_ok(st_writer_commit(&w));
	st_close(&f);
	free(zero);
	free(path);
}

static void
test_cached(void **state)
{
	(void)state;
	static const char *const bm25[] = { "bm25" };
	struct trust *first = measure(NULL, 0);
	double lds = trust_method(first, "bm25")->lds.value;
	scores_overwrite("bm25", NULL);
	struct trust *t = measure(bm25, 1);
	/* What is there of other methods stays in the report. */
	assert_int_equal(t->n_methods, n_ready());
	assert_true(isnan(trust_method(t, "bm25")->lds.value));
	trust_free(t);
	/* Of another index: made again. */
	scores_overwrite("bm25", "another");
	t = measure(bm25, 1);
	assert_true(trust_method(t, "bm25")->lds.value == lds);
	trust_free(t);
	trust_free(first);
}

static void
test_named(void **state)
{
	(void)state;
	static const char *const tfidf[] = { "tfidf" }, *const none[] = { "divination" };
	struct trust *t;
	for (int i = 0; i < n_methods; i++) {
		char *path = scores_path(methods[i].name);
		unlink(path);
		free(path);
	}
	t = measure(tfidf, 1);
	assert_int_equal(t->n_methods, 1);
	assert_string_equal(t->method[0].name, "tfidf");
	/* Nothing that belongs to methods that were not asked. */
	assert_true(isnan(t->duplicates) && isnan(t->method[0].ndcg20) && isnan(t->method[0].lds_less_default.value));
	assert_int_equal(t->n_points, 0);
	trust_free(t);
	assert_err(trust_measure(bank, none, 1, NULL, &t), ERR_USAGE);
	assert_null(t);
}

static void
test_cancelled(void **state)
{
	(void)state;
	struct job job;
	struct trust *t;
	static const char *const bm25[] = { "random" };
	job_init(&job);
	job_cancel(&job);
	assert_err(trust_measure(bank, bm25, 1, &job, &t), ERR_CANCELLED);
	job_done(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_cached),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_cancelled),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
