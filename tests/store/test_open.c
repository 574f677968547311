/* open: a store at rest is one file; one writer at a time; what is not a store is refused in one line. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "store_unit.h"

static void
test_create(void **state)
{
	struct store *s = the_store(state), *other;
	assert_string_equal(store_name(s), "shelf");
	assert_string_equal(store_dir(s), STORE_DIR);
	add_work(s, "text", "Ann", "One");
	store_shut(state);
	assert_holds(STORE_DIR, "store.db ");
	assert_err(store_create(STORE_DIR, &other), ERR_EXISTS);
	assert_null(other);
	assert_ok(store_open(STORE_DIR "//", true, &other));
	assert_string_equal(store_name(other), "shelf");
	store_close(other);
	assert_int_equal(chdir(STORE_DIR), 0);
	assert_ok(store_open(".", true, &other));
	assert_string_equal(store_name(other), "shelf");
	store_close(other);
	store_close(NULL);
}

static void
test_create_elsewhere(void **state)
{
	(void)state;
	struct store *s;
	/* A folder of somebody's is not made a store of; what a killed creation left is. */
	assert_ok(file_mkdirs("home"));
	assert_ok(file_replace("home/letter", "x", 1));
	assert_err(store_create("home", &s), ERR_EXISTS);
	assert_says("letter");
	assert_holds("home", "letter ");
	assert_ok(file_mkdirs("left"));
	assert_ok(file_replace("left/store.db.new", "half", 4));
	assert_ok(file_replace("left/lock", "", 0));
	assert_ok(store_create("left", &s));
	store_close(s);
	assert_holds("left", "store.db ");
	/* Names that mean something in a URI. */
	assert_ok(store_create("what?mode=memory#a%41 b.byline", &s));
	add_work(s, "text", NULL, NULL);
	store_close(s);
	assert_holds("what?mode=memory#a%41 b.byline", "store.db ");
}

static void
last_asked(void *arg)
{
	struct store *other;
	assert_err(store_open(STORE_DIR, false, &other), ERR_BUSY);
	assert_err(store_create(STORE_DIR, &other), ERR_BUSY);
	assert_int_equal(unlink(STORE_DIR "/store.db"), 0);
	++*(int *)arg;
}

/* Somebody's lock in the place of ours. */
static void
last_replaced(void *arg)
{
	assert_int_equal(unlink("new/lock"), 0);
	assert_ok(file_replace("new/lock", "", 0));
	++*(int *)arg;
}

/* What a store that is given up leaves can be removed before the next is let in. */
static void
test_close_with(void **state)
{
	struct store *s = the_store(state);
	int called = 0;
	store_close_with(s, last_asked, &called);
	((struct fixture *)*state)->store = NULL;
	assert_holds(STORE_DIR, "");
	assert_ok(store_create("new", &s));
	store_close_with(s, last_replaced, &called);
	assert_holds("new", "lock store.db ");
	assert_int_equal(called, 2);
}

static void
check_refused(const char *dir, enum err code, const char *says)
{
	struct store *s;
	for (int read_only = 0; read_only < 2; read_only++) {
		assert_err(store_open(dir, read_only, &s), code);
		assert_null(s);
		assert_says(says);
		assert_says(dir);
	}
}

static void
test_not_a_store(void **state)
{
	store_shut(state);
	struct str junk = {0};
	check_refused("nothing.byline", ERR_MISSING, "there is no store");
	assert_ok(file_replace("plain", "x", 1));
	check_refused("plain", ERR_FORMAT, "is a file");
	assert_ok(file_mkdirs("empty"));
	check_refused("empty", ERR_FORMAT, "no store.db");
	assert_ok(file_mkdirs("pipe"));
	assert_int_equal(mkfifo("pipe/store.db", 0600), 0);
	check_refused("pipe", ERR_FORMAT, "not a regular file");
	assert_ok(file_mkdirs("junk"));
	str_fill(&junk, 'j', 8192);
	assert_ok(file_replace("junk/store.db", junk.s, junk.len));
	str_free(&junk);
	check_refused("junk", ERR_FORMAT, "not a database");
	assert_ok(file_replace("junk/store.db", "", 0));
	check_refused("junk", ERR_FORMAT, "not one that byline made");
	assert_ok(file_replace("junk/store.db", "short", 5));
	check_refused("junk", ERR_FORMAT, "not a database");
}

