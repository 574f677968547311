/* The explorer and its terminal: signals, resizing, refusals, suspending, and that nothing hostile is ever written. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "explorer.h"
#include "grid.h"
#include "unit.h"

static char folder[] = "/tmp/byline-terminal.XXXXXX";
static char *program;

/* ---- starting it ---- */

struct child { struct grid g; char *home; };

static void
start(struct child *c, const char *term, int rows, int cols, const char *option, const char *value)
{
	char explorer[] = "--explorer", *opt = xstrdup(option ? option : ""), *val = xstrdup(value ? value : "");
	char *const argv[] = { program, explorer, option ? opt : NULL, val, NULL };
	char *term_env = xasprintf("TERM=%s", term);
	c->home = xasprintf("HOME=%s", folder);
	const char *const env[] = { c->home, term_env, "LC_ALL=C.UTF-8", "NO_COLOR", "XDG_CONFIG_HOME",
		"XDG_STATE_HOME", "LINES", "COLUMNS", "ESCDELAY", NULL };
	grid_start(&c->g, rows, cols, argv, env);
	free(term_env);
	free(opt);
	free(val);
}

static void
begin(struct child *c)
{
	start(c, "xterm-256color", 24, 80, NULL, NULL);
	grid_wait_text(&c->g, "press Enter");
	assert_true(c->g.alternate);
}

static void
stop(struct child *c)
{
	grid_stop(&c->g);
	free(c->home);
}

/* What the environment says of the size is believed only where it can be. */
static void
absurd_sizes_are_not_believed(void **state)
{
	(void)state;
	char explorer[] = "--explorer";
	char *const argv[] = { program, explorer, NULL };
	struct child c = { .home = xasprintf("HOME=%s", folder) };
	const char *const env[] = { c.home, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "LINES=-1", "COLUMNS=99999999", NULL };
	grid_start(&c.g, 24, 80, argv, env);
	grid_wait_text(&c.g, "press Enter");
	stop(&c);
}

static struct termios
modes(struct grid *g)
{
	struct termios t;
	assert_int_equal(tcgetattr(g->fd, &t), 0);
	return t;
}

/* The terminal as a shell wants to find it. */
static void
is_given_back(struct grid *g)
{
	struct termios t = modes(g);
	assert_false(g->alternate);
	assert_true(grid_cursor_visible(g));
	assert_true((t.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO));
	assert_true((t.c_iflag & ICRNL) != 0);
}

/* ---- ends ---- */

static void
quits(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "\tq");
	grid_wait_end(&c.g);
	assert_true(WIFEXITED(c.g.status) && WEXITSTATUS(c.g.status) == 0);
	is_given_back(&c.g);
	stop(&c);
}

static void
dies_of(int sig)
{
	struct child c;
	begin(&c);
	assert_false((modes(&c.g).c_lflag & ICANON) != 0);
	grid_signal(&c.g, sig);
	grid_wait_end(&c.g);
	assert_true(WIFSIGNALED(c.g.status));
	assert_int_equal(WTERMSIG(c.g.status), sig);
	is_given_back(&c.g);
	stop(&c);
}

static void
every_end_gives_the_terminal_back(void **state)
{
	(void)state;
	dies_of(SIGTERM);
	dies_of(SIGHUP);
	dies_of(SIGQUIT);
}

/* As under nohup, or in a shell's background: it goes on, and its screen with it. */
static void
what_is_ignored_ends_nothing(void **state)
{
	(void)state;
	char sh[] = "/bin/sh", c[] = "-c", *line = xasprintf("trap '' QUIT HUP; exec '%s' --explorer", program);
	char *const argv[] = { sh, c, line, NULL };
	struct child k = { .home = xasprintf("HOME=%s", folder) };
	const char *const env[] = { k.home, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "LINES", "COLUMNS", NULL };
	grid_start(&k.g, 24, 80, argv, env);
	grid_wait_text(&k.g, "press Enter");
	grid_signal(&k.g, SIGQUIT);
	grid_signal(&k.g, SIGHUP);
	grid_send(&k.g, "\t?");
	grid_wait_text(&k.g, "In this view");
	grid_send(&k.g, "Q");
	grid_wait_end(&k.g);
	assert_true(WIFEXITED(k.g.status) && WEXITSTATUS(k.g.status) == 0);
	is_given_back(&k.g);
	stop(&k);
	free(line);
}

