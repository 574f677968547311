/* What :export writes: the names and meanings of byline-ask(1). */
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "fake.h"
#include "unit.h"

static char folder[] = "/tmp/byline-export.XXXXXX";

/* Until nothing is left to do. */
static void
work(struct app *app, struct inquiry *q)
{
	for (;;) {
		worker_hush(&app->worker);
		worker_collect(&app->worker);
		if (!inquiry_step(q))
			break;
		struct pollfd p = { .fd = app->worker.pipe[0], .events = POLLIN };
		poll(&p, 1, 1000);
	}
}

/* Asks, works until nothing is left to do, exports, and reads that back. */
static json_t *
exported(const char *prompt)
{
	const struct tui_options o = {0};
	const struct sample_options sample = { .temperature = 1, .top_p = 1, .seed = 1, .max_tokens = 32 };
	static struct app app;
	char *path = xasprintf("%s/answer.json", folder);
	json_t *root;
	assert_ok(fake_open(&o, &app.source));
	assert_ok(worker_open(&app.worker));
	struct inquiry *q = inquiry_new(app.source, &app.worker);
	assert_int_equal(export_write(&app, q, path), ERR_USAGE);
	inquiry_ask(q, prompt, NULL, &sample);
	work(&app, q);
	assert_ok(export_write(&app, q, path));
	assert_ok(json_parse_file(path, 1 << 20, &root));
	inquiry_free(q);
	worker_close(&app.worker);
	app.source->ops->close(app.source);
	free(path);
	return root;
}

/* Exactly the names, in any order. */
static void
assert_members(const json_t *o, const char *names)
{
	char *list = xstrdup(names), *rest = list, *name;
	size_t n = 0;
	assert_true(json_is_object(o));
	for (; (name = strsep(&rest, " ")) != NULL; n++)
		if (!json_object_get(o, name))
			fail_msg("no member %s", name);
	assert_int_equal(json_object_size(o), n);
	free(list);
}

static double
number_of(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static void
the_members_of_ask(void **state)
{
	(void)state;
	json_t *o = exported("runs of it");
	assert_members(o, "prompt seed output span method unit runs noise_floor above_noise trust rescored examples "
		"opponents contributors residual residual_error checkpoint_sha256 corpus_sha256 store run");
	assert_members(json_object_get(o, "output"), "text tokens");
	assert_members(json_array_get(json_object_get(json_object_get(o, "output"), "tokens"), 0), "text logprob rank");
	assert_members(json_object_get(o, "trust"), "lds lds_lo lds_hi lds_other_seed ceiling_other_seed slope "
		"slope_error queries subsets current");
	assert_members(json_object_get(o, "rescored"), "examples spearman");
	const char *lists[] = { "examples", "opponents" };
	for (int i = 0; i < 2; i++) {
		const json_t *one = json_array_get(json_object_get(o, lists[i]), 0);
		assert_members(one, "rank id score error bracket exact floors work contributors text mark");
		assert_members(json_object_get(one, "work"), "id title licence date source");
		assert_members(json_array_get(json_object_get(one, "contributors"), 0), "name share");
	}
	assert_members(json_array_get(json_object_get(o, "contributors"), 0),
		"id name score share error ranks works");
	json_decref(o);
}

static void
over_several_runs(void **state)
{
	(void)state;
	json_t *o = exported("runs of it");
	const json_t *people = json_object_get(o, "contributors"), *first = json_array_get(people, 0);
	const json_t *ranks = json_object_get(first, "ranks"), *best = json_array_get(json_object_get(o, "examples"), 0);
	assert_int_equal(json_integer_value(json_object_get(o, "runs")), 3);
	assert_true(number_of(o, "residual_error") == 0.113);
	assert_int_equal(json_array_size(people), 7);		/* all of the store, with a share or without */
	assert_true(number_of(first, "error") > 0);
	assert_int_equal(json_integer_value(json_array_get(ranks, 0)), 1);
	assert_int_equal(json_integer_value(json_array_get(ranks, 1)), 2);
	assert_int_equal(number_of(first, "works"), 3);
	assert_int_equal(number_of(best, "bracket"), 0);
	assert_true(number_of(best, "error") > 0);
	assert_string_equal(json_string_value(json_object_get(best, "mark")), "both");
	assert_true(strlen(json_string_value(json_object_get(best, "text"))) > 20);
	json_decref(o);
}

struct rows { int n; char *result; };

static enum err
row_count(void *arg, const struct saved_query *q)
{
	struct rows *r = arg;
	r->n++;
	free(r->result);
	r->result = xstrdup(q->result);
	return OK;
}

/* What another program imported says less of how it was asked than the explorer does, and is found by what it says:
 * saving it gives it its shares, and makes no second row. Another method makes one. */
static void
saved_in_its_row(void **state)
{
	(void)state;
	const struct tui_options o = {0};
	const struct sample_options sample = { .temperature = 1, .top_p = 1, .seed = 9, .max_tokens = 16 };
	static struct app app;
	struct rows rows = {0};
	int64_t id;
	assert_ok(fake_open(&o, &app.source));
	assert_ok(worker_open(&app.worker));
	const struct source_ops *ops = app.source->ops;
	assert_ok(ops->save(app.source, "The keeper",
		"{\"target\":\" waits\",\"method\":\"influence\",\"imported\":3}", " waits", "", &id));
	struct inquiry *q = inquiry_new(app.source, &app.worker);
	inquiry_ask(q, "The keeper", " waits", &sample);
	work(&app, q);
	for (int i = 0; i < 2; i++) {
		assert_ok(query_save(&app, q));
		assert_int_equal(q->saved_id, id);
	}
	assert_ok(ops->each_query(app.source, row_count, &rows));
	assert_int_equal(rows.n, 1);
	assert_non_null(strstr(rows.result, "\"contributors\""));
	inquiry_method(q, &app.source->info.methods[1]);
	work(&app, q);
	assert_ok(query_save(&app, q));
	assert_int_not_equal(q->saved_id, id);
	free(rows.result);
	inquiry_free(q);
	worker_close(&app.worker);
	ops->close(app.source);
}

static void
of_one_run(void **state)
{
	(void)state;
	json_t *o = exported("The keeper");
	const json_t *first = json_array_get(json_object_get(o, "contributors"), 0);
	assert_int_equal(json_integer_value(json_object_get(o, "runs")), 1);
	assert_true(json_is_null(json_object_get(o, "residual_error")));
	assert_true(json_is_null(json_object_get(first, "error")));
	double sum = number_of(o, "residual");
	for (size_t i = 0; i < 7; i++)
		sum += number_of(json_array_get(json_object_get(o, "contributors"), i), "share");
	assert_true(fabs(sum - 1) < 1e-9);
	json_decref(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_members_of_ask), cmocka_unit_test(over_several_runs), cmocka_unit_test(of_one_run),
		cmocka_unit_test(saved_in_its_row),
	};
	if (!mkdtemp(folder))
		return 99;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return file_remove_tree(folder) == OK ? failed : 99;
}
