/* whatif: a ranking put to the test: retrain without what it names, beside random removals. */
#include "asking.h"
#include "commands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/clock.h"
#include "byline/json.h"
#include "byline/whatif.h"

struct whatif_args {
	struct asking ask;
	const char *contributor;
	int top, controls;
	int64_t example;
	uint64_t control_seed;
	bool estimate, json, quiet;
};

#define FIELD(f) offsetof(struct whatif_args, f)
static const struct option whatif_table[] = {
	ASKING_OPTIONS(struct whatif_args, ask),
	{"top", OPTION_INT, FIELD(top), "K", "0", 0, 100000,
		.help = "leave out the ranking's best K examples; 10 when nothing else is named"},
	{"contributor", OPTION_TEXT, FIELD(contributor), "NAME", NULL, .help = "leave out everything of this person's"},
	{"example", OPTION_LONG, FIELD(example), "N", "-1", -1, 4294967295.0,
		.help = "leave out this example alone"},
	{"controls", OPTION_INT, FIELD(controls), "N", "3", 0, 100,
		.help = "random removals of the same size to compare with"},
	{"control-seed", OPTION_SEED, FIELD(control_seed), "N", "1", .help = "of the random removals"},
	{"estimate", OPTION_FLAG, FIELD(estimate), .help = "say how long it would take, and leave"},
	{"json", OPTION_FLAG, FIELD(json), .help = "print one JSON object"},
	{"quiet", OPTION_FLAG, FIELD(quiet), .help = "no progress"},
};

struct trial {
	struct session *session;
	struct query *query;
	struct ranking *ranking;
	struct trust *trust;
	struct whatif_options options;
	struct whatif *result;
};

static void
trial_free(struct trial *t)
{
	whatif_free(t->result);
	trust_free(t->trust);
	ranking_free(t->ranking);
	query_free(t->query);
	session_close(t->session);
}

static enum err
trial_options(const struct whatif_args *a, struct store *s, struct whatif_options *o)
{
	whatif_defaults(o);
	int named = (a->top > 0) + (a->contributor != NULL) + (a->example >= 0);
	if (named > 1)
		return err_set(ERR_USAGE, "leave out one thing at a time: --top, --contributor or --example");
	o->controls = a->controls;
	o->seed = a->control_seed;
	if (named == 0)
		return OK;
	o->top = a->top;
	o->example = a->example >= 0 ? (uint32_t)a->example : 0;
	return a->contributor ? store_find_contributor(s, a->contributor, &o->contributor) : OK;
}

static void
print_estimate(double seconds, bool json)
{
	char text[32];
	clock_duration(seconds, text);
	if (json)
		print_json(json_pack("{s:f}", "seconds", seconds));
	else
		say("about %s\n", text);
}

static enum err
trial_rank(const struct whatif_args *a, struct job *job, struct trial *t)
{
	struct rank_options o = { .exact = (size_t)a->ask.exact,
		.top = t->options.top > 0 ? (size_t)t->options.top : 1 };
	TRY(asking_method(a->ask.method, &o.method));
	if (!a->ask.method)
		o.method = session_method(t->session);
	TRY(asking_span(&a->ask, t->query->n_out, &o.from, &o.to));
	TRY(query_rank(t->query, &o, job, &t->ranking));
	if (trust_read(t->session->run.dir, &t->trust) != OK)
		err_clear();
	return OK;
}

static enum err
trial_run(struct store *s, const struct whatif_args *a, struct job *job, struct trial *t)
{
	double seconds;
	char text[32];
	TRY(trial_options(a, s, &t->options));
	TRY(asking_session(&a->ask, s, &t->session));
	TRY(session_want_model(t->session));
	if (a->example >= 0)
		TRY(asking_example(t->session, "example", a->example));
	TRY(asking_query(&a->ask, t->session, job, &t->query));
	if (a->estimate) {
		TRY(whatif_estimate(t->session, &t->options, &seconds));
		print_estimate(seconds, a->json);
		return OK;
	}
	TRY(trial_rank(a, job, t));
	if (whatif_find(t->query, t->ranking, &t->options, &t->result) == OK)
		return OK;
	err_clear();
	TRY(whatif_estimate(t->session, &t->options, &seconds));
	clock_duration(seconds, text);
	if (!a->quiet)
		complain("training again, %d times: about %s", 2 + t->options.controls, text);
	return whatif_measure(t->query, t->ranking, t->trust, &t->options, job, &t->result);
}

/* ---- printing ---- */

static void
print_controls(const struct whatif *w)
{
	if (w->options.controls == 0)
		return;
	say("random removals of the same size:");
	for (int i = 0; i < w->options.controls; i++)
		say(" %+.3f", w->control[i]);
	say("\n");
}

static void
print_text(const struct trial *t)
{
	const struct whatif *w = t->result;
	say("%s%s\n\n", t->query->prompt, t->query->output.s ? t->query->output.s : "");
	say("left out: %zu examples, %llu tokens (method %s)\n", w->n_removed, (unsigned long long)w->tokens_removed,
		w->method);
	say("drop of the log-probability of tokens %d:%d, in nats\n", w->from, w->to);
	say("predicted:  %+.3f", w->predicted);
	if (isfinite(w->calibrated))
		say("   calibrated: %+.3f", w->calibrated);
	else
		say("   (not calibrated: byline eval measures by how much)");
	say("\nobserved:   %+.3f\n", w->observed);
	print_controls(w);
	say("%s\n", w->bit_exact ? "trained again with everything, the run came out the same, bit for bit"
		: "trained again with everything, the run did NOT come out the same: another type of processor, or "
		"other files? What was observed compares two trainings made here");
}

static void
print_object(const struct trial *t)
{
	const struct str *output = &t->query->output;
	json_t *o = whatif_json(t->result);
	json_object_set_new(o, "prompt", json_cstr(t->query->prompt));
	json_object_set_new(o, "output", json_text(output->s ? output->s : "", output->len));
	print_json(o);
}

static int
whatif_command(const void *options, char **args, int n_args)
{
	const struct whatif_args *a = options;
	struct store *s;
	struct trial t = {0};
	(void)n_args;
	enum err err = store_open(args[0], true, &s);
	if (err != OK)
		return fail(err);
	struct job *job = watch_begin(a->quiet);
	err = trial_run(s, a, job, &t);
	watch_end(job);
	if (err == OK && t.result)
		(a->json ? print_object : print_text)(&t);
	trial_free(&t);
	store_close(s);
	return err == OK ? EXIT_DONE : fail(err);
}

const struct command cmd_whatif = {
	.name = "whatif", .group = "Look", .args = "STORE",
	.summary = "Retrain without what a ranking names, and compare",
	.min_args = 1, .max_args = 1, .run = whatif_command, OPTIONS(whatif_table, struct whatif_args),
};
