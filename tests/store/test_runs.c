/* runs: examples cover the works that may be used, come back as they were made, and a store that lies about them is
 * found out. */
#include <math.h>

#include "fake_tokenizer.h"
#include "store_unit.h"

static const struct tokenizer small = { 5000 }, large = { 70000 };

static struct run_spec
spec_of(const char *name)
{
	return (struct run_spec){ .name = name, .tokenizer = &small, .bos = 0, .max_tokens = 24, .seed = 7,
		.recipe = "{\"x\": 1}" };
}

static int64_t
make_run(struct store *s, const struct run_spec *spec)
{
	int64_t id;
	assert_ok(store_create_run(s, spec, NULL, &id));
	return id;
}

static void
add_some(struct store *s)
{
	add_work(s, "The keeper lit the lamp and waited for the tide to turn. Nobody counted the boats that came in by"
		" night, and in the morning there was bread. The bell rang twice.\n\nThen the ice came, and they wrote"
		" that down as well.", "Ann", "Lamp");
	add_work(s, "Short one.", "Bea", "Short");
	add_work(s, "", "Bea", "Empty");
	add_work(s, "Bees over the orchard; bees in the bell.", NULL, "Bees");
}

static void
test_examples(void **state)
{
	struct store *s = the_store(state);
	struct run_spec spec = spec_of("first");
	struct dataset data;
	struct example *e;
	struct run r;
	struct str whole = {0}, joined = {0};
	add_some(s);
	int64_t id = make_run(s, &spec);
	assert_ok(store_run_dataset(s, id, &data, &e));
	assert_true(data.n >= 4);
	str_adds(&joined, "");
	for (size_t i = 0; i < data.n; i++) {
		assert_int_equal(data.start[i + 1] - data.start[i], e[i].n_tokens);
		assert_in_range(e[i].n_tokens, 2, 24);
		assert_int_equal(data.token[data.start[i]], 0);
		assert_false(e[i].opted_out || e[i].heldout);
		assert_true(e[i].work != 3);	/* the empty text has none */
		if (e[i].work == 1)
			assert_ok(store_example_text(s, &e[i], &joined));
	}
	assert_ok(store_work_text(s, 1, &whole));
	assert_string_equal(joined.s, whole.s);
	assert_ok(store_run(s, id, &r));
	assert_string_equal(r.name, "first");
	assert_string_equal(r.dir, STORE_DIR "/runs/first");
	assert_string_equal(r.recipe, "{\"x\": 1}");
	assert_true(r.seed == 7 && r.n_ctx == 24 && !r.trained && !r.indexed);
	assert_int_equal(r.n_examples, data.n);
	assert_int_equal(r.n_train, data.n);
	assert_int_equal(r.tokens_train, dataset_tokens(&data, false));
	assert_int_equal(r.tokens_heldout, 0);
	run_free(&r);
	dataset_free(&data);
	free(e);
	str_free(&whole);
	str_free(&joined);
}

/* Tokens of a large vocabulary take four bytes, and no begin-of-text is put where none is wanted. */
static void
test_wide_tokens(void **state)
{
	struct store *s = the_store(state);
	struct run_spec spec = spec_of("wide");
	struct dataset data;
	struct example *e;
	bool beyond = false;
	spec.tokenizer = &large;
	spec.bos = -1;
	spec.seed = UINT64_MAX;
	for (int i = 0; i < 40; i++) {
		char *text = xasprintf("word%d more%d again%d", i, i * 3, i * 5);
		add_work(s, text, "Ann", text);
		free(text);
	}
	add_work(s, "one", "Ann", "One");	/* one token alone has no loss */
	int64_t id = make_run(s, &spec);
	assert_ok(store_run_dataset(s, id, &data, &e));
	assert_int_equal(data.n, 40);
	for (size_t i = 0; i < data.start[data.n]; i++)
		beyond = beyond || data.token[i] > 65535;
	assert_true(beyond);
	struct run r;
	assert_ok(store_find_run(s, "wide", &r));
	assert_true(r.seed == UINT64_MAX && r.bos == -1);
	run_free(&r);
	dataset_free(&data);
	free(e);
}