static void
test_other_database(void **state)
{
	(void)state;
	sqlite3 *db;
	struct str before = {0}, after = {0};
	assert_ok(file_mkdirs("other"));
	assert_int_equal(sqlite3_open("other/store.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_ok(file_read("other/store.db", 1 << 20, &before));
	check_refused("other", ERR_FORMAT, "not one that byline made");
	/* And it is left alone, its journal mode too. */
	assert_ok(file_read("other/store.db", 1 << 20, &after));
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.s, after.s, after.len);
	str_free(&before);
	str_free(&after);
}

static void
test_truncated(void **state)
{
	struct store *s = the_store(state);
	struct str whole = {0};
	for (int i = 0; i < 100; i++) {
		char *text = xasprintf("text number %d", i * 7919);
		add_work(s, text, "Ann", text);
		free(text);
	}
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t n = 1; n < whole.len; n = n * 2 + 11) {
		assert_ok(file_replace(STORE_DIR "/store.db", whole.s, n));
		enum err err = store_open(STORE_DIR, true, &s);
		if (err == OK) {
			char hex[HASH_HEX];
			err = store_hash(s, hex);
			store_close(s);
		}
		assert_err(err, ERR_FORMAT);
		assert_says("store.db");
	}
	str_free(&whole);
}

static void
test_tampered(void **state)
{
	static const struct { const char *sql; enum err code; const char *says; } cases[] = {
		{ "PRAGMA user_version = 99", ERR_UNSUPPORTED, "version 99" },
		{ "PRAGMA user_version = 0", ERR_FORMAT, "version 0" },
		{ "PRAGMA user_version = -1", ERR_FORMAT, "version -1" },
		{ "PRAGMA application_id = 7", ERR_FORMAT, "not one that byline made" },
		{ "DROP TABLE queries", ERR_FORMAT, "\"queries\" is missing" },
		{ "DROP INDEX shares_by_contributor", ERR_FORMAT, "\"shares_by_contributor\" is missing" },
		{ "DROP TABLE queries; CREATE TABLE queries(id INTEGER PRIMARY KEY)", ERR_FORMAT,
			"\"queries\" is not as" },
		{ "DROP TABLE queries; CREATE VIEW queries AS SELECT 1 AS id", ERR_FORMAT, "\"queries\" is not as" },
		{ "CREATE TRIGGER t AFTER INSERT ON works BEGIN DELETE FROM works; END", ERR_FORMAT, "trigger \"t\"" },
		{ "CREATE VIEW aaa AS SELECT 1", ERR_FORMAT, "view \"aaa\"" },
		{ "CREATE TABLE zzz(x)", ERR_FORMAT, "table \"zzz\"" },
		{ "CREATE INDEX i ON works(length(title))", ERR_FORMAT, "index \"i\"" },
		{ "CREATE VIRTUAL TABLE words_1 USING fts5(x)", ERR_FORMAT, "\"words_1\"" },
		{ "CREATE TABLE words_x(x)", ERR_FORMAT, "\"words_x\"" },
		{ "CREATE TABLE words_1_other(x)", ERR_FORMAT, "\"words_1_other\"" },
		{ "ALTER TABLE works ADD COLUMN extra TEXT", ERR_FORMAT, "\"works\"" },
	};
	struct str whole = {0};
	store_shut(state);
	assert_ok(file_read(STORE_DIR "/store.db", 1 << 20, &whole));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(file_replace(STORE_DIR "/store.db", whole.s, whole.len));
		store_tamper(cases[i].sql);
		check_refused(STORE_DIR, cases[i].code, cases[i].says);
	}
	str_free(&whole);
}

/* ANALYZE is nobody's attack. */
static void
test_analyzed(void **state)
{
	add_work(the_store(state), "text", "Ann", "One");
	store_shut(state);
	store_tamper("ANALYZE");
	store_reopen(state, true);
}

static void
test_lock(void **state)
{
	struct store *other;
	add_work(the_store(state), "text", "Ann", "One");
	assert_err(store_open(STORE_DIR, false, &other), ERR_BUSY);
	assert_says("another byline is writing");
	assert_err(store_create(STORE_DIR, &other), ERR_BUSY);
	/* A reader needs no lock and sees what is committed. */
	assert_ok(store_open(STORE_DIR, true, &other));
	struct store_totals t;
	assert_ok(store_count(other, &t));
	assert_int_equal(t.works, 1);
	assert_ok(store_begin(the_store(state)));
	add_work(the_store(state), "more", "Ann", "Two");
	assert_ok(store_count(other, &t));
	assert_int_equal(t.works, 1);
	assert_ok(store_commit(the_store(state)));
	assert_ok(store_count(other, &t));
	assert_int_equal(t.works, 2);
	/* The writer leaves first: everything is there for the next, who cleans up. */
	store_shut(state);
	assert_ok(store_count(other, &t));
	assert_int_equal(t.works, 2);
	store_close(other);
	store_reopen(state, false);
	store_shut(state);
	assert_holds(STORE_DIR, "store.db ");
}

