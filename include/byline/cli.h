/*
 * cli: the commands. One table of commands, one table of options each; parsing, --help, the manual's OPTIONS sections
 * and completion are all made from them.
 *
 * Exit codes: 0 done, 1 a negative answer, 2 wrong usage, 3 failure. Data on standard output, messages and progress
 * (only on a terminal) on standard error; whatever came from a stranger is escaped on both.
 */
#ifndef BYLINE_CLI_H
#define BYLINE_CLI_H

#include <stdbool.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_NEGATIVE = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

/* What `byline STORE` was asked to open; strings are argv's. color: 0 auto, 1 always, 2 never. to = 0: all of the
 * output. */
struct explore_options {
	const char *store, *run, *method, *prompt, *target, *script;
	int64_t query;
	uint64_t seed;
	double temperature, top_p;
	int tokens, top_k, exact, from, to, color, threads;
	bool ascii;
};

/* Runs the command line. `explore` opens the explorer and returns an exit code: it belongs to another floor. */
int cli_main(int argc, char **argv, int (*explore)(const struct explore_options *o));

#endif