static void
test_opted_out(void **state)
{
	struct store *s = the_store(state);
	struct run_spec spec = spec_of("fair");
	struct dataset data;
	struct example *e;
	struct work_author both[] = { { "Cy", 9 }, { "Ann", 1 } };
	struct work_in w = { .text = "Cy and Ann wrote this together.", .text_len = 31, .authors = both,
		.n_authors = 2 };
	int64_t who, joint;
	bool added;
	add_some(s);
	assert_ok(store_add_work(s, &w, &joint, &added));
	assert_ok(store_find_contributor(s, "Ann", &who));
	assert_ok(store_set_opt_out(s, who, true, NULL));
	spec.heldout = 0.3;
	int64_t id = make_run(s, &spec);
	assert_ok(store_run_dataset(s, id, &data, &e));
	assert_int_equal(data.n, 2);
	for (size_t i = 0; i < data.n; i++)
		assert_true(e[i].work == 2 || e[i].work == 4);
	dataset_free(&data);
	free(e);
}

static int
count_marks(const struct str *s)
{
	int n = 0;
	for (size_t i = 0; i < s->len; i++)
		n += s->s[i] == 'x';
	return n;
}

/* Which works are held out depends on the texts and the seed alone; how many, on the fraction. */
static void
heldout_texts(struct store *s, int64_t run, struct str *out)
{
	struct dataset data;
	struct example *e;
	assert_ok(store_run_dataset(s, run, &data, &e));
	str_clear(out);
	for (int i = 0; i < 200; i++)
		str_addc(out, '.');
	for (size_t i = 0; i < data.n; i++) {
		struct str text = {0};
		assert_ok(store_example_text(s, &e[i], &text));
		if (e[i].heldout)
			out->s[atoi(text.s + 5)] = 'x';
		assert_int_equal(e[i].heldout, data.heldout[i]);
		str_free(&text);
	}
	dataset_free(&data);
	free(e);
}

static void
test_heldout(void **state)
{
	struct store *s = the_store(state), *other;
	struct run_spec spec = spec_of("a");
	struct str first = {0}, second = {0};
	spec.heldout = 0.2;
	for (int i = 0; i < 200; i++) {
		char *text = xasprintf("page %d of many", i);
		add_work(s, text, "Ann", "a");
		add_work(s, text, "Bea", "the same text again");
		free(text);
	}
	heldout_texts(s, make_run(s, &spec), &first);
	assert_int_equal(count_marks(&first), 40);
	assert_ok(store_create("other.byline", &other));
	for (int i = 199; i >= 0; i--) {
		char *text = xasprintf("page %d of many", i);
		add_work(other, text, "Cy", "b");
		free(text);
	}
	heldout_texts(other, make_run(other, &spec), &second);
	assert_string_equal(first.s, second.s);
	spec.seed++;
	spec.name = "b";
	heldout_texts(other, make_run(other, &spec), &second);
	assert_string_not_equal(first.s, second.s);
	spec.heldout = 0.001;
	spec.name = "few";
	heldout_texts(other, make_run(other, &spec), &second);
	assert_int_equal(count_marks(&second), 1);
	store_close(other);
	str_free(&first);
	str_free(&second);
}

static void
check_spec(struct store *s, struct run_spec spec, enum err want, const char *says)
{
	int64_t id;
	assert_err(store_create_run(s, &spec, NULL, &id), want);
	assert_says(says);
}

