/* undo: what was there is there again after a failure, be it file, link, folder or nothing; nothing is left beside it. */
#include "byline/undo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "unit.h"

static int
enter(void **state)
{
	char *dir = xstrdup("/tmp/byline-undo-XXXXXX");
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

static enum err
list_one(void *arg, const char *rel)
{
	struct str text = {0};
	TRY(file_read(rel, 100, &text));
	str_addf(arg, "%s=%s ", rel, text.s);
	str_free(&text);
	return OK;
}

static void
check_tree(const char *want)
{
	struct str s = {0};
	str_adds(&s, "");
	assert_ok(file_walk(".", list_one, &s));
	assert_string_equal(s.s, want);
	str_free(&s);
}

/* One of each kind changed: a file, a folder, a link and two that were not there, one of them deep. */
static void
change(struct undo *u)
{
	assert_ok(file_mkdirs("folder"));
	put("file", "1");
	put("folder/a", "2");
	assert_int_equal(symlink("nowhere", "link"), 0);
	static const char *const paths[] = { "file", "folder/", "link", "new", "deep/er/still" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_ok(undo_add(u, paths[i]));
	put("file", "changed");
	assert_ok(file_mkdirs("folder"));
	put("folder/b", "4");
	put("link", "5");
	put("new", "6");
	assert_ok(file_mkdirs("deep/er/still/more"));
	put("deep/er/still/more/f", "7");
}

static void
test_back(void **state)
{
	struct undo u = {0};
	struct stat st;
	(void)state;
	change(&u);
	err_set(ERR_IO, "as it was said");
	assert_err(undo_end(&u, ERR_IO), ERR_IO);
	assert_string_equal(err_message(), "as it was said");
	check_tree("file=1 folder/a=2 ");
	assert_true(lstat("link", &st) == 0 && S_ISLNK(st.st_mode));
	assert_false(file_exists("deep"));
	assert_false(file_exists("folder.tmp.before"));
}

static void
test_kept(void **state)
{
	struct undo u = {0};
	(void)state;
	change(&u);
	assert_ok(undo_end(&u, OK));
	check_tree("deep/er/still/more/f=7 file=changed folder/b=4 link=5 new=6 ");
	assert_false(file_exists("folder.tmp.before"));
}

/* A reader in the middle, and what a kill left. */
static void
test_file_stays(void **state)
{
	struct undo u = {0};
	(void)state;
	put("file", "1");
	put("file.tmp.before", "of one that was killed");
	assert_ok(undo_add(&u, "file"));
	check_tree("file=1 file.tmp.before=1 ");
	assert_err(undo_end(&u, ERR_CANCELLED), ERR_CANCELLED);
	check_tree("file=1 ");
}

/* A parent that somebody else has put something into meanwhile stays. */
static void
test_shared_parent(void **state)
{
	struct undo u = {0};
	(void)state;
	assert_ok(undo_add(&u, "deep/er/mine"));
	assert_ok(file_mkdirs("deep/er/mine"));
	put("deep/other", "1");
	assert_err(undo_end(&u, ERR_IO), ERR_IO);
	check_tree("deep/other=1 ");
	assert_false(file_exists("deep/er"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_back, enter, leave),
		cmocka_unit_test_setup_teardown(test_kept, enter, leave),
		cmocka_unit_test_setup_teardown(test_file_stays, enter, leave),
		cmocka_unit_test_setup_teardown(test_shared_parent, enter, leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
