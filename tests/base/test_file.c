/* file: what is there before a failed write is there after it; walks stay inside; locks exclude. */
#include "byline/file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "byline/mem.h"
#include "unit.h"

/* Each test has a fresh folder and works in it. */
static int
enter(void **state)
{
	char *dir = xstrdup("/tmp/byline-file-XXXXXX");
	*state = dir;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int
leave(void **state)
{
	char *dir = *state;
	enum err err = chdir("/") == 0 ? file_remove_tree(dir) : ERR_IO;
	free(dir);
	return err == OK ? 0 : -1;
}

static void
put(const char *path, const char *text)
{
	assert_ok(file_replace(path, text, strlen(text)));
}

static void
check_content(const char *path, const char *want)
{
	struct str s = {0};
	assert_ok(file_read(path, 1 << 20, &s));
	assert_string_equal(s.s, want);
	str_free(&s);
}

static enum err
list_one(void *arg, const char *rel)
{
	str_addf(arg, "%s ", rel);
	return OK;
}

static void
check_tree(const char *dir, const char *want)
{
	struct str s = {0};
	str_adds(&s, "");
	assert_ok(file_walk(dir, list_one, &s));
	assert_string_equal(s.s, want);
	str_free(&s);
}

/* The exit status of a child that runs fn; -1 if a signal ended it. */
static int
status_of(int (*fn)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fn());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_map(void **state)
{
	(void)state;
	struct file_map map;
	put("a", "hello");
	put("empty", "");
	assert_ok(file_map_open("a", &map));
	assert_int_equal(map.size, 5);
	assert_memory_equal(map.data, "hello", 5);
	file_map_close(&map);
	assert_null(map.data);
	file_map_close(&map);
	assert_ok(file_map_open("empty", &map));
	assert_null(map.data);
	assert_int_equal(map.size, 0);
	file_map_close(&map);
	assert_err(file_map_open("gone", &map), ERR_MISSING);
	assert_string_equal(err_message(), "cannot open gone: No such file or directory");
	assert_err(file_map_open(".", &map), ERR_IO);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_err(file_map_open("pipe", &map), ERR_IO);
	assert_err(file_map_open("/dev/zero", &map), ERR_IO);
}

static void
test_read(void **state)
{
	(void)state;
	struct str s = {0};
	put("a", "hello");
	str_adds(&s, ">");
	assert_ok(file_read("a", 5, &s));
	assert_string_equal(s.s, ">hello");
	assert_err(file_read("a", 4, &s), ERR_LIMIT);
	assert_err(file_read("/dev/zero", 100000, &s), ERR_LIMIT);
	assert_err(file_read("gone", 4, &s), ERR_MISSING);
	assert_err(file_read(".", 4, &s), ERR_IO);
	uint64_t size;
	assert_ok(file_size("a", &size));
	assert_int_equal(size, 5);
	assert_err(file_size("gone", &size), ERR_MISSING);
	assert_true(file_exists("a") && file_exists(".") && !file_exists("gone"));
	assert_true(file_is_dir(".") && !file_is_dir("a") && !file_is_dir("gone"));
	str_free(&s);
}

static void
test_read_pipe(void **state)
{
	(void)state;
	struct str s = {0};
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_ok(file_read("pipe", 100, &s));
	assert_int_equal(s.len, 0);
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "hello", 5), 5);
	close(fds[1]);
	char *path = xasprintf("/dev/fd/%d", fds[0]);
	assert_ok(file_read(path, 100, &s));
	assert_string_equal(s.s, "hello");
	close(fds[0]);
	free(path);
	str_free(&s);
}

static int
read_stdin(void)
{
	struct str s = {0};
	if (!freopen("a", "r", stdin) || file_read("-", 10, &s) != OK)
		return 1;
	int same = strcmp(s.s, "hello") == 0;
	str_free(&s);
	return same ? 0 : 2;
}

static void
test_read_standard_input(void **state)
{
	(void)state;
	put("a", "hello");
	assert_int_equal(status_of(read_stdin), 0);
}

