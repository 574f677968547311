/* import-scores: another attribution library's matrix of scores, to be looked at without a model. */
#include "commands.h"

#include <inttypes.h>

#include "byline/credit.h"
#include "byline/scores.h"
#include "import_store.h"

struct import_scores_args {
	const char *scores, *examples, *queries, *source, *run;
	int tokens;
	bool negate, json, quiet;
};

#define FIELD(f) offsetof(struct import_scores_args, f)
static const struct option import_scores_table[] = {
	{"scores", OPTION_TEXT, FIELD(scores), "FILE", NULL,
		.help = "the matrix, queries by examples: .npy, or .safetensors as kronfluence writes it"},
	{"examples", OPTION_TEXT, FIELD(examples), "FILE", NULL,
		.help = "JSONL of the examples, in order of the matrix's columns; fields as for byline import"},
	{"queries", OPTION_TEXT, FIELD(queries), "FILE", NULL,
		.help = "JSONL of the queries, in order of the rows: prompt, output, perhaps tokens"},
	{"source", OPTION_TEXT, FIELD(source), "NAME", "another library", .help = "what made the scores"},
	{"run", OPTION_TEXT, FIELD(run), "NAME", "imported", .help = "what the scores are called in the store"},
	{"tokens", OPTION_CHOICE, FIELD(tokens), "WHOSE", "auto", .choices = "auto output example",
		.help = "whose tokens a third dimension is of; auto takes those of the example in a "
		".safetensors file, else of the output"},
	{"negate", OPTION_FLAG, FIELD(negate), .help = "large scores are of examples that hurt; turn all signs"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

static void
import_scores_print(const struct scores_report *r, const char *dir, bool json)
{
	if (json) {
		print_json(json_pack("{s:I, s:I, s:I, s:b}", "queries", (json_int_t)r->queries, "examples",
			(json_int_t)r->examples, "works", (json_int_t)r->works, "per_token", r->per_token));
		return;
	}
	say("%" PRId64 " queries by %" PRId64 " examples%s\n", r->queries, r->examples,
		r->per_token ? ", scored at each token of the output" : "");
	if (r->shared > 0)
		say("%" PRId64 " examples are the same work as another; the scores of one work were added up\n",
			r->shared);
	say("next: byline %s\n", dir);
}

static int
import_scores_run(const void *options, char **args, int n_args)
{
	const struct import_scores_args *a = options;
	const struct scores_options o = { .scores = a->scores, .examples = a->examples, .queries = a->queries,
		.source = a->source, .run = a->run, .tokens = (enum score_tokens)a->tokens, .negate = a->negate,
		.settle = credit_settle };
	struct scores_report report;
	struct import_store s;
	(void)n_args;
	if (!a->scores || !a->examples || !a->queries)
		return fail(err_set(ERR_USAGE, "--scores, --examples and --queries are all needed"));
	enum err err = import_store_open(args[0], &s);
	if (err == OK) {
		struct job *job = watch_begin(a->quiet);
		err = scores_import(s.store, &o, job, &report);
		watch_end(job);
	}
	err = import_store_close(&s, err);
	if (err == OK)
		import_scores_print(&report, args[0], a->json);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_import_scores = {
	.name = "import-scores", .group = "Build", .args = "STORE",
	.summary = "Open the scores of another attribution library in the explorer",
	.min_args = 1, .max_args = 1, .run = import_scores_run,
	OPTIONS(import_scores_table, struct import_scores_args),
};
