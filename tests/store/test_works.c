/* works: each text once, byte for byte; names and shares made comparable; unknown is a value. */
#include <math.h>

#include "byline/rng.h"
#include "store_unit.h"

static struct work
get(struct store *s, int64_t id)
{
	struct work w;
	assert_ok(store_work(s, id, &w));
	return w;
}

static void
test_fields(void **state)
{
	struct store *s = the_store(state);
	struct work_author authors[] = { { "Ann", 1 }, { "Bea", 3 } };
	struct work_in in = { .text = "hello", .text_len = 5, .title = " Tides\n", .licence = "CC0-1.0",
		.licence_from = "file", .source = "s", .date = "1931-04", .authors = authors, .n_authors = 2 };
	int64_t id, again;
	bool added;
	assert_ok(store_add_work(s, &in, &id, &added));
	assert_true(added);
	assert_ok(store_add_work(s, &in, &again, &added));
	assert_false(added);
	assert_int_equal(id, again);
	struct work w = get(s, id);
	assert_string_equal(w.title, "Tides");
	assert_string_equal(w.licence, "CC0-1.0");
	assert_string_equal(w.licence_from, "file");
	assert_string_equal(w.source, "s");
	assert_string_equal(w.date, "1931-04");
	assert_string_equal(w.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	assert_int_equal(w.bytes, 5);
	assert_int_equal(w.n_authors, 2);
	assert_string_equal(w.authors[1].name, "Bea");
	assert_true(w.authors[0].share == 0.25 && w.authors[1].share == 0.75);
	work_free(&w);
	assert_err(store_work(s, 99, &w), ERR_MISSING);
	assert_says("no work 99");
}

/* The same text is another work under another title, or by others; the order of authors and their shares do not
 * matter. */
static void
test_identity(void **state)
{
	struct store *s = the_store(state);
	struct work_author ab[] = { { "Ann", 1 }, { "Bea", 1 } }, ba[] = { { " Bea ", 5 }, { "Ann", 1 } };
	struct work_in in = { .text = "t", .text_len = 1, .title = "T", .authors = ab, .n_authors = 2 };
	int64_t id, other;
	bool added;
	assert_ok(store_add_work(s, &in, &id, &added));
	in.authors = ba;
	assert_ok(store_add_work(s, &in, &other, &added));
	assert_int_equal(other, id);
	in.title = "U";
	assert_ok(store_add_work(s, &in, &other, &added));
	assert_true(added && other != id);
	in.n_authors = 1;
	assert_ok(store_add_work(s, &in, &other, &added));
	assert_true(added);
	in.text = "u";
	assert_ok(store_add_work(s, &in, &other, &added));
	assert_true(added);
}

static void
test_names(void **state)
{
	static const struct { const char *given, *want; } cases[] = {
		{ " Ann  of\tthe \n Lamp ", "Ann of the Lamp" },
		{ "Ann\xc2\xa0of\xe2\x80\x83the Lamp", "Ann of the Lamp" },
		{ "Zoe\xcc\x88", "Zo\xc3\xab" }, { "Zo\xc3\xab", "Zo\xc3\xab" }, { "Bad\xff", "Bad\xef\xbf\xbd" },
		{ "", "unknown" }, { "  ", "unknown" }, { "UNKNOWN", "unknown" }, { NULL, "unknown" },
		{ "\xd0\x9c\xd0\xb0\xd1\x80\xd1\x8f", "\xd0\x9c\xd0\xb0\xd1\x80\xd1\x8f" },
	};
	struct store *s = the_store(state);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = xasprintf("text %zu", i);
		struct work_author a = { cases[i].given, 1 };
		struct work_in in = { .text = text, .text_len = strlen(text), .authors = &a, .n_authors = 1 };
		int64_t id, who;
		bool added;
		assert_ok(store_add_work(s, &in, &id, &added));
		struct work w = get(s, id);
		assert_int_equal(w.n_authors, 1);
		assert_string_equal(w.authors[0].name, cases[i].want);
		assert_ok(store_find_contributor(s, cases[i].given ? cases[i].given : "unknown", &who));
		assert_int_equal(who, w.authors[0].contributor);
		work_free(&w);
		free(text);
	}
	struct store_totals t;
	assert_ok(store_count(s, &t));
	assert_int_equal(t.contributors, 4);	/* Ann, Zoe, the bad one, Marya */
	assert_int_equal(t.unknown_author, 4);
}

static void
check_shares(struct store *s, struct work_author *a, size_t n, enum err want, const char *says)
{
	struct work_in in = { .text = "x", .text_len = 1, .authors = a, .n_authors = n };
	int64_t id;
	bool added;
	assert_err(store_add_work(s, &in, &id, &added), want);
	if (want != OK)
		assert_says(says);
}