static void
test_mkdirs(void **state)
{
	assert_ok(file_mkdirs("x/y//z/"));
	assert_true(file_is_dir("x/y/z"));
	assert_ok(file_mkdirs("x/y/z"));
	char *full = xasprintf("%s/p/q", (char *)*state);
	assert_ok(file_mkdirs(full));
	assert_true(file_is_dir("p/q"));
	free(full);
	put("x/f", "");
	assert_err(file_mkdirs("x/f/g"), ERR_IO);
	assert_err(file_mkdirs("x/f"), ERR_IO);
	assert_non_null(strstr(err_message(), "x/f"));
	/* The reason is why it could not be made, not that it is not there. */
	assert_int_equal(symlink("nowhere", "x/dangling"), 0);
	assert_err(file_mkdirs("x/dangling"), ERR_IO);
	assert_non_null(strstr(err_message(), strerror(EEXIST)));
}

static void
test_writer(void **state)
{
	(void)state;
	struct file_writer w = {0};
	file_writer_abort(&w);
	mode_t old = umask(027);
	put("a", "old");
	assert_ok(file_writer_open(&w, "a"));
	char *tmp = xasprintf("a.tmp.%ld", (long)getpid());
	assert_true(file_exists(tmp));
	fputs("new", w.f);
	check_content("a", "old");
	assert_ok(file_writer_commit(&w));
	file_writer_abort(&w);
	umask(old);
	check_content("a", "new");
	assert_false(file_exists(tmp));
	struct stat st;
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* Left by a dead process with our number. */
	put(tmp, "stale and longer");
	put("a", "x");
	check_content("a", "x");
	check_tree(".", "a ");
	free(tmp);
}

static void
test_writer_abort(void **state)
{
	(void)state;
	struct file_writer w;
	put("a", "old");
	assert_ok(file_writer_open(&w, "a"));
	fputs("half", w.f);
	file_writer_abort(&w);
	assert_null(w.f);
	check_content("a", "old");
	check_tree(".", "a ");
}

static int
die_while_writing(void)
{
	struct file_writer w;
	if (file_writer_open(&w, "a") != OK)
		return 1;
	fputs("half", w.f);
	fflush(w.f);
	raise(SIGKILL);
	return 2;
}

static void
test_writer_killed(void **state)
{
	(void)state;
	put("a", "old");
	assert_int_equal(status_of(die_while_writing), -1);
	check_content("a", "old");
}

static void
test_writer_refused(void **state)
{
	(void)state;
	struct file_writer w;
	assert_err(file_writer_open(&w, "no/such/folder"), ERR_MISSING);
	assert_null(w.f);
	assert_null(w.tmp);
	assert_ok(file_mkdirs("dir/full"));
	assert_err(file_replace("dir", "x", 1), ERR_IO);
	assert_true(file_is_dir("dir/full"));
	check_tree(".", "");
}

/* No byte more than 1000 fits into any file, as if the disk were full. */
static int
fill_up(void)
{
	static char big[100000];
	struct rlimit limit = { 1000, RLIM_INFINITY };
	struct file_writer w;
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	/* It shows at the flush. */
	if (file_replace("a", big, 1001) != ERR_IO || !strstr(err_message(), strerror(EFBIG)))
		return 2;
	/* It shows in the middle, where the caller does not look. */
	if (file_writer_open(&w, "a") != OK)
		return 3;
	for (size_t i = 0; i < sizeof(big); i++)
		fputc(big[i], w.f);
	if (file_writer_commit(&w) != ERR_IO || w.f || w.tmp)
		return 4;
	if (file_replace("a", big, sizeof(big)) != ERR_IO)
		return 5;
	return file_replace("b", big, 1000) == OK ? 0 : 6;
}

