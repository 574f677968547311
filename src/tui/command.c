/* command: the lines after ':'. One table makes the commands, their help and their completion. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "setting.h"

struct command {
	const char *name, *args, *help;
	enum err (*fn)(struct app *app, const char *arg);
	void (*complete)(struct app *app, struct str *words);	/* what its argument can be, a line each; may be NULL */
};

static struct inquiry *
front(const struct app *app)
{
	return app_top(app)->q;
}

/* Asks again with changed settings, if anything has been asked. */
static void
ask_again(struct inquiry *q, const struct sample_options *o)
{
	if (!q->prompt) {
		q->sample = *o;
		return;
	}
	char *prompt = xstrdup(q->prompt), *target = q->target ? xstrdup(q->target) : NULL;
	inquiry_ask(q, prompt, target, o);
	free(prompt);
	free(target);
}

static enum err
set_number(struct app *app, const char *name, const char *arg)
{
	struct inquiry *q = front(app);
	struct sample_options o = q->sample;
	TRY(setting_set(&o, name, arg));
	ask_again(q, &o);
	return OK;
}

static enum err run_seed(struct app *app, const char *arg) { return set_number(app, "seed", arg); }
static enum err run_temperature(struct app *app, const char *arg) { return set_number(app, "temperature", arg); }
static enum err run_top_k(struct app *app, const char *arg) { return set_number(app, "top-k", arg); }
static enum err run_top_p(struct app *app, const char *arg) { return set_number(app, "top-p", arg); }
static enum err run_tokens(struct app *app, const char *arg) { return set_number(app, "tokens", arg); }

static enum err
run_exact(struct app *app, const char *arg)
{
	int64_t n;
	TRY(setting_int("exact", arg, 0, 1000000, &n));
	inquiry_exact(front(app), (size_t)n);
	return OK;
}

static void
methods_list(struct app *app, struct str *words)
{
	const struct source_info *info = &app->source->info;
	for (int i = 0; i < info->n_methods; i++)
		str_addf(words, "%s\n", info->methods[i].name);
}

static enum err
run_method(struct app *app, const char *arg)
{
	const struct source_info *info = &app->source->info;
	for (int i = 0; i < info->n_methods; i++) {
		if (strcmp(info->methods[i].name, arg) != 0)
			continue;
		if (!source_able(info, &info->methods[i]))
			return err_set(ERR_USAGE, "method %s needs an index, and run %s has none (byline %s)", arg,
				info->run, info->methods[i].needs_index ? "index" : "import-index");
		inquiry_method(front(app), &info->methods[i]);
		return OK;
	}
	struct str words = {0};
	methods_list(app, &words);
	for (char *p = words.s; p && *p; p++)
		*p = *p == '\n' ? ' ' : *p;
	err_set(ERR_USAGE, "there is no method '%s': one of %s", arg, words.s);
	str_free(&words);
	return ERR_USAGE;
}

static enum err
run_prompt(struct app *app, const char *arg)
{
	struct inquiry *q = front(app);
	struct sample_options o = q->sample;
	app_go(app, V_OUTPUT);
	inquiry_ask(front(app), arg, NULL, &o);
	history_add(&app->prompts, arg);
	return OK;
}

static enum err
run_target(struct app *app, const char *arg)
{
	struct inquiry *q = front(app);
	struct sample_options o = q->sample;
	char *prompt = xstrdup(q->prompt ? q->prompt : "");
	inquiry_ask(q, prompt, *arg ? arg : NULL, &o);
	free(prompt);
	return OK;
}

static enum err
run_span(struct app *app, const char *arg)
{
	struct inquiry *q = front(app);
	char *colon;
	long from = strtol(arg, &colon, 10), to = *colon == ':' ? strtol(colon + 1, &colon, 10) : 0;
	int n = inquiry_tokens(q);
	if (*colon || from < 0 || to <= from || to > n)
		return err_set(ERR_USAGE, "a span is A:B, tokens A to B-1 of the %d there are, e.g. :span 3:9", n);
	inquiry_span(q, (int)from, (int)to);
	return OK;
}

static enum err
run_verify(struct app *app, const char *arg)
{
	int64_t n = 10;
	if (*arg)
		TRY(setting_int("verify", arg, 1, 1000000, &n));
	const struct whatif_options o = { .top = (int)n, .controls = 3 };
	verify_open(app, front(app), &o);
	return OK;
}

static enum err
run_export(struct app *app, const char *arg)
{
	if (!*arg)
		return err_set(ERR_USAGE, "name the file: :export FILE");
	return export_write(app, front(app), arg);
}

static enum err
run_save(struct app *app, const char *arg)
{
	(void)arg;
	return query_save(app, front(app));
}

struct found { struct app *app; int64_t id; bool seen; };

static enum err
found_query(void *arg, const struct saved_query *s)
{
	struct found *f = arg;
	if (s->id == f->id && !f->seen) {
		f->seen = true;
		app_open_query(f->app, s);
	}
	return OK;
}

static enum err
run_query(struct app *app, const char *arg)
{
	struct found f = { .app = app };
	TRY(setting_int("query", arg, 1, INT64_MAX, &f.id));
	TRY(app->source->ops->each_query(app->source, found_query, &f));
	return f.seen ? OK : err_set(ERR_MISSING, "there is no saved query %lld", (long long)f.id);
}

static enum err
run_go(struct app *app, unsigned place)
{
	app_go(app, place);
	return OK;
}

