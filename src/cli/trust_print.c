/* trust_print: see trust_print.h. */
#include "trust_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/str.h"
#include "commands.h"

/* ---- cells -------------------------------------------------------------------------------------------------- */

static void
add_number(struct str *out, int width, int digits, double x)
{
	if (isfinite(x))
		str_addf(out, "%*.*f", width, digits, x);
	else
		str_addf(out, "%*s", width, "-");
}

static void
add_range(struct str *out, int width, const struct interval *i)
{
	struct str s = {0};
	if (isfinite(i->lo) && isfinite(i->hi))
		str_addf(&s, "%.2f to %.2f", i->lo, i->hi);
	str_addf(out, "%*s", width, s.len ? s.s : "-");
	str_free(&s);
}

/* Slopes of methods whose unit is no nat may be of any size. */
static void
add_slope(struct str *out, int width, const struct method_trust *m)
{
	struct str s = {0};
	if (isfinite(m->slope))
		str_addf(&s, "%.2g +- %.1g", m->slope, m->slope_error);
	str_addf(out, "%*s", width, s.len ? s.s : "-");
	str_free(&s);
}

static void
add_name(struct str *out, const struct method_trust *m)
{
	const struct method *known = method_find(m->name);
	str_addf(out, "%c %-12s", m->is_default ? '*' : known && known->baseline ? '-' : ' ', m->name);
}

/* ---- tables ------------------------------------------------------------------------------------------------- */

static int
by_lds(const void *a, const void *b)
{
	const struct method_trust *x = *(const struct method_trust *const *)a;
	const struct method_trust *y = *(const struct method_trust *const *)b;
	double u = isfinite(x->lds.value) ? x->lds.value : -2, v = isfinite(y->lds.value) ? y->lds.value : -2;
	return u != v ? (u < v) - (u > v) : (x > y) - (x < y);
}

/* The methods, best LDS first; the caller's. */
static const struct method_trust **
sorted(const struct trust *t)
{
	const struct method_trust **list = xcalloc((size_t)t->n_methods + 1, sizeof(*list));
	for (int i = 0; i < t->n_methods; i++)
		list[i] = &t->method[i];
	if (t->n_methods > 0)
		qsort(list, (size_t)t->n_methods, sizeof(*list), by_lds);
	return list;
}

static void
row_lds(const struct method_trust *m, struct str *s)
{
	add_name(s, m);
	add_number(s, 7, 3, m->lds.value);
	add_range(s, 15, &m->lds);
	add_number(s, 10, 3, m->lds_heldout.value);
	add_number(s, 10, 3, m->lds_generated.value);
	add_number(s, 11, 3, m->lds_other_seed.value);
	add_number(s, 12, 3, m->lds_less_default.value);
}

static void
row_more(const struct method_trust *m, struct str *s)
{
	add_name(s, m);
	add_number(s, 7, 2, m->contributor_r);
	add_number(s, 7, 2, m->contributor_partial);
	add_slope(s, 19, m);
	add_number(s, 7, 2, m->ndcg20);
	add_number(s, 8, 2, m->cardinality);
	if (m->bytes_per_example > 0)
		str_addf(s, "%9" PRId64, m->bytes_per_example);
	else
		str_addf(s, "%9s", "-");
	str_addf(s, "%8.2g", m->seconds_per_query);
}

static void
say_table(const struct method_trust *const *list, int n, const char *head,
	void (*row)(const struct method_trust *m, struct str *s))
{
	say("\n%s\n", head);
	for (int i = 0; i < n; i++) {
		struct str s = {0};
		row(list[i], &s);
		say("%s\n", s.s);
		str_free(&s);
	}
}

/* ---- words -------------------------------------------------------------------------------------------------- */

enum { COLUMNS = 79 };

/* A paragraph, of ASCII, broken between words. */
static void
say_words(struct str *s)
{
	const char *at = s->len ? s->s : "";
	while (*at) {
		size_t n = strlen(at);
		while (n > COLUMNS) {
			size_t shorter = n - 1;
			while (shorter > 0 && at[shorter] != ' ')
				shorter--;
			if (shorter == 0)
				break;
			n = shorter;
		}
		say("%.*s\n", (int)n, at);
		at += n + (at[n] == ' ' ? 1 : 0);
	}
	str_free(s);
}

static const struct method_trust *
default_of(const struct trust *t)
{
	for (int i = 0; i < t->n_methods; i++)
		if (t->method[i].is_default)
			return &t->method[i];
	return NULL;
}

/* The best of those that are there to be beaten, chance apart. */
static const struct method_trust *
baseline_of(const struct method_trust *const *list, int n)
{
	for (int i = 0; i < n; i++) {
		const struct method *known = method_find(list[i]->name);
		if (known && known->baseline && strcmp(known->evidence, "none") != 0 && isfinite(list[i]->lds.value))
			return list[i];
	}
	return NULL;
}

