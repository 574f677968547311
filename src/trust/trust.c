/* trust: a bank and the methods brought together into one report. */
#include "byline/trust.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/clock.h"
#include "byline/mem.h"
#include "trust_private.h"

/* What others are judged by: their NDCG is of this method's ranking. */
static const char exact_name[] = "ekfac";

/* Bank queries whose ranking is made to see the noise floor in the ranking's unit. */
enum { FLOOR_QUERIES = 3, NDCG_AT = 20, CARDINALITY_AT = 10 };

struct measuring {
	struct bank *b;
	struct job *job;
	struct scores_of of;
	struct truth truth;
	const struct method **method;
	struct scores *score;		/* by method */
	struct predictions *predicted;	/* by method */
	int n;
	struct trust *t;
};

/* ---- which methods ------------------------------------------------------------------------------------------ */

static bool
is_named(const char *const *name, int n, const char *want)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name[i], want) == 0)
			return true;
	return false;
}

/* Those named, and those whose scores are there: a report forgets nothing that cost time. All that can run, when none
 * are named. */
static enum err
methods_choose(struct measuring *x, const char *const *name, int n)
{
	const struct session *s = x->b->session;
	for (int i = 0; name && i < n; i++)
		if (!method_find(name[i]))
			return err_set(ERR_USAGE, "there is no method %s: see byline(7)", name[i]);
	x->method = xcalloc((size_t)n_methods + 1, sizeof(struct method *));
	for (int i = 0; i < n_methods; i++) {
		const struct method *m = &methods[i];
		bool named = name && is_named(name, n, m->name);
		if (named)
			TRY(method_ready(s, m));
		if (named || (method_ready(s, m) == OK && (!name || scores_there(x->b, &x->of, m))))
			x->method[x->n++] = m;
	}
	err_clear();
	return x->n > 0 ? OK : err_set(ERR_MISSING, "run %s: no method can be measured", s->run.name);
}

/* Where a method is in the list; -1: it is not. */
static int
method_at(const struct measuring *x, const char *name)
{
	for (int i = 0; i < x->n; i++)
		if (strcmp(x->method[i]->name, name) == 0)
			return i;
	return -1;
}

/* ---- scores ------------------------------------------------------------------------------------------------- */

