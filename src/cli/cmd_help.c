/* help: the overview, one command's options, or the same as manual source. */
#include "commands.h"

#include <stdio.h>

struct help_args { bool roff, completion, methods; };

#define FIELD(f) offsetof(struct help_args, f)
static const struct option help_options[] = {
	{"roff", OPTION_FLAG, FIELD(roff),
		.help = "print the generated sections of the command's manual page, or of byline(1)"},
	{"methods", OPTION_FLAG, FIELD(methods), .help = "list the attribution methods that ask takes"},
	{"completion", OPTION_FLAG, FIELD(completion),
		.help = "print every command with its options, for a shell's completion"},
};

static int
help_run(const void *options, char **args, int n_args)
{
	const struct help_args *o = options;
	if (o->completion) {
		help_completion();
		return EXIT_DONE;
	}
	if (o->methods) {
		(o->roff ? help_roff_methods : help_methods)();
		return EXIT_DONE;
	}
	if (n_args == 0) {
		(o->roff ? help_roff_overview : help_overview)();
		return EXIT_DONE;
	}
	const struct command *c = command_find(args[0]);
	if (!c) {
		complain("there is no command %s; see byline --help", args[0]);
		return EXIT_USAGE;
	}
	(o->roff ? help_roff : help_command)(c);
	return EXIT_DONE;
}

const struct command cmd_help = {
	.name = "help", .group = "Look", .args = "[COMMAND]", .summary = "List the commands, or one command's options",
	.min_args = 0, .max_args = 1, .run = help_run, OPTIONS(help_options, struct help_args),
};
