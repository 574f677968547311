/*
 * asking: a question on the command line: its options, and the session, query and ranking it leads to. Shared by the
 * commands that ask.
 */
#ifndef BYLINE_CLI_ASKING_H
#define BYLINE_CLI_ASKING_H

#include "byline/attrib.h"
#include "command.h"

struct asking {
	const char *run, *prompt, *target, *method;
	int tokens, top_k, exact, threads;
	double temperature, top_p;
	uint64_t seed;
	struct span span;
	bool alone;
};

/* Rows of an option table for member `f`, a struct asking, of struct `s`. */
#define ASKING_OPTIONS(s, f) \
	{"prompt", OPTION_TEXT, offsetof(s, f.prompt), "TEXT", NULL, \
		.help = "what the model continues; - reads standard input"}, \
	{"target", OPTION_TEXT, offsetof(s, f.target), "TEXT", NULL, \
		.help = "attribute this continuation instead of generating one"}, \
	{"tokens", OPTION_INT, offsetof(s, f.tokens), "N", "32", 1, 65536, .help = "longest output"}, \
	{"seed", OPTION_SEED, offsetof(s, f.seed), "N", "1", .help = "of the sampling"}, \
	{"temperature", OPTION_REAL, offsetof(s, f.temperature), "X", "0.8", 0, 100, \
		.help = "sampling temperature; 0 takes the most probable token"}, \
	{"top-k", OPTION_INT, offsetof(s, f.top_k), "N", "0", 0, 1 << 20, \
		.help = "sample among the N most probable tokens; 0 means all"}, \
	{"top-p", OPTION_REAL, offsetof(s, f.top_p), "X", "0.95", 0.0001, 1, \
		.help = "sample among the most probable tokens that make up X"}, \
	{"span", OPTION_SPAN, offsetof(s, f.span), "A:B", NULL, \
		.help = "output tokens A to B-1, counting from 0; all of them when not given"}, \
	{"method", OPTION_TEXT, offsetof(s, f.method), "NAME", NULL, \
		.help = "attribution method; byline help --methods lists them"}, \
	{"exact", OPTION_INT, offsetof(s, f.exact), "N", "64", 0, 1000000, \
		.help = "candidates rescored exactly: the largest scores of either sign"}, \
	{"run", OPTION_TEXT, offsetof(s, f.run), "NAME", NULL, \
		.help = "which run to ask; the newest indexed one when not given"}, \
	{"alone", OPTION_FLAG, offsetof(s, f.alone), \
		.help = "this run alone, though the store has others of its recipe to average with"}, \
	{"threads", OPTION_INT, offsetof(s, f.threads), "N", "0", 0, 256, \
		.help = "worker threads; the result does not depend on it"}

/* The first method of the table when name is NULL; ERR_USAGE, naming all, when there is none of this name. */
enum err asking_method(const char *name, const struct method **method);
/* The run asked; the caller's to close, also after an error. */
enum err asking_session(const struct asking *a, struct store *s, struct session **session);
/* Prompt and output; the caller's to free, also after an error. */
enum err asking_query(const struct asking *a, struct session *session, struct job *job, struct query **q);
/* ERR_MISSING unless `example`, given with --`option`, is one that the run learned from. */
enum err asking_example(const struct session *s, const char *option, int64_t example);
/* The span asked about; ERR_MISSING for an empty output. */
enum err asking_span(const struct asking *a, int n_out, int *from, int *to);

#endif