/* A fault in the worker: the sanitizers, where they are, end the program their own way after us. */
static void
a_crash_gives_the_terminal_back(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "crash\r");
	grid_wait_end(&c.g);
	assert_false(WIFEXITED(c.g.status) && WEXITSTATUS(c.g.status) == 0);
	is_given_back(&c.g);
	stop(&c);
}

static void
an_interrupt_cancels_then_leaves(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "slow\r");
	grid_wait_text(&c.g, "being written");
	grid_send(&c.g, "\003");
	grid_wait_text(&c.g, "once more leaves");
	grid_wait_text(&c.g, "stopped");
	grid_send(&c.g, "\003");
	grid_wait_end(&c.g);
	assert_true(WIFEXITED(c.g.status) && WEXITSTATUS(c.g.status) == 0);
	stop(&c);
}

static void
a_store_that_does_not_open(void **state)
{
	(void)state;
	struct child c;
	start(&c, "xterm-256color", 24, 80, "--store", "absent\x1b[31m.byline");
	grid_wait_end(&c.g);
	assert_true(WIFEXITED(c.g.status) && WEXITSTATUS(c.g.status) == 3);
	is_given_back(&c.g);
	assert_true(grid_has(&c.g, "byline: cannot open absent\\x1b[31m.byline: no such folder"));
	stop(&c);
}

/* ---- refusals ---- */

static void
refuses(const char *term, const char *says)
{
	struct child c;
	start(&c, term, 24, 120, NULL, NULL);
	grid_wait_end(&c.g);
	assert_true(WIFEXITED(c.g.status) && WEXITSTATUS(c.g.status) == 2);
	assert_true(grid_has(&c.g, says));
	assert_null(strchr(c.g.raw.s, '\033'));
	stop(&c);
}

static void
terminals_that_cannot(void **state)
{
	(void)state;
	refuses("dumb", "a terminal of type 'dumb' cannot show the explorer");
	refuses("", "a terminal of type ''");
	refuses("no-such-terminal", "does not know a terminal of type 'no-such-terminal'");
}

static void
no_terminal_at_all(void **state)
{
	(void)state;
	char *command = xasprintf("'%s' --explorer </dev/null >/dev/null 2>'%s/err'", program, folder);
	int status = system(command);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	char *path = xasprintf("%s/err", folder);
	struct str s = {0};
	assert_ok(file_read(path, 4096, &s));
	assert_non_null(strstr(s.s, "byline: the explorer needs a terminal"));
	str_free(&s);
	free(path);
	free(command);
}

static void
a_keys_file_with_a_mistake(void **state)
{
	(void)state;
	char *dir = xasprintf("%s/.config/byline", folder), *path = xasprintf("%s/keys", dir);
	struct child c;
	assert_ok(file_mkdirs(dir));
	assert_ok(file_replace(path, "quit = Ctrl-X\n", 14));
	begin(&c);
	grid_send(&c.g, "\t\030");	/* out of the prompt; Ctrl-X */
	grid_wait_end(&c.g);
	assert_int_equal(WEXITSTATUS(c.g.status), 0);
	stop(&c);
	assert_ok(file_replace(path, "fly = \033[2J\n", 11));
	start(&c, "xterm-256color", 24, 120, NULL, NULL);
	grid_wait_end(&c.g);
	assert_int_equal(WEXITSTATUS(c.g.status), 3);
	assert_true(grid_has(&c.g, "keys:1: there is no action 'fly'"));
	stop(&c);
	assert_ok(file_remove_tree(dir));
	free(path);
	free(dir);
}

/* ---- sizes and suspension ---- */

