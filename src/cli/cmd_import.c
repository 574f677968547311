/* import: a corpus into a store. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/import.h"
#include "byline/json.h"
#include "byline/store.h"
#include "byline/verbatim.h"

struct import_args {
	const char *format, *columns, *author_from, *separator, *unknown, *licence, *source;
	int64_t max_bytes;
	bool strict, no_verbatim, quiet, json;
};

#define FIELD(f) offsetof(struct import_args, f)
static const struct option import_options[] = {
	{"format", OPTION_TEXT, FIELD(format), "NAME", NULL,
		.help = "jsonl, csv, dir, source or man; guessed from PATH when not given"},
	{"columns", OPTION_TEXT, FIELD(columns), "MAP", NULL,
		.help = "which CSV column is what, as text=COLUMN,author=COLUMN,title=COLUMN"},
	{"author-from", OPTION_TEXT, FIELD(author_from), "RULE", NULL,
		.help = "author of a file in a directory tree: dir1, dir2 (that folder level), or a pattern on its "
		"path with (?<author>...)"},
	{"author-separator", OPTION_TEXT, FIELD(separator), "TEXT", NULL,
		.help = "what stands between joint authors in one field"},
	{"unknown-names", OPTION_TEXT, FIELD(unknown), "LIST", NULL,
		.help = "author names, separated by commas, that mean unknown"},
	{"licence", OPTION_TEXT, FIELD(licence), "ID", NULL, .help = "licence of records that state none"},
	{"source", OPTION_TEXT, FIELD(source), "TEXT", NULL, .help = "source of records that state none"},
	{"max-bytes", OPTION_LONG, FIELD(max_bytes), "N", "16777216", 1, 1 << 30, .help = "longest text taken"},
	{"strict", OPTION_FLAG, FIELD(strict), .help = "stop at the first bad record"},
	{"no-verbatim", OPTION_FLAG, FIELD(no_verbatim),
		.help = "leave out text.safetensors, by which texts are looked up word for word"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress, no list of what was skipped"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print the report of each path as one JSON object on a line"},
};

static void
import_skipped(void *arg, const char *file, int64_t line, const char *reason)
{
	const struct import_args *o = arg;
	/* One that ends the import is told as what ended it. */
	if (o->quiet || o->strict)
		return;
	if (line > 0)
		complain("skipped %s:%" PRId64 ": %s", file, line, reason);
	else
		complain("skipped %s: %s", file, reason);
}

static void
import_print_json(const char *path, const struct import_report *r)
{
	json_t *reasons = json_array();
	for (size_t i = 0; i < r->n_reasons; i++)
		json_array_append_new(reasons, json_pack("{s:o, s:I}", "reason",
			json_text(r->reasons[i].reason, strlen(r->reasons[i].reason)), "count",
			(json_int_t)r->reasons[i].n));
	print_json(json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "path", json_cstr(path),
		"records", (json_int_t)r->records, "added", (json_int_t)r->added,
		"duplicates", (json_int_t)r->duplicates, "skipped", (json_int_t)r->skipped,
		"bytes", (json_int_t)r->bytes, "reasons", reasons));
}

static void
import_print(const struct import_report *r)
{
	say("%" PRId64 " records: %" PRId64 " added, %" PRId64 " already there, %" PRId64 " skipped; %.1f MB of text\n",
		r->records, r->added, r->duplicates, r->skipped, (double)r->bytes / 1e6);
	for (size_t i = 0; i < r->n_reasons; i++)
		say("  %6" PRId64 "  %s\n", r->reasons[i].n, r->reasons[i].reason);
}

/* A folder without a database may be what a killed import left. */
static enum err
import_open(const char *dir, struct store **s)
{
	char *db = path_join(dir, "store.db");
	bool make = !file_exists(db) && (!file_exists(dir) || file_is_dir(dir));
	free(db);
	return make ? store_create(dir, s) : store_open(dir, false, s);
}

/* One of other works than there are now is of no use. */
static enum err
import_verbatim(struct store *s, const struct import_args *a, struct job *job, bool added)
{
	verbatim_tidy(s);
	if (!a->no_verbatim)
		return verbatim_build(s, job);
	char *path = path_join(store_dir(s), VERBATIM_FILE);
	if (added)
		unlink(path);
	free(path);
	return OK;
}

static int
import_run(const void *options, char **args, int n_args)
{
	const struct import_args *a = options;
	struct import_options o = {
		.format = a->format, .columns = a->columns, .author_from = a->author_from, .author_map = a->separator,
		.unknown_names = a->unknown, .licence = a->licence, .source = a->source,
		.max_bytes = (size_t)a->max_bytes, .strict = a->strict, .skipped = import_skipped,
	};
	struct import_args shown = *a;
	o.arg = &shown;
	struct store *s;
	enum err err = import_open(args[0], &s);
	if (err != OK)
		return fail(err);
	int code = EXIT_DONE;
	struct job *job = watch_begin(a->quiet);
	bool added = false;
	for (int i = 1; i < n_args && code == EXIT_DONE; i++) {
		struct import_report report = {0};
		err = import_path(s, args[i], &o, job, &report);
		if (err != OK)
			code = fail(err);
		if (err != OK && report.records == 0)
			continue;
		if (a->json)
			import_print_json(args[i], &report);
		else
			import_print(&report);
		added = added || report.added > 0;
		import_report_free(&report);
	}
	/* What kept the works from coming in is told already. */
	err = import_verbatim(s, a, job, added);
	if (err != OK && code == EXIT_DONE)
		code = fail(err);
	watch_end(job);
	store_close(s);
	return code;
}

const struct command cmd_import = {
	.name = "import", .group = "Build", .args = "STORE PATH...",
	.summary = "Put a corpus into a store, making the store when there is none",
	.min_args = 2, .max_args = 1000, .run = import_run, OPTIONS(import_options, struct import_args),
};