static void
test_read_only(void **state)
{
	int64_t id = add_work(the_store(state), "text", "Ann", "One");
	struct store *s = store_reopen(state, true);
	struct work_in w = { .text = "more", .text_len = 4 };
	bool added;
	assert_err(store_add_work(s, &w, &id, &added), ERR_USAGE);
	assert_says("read-only");
	assert_err(store_begin(s), ERR_USAGE);
	assert_err(store_set_opt_out(s, 1, true, NULL), ERR_USAGE);
	assert_holds(STORE_DIR, "store.db ");
	store_shut(state);
	assert_holds(STORE_DIR, "store.db ");
}

/* The exit status of a child that runs fn without any privilege. */
static int
as_nobody(int (*fn)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0) ? 99 : fn());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
read_one_work(void)
{
	struct store *s;
	struct work w;
	if (access(STORE_DIR, W_OK) == 0)
		return 2;
	if (store_open(STORE_DIR, false, &s) == OK)
		return 3;
	if (store_open(STORE_DIR, true, &s) != OK) {
		fprintf(stderr, "%s\n", err_message());
		return 4;
	}
	int status = store_work(s, 1, &w) == OK && strcmp(w.title, "One") == 0 ? 0 : 5;
	work_free(&w);
	store_close(s);
	return status;
}

static void
check_unwritable(void **state, const char *files)
{
	const struct fixture *f = *state;
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chmod(STORE_DIR "/store.db", 0444), 0);
	assert_int_equal(chmod(STORE_DIR, 0555), 0);
	int status = as_nobody(read_one_work);
	assert_int_equal(chmod(STORE_DIR, 0755), 0);
	assert_int_equal(status, 0);
	assert_holds(STORE_DIR, files);
}

static void
test_unwritable_folder(void **state)
{
	add_work(the_store(state), "text", "Ann", "One");
	store_shut(state);
	check_unwritable(state, "store.db ");
}

/* A copy of the database alone, taken while its log was on. */
static void
test_unwritable_wal(void **state)
{
	add_work(the_store(state), "text", "Ann", "One");
	store_shut(state);
	store_tamper("PRAGMA journal_mode = WAL");
	assert_holds(STORE_DIR, "store.db ");
	check_unwritable(state, "store.db ");
}

static void
test_killed_writer(void **state)
{
	store_shut(state);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct store *s;
		if (store_open(STORE_DIR, false, &s) == OK)
			add_work(s, "text", "Ann", "One");
		raise(SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(file_exists(STORE_DIR "/store.db-wal"));
	struct store *s = store_reopen(state, true);
	struct work w;
	assert_ok(store_work(s, 1, &w));
	work_free(&w);
	store_reopen(state, false);
	store_shut(state);
	assert_holds(STORE_DIR, "store.db ");
	check_unwritable(state, "store.db ");
}

/* Killed without a log: the half-written pages are in the file, and what they were in the journal beside it. */
static void
test_killed_switch(void **state)
{
	add_work(the_store(state), "text", "Ann", "One");
	store_shut(state);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db;
		if (sqlite3_open(STORE_DIR "/store.db", &db) == SQLITE_OK)
			sqlite3_exec(db, "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN; DELETE FROM shares;"
				" UPDATE works SET title = hex(zeroblob(50000)); UPDATE texts SET frame = zeroblob(50000);"
				" SELECT count(*) FROM works, texts", NULL, NULL, NULL);
		raise(SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_holds(STORE_DIR, "store.db store.db-journal ");
	struct store *s = store_reopen(state, true);
	struct work w;
	assert_ok(store_work(s, 1, &w));
	assert_string_equal(w.title, "One");
	assert_int_equal(w.n_authors, 1);
	work_free(&w);
	store_shut(state);
	assert_holds(STORE_DIR, "store.db ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_close_with, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_create_elsewhere, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_not_a_store, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_other_database, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_truncated, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_tampered, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_analyzed, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_lock, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_read_only, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_unwritable_folder, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_unwritable_wal, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_killed_writer, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_killed_switch, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
