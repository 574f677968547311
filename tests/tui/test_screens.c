/*
 * What a person sees, screen by screen, on terminals of several sizes, with and without colours and UTF-8.
 *
 * Each case runs a script over the fake world on a terminal of its own and compares the terminal's cells with
 * tests/golden/NAME.txt. `make update-golden` rewrites those files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "explorer.h"
#include "grid.h"
#include "unit.h"

enum mode { COLOR = 0, MONO = 1, ASCII = 2, EIGHT = 4, FRESH = 8, RUNS = 16, BARE_STORE = 32, FOREIGN = 64,
	IMPORTED = 128, SCORED = 256 };

struct screen { const char *name; int rows, cols; unsigned mode; const char *script; };

#define ASK ":type The keeper lit the lamp and\nEnter\n:wait\n"
#define NOISE ":type noise of it\nEnter\n:wait\n"
#define LONG ":type long ago\nEnter\n:wait\n"
#define RUNS_ASKED ":type runs of it\nEnter\n:wait\n"
#define BARE ":type bare of shares\nEnter\n:wait\n"
#define SAVED ASK "v l l l v\n:wait\nS A\n:wait\nS\n"

static const struct screen screens[] = {
	{ "start", 24, 80, COLOR, "" },
	{ "start-bare", 24, 80, BARE_STORE, "" },
	{ "start-imported", 24, 80, IMPORTED, ":wait\n" },
	{ "start-small", 10, 40, COLOR, "" },
	{ "too-small", 9, 39, COLOR, "" },
	{ "output", 24, 80, COLOR, ASK },
	{ "output-mono", 24, 80, MONO, ASK "v l l\n:wait\n" },
	{ "output-8", 24, 80, EIGHT, ASK "v l l\n:wait\n" },
	{ "output-ascii", 24, 80, MONO | ASCII, ASK "v l l\n:wait\n" },
	{ "output-small", 10, 40, COLOR, ASK },
	{ "output-large", 60, 200, COLOR, ASK "l l\n" },
	{ "output-span", 30, 100, COLOR, ASK "l v l l l v\n:wait\n" },
	{ "output-word", 24, 80, COLOR, ASK "l l l l l W\n:wait\n" },
	{ "output-pushes", 24, 80, COLOR, ASK "Tab Down\n" },
	{ "output-surprise", 24, 80, COLOR, ASK "t\n" },
	{ "output-plain", 24, 80, COLOR, ASK "t t t\n" },
	{ "output-bm25", 24, 80, COLOR, ASK "m\n:wait\n" },
	{ "output-runs", 24, 80, COLOR, RUNS_ASKED },
	{ "output-runs-ascii", 24, 80, MONO | ASCII, RUNS_ASKED },
	{ "output-runs-wide", 36, 120, COLOR, RUNS_ASKED },
	{ "output-seed", 24, 80, COLOR, ASK ":seed 42\n:wait\n" },
	{ "output-cut", 24, 80, COLOR, ":type cut short\nEnter\n:wait\n" },
	{ "output-cut-small", 10, 40, COLOR, ":type cut short\nEnter\n:wait\n" },
	{ "output-foreign", 24, 80, FOREIGN, ASK },
	{ "output-hostile", 24, 80, COLOR, ":type hostile \nEnter\n:wait\nl\n" },
	{ "output-empty", 24, 80, COLOR, ":type empty\nEnter\n:wait\n" },
	{ "output-failed", 24, 80, COLOR, ":type fail\nEnter\n:wait\n" },
	{ "examples", 24, 80, COLOR, ASK "2 Down\n" },
	{ "examples-mono", 24, 80, MONO, ASK "2 Down\n" },
	{ "examples-ascii", 24, 80, MONO | ASCII, ASK "2 Down\n" },
	{ "examples-fresh", 24, 80, FRESH, ASK "2\n" },
	{ "examples-runs", 24, 80, COLOR, RUNS_ASKED "2\n" },
	{ "examples-noise", 24, 80, COLOR, NOISE "2\n" },
	{ "examples-noise-small", 10, 40, COLOR, NOISE "2\n" },
	{ "examples-noise-foreign", 24, 80, FOREIGN, NOISE "2\n" },
	{ "examples-noise-raw", 24, 80, COLOR, NOISE "2 z Down\n" },
	{ "output-fresh", 24, 80, FRESH, ASK },
	{ "output-noise", 24, 80, COLOR, NOISE },
	{ "examples-small", 10, 40, COLOR, ASK "2 Down\n" },
	{ "examples-large", 60, 200, COLOR, ASK "2 Down Down\n" },
	{ "examples-sorted", 24, 80, COLOR, ASK "2 s s\n" },
	{ "examples-filtered", 24, 80, COLOR, ASK "2 \\\n:type ledger\nEnter\n" },
	{ "examples-search", 24, 80, COLOR, ASK "2 /\n:type marsh\nEnter n\n" },
	{ "examples-typing", 24, 80, COLOR, ASK "2 /\n:type mar\n" },
	{ "example", 24, 80, COLOR, ASK "2 Enter\n:wait\n" },
	{ "example-mono", 24, 80, MONO, ASK "2 Enter\n:wait\n/\n:type tide\nEnter\n" },
	{ "example-ascii", 24, 80, MONO | ASCII, ASK "2 Enter\n:wait\n" },
	{ "example-small", 10, 40, COLOR, ASK "2 Enter\n:wait\nDown\n" },
	{ "example-hostile", 24, 80, COLOR, ASK "2 /\n:type owned\nEnter Enter\n:wait\n" },
	{ "example-next", 24, 80, COLOR, ASK "2 Enter ] ]\n:wait\n" },
	{ "contributors", 24, 80, COLOR, ASK "3 Down\n" },
	{ "contributors-runs", 24, 80, COLOR, RUNS_ASKED "3 Down\n" },
	{ "contributors-runs-small", 10, 40, COLOR, RUNS_ASKED "3\n" },
	{ "contributors-unasked", 24, 80, COLOR, "Tab 3\n" },
	{ "contributor", 24, 80, COLOR, SAVED "3 Enter\n" },
	{ "contributor-runs", 24, 80, COLOR, RUNS_ASKED "S 3 Enter\n" },
	{ "contributor-runs-ascii", 24, 80, MONO | ASCII, RUNS_ASKED "S 3 Down Enter\n" },
	{ "contributor-none", 24, 80, COLOR, ASK "3 Down Down Down Down Enter\n" },
	{ "contributor-bare", 24, 80, COLOR, BARE "S 3 Enter\n" },
	{ "contributor-bare-some", 24, 80, COLOR, BARE "S\n:seed 42\n:wait\nS 3 Enter\n" },
	{ "contributor-torn", 24, 80, COLOR, ":type torn\nEnter\n:wait\n3 Enter\n" },
	{ "contributor-small", 10, 40, COLOR, ASK "3 Enter Tab\n" },
	{ "contributor-large", 60, 200, COLOR, SAVED "3 Enter Tab\n" },
	{ "queries", 24, 80, COLOR, SAVED "4\n" },
	{ "queries-none", 24, 80, COLOR, "Tab 4\n" },
	{ "queries-delete", 24, 80, COLOR, SAVED "4 Down D\n" },
	{ "queries-deleted", 24, 80, COLOR, SAVED "4 Down D y\n" },
	{ "query-again", 24, 80, COLOR, SAVED "4 Down Enter\n:wait\n" },
	{ "runs", 24, 80, COLOR, ASK "5\n" },
	{ "trust", 24, 80, COLOR, ASK "6\n" },
	{ "trust-mono", 24, 80, MONO, ASK "6 Space\n" },
	{ "trust-ascii", 24, 80, MONO | ASCII, ASK "6 Space\n" },
	{ "trust-end", 24, 80, COLOR, "Tab 6 G\n" },
	{ "trust-small", 10, 40, COLOR, ASK "6\n" },
	{ "trust-large", 60, 200, COLOR, ASK "6\n" },
	{ "trust-fresh", 24, 80, FRESH, "Tab 6\n" },
	{ "trust-foreign", 24, 80, FOREIGN, "Tab 6\n" },
	{ "output-verbatim", 24, 80, COLOR, ASK "t t\n" },
	{ "output-verbatim-ascii", 24, 80, MONO | ASCII, ASK "t t\n" },
	{ "example-out", 24, 80, COLOR, ASK "2 Enter\n:wait\nTab\n:wait\nl l l\n" },
	{ "example-in", 24, 80, MONO, ASK "2 Enter\n:wait\nTab\n:wait\nTab j l\n" },
	{ "example-in-small", 10, 40, COLOR, ASK "2 Enter\n:wait\nTab\n:wait\nTab j l\n" },
	{ "example-layers", 24, 80, COLOR, ASK "2 Enter\n:wait\nL\n:wait\n" },
	{ "example-layers-bm25", 24, 80, COLOR, ASK "m\n:wait\n2 Enter\n:wait\nL\n:wait\n" },
	{ "example-layers-scored", 24, 80, SCORED, ":wait\nTab 2 Enter\n:wait\nL\n" },
	{ "example-layers-ascii", 24, 80, MONO | ASCII, ASK "2 Enter\n:wait\nL\n:wait\n" },
	{ "example-large", 60, 200, COLOR, ASK "2 Enter\n:wait\nTab\n:wait\n" },
	{ "example-untold", 24, 80, FRESH, ASK "2 Enter\n:wait\nTab\n:wait\n" },
	{ "verbatim", 24, 80, COLOR, ASK "7\n" },
	{ "verbatim-mono", 24, 80, MONO, ASK "7 Down Tab\n" },
	{ "verbatim-ascii", 24, 80, MONO | ASCII, ASK "7\n" },
	{ "verbatim-small", 10, 40, COLOR, ASK "7\n" },
	{ "verbatim-large", 60, 200, COLOR, ASK "7\n" },
	{ "verbatim-span", 24, 80, COLOR, ASK "7 Down Enter\n:wait\n" },
	{ "verbatim-none", 24, 80, COLOR, ":seed 2\n:type x\nEnter\n:wait\n7\n" },
	{ "verbatim-fresh", 24, 80, FRESH, ASK "7\n" },
	{ "verify", 24, 80, COLOR, ASK "2 V\n:wait\n" },
	{ "verify-running", 24, 80, RUNS, LONG "2 V\n:wait\nEnter\n:pause 1\n" },
	{ "verify-beside", 24, 80, RUNS, LONG "2 V\n:wait\nEnter q\n:pause 1\nEnter V\n:pause 1\n" },
	{ "verify-stopped", 24, 80, COLOR, LONG "2 V\n:wait\nEnter\n:pause 1\nEsc\n:wait\nDown\n" },
	{ "verify-quit", 24, 80, RUNS, LONG "2 V\n:wait\nEnter q\n:pause 1\nQ\n" },
	{ "verify-done", 24, 80, COLOR, ASK "2 V\n:wait\nEnter\n:wait\n" },
	{ "verify-ended", 24, 80, COLOR, ASK "2 V\n:wait\nEnter q\n:wait\n" },
	{ "verify-again", 24, 80, MONO, ASK "2 V\n:wait\nEnter\n:wait\nq Enter\n:wait\nV\n:wait\nq q V Space\n" },
	{ "verify-example", 24, 80, MONO | ASCII, ASK "2 Enter\n:wait\nV\n:wait\nEnter\n:wait\n" },
	{ "verify-person", 30, 100, COLOR, ASK "3 Down V\n:wait\nEnter\n:wait\n" },
	{ "verify-small", 10, 40, COLOR, ASK "2 V\n:wait\nEnter\n:wait\nDown Down\n" },
	{ "verify-large", 60, 200, COLOR, ASK "2 V\n:wait\nEnter\n:wait\n" },
	{ "verify-fresh", 24, 80, FRESH, ASK "2 V\n:wait\n" },
	{ "help", 24, 80, COLOR, ASK "2 ?\n" },
	{ "help-small", 10, 40, COLOR, ASK "? Down Down\n" },
	{ "help-large", 60, 200, COLOR, ASK "?\n" },
	{ "help-search", 24, 80, COLOR, ASK "? /\n:type residual\nEnter\n" },
	{ "command", 24, 80, COLOR, ASK ":type :te\nTab\n:type 0.\n" },
	{ "command-list", 24, 80, COLOR, ASK ":type :t\nTab\n" },
	{ "command-wrong", 24, 80, COLOR, ASK ":type :top-p 7\nEnter\n" },
	{ "unknown-key", 24, 80, COLOR, ASK "w\n" },
	{ "link", 30, 100, COLOR, ASK "y\n" },
};

static char folder[] = "/tmp/byline-screens.XXXXXX";
static char *program;

static char *
script_make(const struct screen *s, char **done)
{
	char *path = xasprintf("%s/%s.script", folder, s->name);
	struct str text = {0};
	*done = xasprintf("%s/%s.done", folder, s->name);
	str_addf(&text, "%s:save-screen %s\n", s->script, *done);
	assert_ok(file_replace(path, text.s, text.len));
	str_free(&text);
	return path;
}

static char *
golden_path(const struct screen *s)
{
	const char *srcdir = getenv("srcdir");
	return xasprintf("%s/tests/golden/%s.txt", srcdir ? srcdir : ".", s->name);
}

static void
golden_compare(const struct screen *s, const struct str *got)
{
	struct str want = {0};
	char *path = golden_path(s);
	if (getenv("BYLINE_UPDATE_GOLDEN"))
		assert_ok(file_replace(path, got->s, got->len));
	assert_ok(file_read(path, 1 << 20, &want));
	if (want.len != got->len || memcmp(want.s, got->s, want.len) != 0) {
		fprintf(stderr, "%s: wanted\n%s\ngot\n%s\n", s->name, want.s, got->s);
		fail_msg("%s: the screen differs from %s (make update-golden, if it should)", s->name, path);
	}
	str_free(&want);
	free(path);
}

static void
screen_is_golden(void **state)
{
	const struct screen *s = *state;
	char *done, *script = script_make(s, &done), *home = xasprintf("HOME=%s/%s.home", folder, s->name);
	char explorer[] = "--explorer", flag[] = "--script";
	char store_flag[] = "--store", fresh[] = "fresh.byline", bare[] = "bare.byline", foreign[] = "foreign.byline",
		imported[] = "imported.byline", scored[] = "scored.byline";
	char *const store = s->mode & FRESH ? fresh : s->mode & FOREIGN ? foreign : s->mode & IMPORTED ? imported
		: s->mode & SCORED ? scored : s->mode & BARE_STORE ? bare : NULL;
	char *const argv[] = { program, explorer, flag, script, store ? store_flag : NULL, store, NULL };
	/* libvterm 0.1 repeats a character one too often at the right margin; screen's entry does not ask it to. */
	const char *term = s->mode & EIGHT ? "TERM=xterm" : s->mode & ASCII ? "TERM=screen-256color"
		: "TERM=xterm-256color";
	const char *const env[] = {
		home, term, s->mode & ASCII ? "LC_ALL=C" : "LC_ALL=C.UTF-8",
		s->mode & MONO ? "NO_COLOR=1" : "NO_COLOR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "LINES", "COLUMNS",
		"ESCDELAY", NULL,
	};
	struct grid g;
	struct str got = {0};
	grid_start(&g, s->rows, s->cols, argv, env);
	grid_wait_file(&g, done);
	grid_print(&g, &got);
	golden_compare(s, &got);
	/* Leave whatever is being typed, then the explorer. */
	grid_send(&g, "\003");
	if (s->mode & RUNS) {
		grid_wait_text(&g, "once more");
		grid_send(&g, "\003");
	}
	grid_wait_end(&g);
	assert_true(WIFEXITED(g.status));
	assert_int_equal(WEXITSTATUS(g.status), 0);
	assert_false(g.alternate);
	grid_stop(&g);
	str_free(&got);
	free(script);
	free(done);
	free(home);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--explorer") == 0)
		return explorer_main(argc, argv);
	enum { N = sizeof(screens) / sizeof(screens[0]) };
	static struct CMUnitTest tests[N];
	program = argv[0];
	if (!mkdtemp(folder))
		return 99;
	for (size_t i = 0; i < N; i++)
		tests[i] = (struct CMUnitTest){ .name = screens[i].name, .test_func = screen_is_golden,
			.initial_state = (void *)(uintptr_t)&screens[i] };
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed == 0 && file_remove_tree(folder) != OK)
		return 99;
	return failed;
}
