/* verbatim: where does this stand in the corpus, word for word? */
#include "commands.h"
#include "spans.h"

#include <string.h>

#include "byline/file.h"
#include "byline/json.h"

struct verbatim_args {
	const char *text;
	int words, works;
	bool build, json, quiet;
};

#define FIELD(f) offsetof(struct verbatim_args, f)
static const struct option verbatim_table[] = {
	{"text", OPTION_TEXT, FIELD(text), "TEXT", NULL, .help = "what to look up; - reads standard input"},
	{"words", OPTION_INT, FIELD(words), "N", "4", 1, 1000, .help = "fewest words in a row that count"},
	{"works", OPTION_INT, FIELD(works), "N", "5", 0, 1000000,
		.help = "works listed of each span; --json lists all"},
	{"build", OPTION_FLAG, FIELD(build), .help = "make text.safetensors, where import has not"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

enum { TEXT_MAX = 16 << 20 };

static enum err
build(const char *dir, const struct verbatim_args *a)
{
	struct store *s;
	TRY(store_open(dir, false, &s));
	struct job *job = watch_begin(a->quiet);
	verbatim_tidy(s);
	enum err err = verbatim_build(s, job);
	watch_end(job);
	store_close(s);
	return err;
}

static enum err
print_json_of(struct store *s, const struct verbatim *v, const struct spans *found)
{
	json_t *list;
	TRY(spans_json(s, found, &list));
	print_json(json_pack("{s:o, s:I, s:I, s:o}", "store", json_cstr(store_name(s)), "words",
		(json_int_t)verbatim_words(v), "compared", (json_int_t)verbatim_places_compared(v), "verbatim", list));
	return OK;
}

static enum err
look_up(struct store *s, const struct verbatim *v, const struct verbatim_args *a, size_t *n)
{
	struct str text = {0};
	struct spans found = {0};
	enum err err = OK;
	if (strcmp(a->text, "-") == 0)
		err = file_read("-", TEXT_MAX, &text);
	else
		str_adds(&text, a->text);
	if (err == OK)
		err = spans_find(v, text.s, text.len, a->words, &found);
	if (err == OK)
		err = a->json ? print_json_of(s, v, &found) : spans_print(s, &found, (size_t)a->works);
	*n = found.n;
	if (err == OK && found.n == 0 && !a->json)
		say("no %d words in a row of this stand in the corpus\n", a->words);
	spans_free(&found);
	str_free(&text);
	return err;
}

static int
verbatim_run(const void *options, char **args, int n_args)
{
	const struct verbatim_args *a = options;
	struct store *s = NULL;
	struct verbatim *v = NULL;
	size_t n = 1;
	(void)n_args;
	if (!a->text && !a->build)
		return fail(err_set(ERR_USAGE, "--text is needed; --text - reads it from standard input"));
	enum err err = a->build ? build(args[0], a) : OK;
	if (err == OK)
		err = store_open(args[0], true, &s);
	if (err == OK)
		err = verbatim_open(s, &v);
	if (err == OK && a->text)
		err = look_up(s, v, a, &n);
	else if (err == OK)
		say("%zu words can be looked up\n", verbatim_words(v));
	int code = err != OK ? fail(err) : n > 0 ? EXIT_DONE : EXIT_NEGATIVE;
	verbatim_close(v);
	store_close(s);
	return code;
}

const struct command cmd_verbatim = {
	.name = "verbatim", .group = "Look", .args = "STORE",
	.summary = "Find where the words of a text stand in the corpus, as they are",
	.min_args = 1, .max_args = 1, .run = verbatim_run, OPTIONS(verbatim_table, struct verbatim_args),
};