static void
test_shares(void **state)
{
	struct store *s = the_store(state);
	struct work_author none[] = { { "A", 0 }, { "B", 0 } }, negative[] = { { "A", 2 }, { "B", -1 } };
	struct work_author nan[] = { { "A", NAN } }, big[] = { { "A", 1.1e6 } }, inf[] = { { "A", INFINITY } };
	struct work_author twice[] = { { "A", 1 }, { "B", 2 }, { " A", 1 } }, zero[] = { { "A", 0 }, { "C", 1 } };
	check_shares(s, none, 2, ERR_FORMAT, "nothing");
	check_shares(s, negative, 2, ERR_FORMAT, "share is -1");
	check_shares(s, nan, 1, ERR_FORMAT, "share");
	check_shares(s, big, 1, ERR_FORMAT, "share");
	check_shares(s, inf, 1, ERR_FORMAT, "share");
	check_shares(s, twice, 3, OK, NULL);
	struct work w = get(s, 1);
	assert_int_equal(w.n_authors, 2);
	assert_true(w.authors[0].share == 0.5 && w.authors[1].share == 0.5);
	work_free(&w);
	check_shares(s, zero, 2, OK, NULL);
	w = get(s, 2);
	assert_true(w.authors[0].share == 0 && w.authors[1].share == 1);
	work_free(&w);
	/* A refused record leaves nothing behind. */
	struct store_totals t;
	assert_ok(store_count(s, &t));
	assert_int_equal(t.works, 2);
	assert_int_equal(t.contributors, 3);
}

static void
test_limits(void **state)
{
	struct store *s = the_store(state);
	struct str long_name = {0};
	str_fill(&long_name, 'n', 1025);
	struct work_author a = { long_name.s, 1 };
	check_shares(s, &a, 1, ERR_LIMIT, "longer than 1024");
	long_name.s[1024] = '\0';
	check_shares(s, &a, 1, OK, NULL);
	str_clear(&long_name);
	str_fill(&long_name, 't', 4097);
	struct work_in in = { .text = "x", .text_len = 1, .title = long_name.s };
	int64_t id;
	bool added;
	assert_err(store_add_work(s, &in, &id, &added), ERR_LIMIT);
	assert_says("title");
	str_free(&long_name);
	struct work_author *many = xcalloc(1001, sizeof(*many));
	for (size_t i = 0; i < 1001; i++)
		many[i] = (struct work_author){ "A", 1 };
	check_shares(s, many, 1001, ERR_LIMIT, "1000 authors");
	check_shares(s, many, 1000, OK, NULL);
	free(many);
	in = (struct work_in){ .text = "x", .text_len = (size_t)1 << 40 };
	assert_err(store_add_work(s, &in, &id, &added), ERR_LIMIT);
	assert_says("text");
}

static void
test_bytes_exact(void **state)
{
	static const char hostile[] = "a\0b\xff\xfe\x1b[31m\xe2\x80\xae\r\n\xed\xa0\x80";
	struct store *s = the_store(state);
	struct work_in in = { .text = hostile, .text_len = sizeof(hostile), .title = "T\x1b[0m\xff" };
	struct str out = {0};
	int64_t id;
	bool added;
	assert_ok(store_add_work(s, &in, &id, &added));
	assert_ok(store_work_text(s, id, &out));
	assert_int_equal(out.len, sizeof(hostile));
	assert_memory_equal(out.s, hostile, sizeof(hostile));
	struct work w = get(s, id);
	assert_string_equal(w.title, "T\x1b[0m\xef\xbf\xbd");
	work_free(&w);
	str_clear(&out);
	in = (struct work_in){ .text = NULL, .text_len = 0 };
	assert_ok(store_add_work(s, &in, &id, &added));
	assert_ok(store_work_text(s, id, &out));
	assert_int_equal(out.len, 0);
	assert_err(store_work_text(s, 77, &out), ERR_MISSING);
	str_free(&out);
}

/* Texts alike enough for a dictionary, so that one is trained while they go in. */
static char *
page(uint64_t i)
{
	static const char *const words[] = { "the", "tide", "lamp", "keeper", "counted", "boats", "and", "waited",
		"for", "ice", "harbour", "bell", "bread", "fog", "under", "quay", "wrote", "it", "down", "again" };
	struct rng r;
	struct str s = {0};
	rng_init(&r, 5, i);
	str_addf(&s, "Page %d of the harbour log, as it was kept by those who kept it.\n", (int)i);
	while (s.len < 2000)
		str_addf(&s, "%s ", words[rng_below(&r, ARRAY_LEN(words))]);
	return str_take(&s);
}