static enum err run_examples(struct app *app, const char *arg) { (void)arg; return run_go(app, V_EXAMPLES); }
static enum err run_contributors(struct app *app, const char *arg) { (void)arg; return run_go(app, V_CONTRIBUTORS); }
static enum err run_queries(struct app *app, const char *arg) { (void)arg; return run_go(app, V_QUERIES); }
static enum err run_runs(struct app *app, const char *arg) { (void)arg; return run_go(app, V_RUNS); }
static enum err run_trust(struct app *app, const char *arg) { (void)arg; return run_go(app, V_TRUST); }
static enum err run_verbatim(struct app *app, const char *arg) { (void)arg; return run_go(app, V_VERBATIM); }
static enum err run_help(struct app *app, const char *arg) { (void)arg; return run_go(app, V_HELP); }

static enum err
run_quit(struct app *app, const char *arg)
{
	(void)arg;
	app->quit = true;
	return OK;
}

static const struct command commands[] = {
	{ "prompt", "TEXT", "ask this", run_prompt, NULL },
	{ "target", "TEXT", "attribute this continuation of the prompt; without TEXT, generate again", run_target,
		NULL },
	{ "seed", "N", "of the sampling; the same seed writes the same output", run_seed, NULL },
	{ "temperature", "X", "0 takes the most probable token each time", run_temperature, NULL },
	{ "top-k", "N", "sample among the N most probable tokens; 0 means all", run_top_k, NULL },
	{ "top-p", "X", "sample among the most probable tokens that make up X", run_top_p, NULL },
	{ "tokens", "N", "longest output", run_tokens, NULL },
	{ "method", "NAME", "how examples are scored", run_method, methods_list },
	{ "exact", "N", "rescore the N best candidates exactly; 0: none", run_exact, NULL },
	{ "span", "A:B", "select output tokens A to B-1, counting from 0", run_span, NULL },
	{ "verify", "[N]", "train again without the N best examples, 10 unless it is said, and see", run_verify, NULL },
	{ "export", "FILE", "write query, ranking and shares as JSON", run_export, NULL },
	{ "save", "", "save this query in the store", run_save, NULL },
	{ "query", "ID", "open a saved query", run_query, NULL },
	{ "examples", "", "all ranked examples", run_examples, NULL },
	{ "contributors", "", "all contributors", run_contributors, NULL },
	{ "queries", "", "the saved queries", run_queries, NULL },
	{ "runs", "", "what is loaded", run_runs, NULL },
	{ "trust", "", "how far the rankings can be trusted", run_trust, NULL },
	{ "verbatim", "", "what of the output stands word for word in the corpus", run_verbatim, NULL },
	{ "help", "", "every key and command", run_help, NULL },
	{ "quit", "", "leave", run_quit, NULL },
};

bool
command_line_info(int i, const char **name, const char **args, const char **help)
{
	if (i < 0 || i >= (int)ARRAY_LEN(commands))
		return false;
	*name = commands[i].name;
	*args = commands[i].args;
	*help = commands[i].help;
	return true;
}

/* The command that `name` (n bytes) is, or begins, if only one does; *many: more than one begins so. */
static const struct command *
command_find(const char *name, size_t n, bool *many)
{
	const struct command *found = NULL;
	*many = false;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strncmp(commands[i].name, name, n) != 0)
			continue;
		if (commands[i].name[n] == '\0') {
			*many = false;
			return &commands[i];
		}
		*many = *many || found;
		found = found ? found : &commands[i];
	}
	return *many ? NULL : found;
}

enum err
command_run(struct app *app, const char *line)
{
	line += strspn(line, " ");
	size_t n = strcspn(line, " ");
	bool many;
	if (n == 0)
		return OK;
	const struct command *c = command_find(line, n, &many);
	if (n == 1 && *line == 'q')
		return run_quit(app, "");
	if (!c)
		return err_set(ERR_USAGE, "%s '%.*s': Tab lists the commands",
			many ? "several commands begin with" : "there is no command", (int)(n < 40 ? n : 40), line);
	const char *arg = line + n;
	return c->fn(app, arg + strspn(arg, " "));
}

/* ---- completion ---- */

static size_t
common_prefix(const char *a, size_t n, const char *b, size_t m)
{
	size_t k = 0;
	while (k < n && k < m && a[k] == b[k])
		k++;
	return k;
}

/* Completes bytes [from, at) of the line to what all candidates that begin so share. */
static void
complete_from(struct app *app, struct edit *e, size_t from, const char *words)
{
	const char *typed = e->text.s + from, *best = NULL;
	size_t n = e->at - from, best_n = 0, count = 0;
	struct str all = {0};
	for (const char *w = words; w && *w;) {
		size_t m = strcspn(w, "\n");
		if (m >= n && strncmp(w, typed, n) == 0) {
			best_n = best ? common_prefix(best, best_n, w, m) : m;
			best = w;
			count++;
			str_addf(&all, "%s%.*s", all.len > 0 ? "  " : "", (int)m, w);
		}
		w += m + (w[m] == '\n');
	}
	if (count > 0) {
		struct str word = {0};
		str_add(&word, best, best_n);
		if (count == 1)
			str_addc(&word, ' ');
		edit_replace(e, from, e->at, word.s, word.len);
		str_free(&word);
	}
	if (count != 1)
		app_say(app, INK_DIM, "%s", count > 0 ? all.s : "nothing to complete");
	str_free(&all);
}

void
command_complete(struct app *app, struct edit *e)
{
	struct str words = {0};
	size_t n = strcspn(e->text.s, " ");
	bool many;
	str_clear(&words);
	if (e->at <= n) {
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			str_addf(&words, "%s\n", commands[i].name);
		complete_from(app, e, 0, words.s);
	} else {
		const struct command *c = command_find(e->text.s, n, &many);
		if (c && c->complete)
			c->complete(app, &words);
		else if (c)
			app_say(app, INK_DIM, "%s %s: %s", c->name, c->args, c->help);
		if (c && c->complete)
			complete_from(app, e, n + 1, words.s);
	}
	str_free(&words);
}