static void
say_counts(const struct trust *t)
{
	struct str s = {0};
	str_addf(&s, "measured on %d subsets", t->n_subsets);
	if (t->n_other_subsets > 0)
		str_addf(&s, ", %d of seed %" PRIu64, t->n_other_subsets, t->other_seed);
	if (t->n_contributors > 0)
		str_addf(&s, ", %d contributors", t->n_contributors);
	str_addf(&s, "; %d held-out and %d generated queries", t->n_heldout, t->n_generated);
	say_words(&s);
	str_addf(&s, "A subset is a random %.0f%% of the examples, trained on again from seed %" PRIu64 "; a query is "
		"of at most %d tokens; draws are of seed %" PRIu64 ".", 100 * t->alpha, t->run_seed, t->span, t->seed);
	say_words(&s);
}

static const char *
against(const struct interval *less)
{
	return less->hi < 0 ? "clearly behind" : less->lo > 0 ? "clearly ahead" : "no different as far as can be told";
}

static void
say_default(const struct trust *t, const struct method_trust *m, const struct method_trust *base)
{
	struct str s = {0};
	str_addf(&s, "Of two such trainings, %s says rightly which finds a passage less likely %.0f times in 100",
		m->name, trust_right(m->lds.value));
	if (isfinite(m->lds.lo) && isfinite(m->lds.hi))
		str_addf(&s, " (%.0f to %.0f)", trust_right(m->lds.lo), trust_right(m->lds.hi));
	str_adds(&s, "; guessing is right 50 times.");
	if (base && base != m && isfinite(base->lds_less_default.value))
		str_addf(&s, " The best baseline, %s, is %s (LDS %+.3f, 95 %%: %+.3f to %+.3f).", base->name,
			against(&base->lds_less_default), base->lds_less_default.value, base->lds_less_default.lo,
			base->lds_less_default.hi);
	if (isfinite(t->ceiling_other_seed) && isfinite(m->lds_other_seed.value))
		str_addf(&s, " Against trainings from another seed its LDS is %.3f, where a perfect predictor would "
			"reach %.2f (%.2f to %.2f).", m->lds_other_seed.value, t->ceiling_other_seed, t->ceiling_lo,
			t->ceiling_hi);
	if (isfinite(m->contributor_r))
		str_addf(&s, " What a contributor's absence does it predicts with r = %.2f; the amount of their text "
			"alone does with %.2f.", m->contributor_r, m->contributor_r_size);
	if (isfinite(m->slope))
		str_addf(&s, " A predicted nat was %.2g +- %.1g measured ones.", m->slope, m->slope_error);
	say("\n");
	say_words(&s);
}

static void
say_checks(const struct trust *t)
{
	struct str s = {0};
	if (isfinite(t->floor))
		str_addf(&s, "Noise floor of a passage: %.3g; a score stands out beyond %.0f of it. ", t->floor,
			NOISE_FLOORS);
	if (isfinite(t->duplicates))
		str_addf(&s, "Asked about their own words, %.0f%% of planted examples stand on top (100%% is right). ",
			100 * t->duplicates);
	if (isfinite(t->randomised))
		str_addf(&s, "Scores agree with those of random weights at %.2f (1: nothing learned is in them).",
			t->randomised);
	str_trim(&s);
	say_words(&s);
}

static const char legend[] = "* the default   - a baseline, there to be beaten\n"
	"LDS: rank agreement of predicted and measured; less *: LDS less the default's.\n"
	"people: correlation of predicted and measured for contributors left out;\n"
	"beyond: the same with the amount of their text taken out of both.\n"
	"slope: measured nats per predicted unit. ndcg20: its best 20 against exact ones.\n"
	"variety: different examples among the best 10 of all queries. See byline(7).\n";

void
say_trust(const struct trust *t)
{
	const struct method_trust **list = sorted(t), *m = default_of(t);
	say_counts(t);
	say_table(list, t->n_methods, "  method          LDS           95 %  held out   written other seed      less *",
		row_lds);
	say_table(list, t->n_methods,
		"  method       people beyond              slope ndcg20 variety    bytes s/query", row_more);
	if (m && isfinite(m->lds.value))
		say_default(t, m, baseline_of(list, t->n_methods));
	say_checks(t);
	say("\n%s", legend);
	free(list);
}

/* ---- one ranking -------------------------------------------------------------------------------------------- */

void
say_method_trust(const struct trust *t, const char *method, const char *store, bool current)
{
	const struct method_trust *m = trust_method(t, method);
	if (!m || !isfinite(m->lds.value)) {
		if (store)
			say("LDS not measured: byline eval %s\n", store);
		else
			say("LDS cannot be measured: the model was not trained here, and cannot be trained again.\n");
		return;
	}
	say("LDS %.3f", m->lds.value);
	if (isfinite(m->lds.lo) && isfinite(m->lds.hi))
		say(" (95 %%: %.3f to %.3f)", m->lds.lo, m->lds.hi);
	say(", %d queries, %d subsets", t->n_queries, t->n_subsets);
	say("%s\n", current ? "" : "; of an earlier index: measure again");
}
