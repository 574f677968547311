/* verify: is everything in a store what it was when it was written? */
#include "commands.h"

#include <inttypes.h>

#include "byline/bank.h"
#include "byline/bergson.h"
#include "byline/store.h"
#include "byline/utf8.h"
#include "byline/verbatim.h"

struct verify_args { bool quiet; };

static const struct option verify_options[] = {
	{"quiet", OPTION_FLAG, offsetof(struct verify_args, quiet), .help = "no progress"},
};

static void
verify_found(void *arg, const char *finding)
{
	struct str line = {0};
	(void)arg;
	/* It may quote a stranger, and a newline would pass for another finding, or for none. */
	text_escape(&line, finding, strlen(finding), ESCAPE_NEWLINE);
	say("%s\n", line.s);
	str_free(&line);
}

static int
verify_run(const void *options, char **args, int n_args)
{
	const struct verify_args *o = options;
	struct store *s;
	int64_t findings = 0, banks = 0;
	(void)n_args;
	enum err err = store_open(args[0], true, &s);
	if (err != OK)
		return fail(err);
	struct job *job = watch_begin(o->quiet);
	err = store_verify(s, job, verify_found, NULL, &findings);
	if (err == OK)
		err = bank_verify(s, job, verify_found, NULL, &banks);
	findings += banks;
	if (err == OK)
		err = bergson_verify(s, job, verify_found, NULL, &findings);
	if (err == OK)
		err = verbatim_verify(s, job, verify_found, NULL, &findings);
	watch_end(job);
	store_close(s);
	if (err != OK)
		return fail(err);
	if (findings)
		say("%" PRId64 " findings\n", findings);
	else
		say("everything is as it was written\n");
	return findings ? EXIT_NEGATIVE : EXIT_DONE;
}

const struct command cmd_verify = {
	.name = "verify", .group = "Keep", .args = "STORE", .summary = "Recheck every text, table and file of a store",
	.min_args = 1, .max_args = 1, .run = verify_run, OPTIONS(verify_options, struct verify_args),
};