static void
follows_the_size(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "The keeper lit the lamp and\r");
	grid_wait_text(&c.g, "residual");
	grid_resize(&c.g, 8, 30);
	grid_wait_text(&c.g, "terminal too small");
	grid_resize(&c.g, 10, 40);
	grid_wait_gone(&c.g, "too small");
	grid_wait_text(&c.g, "Tide tables");
	grid_resize(&c.g, 60, 200);
	grid_wait_text(&c.g, "1947-02-11");
	grid_resize(&c.g, 24, 80);
	grid_wait_text(&c.g, "? help");
	grid_send(&c.g, "Q");
	grid_wait_end(&c.g);
	is_given_back(&c.g);
	stop(&c);
}

/* The shell waits for a command: a row with its prompt and nothing else. */
static bool
is_prompting(struct grid *g, const void *arg)
{
	bool found = false;
	for (int row = 0; row < g->rows && !found && !g->alternate; row++) {
		struct str s = {0};
		grid_row(g, row, &s);
		found = strcmp(s.s, arg) == 0;
		str_free(&s);
	}
	return found;
}

static bool
is_shown(struct grid *g, const void *arg)
{
	return g->alternate && grid_has(g, arg);
}

/* A shell between, because a process group without one cannot be stopped. */
static void
suspends_under_a_shell(void **state)
{
	(void)state;
	struct child c;
	char shell[] = "/bin/sh", flag[] = "-i";
	char *const argv[] = { shell, flag, NULL };
	char *command = xasprintf("'%s' --explorer\r", program);
	c.home = xasprintf("HOME=%s", folder);
	const char *const env[] = { c.home, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "PS1=ready> ", "ENV", "NO_COLOR",
		"LINES", "COLUMNS", "ESCDELAY", NULL };
	grid_start(&c.g, 24, 80, argv, env);
	grid_wait_text(&c.g, "ready>");
	grid_send(&c.g, command);
	grid_wait(&c.g, is_shown, "press Enter", "the explorer");
	grid_send(&c.g, "some words");
	grid_wait_text(&c.g, "some words");
	grid_send(&c.g, "\032");
	grid_wait(&c.g, is_prompting, "ready>", "the shell's prompt");
	grid_send(&c.g, "echo a$((20 + 3))b\r");
	grid_wait_text(&c.g, "a23b");
	grid_send(&c.g, "fg\r");
	grid_wait(&c.g, is_shown, "some words", "the explorer again");
	grid_send(&c.g, "\tQ");
	grid_wait(&c.g, is_prompting, "ready>", "the shell's prompt after the end");
	grid_send(&c.g, "exit 7\r");
	grid_wait_end(&c.g);
	assert_int_equal(WEXITSTATUS(c.g.status), 7);
	free(command);
	stop(&c);
}

/* ---- jobs and keys ---- */

static void
escape_stops_a_job(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "slow\r");
	grid_wait_text(&c.g, "Esc stops it");
	grid_send(&c.g, "\033");
	grid_wait_text(&c.g, "writing was stopped");
	grid_wait_text(&c.g, "1 tokens, stopped");
	grid_send(&c.g, "Q");
	grid_wait_end(&c.g);
	stop(&c);
}

/* Keys are answered while a job runs; what it has so far is on the screen, and marked. */
static void
keys_work_meanwhile(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "stuck\r");
	grid_wait_text(&c.g, "rescoring exactly");
	grid_send(&c.g, "2");
	grid_wait_text(&c.g, "approximate so far");
	grid_wait_text(&c.g, "~+0.443");
	grid_send(&c.g, "\r");
	grid_wait_text(&c.g, "opposes");		/* an opened example goes first */
	grid_send(&c.g, "c");
	grid_wait_text(&c.g, "In plain words");
	grid_send(&c.g, "?");
	grid_wait_text(&c.g, "In this view (contributor)");
	grid_wait_text(&c.g, "rescoring exactly");
	grid_send(&c.g, "\033");
	grid_wait_text(&c.g, "was stopped");
	grid_send(&c.g, "Q");
	grid_wait_end(&c.g);
	assert_int_equal(WEXITSTATUS(c.g.status), 0);
	stop(&c);
}

