/* import_jsonl: what goes in, what is skipped and why, compressed or not, killed or not. */
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <zstd.h>

#include "byline/import.h"
#include "import_unit.h"
#include "store_unit.h"

static void
test_records(void **state)
{
	struct store *s = the_store(state);
	struct seen seen = {0};
	put("a.jsonl",
		"\xef\xbb\xbf{\"text\": \"one\", \"author\": \"Ann\", \"title\": \"T\", \"license\": \"MIT\","
		" \"extra\": {\"x\": 1}}\r\n"
		"\n   \n"
		"{\"text\": \"two\", \"authors\": [\"Ann\", \"Bea\"], \"title\": 1931,"
		" \"date\": 1931, \"source\": \"s\"}\n"
		"{\"text\": \"three\", \"author\": [{\"name\": \"Ann\", \"share\": 3}, {\"name\": \"Cy\"}]}\n"
		"{\"text\": \"four\", \"author\": null}\n"
		"{\"text\": \"five\", \"author\": []}\n"
		"{\"text\": \"six\", \"author\": {\"name\": null, \"share\": 2},"
		" \"licence\": \"CC0-1.0\", \"licence_from\": \"page 2\"}\n"
		"{\"text\": \"nul \\u0000 here\"}");
	run_import(s, "a.jsonl", NULL, OK, &seen);
	assert_int_equal(seen.report.added, 7);
	assert_int_equal(seen.report.records, 7);
	assert_int_equal(seen.report.bytes, 3 + 3 + 5 + 4 + 4 + 3 + 10);
	check_work(s, 1, "T | MIT (stated in the record) |  |  | Ann 1.00");
	check_work(s, 2, "1931 | unknown () | s | 1931 | Ann 0.50 Bea 0.50");
	check_work(s, 3, " | unknown () |  |  | Ann 0.75 Cy 0.25");
	check_work(s, 4, " | unknown () |  |  | unknown 1.00");
	check_work(s, 5, " | unknown () |  |  | unknown 1.00");
	check_work(s, 6, " | CC0-1.0 (page 2) |  |  | unknown 1.00");
	seen_free(&seen);
	/* Again: nothing new. */
	run_import(s, "a.jsonl", NULL, OK, &seen);
	assert_int_equal(seen.report.added, 0);
	assert_int_equal(seen.report.duplicates, 7);
	seen_free(&seen);
}

static void
test_options(void **state)
{
	struct store *s = the_store(state);
	struct seen seen = {0};
	const struct import_options o = { .licence = "CC-BY-4.0", .source = "box 3", .author_map = " AND ",
		.unknown_names = "DISPUTED, anon ,", .max_bytes = 9 };
	put("a.ndjson",
		"{\"text\": \"one\", \"author\": \"Ann AND Bea\"}\n"
		"{\"text\": \"two\", \"author\": \"disputed\", \"licence\": \"MIT\", \"source\": \"mine\"}\n"
		"{\"text\": \"three\", \"author\": [\"Anon\", \"Ann AND Bea\"], \"licence\": \" \"}\n"
		"{\"text\": \"123456789\"}\n"
		"{\"text\": \"1234567890\"}\n");
	run_import(s, "a.ndjson", &o, OK, &seen);
	check_work(s, 1, " | CC-BY-4.0 (given at import) | box 3 |  | Ann 0.50 Bea 0.50");
	check_work(s, 2, " | MIT (stated in the record) | mine |  | unknown 1.00");
	check_work(s, 3, " | CC-BY-4.0 (given at import) | box 3 |  | unknown 0.50 Ann 0.25 Bea 0.25");
	assert_int_equal(seen.report.added, 4);
	assert_string_equal(seen.skips.s, "a.ndjson:5 text too long: 10 bytes, at most 9\n");
	seen_free(&seen);
}

static const char bad_lines[] =
	"{\"text\": \"good\"}\n"
	"{\"text\": \"cut off\n"
	"[1, 2]\n"
	"{\"author\": \"Ann\"}\n"
	"{\"text\": 5}\n"
	"{\"text\": \"\"}\n"
	"{\"text\": \"x\", \"author\": 7}\n"
	"{\"text\": \"x\", \"author\": [\"Ann\", 7]}\n"
	"{\"text\": \"x\", \"author\": [{\"name\": \"Ann\", \"share\": \"all\"}]}\n"
	"{\"text\": \"x\", \"author\": [{\"name\": \"Ann\", \"share\": -1}]}\n"
	"{\"text\": \"x\", \"author\": [{\"name\": \"Ann\", \"share\": 1e7}]}\n"
	"{\"text\": \"x\", \"author\": \"a\\u0000b\"}\n"
	"{\"text\": \"x\", \"title\": {}}\n"
	"{\"text\": \"x\", \"text\": \"y\"}\n"
	"{\"text\": \"\\ud800\"}\n"
	"{\"text\": \"bad utf-8 \xff\"}\n"
	"{\"text\": \"also good\"}\n";

