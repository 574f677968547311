/* commands: the table, and the way in. */
#include "commands.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "byline/utf8.h"

static int (*explorer)(const struct explore_options *o);

/* ---- explore: the only command whose body lives on another floor ---- */

struct explore_args { struct explore_options o; struct span span; };

#define FIELD(f) offsetof(struct explore_args, o.f)
static const struct option explore_table[] = {
	{"run", OPTION_TEXT, FIELD(run), "NAME", NULL,
		.help = "which run to load; the newest indexed one when not given"},
	{"prompt", OPTION_TEXT, FIELD(prompt), "TEXT", NULL, .help = "ask this at once"},
	{"target", OPTION_TEXT, FIELD(target), "TEXT", NULL,
		.help = "attribute this continuation instead of generating one"},
	{"query", OPTION_LONG, FIELD(query), "ID", NULL, 1, 9e15, .help = "open a saved query"},
	{"tokens", OPTION_INT, FIELD(tokens), "N", "32", 1, 65536, .help = "longest output"},
	{"seed", OPTION_SEED, FIELD(seed), "N", "1", .help = "of the sampling"},
	{"temperature", OPTION_REAL, FIELD(temperature), "X", "0.8", 0, 100,
		.help = "sampling temperature; 0 takes the most probable token"},
	{"top-k", OPTION_INT, FIELD(top_k), "N", "0", 0, 1 << 20,
		.help = "sample among the N most probable tokens; 0 means all"},
	{"top-p", OPTION_REAL, FIELD(top_p), "X", "0.95", 0.0001, 1,
		.help = "sample among the most probable tokens that make up X"},
	{"span", OPTION_SPAN, offsetof(struct explore_args, span), "A:B", NULL,
		.help = "output tokens A to B-1 selected at first, counting from 0"},
	{"method", OPTION_TEXT, FIELD(method), "NAME", NULL, .help = "attribution method to begin with"},
	{"exact", OPTION_INT, FIELD(exact), "N", "64", 0, 1000000,
		.help = "candidates rescored exactly: the largest scores of either sign"},
	{"color", OPTION_CHOICE, FIELD(color), "WHEN", "auto",
		.choices = "auto always never", .help = "when to draw in colours"},
	{"ascii", OPTION_FLAG, FIELD(ascii), .help = "draw with ASCII alone"},
	{"threads", OPTION_INT, FIELD(threads), "N", "0", 0, 256,
		.help = "worker threads; 0 takes what the machine has"},
	{"script", OPTION_TEXT, FIELD(script), "FILE", NULL, .help = "press the keys in this file first"},
};

static int
explore_run(const void *options, char **args, int n_args)
{
	const struct explore_args *a = options;
	struct explore_options o = a->o;
	(void)n_args;
	o.store = args[0];
	o.from = a->span.from;
	o.to = a->span.to;
	return explorer(&o);
}

const struct command cmd_explore = {
	.name = "explore", .group = "Look", .args = "STORE", .summary = "Open the explorer; the same as byline STORE",
	.min_args = 1, .max_args = 1, .run = explore_run, OPTIONS(explore_table, struct explore_args),
};

/* ---- the table ---- */

static const struct command *const table[] = {
	&cmd_explore, &cmd_ask, &cmd_whatif, &cmd_verbatim, &cmd_show, &cmd_info, &cmd_logits, &cmd_tokenize,
	&cmd_import, &cmd_import_index, &cmd_import_scores, &cmd_train, &cmd_index, &cmd_eval,
	&cmd_verify, &cmd_opt_out, &cmd_help,
};

const struct command *
command_at(size_t i)
{
	return i < ARRAY_LEN(table) ? table[i] : NULL;
}

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

/* ---- shared ---- */

/* Beyond ASCII a code point stands in a string, so the escape means the same there. */
static void
json_escape(struct str *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		int32_t cp;
		size_t used = utf8_decode(s + i, n - i, &cp);
		if (!utf8_hostile(cp))
			str_add(out, s + i, used);
		else if (cp < 0x10000)
			str_addf(out, "\\u%04x", (unsigned)cp);
		else
			str_addf(out, "\\u%04x\\u%04x", 0xd7c0u + (unsigned)(cp >> 10),
				0xdc00u + (unsigned)(cp & 0x3ff));
		i += used;
	}
}

void
print_json(json_t *value)
{
	struct str s = {0}, safe = {0};
	json_print(&s, value, 0);
	json_escape(&safe, s.s, s.len);
	str_addc(&safe, '\n');
	fwrite(safe.s, 1, safe.len, stdout);
	str_free(&s);
	str_free(&safe);
	json_decref(value);
}

/* ---- the way in ---- */

static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

static int
command_go(const struct command *c, int argc, char **argv)
{
	if (asks_for_help(argc, argv)) {
		help_command(c);
		return EXIT_DONE;
	}
	void *options = xcalloc(1, c->size ? c->size : 1);
	char **args = xcalloc((size_t)argc + 1, sizeof(*args));
	int n_args;
	int code = option_parse(c, argc, argv, options, args, &n_args);
	if (code == EXIT_DONE)
		code = c->run(options, args, n_args);
	free(options);
	free(args);
	return code;
}

/* Output that could not be written (a full disk, a closed pipe) is a failure, whatever the command thought. */
static int
finish(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain("cannot write to standard output");
		return EXIT_FAILED;
	}
	return code;
}

int
cli_main(int argc, char **argv, int (*explore)(const struct explore_options *o))
{
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	explorer = explore;
	if (argc < 2) {
		help_overview();
		return finish(EXIT_USAGE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return finish(command_go(&cmd_help, 0, NULL));
	if (strcmp(argv[1], "--version") == 0) {
		printf("byline %s\n", BYLINE_VERSION);
		return finish(EXIT_DONE);
	}
	const struct command *c = command_find(argv[1]);
	if (c)
		return finish(command_go(c, argc - 2, argv + 2));
	if (argv[1][0] == '-') {
		complain("%s is not an option here; see byline --help", argv[1]);
		return EXIT_USAGE;
	}
	return finish(command_go(&cmd_explore, argc - 1, argv + 1));
}