static void
escape_goes_back_at_once(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "The keeper\r");
	grid_wait_text(&c.g, "residual");
	grid_send(&c.g, "2");
	grid_wait_text(&c.g, "1 of 13");
	grid_send(&c.g, "\033");
	grid_wait_gone(&c.g, "1 of 13");
	/* An arrow is one key, not an Escape and two letters. */
	grid_send(&c.g, "\033OC\033[C");
	grid_wait_text(&c.g, "token 2 ");
	grid_send(&c.g, "Q");
	grid_wait_end(&c.g);
	stop(&c);
}

static void
prompts_are_remembered(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "a lamp for every boat\r");
	grid_wait_text(&c.g, "residual");
	grid_send(&c.g, "Q");
	grid_wait_end(&c.g);
	stop(&c);
	begin(&c);
	grid_send(&c.g, "\033[A");
	grid_wait_text(&c.g, "Prompt  a lamp for every boat");
	grid_send(&c.g, "\tQ");
	grid_wait_end(&c.g);
	stop(&c);
}

/* ---- hostile text ---- */

/* What may be written: text, line movement, and escape sequences that set looks and places. */
static void
is_harmless(const struct str *raw)
{
	for (size_t i = 0; i < raw->len; i++) {
		unsigned char b = (unsigned char)raw->s[i];
		if (b == 0x7f || (b < 0x20 && b != '\r' && b != '\n' && b != '\b' && b != '\t' && b != 0x1b
			&& b != 0x0f))
			fail_msg("byte %02x at %zu", b, i);
		if (b == 0x1b && !strchr("[(=>78M", raw->s[i + 1]))
			fail_msg("escape sequence %.8s at %zu", raw->s + i + 1, i);
	}
	assert_null(strstr(raw->s, "\xe2\x80\xae"));
	assert_null(strstr(raw->s, "\xc2\x9b"));
	assert_null(strstr(raw->s, "\033[31m"));
	assert_null(strstr(raw->s, "\033]"));
}

static void
nothing_hostile_is_written(void **state)
{
	(void)state;
	struct child c;
	begin(&c);
	grid_send(&c.g, "hostile \xe2\x80\xae words\r");
	grid_wait_text(&c.g, "Evil \\x1b[3");
	grid_send(&c.g, "llv2");
	grid_wait_text(&c.g, "Text \\x1b]0;");
	grid_send(&c.g, "/owned\r\r");
	grid_wait_text(&c.g, "Before \\x1b[2J");
	grid_send(&c.g, "c");
	grid_wait_text(&c.g, "In plain words");
	grid_send(&c.g, "S4");
	grid_wait_text(&c.g, "Saved queries");
	grid_send(&c.g, ":prompt fail \033");
	grid_send(&c.g, ":export /nowhere/\xc2\x9b" "31m\r");
	grid_wait_text(&c.g, "/nowhere/\\u{9b}31m");
	grid_send(&c.g, "\033Q");
	grid_wait_end(&c.g);
	is_harmless(&c.g.raw);
	stop(&c);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--explorer") == 0)
		return explorer_main(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quits), cmocka_unit_test(absurd_sizes_are_not_believed),
		cmocka_unit_test(every_end_gives_the_terminal_back),
		cmocka_unit_test(what_is_ignored_ends_nothing),
		cmocka_unit_test(a_crash_gives_the_terminal_back), cmocka_unit_test(an_interrupt_cancels_then_leaves),
		cmocka_unit_test(a_store_that_does_not_open), cmocka_unit_test(terminals_that_cannot),
		cmocka_unit_test(no_terminal_at_all),
		cmocka_unit_test(a_keys_file_with_a_mistake), cmocka_unit_test(follows_the_size),
		cmocka_unit_test(suspends_under_a_shell),
		cmocka_unit_test(escape_stops_a_job), cmocka_unit_test(keys_work_meanwhile),
		cmocka_unit_test(escape_goes_back_at_once),
		cmocka_unit_test(prompts_are_remembered), cmocka_unit_test(nothing_hostile_is_written),
	};
	program = realpath(argv[0], NULL);
	if (!program || !mkdtemp(folder))
		return 99;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed == 0 && file_remove_tree(folder) != OK)
		return 99;
	free(program);
	return failed;
}
