/* eval_report: a bank and what was measured with it, as people and as programs read it. */
#include "eval_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "byline/clock.h"
#include "byline/json.h"
#include "byline/str.h"

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

/* ---- the table ---- */

static void
add_number(struct str *out, int width, int digits, double x)
{
	if (isfinite(x))
		str_addf(out, "%*.*f", width, digits, x);
	else
		str_addf(out, "%*s", width, "-");
}

static void
add_interval(struct str *out, const struct interval *i)
{
	char text[32] = "-";
	if (isfinite(i->lo) && isfinite(i->hi))
		snprintf(text, sizeof(text), "%.2f %.2f", i->lo, i->hi);
	str_addf(out, "%12s", text);
}

static void
say_method(const struct method_trust *m)
{
	struct str s = {0};
	str_addf(&s, "%c %-11s", m->is_default ? '*' : ' ', m->name);
	add_number(&s, 7, 3, m->lds.value);
	add_interval(&s, &m->lds);
	add_number(&s, 9, 3, m->lds_heldout.value);
	add_number(&s, 10, 3, m->lds_generated.value);
	add_number(&s, 7, 3, m->lds_other_seed.value);
	add_number(&s, 8, 2, m->contributor_r);
	add_number(&s, 7, 2, m->ndcg20);
	str_addf(&s, "%7" PRId64, m->bytes_per_example);
	say("%s\n", s.s);
	str_free(&s);
}

static void
say_row(const char *what, double x)
{
	if (isfinite(x))
		say("%-26s %.3g\n", what, x);
}

static void
say_checks(const struct trust *t)
{
	const struct method_trust *m = NULL;
	for (int i = 0; i < t->n_methods; i++)
		if (t->method[i].is_default)
			m = &t->method[i];
	if (isfinite(t->ceiling_other_seed))
		say("%-26s %.3f, %.2f to %.2f\n", "ceiling, other seed", t->ceiling_other_seed, t->ceiling_lo,
			t->ceiling_hi);
	if (m) {
		if (isfinite(m->slope))
			say("%-26s %.3g +- %.2g\n", "nats a predicted nat", m->slope, m->slope_error);
		say_row("contributors, by size", m->contributor_r_size);
		say_row("contributors, size apart", m->contributor_partial);
		say_row("different examples on top", m->cardinality);
	}
	say_row("noise floor", t->floor);
	say_row("planted twins on top", t->duplicates);
	say_row("random weights agree", t->randomised);
}

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
	if (!t) {
		say("nothing is measured yet\n");
		return;
	}
	say("measured on %d subsets", t->n_subsets);
	if (t->n_other_subsets)
		say(", %d of seed %" PRIu64, t->n_other_subsets, t->other_seed);
	if (t->n_contributors)
		say(", %d contributors", t->n_contributors);
	say("; %d held-out and %d generated queries\n", t->n_heldout, t->n_generated);
	say("\n  %-11s%7s%12s%9s%10s%7s%8s%7s%7s\n", "method", "LDS", "95 %", "held-out", "generated", "other",
		"without", "NDCG20", "bytes");
	for (int i = 0; i < t->n_methods; i++)
		say_method(&t->method[i]);
	say("\n");
	say_checks(t);
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
