/*
 * command: what one row of the command table is, and what the commands share.
 *
 * A command fills a struct of its own from its option table (offsets into that struct), so no command parses anything.
 */
#ifndef BYLINE_CLI_COMMAND_H
#define BYLINE_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/cli.h"
#include "byline/err.h"
#include "byline/job.h"

enum option_type {
	OPTION_FLAG,		/* bool */
	OPTION_INT,		/* int */
	OPTION_LONG,		/* int64_t */
	OPTION_SEED,		/* uint64_t */
	OPTION_REAL,		/* double */
	OPTION_TEXT,		/* const char * */
	OPTION_CHOICE,		/* int: index into choices */
	OPTION_SPAN		/* struct span: "A:B" */
};

struct span { int from, to; bool given; };

struct option {
	const char *name;	/* without the dashes */
	enum option_type type;
	size_t offset;
	const char *arg;	/* what the value is called in help; NULL for flags */
	const char *initial;	/* parsed as if given; NULL: zeroed */
	double min, max;
	const char *choices;	/* "f32 f16 bf16" */
	const char *help;	/* one sentence, no full stop; also the manual's */
};

struct command {
	const char *name, *group, *args, *summary;
	int min_args, max_args;
	const struct option *options;
	size_t n_options, size;	/* size of the options struct */
	size_t given;		/* offset in it of a uint64_t whose bit i says that options[i] was given; 0: not
				 * wanted */
	int (*run)(const void *options, char **args, int n_args);
	bool hidden;
};

#define OPTIONS(table, type) .options = (table), .n_options = sizeof(table) / sizeof((table)[0]), .size = sizeof(type)

const struct command *command_at(size_t i);	/* NULL past the last */
const struct command *command_find(const char *name);

/* Parses argv into options (command->size bytes, zeroed) and args; EXIT_USAGE with a message printed, or EXIT_DONE. */
int option_parse(const struct command *c, int argc, char **argv, void *options, char **args, int *n_args);

/* Have both structs the same value of this option? */
bool option_same(const struct option *o, const void *a, const void *b);

void help_command(const struct command *c);			/* to standard output */
void help_overview(void);
void help_roff(const struct command *c);			/* the SYNOPSIS and OPTIONS sections of its manual
								 * page */
void help_roff_overview(void);					/* the COMMANDS section of byline(1) */
void help_completion(void);
void help_methods(void);
void help_roff_methods(void);					/* the METHODS section of byline(7) */

/* "byline: MESSAGE" on standard error, escaped. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints err_message() and returns the exit code that belongs to the error. */
int fail(enum err err);
/* Escaped text to standard output, raw bytes when it is no terminal and `raw`. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A job that shows its progress on standard error while that is a terminal, and that Ctrl-C and SIGTERM cancel. */
struct job *watch_begin(bool quiet);
void watch_end(struct job *job);

#endif
