/* verify: a good store has no findings, each kind of damage has one that names it, and looking goes on after the
 * first. */
#include "fake_tokenizer.h"
#include "store_unit.h"

#include <unistd.h>

static void
see(void *arg, const char *finding)
{
	str_addf(arg, "%s\n", finding);
}

/* The findings, which must be n. */
static void
check(struct store *s, int64_t n, const char *says)
{
	struct str out = {0};
	int64_t got;
	str_adds(&out, "");
	assert_ok(store_verify(s, NULL, see, &out, &got));
	if (got != n || (says && !strstr(out.s, says)))
		fail_msg("%d findings where %d with \"%s\" were expected: %s", (int)got, (int)n, says ? says : "",
			out.s);
	str_free(&out);
}

static void
fill(struct store *s)
{
	static const struct tokenizer words = { 500 };
	struct run_spec spec = { .name = "r", .tokenizer = &words, .bos = 0, .max_tokens = 64 };
	char empty[] = "";
	struct saved_query q = { .prompt = empty };
	int64_t id;
	add_work(s, "Some text to cut.", "Ann", "T");
	add_work(s, "Some more of it.", "Bea", "U");
	assert_ok(store_create_run(s, &spec, NULL, &q.run));
	assert_ok(store_save_query(s, &q, &id));
	assert_ok(file_mkdirs(STORE_DIR "/runs/r/checkpoint"));
	assert_ok(file_replace(STORE_DIR "/runs/r/checkpoint/config.json", "{}", 2));
	assert_ok(file_replace(STORE_DIR "/runs/r/journal.jsonl", "{}\n", 3));
	assert_ok(file_replace(STORE_DIR "/runs/r/lock", "", 0));	/* held by whoever is working there, gone after */
	assert_ok(store_set_run_state(s, q.run, true, false));
	assert_int_equal(unlink(STORE_DIR "/runs/r/lock"), 0);
}

static void
test_good(void **state)
{
	struct store *s = the_store(state);
	check(s, 0, NULL);
	fill(s);
	check(s, 0, NULL);
	check(store_reopen(state, true), 0, NULL);
	assert_ok(file_replace(STORE_DIR "/runs/r/notes", "x", 1));
	check(store_reopen(state, true), 0, NULL);
}

static void
test_files(void **state)
{
	fill(the_store(state));
	struct store *s = store_reopen(state, true);
	assert_ok(file_replace(STORE_DIR "/runs/r/journal.jsonl", "{]\n", 3));
	check(s, 1, "runs/r/journal.jsonl is not the file");
	assert_int_equal(unlink(STORE_DIR "/runs/r/checkpoint/config.json"), 0);
	check(s, 2, "config.json");
	s = store_reopen(state, false);
	assert_ok(store_set_run_state(s, 1, true, true));
	check(s, 0, NULL);
}

/* Whatever was recorded is compared, be it the tokenizer alone; a store written before there were records is read. */
static void
test_readings(void **state)
{
	struct run r;
	fill(the_store(state));
	store_shut(state);
	store_tamper("UPDATE files SET path = 'checkpoint/tokenizer.json' WHERE path = 'checkpoint/config.json'");
	struct store *s = store_reopen(state, true);
	assert_int_equal(unlink(STORE_DIR "/runs/r/checkpoint/config.json"), 0);
	assert_ok(file_replace(STORE_DIR "/runs/r/checkpoint/tokenizer.json", "{}", 2));
	assert_ok(store_run(s, 1, &r));
	assert_ok(store_check_readings(s, &r));
	assert_ok(store_check_checkpoint(s, &r));
	assert_ok(file_replace(STORE_DIR "/runs/r/checkpoint/tokenizer.json", "{ }", 3));
	assert_err(store_check_readings(s, &r), ERR_MISMATCH);
	store_shut(state);
	store_tamper("DELETE FROM files WHERE path LIKE 'checkpoint/%'");
	s = store_reopen(state, true);
	assert_ok(store_check_readings(s, &r));
	assert_err(store_check_readings_in(s, &r, STORE_DIR "/runs/r/checkpoint"), ERR_MISMATCH);
	run_free(&r);
}

/* What is made long after the run, and remade, carries its own sums. */
static void
test_growing(void **state)
{
	fill(the_store(state));
	struct store *s = store_reopen(state, false);
	assert_ok(file_mkdirs(STORE_DIR "/runs/r/bank"));
	assert_ok(file_replace(STORE_DIR "/runs/r/bank/plan.json", "{}", 2));
	assert_ok(store_set_run_state(s, 1, true, true));
	assert_ok(file_replace(STORE_DIR "/runs/r/bank/plan.json", "[]", 2));
	check(s, 0, NULL);
}

static void
test_damage(void **state)
{
	static const struct { const char *sql; int64_t n; const char *says; } cases[] = {
		{ "UPDATE texts SET bytes = 3 WHERE id = 1", 2, "text 1" },	/* and the run's byte ranges */
		{ "UPDATE texts SET frame = x'00'", 2, "text 2" },
		{ "UPDATE works SET title = 'V' WHERE id = 1", 1, "work 1" },
		{ "UPDATE contributors SET name = 'Cy' WHERE id = 2", 1, "work 2" },
		{ "UPDATE shares SET share = 0.5 WHERE work = 2", 1, "work 2: its shares add up to 0.5" },
		{ "UPDATE examples SET tokens = x'01000200' WHERE id = 1", 1, "not those it was made with" },
		{ "UPDATE files SET path = 'checkpoint' WHERE path LIKE 'j%'", 1, "checkpoint" },
		{ "UPDATE files SET path = '../../../etc/passwd' WHERE path LIKE 'j%'", 1, "outside" },
		{ "UPDATE queries SET prompt = 'a' || char(0)", 1, "prompt" },
		{ "UPDATE queries SET run = 9", 1, "queries" },
		{ "INSERT INTO words_1(rowid, text) VALUES (7, 'x')", 1, "text index" },
		{ "DROP TABLE words_1", 1, "words_1" },
		{ "DELETE FROM texts WHERE id = 2", 3, "a row of works names a row of texts" },
	};
	struct str whole = {0};
	fill(the_store(state));
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(file_replace(STORE_DIR "/store.db", whole.s, whole.len));
		store_tamper(cases[i].sql);
		check(store_reopen(state, true), cases[i].n, cases[i].says);
		store_shut(state);
	}
	str_free(&whole);
}

/* Bytes of the file overwritten anywhere: refused, found or harmless, never a crash and never silence about a lost
 * text. */
static void
test_overwritten(void **state)
{
	struct str whole = {0}, hurt = {0};
	fill(the_store(state));
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t at = 0; at < whole.len; at += 509) {
		struct store *s;
		int64_t n;
		str_clear(&hurt);
		str_add(&hurt, whole.s, whole.len);
		for (size_t i = at; i < at + 40 && i < hurt.len; i++)
			hurt.s[i] ^= (char)0xa7;
		assert_ok(file_replace(STORE_DIR "/store.db", hurt.s, hurt.len));
		if (store_open(STORE_DIR, true, &s) != OK)
			continue;
		assert_ok(store_verify(s, NULL, NULL, NULL, &n));
		store_close(s);
	}
	str_free(&whole);
	str_free(&hurt);
}

static void
test_cancel(void **state)
{
	struct job job;
	int64_t n;
	fill(the_store(state));
	job_init(&job);
	job_cancel(&job);
	assert_err(store_verify(the_store(state), &job, NULL, NULL, &n), ERR_CANCELLED);
	job_done(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_files, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_readings, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_growing, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_damage, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_overwritten, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_cancel, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
