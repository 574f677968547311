/* ask: prompt to attribution without the screen. The JSON names are what scripts rely on: see byline-ask(1). */
#include "ask_tokens.h"
#include "ask_words.h"
#include "asking.h"
#include "commands.h"
#include "records.h"
#include "trust_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/attrib.h"
#include "byline/clock.h"
#include "byline/credit.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/retrain.h"
#include "byline/utf8.h"

struct ask_args {
	struct asking ask;
	int top;
	int64_t query;			/* 0: none */
	int64_t tokens_of;		/* -1: none */
	bool all, json, quiet;
};

#define FIELD(f) offsetof(struct ask_args, f)
static const struct option ask_table[] = {
	ASKING_OPTIONS(struct ask_args, ask),
	{"query", OPTION_LONG, FIELD(query), "ID", NULL, 1, 9e15,
		.help = "ask a saved query again, as it came out"},
	{"top", OPTION_INT, FIELD(top), "K", "10", 1, 100000, .help = "proponents and opponents listed"},
	{"tokens-of", OPTION_LONG, FIELD(tokens_of), "EXAMPLE", "-1", -1, 4294967295.0,
		.help = "also what each token of this example adds to each of the span; -1 means no example"},
	{"all", OPTION_FLAG, FIELD(all), .help = "print a ranking even where nothing stands above the noise floor"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

struct answer {
	struct session *session;
	struct query *query;
	struct ranking *ranking;
	struct shares shares;
	struct token_influence *tokens;	/* NULL: not asked for */
	struct ask_words words;
	struct trust *trust;		/* NULL: never measured */
	bool current;			/* measured with the index that is there */
	double elapsed_ms;
};

static void
answer_free(struct answer *w)
{
	ask_words_free(&w->words);
	token_influence_free(w->tokens);
	shares_free(&w->shares);
	trust_free(w->trust);
	ranking_free(w->ranking);
	query_free(w->query);
	session_close(w->session);
}

/* ---- asking ---- */

/* A report that is not there, or is damaged, says nothing; an answer needs none. */
static void
ask_trust(struct answer *w)
{
	const char *dir = w->session->run.dir;
	if (trust_read(dir, &w->trust) == OK)
		w->current = trust_is_current(w->trust, dir);
	err_clear();
}

/* A saved query and its run, whose model need not be there to say the same again. */
static enum err
ask_saved(struct store *s, const struct ask_args *a, struct job *job, struct answer *w)
{
	struct saved_query saved;
	struct run run = {0};
	struct asking asking = a->ask;
	const struct sample_options sample = { .max_tokens = a->ask.tokens };
	enum err err;
	if (a->ask.prompt || a->ask.target)
		return err_set(ERR_USAGE, "--query has its own prompt and output: give no --prompt or --target");
	TRY(store_query(s, a->query, &saved));
	TRY_OUT(store_run(s, saved.run, &run));
	asking.run = asking.run ? asking.run : run.name;
	TRY_OUT(asking_session(&asking, s, &w->session));
	err = query_new(w->session, saved.prompt ? saved.prompt : "", saved.output ? saved.output : "", &sample, job,
		NULL, NULL, &w->query);
out:
	run_free(&run);
	saved_query_free(&saved);
	return err;
}

static enum err
ask_query(struct store *s, const struct ask_args *a, struct job *job, struct answer *w)
{
	if (a->query)
		return ask_saved(s, a, job, w);
	TRY(asking_session(&a->ask, s, &w->session));
	if (a->tokens_of >= 0)
		TRY(asking_example(w->session, "tokens-of", a->tokens_of));
	return asking_query(&a->ask, w->session, job, &w->query);
}

static enum err
ask(struct store *s, const struct ask_args *a, struct job *job, struct answer *w)
{
	struct rank_options o = {.top = (size_t)a->top, .exact = (size_t)a->ask.exact};
	TRY(asking_method(a->ask.method, &o.method));
	double began = clock_monotonic();
	TRY(ask_query(s, a, job, w));
	if (a->tokens_of >= 0)
		TRY(asking_example(w->session, "tokens-of", a->tokens_of));
	if (!a->ask.method)
		o.method = session_method(w->session);
	TRY(asking_span(&a->ask, w->query->n_out, &o.from, &o.to));
	TRY(query_rank(w->query, &o, job, &w->ranking));
	TRY(credit_shares(w->session, w->ranking, &w->shares));
	w->elapsed_ms = 1e3 * (clock_monotonic() - began);
	ask_trust(w);
	if (a->tokens_of >= 0)
		TRY(query_tokens(w->query, o.from, o.to, (uint32_t)a->tokens_of, job, &w->tokens));
	return ask_words_find(s, w->query, &w->words);
}

/* ---- printing as JSON ---- */

static json_t *
ask_output(const struct query *q)
{
	json_t *tokens = json_array();
	for (int i = 0; i < q->n_out; i++) {
		const char *bytes = q->output.s + q->byte_of[i];
		json_array_append_new(tokens,
			json_pack("{s:o, s:o, s:o}", "text", json_text(bytes, q->byte_of[i + 1] - q->byte_of[i]),
			"logprob", json_number((double)q->facts[i].logprob), "rank",
			q->facts[i].rank ? json_integer(q->facts[i].rank) : json_null()));
	}
	return tokens;
}

static enum err
ask_example(struct session *s, const struct ranked *r, size_t rank, double floor, json_t *list)
{
	const struct example *e = &s->examples[r->example];
	struct str text = {0};
	TRY(store_example_text(s->store, e, &text));
	json_t *o = json_pack("{s:I, s:I, s:f, s:b}", "rank", (json_int_t)rank, "id", (json_int_t)r->example, "score",
		(double)r->score, "exact", r->exact);
	json_object_set_new(o, "error", json_number((double)r->error));
	json_object_set_new(o, "bracket", json_integer(r->bracket));
	json_object_set_new(o, "floors", json_number(floor > 0 ? r->score / floor : NAN));
	record_work(o, session_work(s, e->work));
	json_object_set_new(o, "text", json_text(text.s ? text.s : "", text.len));
	json_array_append_new(list, o);
	str_free(&text);
	return OK;
}

static enum err
ask_examples(struct session *s, const struct ranking *r, bool top, json_t *o)
{
	const struct ranked *list = top ? r->top : r->bottom;
	size_t n = top ? r->n_top : r->n_bottom;
	json_t *out = json_array();
	json_object_set_new(o, top ? "examples" : "opponents", out);
	for (size_t i = 0; i < n; i++)
		TRY(ask_example(s, &list[i], i + 1, r->floor, out));
	return OK;
}

static enum err
ask_json(const struct answer *w)
{
	const struct query *q = w->query;
	const struct ranking *r = w->ranking;
	json_t *o = json_object();
	bool model = !session_source(w->session);
	json_object_set_new(o, "prompt", json_cstr(q->prompt));
	json_object_set_new(o, "prompt_tokens", model ? json_integer(q->prompt_tokens) : json_null());
	json_object_set_new(o, "prompt_seen", model ? json_integer(q->prompt_seen) : json_null());
	json_object_set_new(o, "seed", json_integer((json_int_t)q->sample.seed));
	json_object_set_new(o, "output",
		json_pack("{s:o, s:o}", "text", json_text(q->output.s ? q->output.s : "", q->output.len),
		"tokens", ask_output(q)));
	json_object_set_new(o, "span", json_pack("[i, i]", r->from, r->to));
	credit_put_standing(r, o);
	json_object_set_new(o, "trust", trust_method_json(w->trust, r->method->name, w->current));
	enum err err = ask_examples(w->session, r, true, o);
	if (err == OK)
		err = ask_examples(w->session, r, false, o);
	if (err == OK)
		err = ask_words_json(&w->words, w->session, r, o);
	if (w->tokens)
		json_object_set_new(o, "tokens_of", ask_tokens_json(w->tokens, w->session));
	credit_put_shares(&w->shares, true, o);
	json_object_set_new(o, "elapsed_ms", json_real(w->elapsed_ms));
	json_object_set_new(o, "checkpoint_sha256", json_cstr(w->session->checkpoint_sha256));
	json_object_set_new(o, "corpus_sha256", json_cstr(w->session->corpus_sha256));
	json_object_set_new(o, "store", json_cstr(store_name(w->session->store)));
	json_object_set_new(o, "run", json_cstr(w->session->run.name));
	if (err == OK)
		print_json(json_incref(o));
	json_decref(o);
	return err;
}

/* ---- printing for people ---- */

/* "=2" for all that cannot be told apart from the second, as in tables of sports. */
static void
ask_place(const struct ranked *list, size_t n, size_t i, char out[24])
{
	size_t first = i, last = i;
	while (first > 0 && list[first - 1].bracket == list[i].bracket)
		first--;
	while (last + 1 < n && list[last + 1].bracket == list[i].bracket)
		last++;
	snprintf(out, 24, "%s%zu", last > first ? "=" : "", first + 1);
}

static void
ask_list(const struct answer *a, bool top)
{
	const struct session *s = a->session;
	const struct ranking *r = a->ranking;
	const struct ranked *list = top ? r->top : r->bottom;
	size_t n = top ? r->n_top : r->n_bottom;
	say("\n%s\n", top ? "Proponents" : "Opponents");
	for (size_t i = 0; i < n; i++) {
		const struct work *w = session_work(s, s->examples[list[i].example].work);
		const char *mark = ask_words_mark(&a->words, s, r, &list[i]);
		char place[24], error[32] = "";
		struct str by = {0}, line = {0};
		record_byline(&by, w);
		ask_place(list, n, i, place);
		if (r->n_runs > 1)
			snprintf(error, sizeof(error), " \302\261%.2g", (double)list[i].error);
		record_title(&line, w);
		say("%4s  %+.4g%s  %s  (%s; %s)%s%s%s\n", place, (double)list[i].score, error, line.s, by.s,
			w ? w->licence : UNKNOWN, *mark ? "  [" : "", mark, *mark ? "]" : "");
		str_free(&by);
		str_free(&line);
	}
}

static double
ask_largest(const struct ranking *r)
{
	double top = r->n_top ? (double)r->top[0].score : 0, bottom = r->n_bottom ? (double)r->bottom[0].score : 0;
	return fmax(top, -bottom) / r->floor;
}

static void
ask_ranking(const struct answer *w, bool all)
{
	const struct ranking *r = w->ranking;
	if (r->n_above == 0)
		say("\nNothing stands above the noise floor: no score reaches %g floors, the largest is %.1f.\n",
			NOISE_FLOORS, ask_largest(r));
	if (r->n_above == 0 && !all) {
		say("So there is no ranking to go by; --all shows it all the same.\n");
		return;
	}
	ask_list(w, true);
	ask_list(w, false);
}

static void
ask_share(double share, double error, const char *name)
{
	char spread[32] = "";
	if (isfinite(error))
		snprintf(spread, sizeof(spread), " \302\261%.1f", 100 * error);
	say("%6.1f%%%s  %s\n", 100 * share, spread, name);
}

/* What the answer rests on, where that is not all of the question. */
static void
ask_cut(const struct query *q)
{
	if (q->prompt_seen < q->prompt_tokens)
		say("The model saw only the last %d of the prompt's %d tokens: its context is %d, output included.\n",
			q->prompt_seen, q->prompt_tokens, q->session->model.config.n_ctx);
}

static void
ask_print(const struct answer *w, bool all)
{
	const struct query *q = w->query;
	const struct ranking *r = w->ranking;
	say("%s", q->prompt);
	say("%.*s\n\n", (int)q->output.len, q->output.s ? q->output.s : "");
	ask_cut(q);
	say("tokens %d:%d, method %s, score in %s", r->from, r->to, r->method->name, r->method->unit);
	if (isfinite(r->floor))
		say(", noise floor %.3g", r->floor);
	if (r->n_runs > 1)
		say(", mean of %d runs", r->n_runs);
	say("\n");
	if (r->method->ready && !w->session->index)
		say("The run has no index of byline's own: what was imported answers.\n");
	if (!session_source(w->session))
		say_method_trust(w->trust, r->method->name, retrain_possible(w->session->run.dir)
			? store_dir(w->session->store) : NULL, w->current);
	ask_ranking(w, all);
	say("\nContributors\n");
	for (size_t i = 0; i < w->shares.n && w->shares.c[i].share > 0; i++)
		ask_share(w->shares.c[i].share, w->shares.c[i].error, w->shares.c[i].name);
	ask_share(w->shares.residual, w->shares.residual_error,
		"residual: what does not stand out of the noise, attributed to nobody");
}

static int
ask_run(const void *options, char **args, int n_args)
{
	const struct ask_args *a = options;
	struct answer w = {0};
	struct store *s;
	(void)n_args;
	enum err err = store_open(args[0], true, &s);
	if (err != OK)
		return fail(err);
	struct job *job = watch_begin(a->quiet);
	err = ask(s, a, job, &w);
	watch_end(job);
	if (err == OK && a->json)
		err = ask_json(&w);
	else if (err == OK)
		ask_print(&w, a->all);
	if (err == OK && !a->json && w.tokens)
		ask_tokens_print(w.tokens, w.query);
	if (err == OK && !a->json)
		err = ask_words_print(&w.words, s);
	int code = err == OK ? EXIT_DONE : fail(err);
	answer_free(&w);
	store_close(s);
	return code;
}

const struct command cmd_ask = {
	.name = "ask", .group = "Look", .args = "STORE", .summary = "Ask who is behind the model's answer to a prompt",
	.min_args = 1, .max_args = 1, .run = ask_run, OPTIONS(ask_table, struct ask_args),
};
