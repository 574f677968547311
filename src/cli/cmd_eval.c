/* eval: retrain without chosen examples, and hold every method's scores against what happened. */
#include "eval_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"

struct eval_args {
	const char *run, *methods;
	int subsets, seeds, other_subsets, leave_out, heldout, generated, span, prompt, threads;
	double alpha;
	uint64_t seed;
	bool keep_models, estimate, background, report, json, quiet;
};

#define FIELD(f) offsetof(struct eval_args, f)
static const struct option eval_table[] = {
	{"run", OPTION_TEXT, FIELD(run), "NAME", NULL, .help = "the run; the newest indexed one when not given"},
	{"subsets", OPTION_INT, FIELD(subsets), "N", "60", 0, 10000, .help = "random subsets to train on"},
	{"alpha", OPTION_REAL, FIELD(alpha), "X", "0.5", 0.001, 1, .help = "part of the examples a subset keeps"},
	{"seeds", OPTION_INT, FIELD(seeds), "N", "1", 1, 64,
		.help = "train the subsets from N seeds: the run's own, and those after it"},
	{"other-subsets", OPTION_INT, FIELD(other_subsets), "N", "0", 0, 10000,
		.help = "how many of the subsets the other seeds repeat; 0 means all"},
	{"leave-out", OPTION_CHOICE, FIELD(leave_out), "WHAT", "none", .choices = "none contributors",
		.help = "also train without each contributor in turn"},
	{"heldout", OPTION_INT, FIELD(heldout), "N", "40", 0, 50000, .help = "queries from held-out works"},
	{"generated", OPTION_INT, FIELD(generated), "N", "40", 0, 50000, .help = "queries that the model writes"},
	{"span", OPTION_INT, FIELD(span), "N", "64", 1, 65536, .help = "tokens of a query's span, at most"},
	{"prompt", OPTION_INT, FIELD(prompt), "N", "16", 1, 65536, .help = "tokens before it, at least"},
	{"seed", OPTION_SEED, FIELD(seed), "N", "1", .help = "of subsets and queries"},
	{"keep-models", OPTION_FLAG, FIELD(keep_models), .help = "keep the weights of every retraining"},
	{"threads", OPTION_INT, FIELD(threads), "N", "0", 0, 256,
		.help = "retrainings at a time; the result does not depend on it"},
	{"methods", OPTION_TEXT, FIELD(methods), "A,B,...", NULL,
		.help = "measure these, and those measured before; all that can run when not given"},
	{"estimate", OPTION_FLAG, FIELD(estimate), .help = "say what it would take, and leave"},
	{"background", OPTION_FLAG, FIELD(background), .help = "go on without the terminal; see FILES for the log"},
	{"report", OPTION_FLAG, FIELD(report), .help = "measure with what is there already, and train nothing"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress, and no plan"},
};

struct eval {
	const struct eval_args *a;
	const char *dir;
	struct store *store;
	struct session *session;
	struct bank *bank;
	struct trust *trust;
	struct job *job;
	double seconds;			/* what is left takes; below 0: not known */
};

static void
eval_close(struct eval *e)
{
	trust_free(e->trust);
	bank_close(e->bank);
	session_close(e->session);
	if (e->store)
		store_close(e->store);
	*e = (struct eval){ .a = e->a, .dir = e->dir, .job = e->job, .seconds = -1 };
}

static void
options_of_args(const struct eval_args *a, struct bank_options *o)
{
	bank_defaults(o);
	o->subsets = a->subsets;
	o->alpha = a->alpha;
	o->seed = a->seed;
	o->seeds = a->seeds;
	o->other_subsets = a->other_subsets;
	o->contributors = a->leave_out == 1;
	o->heldout = a->heldout;
	o->generated = a->generated;
	o->span = a->span;
	o->prompt = a->prompt;
	o->keep_models = a->keep_models;
}

/* Nothing of the database changes: a bank is files of its run's folder, which other processes may work on too. */
static enum err
eval_open(struct eval *e)
{
	struct bank_options o;
	int left;
	TRY(store_open(e->dir, true, &e->store));
	TRY(session_open(e->store, e->a->run, e->a->threads, &e->session));
	TRY(session_want_model(e->session));
	if (e->a->report)
		return bank_open(e->session, &e->bank);
	options_of_args(e->a, &o);
	TRY((e->a->estimate ? bank_preview : bank_begin)(e->session, &o, e->job, &e->bank));
	job_phase(e->job, "timing", 0);
	e->seconds = bank_estimate(e->bank, &left);
	return OK;
}

/* ---- measuring ---- */

struct names { char *text; const char **v; int n; };

static void
names_split(struct names *names, const char *list)
{
	char *at, *next;
	*names = (struct names){ .text = xstrdup(list ? list : "") };
	names->v = xcalloc(strlen(names->text) + 1, sizeof(*names->v));
	for (at = strtok_r(names->text, ",", &next); at; at = strtok_r(NULL, ",", &next))
		names->v[names->n++] = at;
}

static enum err
measure(struct eval *e)
{
	struct names names;
	names_split(&names, e->a->methods);
	bank_sums_forget(e->bank);
	enum err err = trust_measure(e->bank, names.n ? names.v : NULL, names.n, e->job, &e->trust);
	if (err == OK)
		err = trust_write(e->session->run.dir, e->trust);
	if (err == OK)
		err = bank_sums_write(e->bank);
	free(names.v);
	free(names.text);
	return err;
}

static enum err
report_there(struct eval *e)
{
	enum err err = trust_read(e->session->run.dir, &e->trust);
	return err == ERR_MISSING ? OK : err;
}

/* Where nothing can be written, and while another process measures, what was measured before is what there is. */
static enum err
eval_measure(struct eval *e)
{
	char *path = path_join(e->bank->dir, "trust.lock");
	int lock;
	enum err err = file_lock(path, &lock);
	if (err == ERR_BUSY || (err == ERR_IO && access(e->bank->dir, W_OK) != 0))
		err = report_there(e);
	else if (err == OK) {
		err = measure(e);
		unlink(path);
		file_unlock(lock);
	}
	free(path);
	return err;
}

/* ---- a sitting ---- */

static int
bank_left(const struct bank *b)
{
	int left = 0;
	for (int i = 0; i < b->n_members; i++)
		left += !b->member[i].done;
	return left;
}

/* What others hold they finish, and measure. */
static enum err
eval_work(struct eval *e)
{
	if (!e->a->report)
		TRY(bank_run(e->bank, e->job));
	return e->a->report || bank_left(e->bank) == 0 ? eval_measure(e) : report_there(e);
}

static void
eval_print(const struct eval *e)
{
	int left = bank_left(e->bank);
	if (e->a->json) {
		print_json(eval_json(e->bank, e->trust, left ? e->seconds : 0));
		return;
	}
	if (left && !e->a->report)
		say("%d of %d members are in other hands, which will measure\n", left, e->bank->n_members);
	else if (e->a->report) {
		eval_say_plan(e->bank);
		eval_say_left(e->bank, -1);
	}
	eval_say_report(e->bank, e->trust);
}

static void
eval_say_first(const struct eval *e)
{
	if (e->a->json || e->a->quiet || e->a->report)
		return;
	eval_say_plan(e->bank);
	eval_say_left(e->bank, e->seconds);
	fflush(stdout);
}

static int
eval_sit(struct eval *e, bool logged)
{
	e->job = watch_begin(e->a->quiet || logged);
	if (logged)
		eval_log_progress(e->job);
	enum err err = eval_open(e);
	if (err == OK) {
		if (!logged)
			eval_say_first(e);
		err = eval_work(e);
	}
	watch_end(e->job);
	if (err == OK)
		eval_print(e);
	int code = err == OK ? EXIT_DONE : fail(err);
	eval_close(e);
	return code;
}

/* ---- an estimate, and leaving the terminal ---- */

/* Whatever is wrong is said before the terminal is left. */
static int
eval_first(struct eval *e, char **log)
{
	e->job = watch_begin(e->a->quiet);
	enum err err = eval_open(e);
	watch_end(e->job);
	if (err != OK)
		return fail(err);
	*log = path_join(e->bank->dir, "eval.log");
	if (e->a->json)
		print_json(eval_json(e->bank, NULL, e->seconds));
	else
		eval_say_first(e);
	return EXIT_DONE;
}

/* Threads and database are closed before there are two of us. */
static int
eval_background(struct eval *e, const char *log)
{
	bool child;
	long pid;
	enum err err = eval_detach(log, &child, &pid);
	if (err != OK)
		return fail(err);
	if (child)
		return eval_sit(e, true);
	if (!e->a->json)
		say("process %ld goes on; %s says how far it is\n", pid, log);
	return EXIT_DONE;
}

static int
eval_check(const struct eval_args *a)
{
	if (a->estimate + a->background + a->report < 2)
		return EXIT_DONE;
	complain("--estimate, --background and --report are one or the other");
	return EXIT_USAGE;
}

static int
eval_run(const void *options, char **args, int n_args)
{
	struct eval e = { .a = options, .dir = args[0], .seconds = -1 };
	char *log = NULL;
	(void)n_args;
	int code = eval_check(e.a);
	if (code != EXIT_DONE)
		return code;
	if (!e.a->estimate && !e.a->background)
		return eval_sit(&e, false);
	code = eval_first(&e, &log);
	eval_close(&e);
	if (code == EXIT_DONE && e.a->background)
		code = eval_background(&e, log);
	free(log);
	return code;
}

const struct command cmd_eval = {
	.name = "eval", .group = "Build", .args = "STORE",
	.summary = "Measure how far each method's scores can be believed",
	.min_args = 1, .max_args = 1, .run = eval_run, OPTIONS(eval_table, struct eval_args),
};