static void
test_bad_lines(void **state)
{
	struct store *s = the_store(state);
	struct seen seen = {0};
	put("bad.jsonl", bad_lines);
	run_import(s, "bad.jsonl", NULL, OK, &seen);
	assert_int_equal(seen.report.added, 2);
	assert_int_equal(seen.report.skipped, 15);
	assert_int_equal(seen.report.records, 17);
	assert_string_equal(seen.report.reasons[0].reason, "bad author");
	assert_int_equal(seen.report.reasons[0].n, 4);
	for (int line = 2; line <= 16; line++) {
		char *where = xasprintf("bad.jsonl:%d ", line);
		if (!strstr(seen.skips.s, where))
			fail_msg("%s is not in %s", where, seen.skips.s);
		free(where);
	}
	assert_non_null(strstr(seen.skips.s, "bad.jsonl:10 bad metadata: an author's share is -1"));
	seen_free(&seen);
}

static void
test_strict(void **state)
{
	struct store *s = the_store(state);
	struct seen seen = {0};
	const struct import_options strict = { .strict = true };
	struct store_totals t;
	put("bad.jsonl", bad_lines);
	run_import(s, "bad.jsonl", &strict, ERR_FORMAT, &seen);
	assert_says("bad.jsonl:2: not JSON");
	assert_int_equal(seen.report.skipped, 1);
	/* What was whole is in. */
	assert_ok(store_count(s, &t));
	assert_int_equal(t.works, 1);
	seen_free(&seen);
}

static void
test_refusals(void **state)
{
	struct store *s = the_store(state);
	struct seen seen = {0};
	const struct import_options odd = { .format = "pdf" }, json = { .format = "jsonl" };
	run_import(s, "none.jsonl", NULL, ERR_MISSING, &seen);
	assert_says("none.jsonl");
	run_import(s, "what.ever", NULL, ERR_USAGE, &seen);
	assert_says("jsonl");
	run_import(s, "what.ever", &odd, ERR_USAGE, &seen);
	assert_says("\"pdf\"");
	run_import(s, ".", &json, ERR_IO, &seen);
	assert_says("folder");
	put("empty.jsonl", "");
	run_import(s, "empty.jsonl", NULL, OK, &seen);
	assert_int_equal(seen.report.records, 0);
	run_import(store_reopen(state, true), "empty.jsonl", NULL, ERR_USAGE, &seen);
	assert_says("read-only");
}

static void
test_long_line(void **state)
{
	struct store *s = the_store(state);
	struct seen seen = {0};
	struct str file = {0};
	const struct import_options small = { .max_bytes = 10 };
	str_adds(&file, "{\"text\": \"a\"}\n{\"text\": \"");
	str_fill(&file, 'x', 3 << 20);
	str_adds(&file, "\"}\n{\"text\": \"b\"}\n");
	str_fill(&file, 'y', 3 << 20);
	put("long.jsonl", file.s);
	run_import(s, "long.jsonl", &small, OK, &seen);
	assert_int_equal(seen.report.added, 2);
	assert_string_equal(seen.skips.s, "long.jsonl:2 line too long\nlong.jsonl:4 line too long\n");
	seen_free(&seen);
	str_free(&file);
}

/* ---- zstd ---- */

static void
put_zstd(const char *path, const struct str *plain, size_t cut)
{
	size_t room = ZSTD_compressBound(plain->len);
	char *buf = xmalloc(room);
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);	/* as zstd(1) does */
	size_t n = ZSTD_compress2(z, buf, room, plain->s, plain->len);
	assert_false(ZSTD_isError(n));
	assert_ok(file_replace(path, buf, n - cut));
	ZSTD_freeCCtx(z);
	free(buf);
}

static void
many_lines(struct str *out, int n)
{
	str_clear(out);
	for (int i = 0; i < n; i++)
		str_addf(out, "{\"text\": \"text %d %d\", \"author\": \"Author %d\", \"title\": \"%d\"}\n", i,
			i * 7919 % 10007, i % 17, i);
}

static void
test_zstd(void **state)
{
	struct store *s = the_store(state);
	struct seen seen = {0};
	struct str lines = {0};
	many_lines(&lines, 20000);
	put_zstd("all.jsonl.zst", &lines, 0);
	run_import(s, "all.jsonl.zst", NULL, OK, &seen);
	assert_int_equal(seen.report.added, 20000);
	seen_free(&seen);
	/* Cut off: what is whole goes in, and the loss is told. */
	put_zstd("cut.jsonl.zst", &lines, 1000);
	run_import(s, "cut.jsonl.zst", NULL, OK, &seen);
	assert_int_equal(seen.report.added, 0);
	assert_true(seen.report.duplicates > 1000 && seen.report.duplicates < 20000);
	assert_int_equal(seen.report.skipped, 1);
	assert_non_null(strstr(seen.skips.s, "broken compression: the compressed data end in the middle"));
	seen_free(&seen);
	struct str bytes = {0};
	assert_ok(file_read("all.jsonl.zst", 1 << 24, &bytes));
	memset(bytes.s + bytes.len / 2, 0xa5, 64);
	assert_ok(file_replace("hurt.jsonl.zst", bytes.s, bytes.len));
	run_import(s, "hurt.jsonl.zst", NULL, OK, &seen);
	assert_non_null(strstr(seen.skips.s, "broken compression: the compressed data are damaged"));
	seen_free(&seen);
	/* Two frames, one after the other, are one file. */
	put_zstd("a.zst", &(struct str){ .s = (char []){ "{\"text\": \"A\"}\n{\"te" }, .len = 18 }, 0);
	put_zstd("b.zst", &(struct str){ .s = (char []){ "xt\": \"B\"}\n" }, .len = 10 }, 0);
	str_clear(&bytes);
	assert_ok(file_read("a.zst", 1000, &bytes));
	assert_ok(file_read("b.zst", 1000, &bytes));
	assert_ok(file_replace("two.jsonl.zst", bytes.s, bytes.len));
	run_import(s, "two.jsonl.zst", NULL, OK, &seen);
	assert_int_equal(seen.report.added, 2);
	seen_free(&seen);
	str_free(&bytes);
	str_free(&lines);
}