/* The disk is full for a moment only: what was lost in it must not be forgotten by the end. */
static int
fill_up_briefly(void)
{
	struct rlimit limit = { 1000, RLIM_INFINITY };
	struct file_writer w;
	signal(SIGXFSZ, SIG_IGN);
	if (file_writer_open(&w, "a") != OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	for (size_t i = 0; i < 100000; i++)
		fputc('x', w.f);
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	return file_writer_commit(&w) == ERR_IO ? 0 : 3;
}

static void
test_writer_full_disk(void **state)
{
	(void)state;
	put("a", "old");
	assert_int_equal(status_of(fill_up), 0);
	assert_int_equal(status_of(fill_up_briefly), 0);
	check_content("a", "old");
	check_tree(".", "a b ");
}

static void
test_walk(void **state)
{
	(void)state;
	assert_ok(file_mkdirs("t/b"));
	assert_ok(file_mkdirs("t/B"));
	assert_ok(file_mkdirs("t/void"));
	assert_ok(file_mkdirs("outside"));
	put("outside/secret", "");
	put("t/b/z", "");
	put("t/b/a", "");
	put("t/B/x", "");
	put("t/b.txt", "");
	put("t/\xff", "");
	put("t/.hidden", "");
	assert_int_equal(symlink("../outside", "t/link"), 0);
	assert_int_equal(symlink("../outside/secret", "t/filelink"), 0);
	assert_int_equal(symlink("..", "t/b/up"), 0);
	assert_int_equal(mkfifo("t/pipe", 0600), 0);
	check_tree("t", ".hidden B/x b/a b/z b.txt \xff ");
	assert_int_equal(symlink("t", "top"), 0);
	check_tree("top", ".hidden B/x b/a b/z b.txt \xff ");
	struct str s = {0};
	assert_err(file_walk("gone", list_one, &s), ERR_MISSING);
	assert_err(file_walk("t/b/a", list_one, &s), ERR_IO);
	assert_null(s.s);
}

static enum err
stop_at_b(void *arg, const char *rel)
{
	++*(int *)arg;
	return strcmp(rel, "b") == 0 ? err_set(ERR_CANCELLED, "enough") : OK;
}

static void
test_walk_ends_early(void **state)
{
	(void)state;
	int calls = 0;
	put("a", "");
	put("b", "");
	put("c", "");
	assert_err(file_walk(".", stop_at_b, &calls), ERR_CANCELLED);
	assert_string_equal(err_message(), "enough");
	assert_int_equal(calls, 2);
}

static void
test_walk_depth(void **state)
{
	(void)state;
	struct str path = {0};
	for (int i = 0; i < 200; i++)
		str_adds(&path, "d/");
	assert_ok(file_mkdirs(path.s));
	int calls = 0;
	assert_err(file_walk(".", stop_at_b, &calls), ERR_LIMIT);
	/* By hand, since the tree is too deep to remove for the same reason. */
	for (; path.len > 0; path.s[path.len -= 2] = '\0')
		assert_int_equal(rmdir(path.s), 0);
	str_free(&path);
}

static void
test_remove_tree(void **state)
{
	(void)state;
	assert_ok(file_mkdirs("t/b/c"));
	assert_ok(file_mkdirs("outside"));
	put("outside/keep", "kept");
	put("t/b/f", "");
	assert_int_equal(symlink("../../outside", "t/b/link"), 0);
	assert_int_equal(symlink("outside", "link"), 0);
	assert_ok(file_remove_tree("t"));
	assert_false(file_exists("t"));
	assert_err(file_remove_tree("t"), ERR_MISSING);
	assert_err(file_remove_tree("link"), ERR_IO);
	check_content("outside/keep", "kept");
}

static int
try_lock(void)
{
	int fd;
	return (int)file_lock("lock", &fd);
}

static void
test_lock(void **state)
{
	(void)state;
	int fd;
	assert_ok(file_lock("lock", &fd));
	assert_int_equal(status_of(try_lock), ERR_BUSY);
	file_unlock(fd);
	/* The child takes it, and its end gives it back. */
	assert_int_equal(status_of(try_lock), OK);
	assert_ok(file_lock("lock", &fd));
	file_unlock(fd);
	assert_err(file_lock("no/such/lock", &fd), ERR_MISSING);
	assert_int_equal(fd, -1);
	file_unlock(-1);
}

static void
test_paths(void **state)
{
	(void)state;
	static const struct { const char *dir, *name, *want; } cases[] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "", "b", "b" }, { NULL, "b", "b" }, { "/", "b", "/b" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *path = path_join(cases[i].dir, cases[i].name);
		assert_string_equal(path, cases[i].want);
		free(path);
	}
	assert_string_equal(path_base("a/b/c"), "c");
	assert_string_equal(path_base("c"), "c");
	assert_string_equal(path_base("a/"), "");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_map),
		IN_FOLDER(test_read),
		IN_FOLDER(test_read_pipe),
		IN_FOLDER(test_read_standard_input),
		IN_FOLDER(test_mkdirs),
		IN_FOLDER(test_writer),
		IN_FOLDER(test_writer_abort),
		IN_FOLDER(test_writer_killed),
		IN_FOLDER(test_writer_refused),
		IN_FOLDER(test_writer_full_disk),
		IN_FOLDER(test_walk),
		IN_FOLDER(test_walk_ends_early),
		IN_FOLDER(test_walk_depth),
		IN_FOLDER(test_remove_tree),
		IN_FOLDER(test_lock),
		cmocka_unit_test(test_paths),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
