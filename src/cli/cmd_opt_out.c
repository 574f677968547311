/* opt-out: a contributor leaves, or comes back. */
#include "commands.h"

#include "byline/store.h"

struct opt_out_args { bool undo; const char *note; };

#define FIELD(f) offsetof(struct opt_out_args, f)
static const struct option opt_out_options[] = {
	{"undo", OPTION_FLAG, FIELD(undo), .help = "take the opt-out back"},
	{"note", OPTION_TEXT, FIELD(note), "TEXT", NULL,
		.help = "kept beside it: who asked, when, where the request is"},
};

static enum err
opt_out(struct store *s, const char *name, const struct opt_out_args *o)
{
	int64_t id;
	TRY(store_find_contributor(s, name, &id));
	return store_set_opt_out(s, id, !o->undo, o->note);
}

static int
opt_out_run(const void *options, char **args, int n_args)
{
	const struct opt_out_args *o = options;
	struct store *s;
	(void)n_args;
	enum err err = store_open(args[0], false, &s);
	if (err != OK)
		return fail(err);
	err = opt_out(s, args[1], o);
	store_close(s);
	if (err != OK)
		return fail(err);
	say("%s: %s. Runs trained before this still hold what they learned; train again to honour it.\n", args[1],
		o->undo ? "opted in again" : "opted out");
	return EXIT_DONE;
}

const struct command cmd_opt_out = {
	.name = "opt-out", .group = "Keep", .args = "STORE CONTRIBUTOR",
	.summary = "Leave a contributor's works out of every later run",
	.min_args = 2, .max_args = 2, .run = opt_out_run, OPTIONS(opt_out_options, struct opt_out_args),
};