static int64_t
count(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open(STORE_DIR "/store.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void
check_pages(struct store *s, int n)
{
	for (int i = 0; i < n; i++) {
		char *want = page((uint64_t)i);
		struct str got = {0};
		assert_ok(store_work_text(s, i + 1, &got));
		assert_string_equal(got.s, want);
		str_free(&got);
		free(want);
	}
}

static void
add_pages(struct store *s, int from, int to)
{
	assert_ok(store_begin(s));
	for (int i = from; i < to; i++) {
		char *text = page((uint64_t)i);
		add_work(s, text, "Ann", "Log");
		free(text);
	}
}

static void
test_dictionary(void **state)
{
	struct store *s = the_store(state);
	add_pages(s, 0, 199);
	assert_ok(store_commit(s));
	assert_int_equal(count("SELECT count(*) FROM dictionaries"), 0);
	int64_t plain = count("SELECT sum(length(frame)) FROM texts");
	/* A dictionary trained in a transaction that is undone must not be used after. */
	add_pages(s, 199, 210);
	store_rollback(s);
	assert_int_equal(count("SELECT count(*) FROM dictionaries"), 0);
	add_pages(s, 199, 200);
	assert_ok(store_commit(s));
	assert_int_equal(count("SELECT count(*) FROM dictionaries"), 1);
	assert_int_equal(count("SELECT count(*) FROM texts WHERE dictionary = 1"), 200);
	add_pages(s, 200, 220);
	assert_ok(store_commit(s));
	assert_int_equal(count("SELECT count(*) FROM texts WHERE dictionary = 1"), 220);
	assert_true(count("SELECT sum(length(frame)) FROM texts WHERE id <= 199") < plain);
	check_pages(s, 220);
	check_pages(store_reopen(state, true), 220);
}

static void
test_damaged_texts(void **state)
{
	static const struct { const char *sql, *says; } cases[] = {
		{ "UPDATE texts SET bytes = 9 WHERE id = 1", "not as long" },
		{ "UPDATE texts SET bytes = -1 WHERE id = 1", "bytes" },
		{ "UPDATE texts SET bytes = 9223372036854775807 WHERE id = 1", "not as long" },
		{ "UPDATE texts SET frame = x'' WHERE id = 1", "not as long" },
		{ "UPDATE texts SET frame = x'28b52ffd2003010203' WHERE id = 1", "text 1" },
		{ "UPDATE texts SET frame = (SELECT frame FROM texts WHERE id = 2) WHERE id = 1", "SHA-256" },
		{ "UPDATE texts SET sha256 = 'zz' WHERE id = 1", "sha256" },
		{ "UPDATE texts SET dictionary = 5 WHERE id = 1", "dictionary 5 is missing" },
		{ "INSERT INTO dictionaries VALUES (5, 'ab', x'00'); UPDATE texts SET dictionary = 5 WHERE id = 1",
			"sha256" },
		{ "DELETE FROM texts WHERE id = 1", "text 1 is missing" },
	};
	struct str whole = {0}, out = {0};
	add_work(the_store(state), "one", "Ann", "A");
	add_work(the_store(state), "two", "Ann", "B");
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(file_replace(STORE_DIR "/store.db", whole.s, whole.len));
		store_tamper(cases[i].sql);
		struct store *s = store_reopen(state, true);
		assert_err(store_work_text(s, 1, &out), ERR_FORMAT);
		assert_says(cases[i].says);
		store_shut(state);
	}
	str_free(&whole);
	str_free(&out);
}

static enum err
see_work(void *arg, const struct work *w)
{
	str_addf(arg, "%d:%s ", (int)w->id, w->title);
	return OK;
}

static enum err
see_contributor(void *arg, const struct contributor *c)
{
	str_addf(arg, "%s:%d:%d%s ", c->name, (int)c->n_works, (int)c->bytes, c->opted_out ? "!" : "");
	return OK;
}

static enum err
see_licence(void *arg, const char *licence, int64_t works)
{
	str_addf(arg, "%s:%d ", licence, (int)works);
	return OK;
}

static enum err
stop_at_once(void *arg, const struct work *w)
{
	(void)w;
	++*(int *)arg;
	return err_set(ERR_CANCELLED, "enough");
}

static void
test_listing(void **state)
{
	struct store *s = the_store(state);
	struct work_author both[] = { { "Ann", 1 }, { "Bea", 1 } };
	struct work_in in = { .text = "12345", .text_len = 5, .licence = " MIT ", .title = "J", .authors = both,
		.n_authors = 2 };
	struct str out = {0};
	int64_t id;
	bool added;
	int calls = 0;
	add_work(s, "abcd", "Ann", "A");
	add_work(s, "ef", NULL, "U");
	assert_ok(store_add_work(s, &in, &id, &added));
	assert_ok(store_find_contributor(s, "Bea", &id));
	assert_ok(store_set_opt_out(s, id, true, "by letter"));
	str_adds(&out, "");
	assert_ok(store_each_work(s, see_work, &out));
	assert_ok(store_each_contributor(s, see_contributor, &out));
	assert_ok(store_each_licence(s, see_licence, &out));
	assert_string_equal(out.s, "1:A 2:U 3:J Ann:2:7 unknown:1:2 Bea:1:3! unknown:2 MIT:1 ");
	assert_err(store_each_work(s, stop_at_once, &calls), ERR_CANCELLED);
	assert_int_equal(calls, 1);
	str_free(&out);
}

static enum err
interrupt(void *arg, const struct work *w)
{
	if (w->id == 1)
		store_interrupt(arg);
	return OK;
}

/* What runs ends; what comes after is not touched by it. */
static void
test_interrupt(void **state)
{
	struct store *s = the_store(state);
	struct str out = {0};
	for (int i = 0; i < 300; i++) {
		char *text = xasprintf("text %d", i);
		add_work(s, text, "Ann", text);
		free(text);
	}
	assert_err(store_each_work(s, interrupt, s), ERR_CANCELLED);
	assert_says("cancelled");
	store_interrupt(s);
	str_adds(&out, "");
	assert_ok(store_each_work(s, see_work, &out));
	assert_non_null(strstr(out.s, "300:"));
	str_free(&out);
}

static void
test_opt_out(void **state)
{
	struct store *s = the_store(state);
	int64_t work = add_work(s, "abcd", "Ann", "A"), who, nobody;
	struct contributor c;
	add_work(s, "efgh", NULL, "B");
	assert_ok(store_find_contributor(s, " Ann", &who));
	assert_ok(store_set_opt_out(s, who, true, NULL));
	assert_ok(store_contributor(s, who, &c));
	assert_true(c.opted_out && c.n_works == 1 && c.bytes == 4);
	contributor_free(&c);
	struct work w = get(s, work);
	assert_true(w.opted_out);
	work_free(&w);
	struct store_totals t;
	assert_ok(store_count(s, &t));
	assert_int_equal(t.opted_out, 1);
	assert_ok(store_set_opt_out(s, who, false, NULL));
	w = get(s, work);
	assert_false(w.opted_out);
	work_free(&w);
	assert_err(store_set_opt_out(s, 99, true, NULL), ERR_MISSING);
	assert_err(store_contributor(s, 99, &c), ERR_MISSING);
	assert_err(store_find_contributor(s, "Cy", &who), ERR_MISSING);
	assert_says("Cy");
	assert_ok(store_find_contributor(s, "Unknown", &nobody));
	assert_err(store_set_opt_out(s, nobody, true, NULL), ERR_USAGE);
}

static void
test_hash(void **state)
{
	struct store *s = the_store(state);
	char empty[HASH_HEX], one[HASH_HEX], same[HASH_HEX], two[HASH_HEX];
	assert_ok(store_hash(s, empty));
	add_work(s, "a", "Ann", "A");
	assert_ok(store_hash(s, one));
	assert_string_not_equal(empty, one);
	add_work(s, "a", "Ann", "A");
	assert_ok(store_set_opt_out(s, 1, true, NULL));
	assert_ok(store_hash(s, same));
	assert_string_equal(one, same);
	assert_ok(store_begin(s));
	add_work(s, "b", "Ann", "A");
	assert_ok(store_hash(s, two));
	assert_string_not_equal(one, two);
	store_rollback(s);
	assert_ok(store_hash(s, same));
	assert_string_equal(one, same);
	assert_ok(store_begin(s));
	assert_err(store_begin(s), ERR_USAGE);
	store_rollback(s);
	store_rollback(s);
}

/* What the columns of a hostile store hold. */
static void
test_hostile_rows(void **state)
{
	static const char *const cases[] = {
		"UPDATE shares SET share = 9", "UPDATE shares SET share = -0.5", "UPDATE shares SET share = 9e999",
		"UPDATE texts SET bytes = 1e15", "UPDATE texts SET bytes = -5", "UPDATE contributors SET opted_out = 2",
		"UPDATE works SET title = 'a' || char(0) || 'b'", "UPDATE contributors SET name = 'a' || char(0)",
	};
	struct str whole = {0};
	struct work w;
	add_work(the_store(state), "one", "Ann", "A");
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(file_replace(STORE_DIR "/store.db", whole.s, whole.len));
		store_tamper(cases[i]);
		struct store *s = store_reopen(state, true);
		assert_err(store_work(s, 1, &w), ERR_FORMAT);
		assert_says("damaged");
		assert_null(w.title);
		store_shut(state);
	}
	str_free(&whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_identity, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_names, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_shares, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_limits, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_bytes_exact, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_dictionary, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_damaged_texts, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_listing, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_interrupt, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_opt_out, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_hash, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_hostile_rows, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("works", tests, NULL, NULL);
}
