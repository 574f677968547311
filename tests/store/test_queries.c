/* queries: saved once, found again, newest first, gone with their run. */
#include "fake_tokenizer.h"
#include "store_unit.h"

static int64_t
make_run(struct store *s, const char *name)
{
	static const struct tokenizer words = { 500 };
	struct run_spec spec = { .name = name, .tokenizer = &words, .bos = 0, .max_tokens = 64 };
	int64_t id;
	add_work(s, "Some text to cut.", "Ann", "T");
	assert_ok(store_create_run(s, &spec, NULL, &id));
	return id;
}

static int64_t
save(struct store *s, int64_t run, const char *prompt, const char *output, int64_t created)
{
	char settings[] = "{}", result[] = "{\"a\": 1}";
	struct saved_query q = { .run = run, .created = created, .settings = settings, .result = result,
		.prompt = xstrdup(prompt), .output = xstrdup(output) };
	int64_t id;
	assert_ok(store_save_query(s, &q, &id));
	free(q.prompt);
	free(q.output);
	return id;
}

static enum err
see(void *arg, const struct saved_query *q)
{
	str_addf(arg, "%s:%s ", q->prompt, q->output);
	return OK;
}

static void
check_list(struct store *s, int64_t run, const char *want)
{
	struct str out = {0};
	str_adds(&out, "");
	assert_ok(store_each_query(s, run, see, &out));
	assert_string_equal(out.s, want);
	str_free(&out);
}

static void
test_queries(void **state)
{
	struct store *s = the_store(state);
	int64_t a = make_run(s, "a"), b = make_run(s, "b");
	int64_t first = save(s, a, "p", "old", 100);
	save(s, a, "q", "x", 200);
	save(s, b, "p", "other \xff\x1b", 150);
	assert_int_equal(save(s, a, "p", "new", 300), first);
	check_list(s, a, "p:new q:x ");
	check_list(s, 0, "p:new q:x p:other \xff\x1b ");
	struct saved_query q;
	assert_ok(store_query(s, first, &q));
	assert_string_equal(q.result, "{\"a\": 1}");
	assert_string_equal(q.settings, "{}");
	assert_true(q.run == a && q.created == 300 && q.id == first);
	saved_query_free(&q);
	assert_ok(store_delete_query(s, first));
	assert_err(store_delete_query(s, first), ERR_MISSING);
	assert_err(store_query(s, first, &q), ERR_MISSING);
	check_list(s, a, "q:x ");
	assert_ok(store_delete_run(s, a));
	check_list(s, 0, "p:other \xff\x1b ");
}

static void
test_edges(void **state)
{
	struct store *s = the_store(state);
	struct saved_query none = { .run = 5 }, bare = { .run = make_run(s, "a") }, q;
	int64_t id;
	assert_err(store_save_query(s, &none, &id), ERR_MISSING);
	setenv("BYLINE_NOW", "12345", 1);
	assert_ok(store_save_query(s, &bare, &id));
	unsetenv("BYLINE_NOW");
	assert_ok(store_query(s, id, &q));
	assert_string_equal(q.prompt, "");
	assert_string_equal(q.output, "");
	assert_int_equal(q.created, 12345);
	saved_query_free(&q);
	s = store_reopen(state, true);
	assert_err(store_save_query(s, &bare, &id), ERR_USAGE);
	assert_err(store_delete_query(s, id), ERR_USAGE);
	store_shut(state);
	store_tamper("UPDATE queries SET prompt = 'a' || char(0) || 'b'");
	s = store_reopen(state, true);
	assert_err(store_query(s, id, &q), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_queries, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_edges, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("queries", tests, NULL, NULL);
}
