/* eval_report: a bank and what was measured with it, as people and as programs read it. */
#include "eval_parts.h"
#include "trust_print.h"

#include "byline/clock.h"
#include "byline/json.h"

struct tally { int kind[MEMBER_FULL + 1], done, heldout, generated; };

static struct tally
count(const struct bank *b)
{
	struct tally t = {0};
	for (int i = 0; i < b->n_members; i++) {
		t.kind[b->member[i].kind]++;
		t.done += b->member[i].done;
	}
	for (int q = 0; q < b->n_queries; q++)
		*(b->query[q].generated ? &t.generated : &t.heldout) += 1;
	return t;
}

/* ---- the plan ---- */

static void
say_short(const char *what, int got, int wanted)
{
	if (got < wanted)
		say("  %d %s queries instead of %d: this run has no more\n", got, what, wanted);
}

void
eval_say_plan(const struct bank *b)
{
	const struct bank_options *o = &b->options;
	struct tally t = count(b);
	say("run %s: %d retrainings", b->session->run.name, b->n_members);
	say(", %d of everything, %d of %g of the examples", t.kind[MEMBER_FULL], t.kind[MEMBER_SUBSET], o->alpha);
	if (t.kind[MEMBER_WITHOUT])
		say(", %d without one contributor", t.kind[MEMBER_WITHOUT]);
	say("\n%d held-out and %d generated queries\n", t.heldout, t.generated);
	say_short("held-out", t.heldout, o->heldout);
	say_short("generated", t.generated, o->generated);
}

void
eval_say_left(const struct bank *b, double seconds)
{
	const double megabytes = (double)b->session->model.n_params * sizeof(float) / 1e6;
	struct tally t = count(b);
	char time[32];
	int left = b->n_members - t.done;
	say("%d of %d done", t.done, b->n_members);
	if (left && seconds >= 0) {
		clock_duration(seconds, time);
		int threads = pool_threads(b->session->pool);
		say("; the others take about %s on %d thread%s", time, threads, threads == 1 ? "" : "s");
	}
	if (left && b->options.keep_models)
		say(", and %.1f MB of disk", left * megabytes);
	say("\n");
}

/* ---- the report ---- */

static void
say_exact(const struct bank *b)
{
	if (b->exact == 1)
		say("trained again, the run has its own weights, bit for bit\n");
	else if (b->exact == 0)
		say("trained again here, the run has not its own weights: another type of processor made them, or"
			" another byline; what is below compares repetitions made here\n");
}

void
eval_say_report(const struct bank *b, const struct trust *t)
{
	say_exact(b);
	if (t)
		say_trust(t);
	else
		say("nothing is measured yet\n");
}

/* ---- JSON ---- */

static json_t *
bank_json(const struct bank *b, double seconds)
{
	struct tally t = count(b);
	return json_pack("{s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "run", json_cstr(b->session->run.name),
		"members", b->n_members, "done", t.done, "full", t.kind[MEMBER_FULL], "subsets", t.kind[MEMBER_SUBSET],
		"contributors", t.kind[MEMBER_WITHOUT], "heldout", t.heldout, "generated", t.generated, "seconds_left",
		seconds >= 0 ? json_real(seconds) : json_null(), "bit_exact",
		b->exact >= 0 ? json_boolean(b->exact) : json_null());
}

json_t *
eval_json(const struct bank *b, const struct trust *t, double seconds)
{
	json_t *o = t ? trust_json(t) : json_pack("{s:[]}", "methods");
	json_object_set_new(o, "bank", bank_json(b, seconds));
	return o;
}
