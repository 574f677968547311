/* trust_truth: what a bank's finished members say, as matrices. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "trust_private.h"

static uint64_t
run_seed(const struct bank *b)
{
	return b->retraining.journal.options.seed;
}

/* The subset of this number and seed, when it is finished. */
static const struct bank_member *
subset_find(const struct bank *b, int64_t number, uint64_t seed)
{
	for (int i = 0; i < b->n_members; i++) {
		const struct bank_member *m = &b->member[i];
		if (m->kind == MEMBER_SUBSET && m->done && m->number == number && m->seed == seed)
			return m;
	}
	return NULL;
}

/* Of the other seeds the one with the most finished subsets, of such the least; false: there is none. */
static bool
other_seed(const struct bank *b, uint64_t *seed)
{
	int most = 0;
	for (int i = 0; i < b->n_members; i++) {
		uint64_t s = b->member[i].seed;
		int n = 0;
		for (int j = 0; j < b->n_members; j++)
			n += b->member[j].kind == MEMBER_SUBSET && b->member[j].done && b->member[j].seed == s ? 1 : 0;
		if (s != run_seed(b) && (n > most || (n == most && n > 0 && s < *seed))) {
			most = n;
			*seed = s;
		}
	}
	return most > 0;
}

/* What the run's own training made of each query: of its full member, else of its final weights, which are the same up
 * to the dtype they were kept in. */
static const double *
full_outcome(const struct bank *b)
{
	for (int i = 0; i < b->n_members; i++)
		if (b->member[i].kind == MEMBER_FULL && b->member[i].done && b->member[i].seed == run_seed(b))
			return b->member[i].outcome;
	return b->own;
}

/* The members of one kind and seed, as `list` (n_members). */
static int
members_of(const struct bank *b, enum member_kind kind, uint64_t seed, const struct bank_member **list)
{
	int n = 0;
	for (int i = 0; i < b->n_members; i++)
		if (b->member[i].kind == kind && b->member[i].done && b->member[i].seed == seed)
			list[n++] = &b->member[i];
	return n;
}

static void
outcomes_fill(const struct bank *b, const struct bank_member *const *list, int n, struct outcomes *o)
{
	size_t examples = b->session->data.n;
	o->n = n;
	o->drop = xcalloc((size_t)n * examples + 1, 1);
	o->outcome = xcalloc((size_t)n * (size_t)b->n_queries + 1, sizeof(*o->outcome));
	for (int j = 0; j < n; j++) {
		bank_drop(b, list[j], o->drop + (size_t)j * examples);
		for (int q = 0; q < b->n_queries; q++)
			o->outcome[(size_t)q * (size_t)n + (size_t)j] = list[j]->outcome[q];
	}
}

static void
gather_subsets(const struct bank *b, struct truth *t, const struct bank_member **list)
{
	struct outcomes second = {0};
	outcomes_fill(b, list, members_of(b, MEMBER_SUBSET, run_seed(b), list), &t->same);
	if (!other_seed(b, &t->other_seed)) {
		t->other_seed = 0;
		return;
	}
	outcomes_fill(b, list, members_of(b, MEMBER_SUBSET, t->other_seed, list), &t->other);
	int n = 0, of_other = members_of(b, MEMBER_SUBSET, t->other_seed, list);
	const struct bank_member **mine = xcalloc((size_t)of_other + 1, sizeof(*mine));
	for (int i = 0; i < of_other; i++) {
		mine[n] = subset_find(b, list[i]->number, run_seed(b));
		if (mine[n])
			list[n++] = list[i];
	}
	outcomes_fill(b, mine, n, &t->both);
	outcomes_fill(b, list, n, &second);
	t->other_of_both = second.outcome;
	free(second.drop);
	free(mine);
}

/* Tokens with a loss that were left out. */
static double
size_of(const struct dataset *d, const uint8_t *drop)
{
	double n = 0;
	for (size_t i = 0; i < d->n; i++)
		if (drop[i])
			n += (double)(d->start[i + 1] - d->start[i] - 1);
	return n;
}

static void
gather_contributors(const struct bank *b, struct truth *t, const struct bank_member **list)
{
	const double *full = full_outcome(b);
	struct outcomes *w = &t->without;
	outcomes_fill(b, list, full ? members_of(b, MEMBER_WITHOUT, run_seed(b), list) : 0, w);
	t->size = xcalloc((size_t)w->n + 1, sizeof(*t->size));
	for (int j = 0; j < w->n; j++)
		t->size[j] = size_of(&b->session->data, w->drop + (size_t)j * t->examples);
	for (int q = 0; q < t->queries; q++)
		for (int j = 0; j < w->n; j++) {
			double *at = &w->outcome[(size_t)q * (size_t)w->n + (size_t)j];
			*at = full[q] - *at;
		}
}

void
truth_gather(const struct bank *b, struct truth *t)
{
	const struct bank_member **list = xcalloc((size_t)b->n_members + 1, sizeof(*list));
	*t = (struct truth){ .queries = b->n_queries, .examples = b->session->data.n,
		.heldout = xcalloc((size_t)b->n_queries + 1, 1), .generated = xcalloc((size_t)b->n_queries + 1, 1) };
	for (int q = 0; q < b->n_queries; q++)
		*(b->query[q].generated ? &t->generated[q] : &t->heldout[q]) = 1;
	gather_subsets(b, t, list);
	gather_contributors(b, t, list);
	free(list);
}

static void
outcomes_free(struct outcomes *o)
{
	free(o->drop);
	free(o->outcome);
}

void
truth_free(struct truth *t)
{
	outcomes_free(&t->same);
	outcomes_free(&t->other);
	outcomes_free(&t->both);
	outcomes_free(&t->without);
	free(t->other_of_both);
	free(t->size);
	free(t->heldout);
	free(t->generated);
	*t = (struct truth){0};
}