/* ---- being stopped ---- */

struct stopper { struct job job; int after; };

static void
count_down(void *arg)
{
	struct stopper *stop = arg;
	if (--stop->after == 0)
		job_cancel(&stop->job);
}

static void
test_cancel(void **state)
{
	struct store *s = the_store(state);
	struct stopper stop = { .after = 700 };
	struct import_report r;
	struct str lines = {0};
	struct store_totals t;
	many_lines(&lines, 3000);
	put("m.jsonl", lines.s);
	job_init(&stop.job);
	stop.job.notify = count_down;
	stop.job.notify_arg = &stop;
	assert_err(import_path(s, "m.jsonl", NULL, &stop.job, &r), ERR_CANCELLED);
	assert_true(r.added > 0 && r.added < 3000);
	assert_ok(store_count(s, &t));
	assert_int_equal(t.works, r.added);
	import_report_free(&r);
	job_done(&stop.job);
	str_free(&lines);
}

static void
import_and_hash(const char *dir, char hex[HASH_HEX])
{
	struct store *s;
	struct import_report r;
	assert_ok(store_open(dir, false, &s));
	assert_ok(import_path(s, "m.jsonl", NULL, NULL, &r));
	assert_ok(store_hash(s, hex));
	import_report_free(&r);
	store_close(s);
}

/* Killed again and again while it imports, the store opens each time and ends up the same. */
static void
test_kill(void **state)
{
	struct str lines = {0};
	struct store *s;
	char want[HASH_HEX], got[HASH_HEX];
	many_lines(&lines, 6000);
	put("m.jsonl", lines.s);
	str_free(&lines);
	assert_ok(store_create("whole.byline", &s));
	store_close(s);
	import_and_hash("whole.byline", want);
	store_shut(state);
	for (int i = 0; i < 12; i++) {
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0) {
			import_and_hash(STORE_DIR, got);
			_exit(0);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 3000000L + i * 9000000L }, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		/* What is there is the beginning of the whole. */
		struct store_totals t;
		assert_ok(store_open(STORE_DIR, false, &s));
		assert_ok(store_count(s, &t));
		assert_true(t.works % 256 == 0 || t.works == 6000);
		store_close(s);
	}
	import_and_hash(STORE_DIR, got);
	assert_string_equal(got, want);
	assert_holds(STORE_DIR, "store.db ");
}

/* The exit status of a child that imports where files may not grow beyond `bytes`. */
static int
import_limited(rlim_t bytes)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit limit = { bytes, bytes };
		struct import_report r = {0};
		struct store *s;
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		enum err err = store_open(STORE_DIR, false, &s);
		if (err == OK)
			err = import_path(s, "m.jsonl", NULL, NULL, &r);
		bool said = strstr(err_message(), "store.db");
		import_report_free(&r);
		store_close(s);
		_exit(err == OK ? 0 : err == ERR_IO && said ? 1 : 2);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A disk that is full at one point after the other: one clear line, nothing lost, and the next import goes on. */
static void
test_full_disk(void **state)
{
	struct str lines = {0};
	struct store *s;
	char want[HASH_HEX], got[HASH_HEX];
	many_lines(&lines, 3000);
	put("m.jsonl", lines.s);
	str_free(&lines);
	assert_ok(store_create("whole.byline", &s));
	store_close(s);
	import_and_hash("whole.byline", want);
	store_shut(state);
	int failed = 0;
	for (rlim_t bytes = 60000; bytes < 700000; bytes += 90000) {
		int status = import_limited(bytes);
		assert_in_range(status, 0, 1);
		failed += status;
	}
	assert_true(failed > 2);
	import_and_hash(STORE_DIR, got);
	assert_string_equal(got, want);
	assert_holds(STORE_DIR, "store.db ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_records, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_options, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_bad_lines, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_strict, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_refusals, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_long_line, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_zstd, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_cancel, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_kill, store_enter, store_leave),
		cmocka_unit_test_setup_teardown(test_full_disk, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("import_jsonl", tests, NULL, NULL);
}
