/* The report as people read it: within 80 columns, best method first, nothing made up where nothing was measured. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/cli/trust_print.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/str.h"
#include "unit.h"

static const struct interval unmeasured = { NAN, NAN, NAN };

static struct method_trust
method_made(const char *name, double lds)
{
	struct interval v = { lds, lds - 0.05, lds + 0.05 }, less = { lds - 0.3, lds - 0.35, lds - 0.25 };
	struct method_trust m = { .is_default = strcmp(name, "influence") == 0, .lds = v, .lds_heldout = v,
		.lds_generated = v, .lds_other_seed = v, .lds_less_default = less, .contributor_r = -0.25,
		.contributor_r_size = 0.5, .contributor_partial = NAN, .slope = -12345.678, .slope_error = 1234.5,
		.ndcg20 = 1, .cardinality = 0.875, .bytes_per_example = 1234567, .seconds_per_query = 1234.5 };
	snprintf(m.name, sizeof(m.name), "%s", name);
	return m;
}

static struct trust *
report_made(void)
{
	struct trust *t = xcalloc(1, sizeof(*t));
	*t = (struct trust){ .n_queries = 1080, .n_heldout = 1040, .n_generated = 40, .n_subsets = 1060,
		.n_other_subsets = 1024, .n_contributors = 112, .span = 64, .alpha = 0.5, .seed = UINT64_MAX,
		.run_seed = 7, .other_seed = UINT64_MAX, .ceiling_other_seed = 0.61, .ceiling_lo = 0.5,
		.ceiling_hi = 0.7, .floor = 0.00123456, .duplicates = 0.95, .randomised = -0.25 };
	t->method = xcalloc(4, sizeof(*t->method));
	t->method[t->n_methods++] = method_made("random", -0.01);
	t->method[t->n_methods++] = method_made("influence", 0.3);
	t->method[t->n_methods++] = method_made("ekfac-final", 0.25);
	t->method[t->n_methods++] = method_made("tfidf", 0.125);
	return t;
}

/* What `show` prints. */
static char *
printed(void (*show)(const void *arg), const void *arg)
{
	char name[] = "/tmp/byline-print-XXXXXX";
	struct str text = {0};
	int to = mkstemp(name), was = dup(STDOUT_FILENO);
	assert_true(to >= 0 && was >= 0);
	fflush(stdout);
	assert_true(dup2(to, STDOUT_FILENO) >= 0);
	show(arg);
	fflush(stdout);
	assert_true(dup2(was, STDOUT_FILENO) >= 0);
	close(to);
	close(was);
	assert_ok(file_read(name, 1 << 20, &text));
	unlink(name);
	return str_take(&text);
}

static void
show_report(const void *arg)
{
	say_trust(arg);
}

static void
assert_within(const char *text, size_t columns)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > columns)
			fail_msg("over %zu columns: %.*s", columns, (int)strcspn(line, "\n"), line);
}

static void
test_report(void **state)
{
	(void)state;
	struct trust *t = report_made();
	char *text = printed(show_report, t);
	assert_within(text, 80);
	const char *first = strstr(text, "* influence"), *second = strstr(text, "  ekfac-final");
	const char *third = strstr(text, "- tfidf"), *last = strstr(text, "- random");
	assert_true(first && second && third && last && first < second && second < third && third < last);
	for (char *c = text; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	assert_non_null(strstr(text, "60 times in 100 (58 to 62)"));
	assert_non_null(strstr(text, "The best baseline, tfidf, is clearly behind"));
	assert_non_null(strstr(text, "perfect predictor would reach 0.61"));
	free(text);
	trust_free(t);
}

/* A bank without a finished member. */
static void
test_nothing(void **state)
{
	(void)state;
	struct trust *t = report_made();
	t->ceiling_other_seed = t->ceiling_lo = t->ceiling_hi = t->floor = t->duplicates = t->randomised = NAN;
	for (int i = 0; i < t->n_methods; i++) {
		struct method_trust *m = &t->method[i];
		m->lds = m->lds_heldout = m->lds_generated = m->lds_other_seed = m->lds_less_default = unmeasured;
		m->contributor_r = m->contributor_r_size = m->slope = m->slope_error = m->ndcg20 = NAN;
	}
	char *text = printed(show_report, t);
	assert_within(text, 80);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "says rightly"));
	free(text);
	trust_free(t);
}

struct line { const struct trust *t; const char *method; bool current; const char *store; };

static void
show_line(const void *arg)
{
	const struct line *l = arg;
	say_method_trust(l->t, l->method, l->store, l->current);
}

static void
assert_line(const struct trust *t, const char *method, bool current, const char *want)
{
	char *text = printed(show_line, &(struct line){ t, method, current, "sea.byline" });
	assert_string_equal(text, want);
	free(text);
}

static void
test_line(void **state)
{
	(void)state;
	struct trust *t = report_made();
	assert_line(NULL, "influence", false, "LDS not measured: byline eval sea.byline\n");
	char *text = printed(show_line, &(struct line){ NULL, "influence", false, NULL });
	assert_non_null(strstr(text, "not trained here"));
	assert_null(strstr(text, "byline eval"));
	free(text);
	assert_line(t, "hidden", true, "LDS not measured: byline eval sea.byline\n");
	assert_line(t, "influence", true, "LDS 0.300 (95 %: 0.250 to 0.350), 1080 queries, 1060 subsets\n");
	assert_line(t, "tfidf", false,
		"LDS 0.125 (95 %: 0.075 to 0.175), 1080 queries, 1060 subsets; of an earlier index: measure again\n");
	trust_free(t);
}

static void
test_json(void **state)
{
	(void)state;
	struct trust *t = report_made();
	json_t *none = trust_method_json(NULL, "influence", false), *o = trust_method_json(t, "influence", true);
	assert_true(json_is_null(none));
	assert_true(json_real_value(json_object_get(o, "lds")) == 0.3 && json_is_true(json_object_get(o, "current")));
	assert_true(json_real_value(json_object_get(o, "lds_lo")) == 0.25);
	json_decref(none);
	json_decref(o);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
