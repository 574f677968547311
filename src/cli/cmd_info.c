/* info: what is in a store, and how what is loaded was measured. */
#include "commands.h"

#include <inttypes.h>

#include "byline/json.h"
#include "byline/scores.h"
#include "byline/store.h"

struct info_args { bool json; };

static const struct option info_options[] = {
	{"json", OPTION_FLAG, offsetof(struct info_args, json), .help = "print one JSON object"},
};

static enum err
info_licence(void *arg, const char *licence, int64_t works)
{
	json_array_append_new(arg, json_pack("{s:o, s:I}", "licence", json_cstr(licence), "works", (json_int_t)works));
	return OK;
}

static enum err
info_run(void *arg, const struct run *r)
{
	json_array_append_new(arg,
		json_pack("{s:o, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:i, s:s}", "name", json_cstr(r->name),
		"trained", r->trained, "indexed", r->indexed, "imported", scores_run(r),
		"examples", (json_int_t)r->n_examples, "trained_examples",
		(json_int_t)r->n_train, "tokens", (json_int_t)r->tokens_train, "heldout_tokens",
		(json_int_t)r->tokens_heldout, "context", r->n_ctx, "dataset_sha256", r->dataset));
	return OK;
}

static enum err
info_collect(struct store *s, json_t *o)
{
	struct store_totals t;
	char hash[HASH_HEX];
	json_t *licences = json_array(), *runs = json_array();
	json_object_set_new(o, "store", json_cstr(store_name(s)));
	json_object_set_new(o, "licences", licences);
	json_object_set_new(o, "runs", runs);
	TRY(store_count(s, &t));
	TRY(store_hash(s, hash));
	json_object_set_new(o, "corpus_sha256", json_string(hash));
	json_object_set_new(o, "totals", json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "works", (json_int_t)t.works,
		"contributors", (json_int_t)t.contributors, "bytes", (json_int_t)t.bytes, "queries",
		(json_int_t)t.queries,
		"unknown_author", (json_int_t)t.unknown_author, "unknown_licence", (json_int_t)t.unknown_licence,
		"opted_out", (json_int_t)t.opted_out));
	TRY(store_each_licence(s, info_licence, licences));
	return store_each_run(s, info_run, runs);
}

static json_int_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void
info_print(const json_t *o)
{
	const json_t *t = json_object_get(o, "totals");
	size_t i;
	json_t *row;
	say("%s: %" JSON_INTEGER_FORMAT " works by %" JSON_INTEGER_FORMAT " contributors, %.1f kB of text\n",
		json_string_value(json_object_get(o, "store")), number(t, "works"), number(t, "contributors"),
		(double)number(t, "bytes") / 1e3);
	say("  works of unknown author %" JSON_INTEGER_FORMAT ", of unknown licence %" JSON_INTEGER_FORMAT
		"; contributors who opted out %" JSON_INTEGER_FORMAT "\n", number(t, "unknown_author"),
		number(t, "unknown_licence"), number(t, "opted_out"));
	json_array_foreach(json_object_get(o, "licences"), i, row)
		say("  %6" JSON_INTEGER_FORMAT "  %s\n", number(row, "works"),
			json_string_value(json_object_get(row, "licence")));
	json_array_foreach(json_object_get(o, "runs"), i, row)
		say("run %s: %" JSON_INTEGER_FORMAT " examples trained on, %" JSON_INTEGER_FORMAT " tokens, %s%s\n",
			json_string_value(json_object_get(row, "name")), number(row, "trained_examples"),
			number(row, "tokens"),
			json_is_true(json_object_get(row, "imported")) ? "scores imported from another library"
			: json_is_true(json_object_get(row, "trained")) ? "trained" : "not trained to its end",
			json_is_true(json_object_get(row, "imported")) ? ""
			: json_is_true(json_object_get(row, "indexed")) ? ", indexed" : ", not indexed");
}

static int
info_command(const void *options, char **args, int n_args)
{
	const struct info_args *a = options;
	struct store *s;
	(void)n_args;
	enum err err = store_open(args[0], true, &s);
	if (err != OK)
		return fail(err);
	json_t *o = json_object();
	err = info_collect(s, o);
	store_close(s);
	if (err == OK && a->json)
		print_json(json_incref(o));
	else if (err == OK)
		info_print(o);
	json_decref(o);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_info = {
	.name = "info", .group = "Look", .args = "STORE",
	.summary = "Say what a store holds: works, contributors, licences, runs",
	.min_args = 1, .max_args = 1, .run = info_command, OPTIONS(info_options, struct info_args),
};