static void
test_specs(void **state)
{
	struct store *s = the_store(state);
	struct run_spec spec = spec_of("x");
	static const char *const names[] = { "", ".x", "-x", "a/b", "a b", "../x", "\xc3\xa9" };
	check_spec(s, spec, ERR_USAGE, "nothing to train on");
	add_some(s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		check_spec(s, spec_of(names[i]), ERR_USAGE, "name");
	check_spec(s, spec_of(NULL), ERR_USAGE, "name");
	spec.max_tokens = 16;
	check_spec(s, spec, ERR_USAGE, "16 tokens");
	spec = spec_of("x");
	spec.heldout = 1;
	check_spec(s, spec, ERR_USAGE, "held-out");
	spec.heldout = NAN;
	check_spec(s, spec, ERR_USAGE, "held-out");
	spec.heldout = 0.999999;
	check_spec(s, spec, ERR_USAGE, "nothing to train on");
	spec = spec_of("x");
	spec.bos = 5000;
	check_spec(s, spec, ERR_USAGE, "token 5000");
	spec = spec_of("x");
	make_run(s, &spec);
	check_spec(s, spec, ERR_EXISTS, "\"x\"");
	struct store_totals t;
	assert_ok(store_count(s, &t));
	assert_int_equal(t.runs, 1);
	check_spec(store_reopen(state, true), spec_of("y"), ERR_USAGE, "read-only");
}

static void
test_cancel(void **state)
{
	struct store *s = the_store(state);
	struct run_spec spec = spec_of("x");
	struct job job;
	int64_t id;
	add_some(s);
	job_init(&job);
	job_cancel(&job);
	assert_err(store_create_run(s, &spec, &job, &id), ERR_CANCELLED);
	job_done(&job);
	/* Nothing of it is left, and the store goes on. */
	make_run(s, &spec);
	store_reopen(state, true);
}

static enum err
see_run(void *arg, const struct run *r)
{
	str_addf(arg, "%s%s%s ", r->name, r->trained ? "+" : "", r->indexed ? "*" : "");
	return OK;
}

static void
check_find(struct store *s, const char *name, const char *want)
{
	struct run r;
	assert_ok(store_find_run(s, name, &r));
	assert_string_equal(r.name, want);
	run_free(&r);
}

static void
test_finding(void **state)
{
	struct store *s = the_store(state);
	struct run_spec a = spec_of("a"), b = spec_of("b"), c = spec_of("c");
	struct run r;
	struct str out = {0};
	add_some(s);
	assert_err(store_find_run(s, NULL, &r), ERR_MISSING);
	assert_says("no runs yet");
	int64_t ia = make_run(s, &a), ib = make_run(s, &b), ic = make_run(s, &c);
	check_find(s, NULL, "c");
	assert_ok(store_set_run_state(s, ia, true, true));
	assert_ok(store_set_run_state(s, ic, true, false));
	check_find(s, NULL, "a");
	check_find(s, "b", "b");
	assert_err(store_find_run(s, "d", &r), ERR_MISSING);
	assert_says("there are: a, b, c");
	str_adds(&out, "");
	assert_ok(store_each_run(s, see_run, &out));
	assert_string_equal(out.s, "a+* b c+ ");
	assert_ok(store_set_run_state(s, ia, false, false));
	assert_ok(store_delete_run(s, ib));
	str_clear(&out);
	assert_ok(store_each_run(s, see_run, &out));
	assert_string_equal(out.s, "a c+ ");
	assert_err(store_run(s, ib, &r), ERR_MISSING);
	assert_err(store_delete_run(s, ib), ERR_MISSING);
	assert_err(store_set_run_state(s, ib, true, true), ERR_MISSING);
	store_reopen(state, false);
	str_free(&out);
}

/* What a stranger's store may claim of a run. */
static void
test_hostile(void **state)
{
	static const struct { const char *sql, *says; } cases[] = {
		/* set below: within u32, beyond the text */
		{ "UPDATE examples SET byte_to = 4000000000", "byte_to" },
		{ "UPDATE examples SET byte_from = 5, byte_to = 2", "bytes 5 to 2" },
		{ "UPDATE examples SET byte_from = -1", "byte_from" },
		{ "UPDATE examples SET byte_to = 1 << 40", "byte_to" },
		{ "UPDATE examples SET tokens = x''", "0 bytes of tokens" },
		{ "UPDATE examples SET tokens = x'010203'", "3 bytes of tokens" },
		{ "UPDATE examples SET tokens = zeroblob(50)", "50 bytes of tokens" },
		{ "UPDATE examples SET tokens = x'0000ffff'", "token 65535" },
		{ "UPDATE examples SET tokens = x'00000100'", "not those it was made with" },
		{ "UPDATE examples SET heldout = 2", "heldout" },
		{ "UPDATE examples SET heldout = 1", "not those it was made with" },
		{ "DELETE FROM examples WHERE id = 2", "gap" },
		{ "DELETE FROM examples", "not those it was made with" },
		{ "UPDATE runs SET n_examples = 1", "not those it was made with" },
		{ "UPDATE runs SET n_examples = -1", "n_examples" },
		{ "UPDATE runs SET n_ctx = 0", "not one byline made" },
		{ "UPDATE runs SET n_ctx = 1 << 40", "not one byline made" },
		{ "UPDATE runs SET vocab = 0", "not one byline made" },
		{ "UPDATE runs SET dataset = 'x'", "dataset" },
	};
	struct run_spec spec = spec_of("x");
	struct str whole = {0};
	struct dataset data;
	struct example *e;
	add_some(the_store(state));
	int64_t id = make_run(the_store(state), &spec);
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(file_replace(STORE_DIR "/store.db", whole.s, whole.len));
		store_tamper(cases[i].sql);
		struct store *s = store_reopen(state, true);
		assert_err(store_run_dataset(s, id, &data, &e), ERR_FORMAT);
		assert_says(i == 0 ? "4000000000" : cases[i].says);
		assert_null(e);
		assert_int_equal(data.n, 0);
		store_shut(state);
	}
	str_free(&whole);
}

