/* import-index: a gradient index that bergson made, with its checkpoint and examples, as a run. */
#include "commands.h"

#include <inttypes.h>

#include "byline/bergson.h"
#include "byline/json.h"
#include "import_store.h"

struct import_index_args {
	const char *checkpoint, *examples, *run, *separator, *licence, *source;
	bool copy, quiet, json;
};

#define FIELD(f) offsetof(struct import_index_args, f)
static const struct option import_index_table[] = {
	{"checkpoint", OPTION_TEXT, FIELD(checkpoint), "DIR", NULL,
		.help = "the Hugging Face directory that the index was built with"},
	{"examples", OPTION_TEXT, FIELD(examples), "FILE", NULL,
		.help = "JSONL whose record number i is example i of the index, in the format of byline import"},
	{"run", OPTION_TEXT, FIELD(run), "NAME", "bergson",
		.help = "what the run is called in the store; one that is there must have the same weights"},
	{"copy", OPTION_FLAG, FIELD(copy), .help = "copy the index into the store instead of linking to it"},
	{"author-separator", OPTION_TEXT, FIELD(separator), "TEXT", NULL,
		.help = "what stands between joint authors in one field"},
	{"licence", OPTION_TEXT, FIELD(licence), "ID", NULL, .help = "licence of records that state none"},
	{"source", OPTION_TEXT, FIELD(source), "TEXT", NULL, .help = "source of records that state none"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress, no list of what was skipped"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print the report as JSON"},
};

static void
told(void *arg, const char *file, int64_t line, const char *reason)
{
	const struct import_index_args *a = arg;
	if (!a->quiet)
		complain("%s:%" PRId64 ": %s; its row belongs to nobody", file, line, reason);
}

static void
report_print(const struct bergson_report *r, const struct import_index_args *a, const char *store)
{
	static const struct { size_t at; const char *words; } notes[] = {
		{ offsetof(struct bergson_report, none),
			"examples are not in the store: empty, unreadable or opted out of" },
		{ offsetof(struct bergson_report, cut),
			"examples are longer than the model's context: cut up, the score stands at the first piece" },
		{ offsetof(struct bergson_report, again),
			"examples have a text that came before: their scores are added up" },
		{ offsetof(struct bergson_report, broken), "rows hold numbers that are not finite: no score" },
	};
	say("run %s: %" PRIu64 " examples, %" PRIu64 " rows of %" PRIu64 " numbers; %" PRIu64 " works added\n", a->run,
		r->examples, r->rows, r->width, r->added);
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		uint64_t n = *(const uint64_t *)(const void *)((const char *)r + notes[i].at);
		if (n > 0)
			say("  %6" PRIu64 "  %s\n", n, notes[i].words);
	}
	say("next: byline ask %s --run %s --prompt TEXT\n", store, a->run);
}

static void
report_json(const struct bergson_report *r, const struct import_index_args *a)
{
	print_json(json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "run", json_cstr(a->run),
		"examples", (json_int_t)r->examples, "rows", (json_int_t)r->rows, "width", (json_int_t)r->width,
		"added", (json_int_t)r->added, "unmatched", (json_int_t)r->none, "cut", (json_int_t)r->cut,
		"repeated", (json_int_t)r->again, "not_finite", (json_int_t)r->broken));
}

static enum err
take(const struct import_index_args *a, const char *store, const char *index, struct bergson_report *report)
{
	struct import_index_args shown = *a;
	const struct bergson_import o = { .dir = index, .checkpoint = a->checkpoint, .examples = a->examples,
		.run = a->run, .copy = a->copy, .import = { .author_map = a->separator, .licence = a->licence,
		.source = a->source, .skipped = told, .arg = &shown } };
	struct import_store s;
	if (!a->checkpoint || !a->examples)
		return err_set(ERR_USAGE, "import-index needs --checkpoint DIR and --examples FILE");
	enum err err = import_store_open(store, &s);
	if (err == OK) {
		struct job *job = watch_begin(a->quiet);
		err = bergson_import(s.store, &o, job, report);
		watch_end(job);
	}
	return import_store_close(&s, err);
}

static int
import_index_run(const void *options, char **args, int n_args)
{
	const struct import_index_args *a = options;
	struct bergson_report report = {0};
	(void)n_args;
	enum err err = take(a, args[0], args[1], &report);
	if (err != OK)
		return fail(err);
	if (a->json)
		report_json(&report, a);
	else
		report_print(&report, a, args[0]);
	return EXIT_DONE;
}

const struct command cmd_import_index = {
	.name = "import-index", .group = "Build", .args = "STORE INDEX",
	.summary = "Take a gradient index made by bergson, to ask it questions",
	.min_args = 2, .max_args = 2, .run = import_index_run, OPTIONS(import_index_table, struct import_index_args),
};
