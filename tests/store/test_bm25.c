/* bm25: the right example first, and no query is ever syntax. */
#include <math.h>

#include "fake_tokenizer.h"
#include "store_unit.h"

static const struct tokenizer words = { 5000 };

static const char *const texts[] = {
	"The lamp was lit before the tide turned.",
	"Bread and ice, ice and bread; the baker counted both.",
	"The lamp, the lamp, the lamp: nothing else all night.",
	"Un caf\xc3\xa9 pour le gardien.",
	"\xd0\x9c\xd0\xb0\xd1\x8f\xd0\xba \xd0\xb3\xd0\xbe\xd1\x80\xd0\xb5\xd0\xbb "
	"\xd0\xb2\xd1\x81\xd1\x8e \xd0\xbd\xd0\xbe\xd1\x87\xd1\x8c",
	"\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80 "
	"\xe0\xa4\xad\xe0\xa4\xbe\xe0\xa4\xb7\xe0\xa4\xbe",
	"NOT a word AND not OR a NEAR thing; text columns rowid",
};

static int64_t
fill(struct store *s)
{
	struct run_spec spec = { .name = "r", .tokenizer = &words, .bos = 0, .max_tokens = 64 };
	int64_t id;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add_work(s, texts[i], "Ann", texts[i]);
	assert_ok(store_create_run(s, &spec, NULL, &id));
	return id;
}

struct found { struct str list; double last; };

static enum err
see(void *arg, uint32_t example, double score)
{
	struct found *f = arg;
	assert_true(score > 0 && isfinite(score) && score <= f->last);
	f->last = score;
	str_addf(&f->list, "%u ", example);
	return OK;
}

static void
ask_n(struct store *s, int64_t run, const char *query, size_t n, size_t k, const char *want)
{
	struct found f = { .last = INFINITY };
	str_adds(&f.list, "");
	assert_ok(store_bm25(s, run, query, n, k, see, &f));
	if (want)
		assert_string_equal(f.list.s, want);
	str_free(&f.list);
}

static void
ask(struct store *s, int64_t run, const char *query, const char *want)
{
	ask_n(s, run, query, strlen(query), 100, want);
}

static void
test_ranking(void **state)
{
	struct store *s = the_store(state);
	int64_t run = fill(s);
	ask(s, run, "lamp", "2 0 ");
	ask(s, run, "tide", "0 ");
	ask(s, run, "ICE tide", "1 0 ");
	ask(s, run, "ice Ice ICE ice", "1 ");
	ask(s, run, "nothing-at-all", "2 ");
	ask(s, run, "absent", "");
	ask(s, run, "cafe", "3 ");
	ask(s, run, "cafe\xcc\x81", "3 ");
	ask(s, run, "CAF\xc3\x89", "3 ");
	ask(s, run, "\xd0\x9c\xd0\x90\xd0\xaf\xd0\x9a", "4 ");
	/* A word is whole with its vowel signs, in any script. */
	ask(s, run, "\xe0\xa4\xad\xe0\xa4\xbe\xe0\xa4\xb7\xe0\xa4\xbe", "5 ");
	ask(s, run, "\xe0\xa4\xad", "");
	ask_n(s, run, "lamp", 4, 1, "2 ");
	ask_n(s, run, "lamp", 4, 0, "");
	ask_n(s, run, "lamp", 4, SIZE_MAX, "2 0 ");
}

static void
test_syntax(void **state)
{
	static const char *const queries[] = {
		"", " ", "\"", "\"\"", "\\\" OR *", "\" OR *", "lamp*", "^lamp", "text:lamp", "{text} : lamp", "-lamp",
		"lamp NOT tide", "NEAR(lamp tide, 5)", "(", ")", "((((", "lamp AND", "OR OR OR",
		"'; DROP TABLE works; --", "+", "lamp + tide", ":", "\xff\xfe", "\xcc\x81", "\xe2\x80\xae", "a\"b\"c",
		"rank", "words_1",
	};
	struct store *s = the_store(state);
	int64_t run = fill(s);
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		ask(s, run, queries[i], NULL);
	ask(s, run, "lamp NOT tide", "0 6 2 ");
	ask(s, run, "\"lamp", "2 0 ");
	ask(s, run, "text:rowid", "6 ");
	ask_n(s, run, "lamp\0tide", 9, 10, "0 2 ");
	struct str many = {0};
	for (int i = 0; i < 3000; i++)
		str_addf(&many, "word%d \"", i);
	str_adds(&many, " lamp");
	ask(s, run, many.s, NULL);
	str_clear(&many);
	str_fill(&many, 'x', 100000);
	ask(s, run, many.s, "");
	str_free(&many);
}

static enum err
stop(void *arg, uint32_t example, double score)
{
	(void)arg;
	(void)example;
	(void)score;
	return err_set(ERR_CANCELLED, "enough");
}

static void
test_runs_apart(void **state)
{
	struct store *s = the_store(state);
	int64_t first = fill(s), second, who;
	struct run_spec spec = { .name = "r2", .tokenizer = &words, .bos = 0, .max_tokens = 64 };
	add_work(s, "One more lamp.", "Bea", "More");
	assert_ok(store_find_contributor(s, "Bea", &who));
	assert_ok(store_create_run(s, &spec, NULL, &second));
	ask(s, first, "lamp", "2 0 ");
	ask(s, second, "more", "7 ");
	assert_ok(store_delete_run(s, first));
	ask(s, second, "more", "7 ");
	assert_err(store_bm25(s, first, "lamp", 4, 5, see, NULL), ERR_MISSING);
	assert_err(store_bm25(s, second, "lamp", 4, 5, stop, NULL), ERR_CANCELLED);
	ask(store_reopen(state, true), second, "more", "7 ");
}

static void
test_hostile(void **state)
{
	/* What FTS5 takes for an empty index finds nothing, which is no crash. */
	static const struct { const char *sql; bool may_pass; } cases[] = {
		{ "INSERT INTO words_1(rowid, text) VALUES (900, 'lamp')", false },
		{ "INSERT INTO words_1(rowid, text) VALUES (-5, 'lamp')", false },
		{ "UPDATE words_1_data SET block = x'00'", true },
		{ "UPDATE words_1_data SET block = x'0000000000ffffffffff'", true },
		{ "UPDATE words_1_docsize SET sz = x'ffffffff'", true },
		{ "UPDATE words_1_docsize SET sz = 'text'", true },
		{ "DELETE FROM words_1_docsize", false },
		{ "UPDATE words_1_config SET v = 99", false },
		{ "DROP TABLE words_1", false },
	};
	struct str whole = {0};
	fill(the_store(state));
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct found f = { .last = INFINITY };
		assert_ok(file_replace(STORE_DIR "/store.db", whole.s, whole.len));
		store_tamper(cases[i].sql);
		struct store *s = store_reopen(state, true);
		enum err err = store_bm25(s, 1, "lamp", 4, 10, see, &f);
		if (err != ERR_FORMAT && !(err == OK && cases[i].may_pass))
			fail_msg("%s: error %d %s", cases[i].sql, (int)err, err_message());
		if (err != OK)
			assert_says("store.db");
		str_free(&f.list);
		store_shut(state);
	}
	str_free(&whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranking, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_syntax, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_runs_apart, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_hostile, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("bm25", tests, NULL, NULL);
}
