/* show: one work, example, contributor or saved query, whole. */
#include "commands.h"
#include "records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "byline/credit.h"
#include "byline/json.h"
#include "byline/store.h"

struct show_args { const char *run; bool json; };

#define FIELD(f) offsetof(struct show_args, f)
static const struct option show_table[] = {
	{"run", OPTION_TEXT, FIELD(run), "NAME", NULL,
		.help = "the run an example belongs to; the newest indexed one when not given"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object"},
};

static enum err
show_id(const char *text, int64_t *id)
{
	char *end;
	errno = 0;
	*id = strtoll(text, &end, 10);
	if (end == text || *end || errno || *id < 0)
		return err_set(ERR_USAGE, "%s: a number is wanted here", text);
	return OK;
}

static void
set_text(json_t *o, struct str *text)
{
	json_object_set_new(o, "text", json_text(text->s ? text->s : "", text->len));
}

static enum err
show_work(struct store *s, const struct show_args *a, const char *which, json_t *o)
{
	struct work w = {0};
	struct str text = {0};
	int64_t id;
	(void)a;
	TRY(show_id(which, &id));
	enum err err = store_work(s, id, &w);
	if (err == OK)
		err = store_work_text(s, id, &text);
	if (err == OK) {
		record_work(o, &w);
		json_object_set_new(o, "licence_from", json_cstr(w.licence_from));
		json_object_set_new(o, "opted_out", json_boolean(w.opted_out));
		json_object_set_new(o, "sha256", json_cstr(w.sha256));
		set_text(o, &text);
	}
	work_free(&w);
	str_free(&text);
	return err;
}

static enum err
show_example_of(struct store *s, const struct run *run, int64_t id, json_t *o)
{
	struct dataset data = {0};
	struct example *examples = NULL;
	struct work w = {0};
	struct str text = {0};
	enum err err;
	TRY_OUT(store_run_dataset(s, run->id, &data, &examples));
	if ((uint64_t)id >= data.n) {
		err = err_set(ERR_MISSING, "run %s has examples 0 to %" PRId64, run->name, (int64_t)data.n - 1);
		goto out;
	}
	const struct example *e = &examples[id];
	TRY_OUT(store_work(s, e->work, &w));
	TRY_OUT(store_example_text(s, e, &text));
	json_object_set_new(o, "example", json_pack("{s:o, s:I, s:I, s:I, s:I, s:b}", "run", json_cstr(run->name), "id",
		(json_int_t)id, "from", (json_int_t)e->from, "to", (json_int_t)e->to, "tokens", (json_int_t)e->n_tokens,
		"heldout", e->heldout));
	record_work(o, &w);
	set_text(o, &text);
out:
	work_free(&w);
	str_free(&text);
	free(examples);
	dataset_free(&data);
	return err;
}

static enum err
show_example(struct store *s, const struct show_args *a, const char *which, json_t *o)
{
	struct run run = {0};
	int64_t id;
	TRY(show_id(which, &id));
	TRY(store_find_run(s, a->run, &run));
	enum err err = show_example_of(s, &run, id, o);
	run_free(&run);
	return err;
}

struct find_works { int64_t contributor; json_t *list; };

static enum err
contributor_work(void *arg, const struct work *w)
{
	struct find_works *f = arg;
	for (size_t i = 0; i < w->n_authors; i++)
		if (w->authors[i].contributor == f->contributor)
			json_array_append_new(f->list,
				json_pack("{s:I, s:o, s:o, s:f}", "id", (json_int_t)w->id, "title",
				json_cstr(w->title), "licence", json_cstr(w->licence), "share", w->authors[i].share));
	return OK;
}

struct find_shares { const char *name; json_t *list; };

static enum err
contributor_share(void *arg, const struct saved_query *q)
{
	struct find_shares *f = arg;
	struct saved_share s;
	if (credit_saved_share(q->result, f->name, &s) && s.rank > 0)
		json_array_append_new(f->list, json_pack("{s:I, s:o, s:o, s:f, s:o, s:I, s:I}", "query",
			(json_int_t)q->id, "prompt", json_cstr(q->prompt), "method", json_cstr(s.method), "share",
			s.share, "error", json_number(s.error), "rank", (json_int_t)s.rank, "of",
			(json_int_t)s.of));
	saved_share_free(&s);
	return OK;
}

static enum err
show_contributor(struct store *s, const struct show_args *a, const char *which, json_t *o)
{
	struct contributor c = {0};
	struct find_works f = {.list = json_array()};
	struct find_shares shares = {.list = json_array()};
	(void)a;
	enum err err = store_find_contributor(s, which, &f.contributor);
	if (err == OK)
		err = store_contributor(s, f.contributor, &c);
	if (err == OK)
		err = store_each_work(s, contributor_work, &f);
	shares.name = c.name;
	if (err == OK)
		err = store_each_query(s, 0, contributor_share, &shares);
	if (err == OK)
		json_object_set_new(o, "contributor",
			json_pack("{s:I, s:o, s:b, s:I, s:I}", "id", (json_int_t)c.id, "name",
			json_cstr(c.name), "opted_out", c.opted_out, "works", (json_int_t)c.n_works, "bytes",
			(json_int_t)c.bytes));
	json_object_set_new(o, "works", f.list);
	json_object_set_new(o, "saved", shares.list);
	contributor_free(&c);
	return err;
}

static enum err
show_query(struct store *s, const struct show_args *a, const char *which, json_t *o)
{
	struct saved_query q = {0};
	int64_t id;
	(void)a;
	TRY(show_id(which, &id));
	enum err err = store_query(s, id, &q);
	if (err == OK)
		json_object_set_new(o, "query", json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)q.id, "prompt",
			json_cstr(q.prompt), "settings", json_cstr(q.settings), "output", json_cstr(q.output), "result",
			json_cstr(q.result)));
	saved_query_free(&q);
	return err;
}

static const struct {
	const char *name;
	enum err (*show)(struct store *s, const struct show_args *a, const char *which, json_t *o);
} kinds[] = {
	{"work", show_work}, {"example", show_example}, {"contributor", show_contributor}, {"query", show_query},
};

/* Members in the order they were set, one a line; the text last and as it is. */
static void
show_print(const json_t *o)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		if (strcmp(key, "text") == 0)
			continue;
		struct str s = {0};
		json_print(&s, v, 0);
		say("%-13s %s\n", key, s.s);
		str_free(&s);
	}
	const json_t *text = json_object_get(o, "text");
	if (text)
		say("\n%.*s\n", (int)json_string_length(text), json_string_value(text));
}

static enum err
show(struct store *s, const struct show_args *a, const char *kind, const char *which, json_t *o)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, kind) == 0)
			return kinds[i].show(s, a, which, o);
	return err_set(ERR_USAGE, "show: %s is none of work, example, contributor, query", kind);
}

static int
show_run(const void *options, char **args, int n_args)
{
	const struct show_args *a = options;
	struct store *s;
	(void)n_args;
	enum err err = store_open(args[0], true, &s);
	if (err != OK)
		return fail(err);
	json_t *o = json_object();
	err = show(s, a, args[1], args[2], o);
	if (err == OK && a->json)
		print_json(json_incref(o));
	else if (err == OK)
		show_print(o);
	json_decref(o);
	store_close(s);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_show = {
	.name = "show", .group = "Look", .args = "STORE KIND WHICH",
	.summary = "Show a work, example, contributor or query; WHICH is its number or name",
	.min_args = 3, .max_args = 3, .run = show_run, OPTIONS(show_table, struct show_args),
};