static enum err
scores_all(struct measuring *x)
{
	x->score = xcalloc((size_t)x->n + 1, sizeof(*x->score));
	x->predicted = xcalloc((size_t)x->n + 1, sizeof(*x->predicted));
	for (int i = 0; i < x->n; i++) {
		TRY(scores_take(x->b, &x->of, x->method[i], x->job, &x->score[i]));
		predictions_make(x->b, &x->truth, x->score[i].score, &x->predicted[i]);
	}
	return OK;
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

static void
method_measure(struct measuring *x, int i, struct method_trust *out)
{
	const struct bank *b = x->b;
	const struct method *m = x->method[i];
	size_t examples = b->session->data.n;
	int first = method_at(x, methods[0].name), exact = method_at(x, exact_name);
	snprintf(out->name, sizeof(out->name), "%s", m->name);
	out->is_default = m == &methods[0];
	trust_numbers(b, &x->truth, &x->predicted[i], first >= 0 ? &x->predicted[first] : NULL, out);
	out->ndcg20 = NAN;
	if (exact >= 0)
		out->ndcg20 = metrics_ndcg(x->score[i].score, x->score[exact].score, b->n_queries, examples, NDCG_AT);
	out->cardinality = metrics_cardinality(x->score[i].score, b->n_queries, examples, CARDINALITY_AT);
	out->bytes_per_example = (int64_t)method_bytes(m, b->session);
	out->seconds_per_query = x->score[i].seconds_per_query;
}

static void
counts_note(struct measuring *x)
{
	const struct bank *b = x->b;
	const struct truth *truth = &x->truth;
	struct trust *t = x->t;
	struct measure both = { .queries = b->n_queries, .members = truth->both.n, .seed = b->options.seed };
	struct interval ceiling = metrics_ceiling(&both, truth->both.outcome, truth->other_of_both);
	t->n_queries = b->n_queries;
	for (int q = 0; q < b->n_queries; q++)
		*(b->query[q].generated ? &t->n_generated : &t->n_heldout) += 1;
	t->n_subsets = truth->same.n;
	t->n_other_subsets = truth->other.n;
	t->n_contributors = truth->without.n;
	t->span = b->options.span;
	t->alpha = b->options.alpha;
	t->seed = b->options.seed;
	t->run_seed = b->retraining.journal.options.seed;
	t->other_seed = truth->other_seed;
	t->ceiling_other_seed = ceiling.value;
	t->ceiling_lo = ceiling.lo;
	t->ceiling_hi = ceiling.hi;
	memcpy(t->index, x->of.index, HASH_HEX);
	t->measured = clock_now();
}

/* ---- checks of the default method --------------------------------------------------------------------------- */

/* Mean over the first few queries: in the ranking's unit, which rescoring may stretch. */
static enum err
check_floor(const struct bank *b, const struct method *m, struct job *job, double *floor)
{
	int n = b->n_queries < FLOOR_QUERIES ? b->n_queries : FLOOR_QUERIES;
	double sum = 0;
	for (int i = 0; i < n; i++) {
		struct query *q;
		struct ranking *r = NULL;
		TRY(bank_query_open(b, i, &q));
		struct rank_options o = { .method = m, .to = q->n_out, .exact = METHOD_EXACT };
		enum err err = query_rank(q, &o, job, &r);
		if (err == OK)
			sum += r->floor;
		ranking_free(r);
		query_free(q);
		TRY(err);
	}
	*floor = n > 0 ? sum / n : (double)NAN;
	return OK;
}

/* These change with the index and the queries alone; they need not be made again because the bank grew. */
static bool
checks_from_before(struct measuring *x)
{
	struct trust *was;
	if (trust_read(x->b->session->run.dir, &was) != OK) {
		err_clear();
		return false;
	}
	const struct method_trust *m = trust_method(was, methods[0].name);
	bool same = strcmp(was->index, x->t->index) == 0 && was->seed == x->t->seed && was->span == x->t->span
		&& was->n_queries == x->t->n_queries && m && m->is_default && isfinite(was->duplicates);
	if (same) {
		x->t->floor = was->floor;
		x->t->duplicates = was->duplicates;
		x->t->randomised = was->randomised;
	}
	trust_free(was);
	return same;
}

static enum err
checks(struct measuring *x)
{
	int first = method_at(x, methods[0].name);
	struct trust *t = x->t;
	t->floor = t->duplicates = t->randomised = NAN;
	if (first < 0 || checks_from_before(x))
		return OK;
	TRY(check_floor(x->b, x->method[first], x->job, &t->floor));
	TRY(check_planted(x->b, x->method[first], x->job, &t->duplicates));
	return check_randomised(x->b, x->score[first].score, x->job, &t->randomised);
}

/* ---- the report --------------------------------------------------------------------------------------------- */

static enum err
measure(struct measuring *x, const char *const *method, int n_methods_given)
{
	TRY(scores_of(x->b, &x->of));
	TRY(methods_choose(x, method, n_methods_given));
	truth_gather(x->b, &x->truth);
	TRY(scores_all(x));
	counts_note(x);
	x->t->method = xcalloc((size_t)x->n + 1, sizeof(*x->t->method));
	for (int i = 0; i < x->n; i++)
		method_measure(x, i, &x->t->method[x->t->n_methods++]);
	int first = method_at(x, methods[0].name);
	if (first >= 0)
		trust_points(x->b, &x->truth, &x->predicted[first], x->t);
	return checks(x);
}

enum err
trust_measure(struct bank *b, const char *const *method, int n_methods_given, struct job *job, struct trust **out)
{
	struct measuring x = { .b = b, .job = job, .t = xcalloc(1, sizeof(struct trust)) };
	enum err err = measure(&x, method, n_methods_given);
	*out = NULL;
	if (err == OK)
		*out = x.t;
	else
		trust_free(x.t);
	for (int i = 0; i < x.n && x.score; i++) {
		scores_free(&x.score[i]);
		predictions_free(&x.predicted[i]);
	}
	free(x.score);
	free(x.predicted);
	free(x.method);
	truth_free(&x.truth);
	return err;
}