static enum err
count_hit(void *arg, uint32_t example, double score)
{
	(void)example;
	(void)score;
	++*(size_t *)arg;
	return OK;
}

static size_t
hits_of(struct store *s, int64_t run, const char *words)
{
	size_t n = 0;
	assert_ok(store_bm25(s, run, words, strlen(words), 100, count_hit, &n));
	return n;
}

/* The very same examples and words under another name and seed, and none of it when somebody has opted out since. */
static void
test_repeat(void **state)
{
	struct store *s = the_store(state);
	struct run_spec spec = spec_of("first"), again = { .name = "again", .seed = 9, .recipe = "{\"like\": 1}" };
	struct run one, two;
	struct dataset a, b;
	struct example *ea, *eb;
	int64_t id, who;
	add_some(s);
	spec.heldout = 0.3;
	int64_t first = make_run(s, &spec);
	assert_ok(store_repeat_run(s, first, &again, NULL, &id));
	assert_ok(store_run(s, first, &one));
	assert_ok(store_run(s, id, &two));
	assert_string_equal(one.dataset, two.dataset);
	assert_string_equal(two.recipe, "{\"like\": 1}");
	assert_true(two.seed == 9 && two.n_ctx == one.n_ctx && two.n_train == one.n_train && !two.trained);
	assert_true(two.tokens_train == one.tokens_train && two.tokens_heldout == one.tokens_heldout);
	assert_ok(store_run_dataset(s, first, &a, &ea));
	assert_ok(store_run_dataset(s, id, &b, &eb));
	assert_int_equal(a.n, b.n);
	for (size_t i = 0; i < a.n; i++)
		assert_true(ea[i].work == eb[i].work && ea[i].from == eb[i].from && ea[i].heldout == eb[i].heldout);
	assert_true(hits_of(s, first, "bell") > 0 && hits_of(s, first, "bell") == hits_of(s, id, "bell"));
	assert_err(store_repeat_run(s, first, &again, NULL, &id), ERR_EXISTS);
	assert_err(store_repeat_run(s, 77, &(struct run_spec){ .name = "third" }, NULL, &id), ERR_MISSING);
	assert_ok(store_find_contributor(s, "Ann", &who));
	assert_ok(store_set_opt_out(s, who, true, NULL));
	again.name = "third";
	assert_err(store_repeat_run(s, first, &again, NULL, &id), ERR_MISMATCH);
	assert_says("Ann");
	run_free(&one);
	run_free(&two);
	assert_err(store_find_run(s, "third", &one), ERR_MISSING);
	dataset_free(&a);
	dataset_free(&b);
	free(ea);
	free(eb);
}

static void
test_hostile_names(void **state)
{
	struct run_spec spec = spec_of("x");
	struct run r;
	add_some(the_store(state));
	int64_t id = make_run(the_store(state), &spec);
	store_shut(state);
	store_tamper("UPDATE runs SET name = '../../etc'");
	struct store *s = store_reopen(state, true);
	assert_err(store_run(s, id, &r), ERR_FORMAT);
	assert_null(r.dir);
	struct example e = { .work = 1, .from = 10, .to = 5000 };
	struct str out = {0};
	assert_err(store_example_text(s, &e, &out), ERR_FORMAT);
	e = (struct example){ .work = 99 };
	assert_err(store_example_text(s, &e, &out), ERR_MISSING);
	str_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_examples, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_wide_tokens, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_opted_out, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_heldout, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_specs, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_cancel, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_finding, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_repeat, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_hostile, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_hostile_names, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
