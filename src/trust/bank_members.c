/* bank_members: which models a bank is made of, and what each is trained without. */
#include "bank_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

static void
member_key(struct bank_member *m)
{
	switch (m->kind) {
	case MEMBER_SUBSET:
		snprintf(m->key, sizeof(m->key), "subset-%04" PRId64 "-seed-%" PRIu64, m->number, m->seed);
		break;
	case MEMBER_WITHOUT:
		snprintf(m->key, sizeof(m->key), "without-%" PRId64 "-seed-%" PRIu64, m->number, m->seed);
		break;
	case MEMBER_FULL:
		snprintf(m->key, sizeof(m->key), "full-%04" PRId64 "-seed-%" PRIu64, m->number, m->seed);
		break;
	}
}

/* ---- what is left out ---- */

static bool
has_part_in(const struct session *s, size_t example, int64_t contributor)
{
	const struct work *w = session_work(s, s->examples[example].work);
	for (size_t a = 0; w && a < w->n_authors; a++)
		if (w->authors[a].contributor == contributor)
			return true;
	return false;
}

void
bank_drop(const struct bank *b, const struct bank_member *m, uint8_t *drop)
{
	const struct session *s = b->session;
	memset(drop, 0, s->data.n);
	if (m->kind == MEMBER_SUBSET)
		retrain_subset(&s->data, b->options.alpha, b->options.seed, (int)m->number, drop);
	for (size_t i = 0; m->kind == MEMBER_WITHOUT && i < s->data.n; i++)
		drop[i] = !s->data.heldout[i] && has_part_in(s, i, m->number);
}

/* ---- the list ---- */

struct list { struct bank *b; size_t cap; uint8_t *drop; };

static void
list_add(struct list *l, enum member_kind kind, int64_t number, uint64_t seed)
{
	struct bank *b = l->b;
	mem_grow(&b->member, &l->cap, (size_t)b->n_members + 1, sizeof(*b->member));
	struct bank_member *m = &b->member[b->n_members++];
	*m = (struct bank_member){ .kind = kind, .number = number, .seed = seed, .heldout = (double)NAN };
	member_key(m);
	bank_drop(b, m, l->drop);
	retrain_identity(&b->retraining, l->drop, seed, m->identity);
}

/* Somebody nobody can do without, or who wrote nothing of it, makes no member. */
static bool
can_leave(const struct bank *b, const struct contributor *c)
{
	const struct session *s = b->session;
	size_t theirs = 0, all = 0;
	for (size_t i = 0; i < s->data.n; i++) {
		all += !s->data.heldout[i];
		theirs += !s->data.heldout[i] && has_part_in(s, i, c->id);
	}
	return theirs > 0 && theirs < all;
}

void
bank_members_make(struct bank *b)
{
	const struct session *s = b->session;
	const struct bank_options *o = &b->options;
	const uint64_t own = b->retraining.journal.options.seed;
	struct list l = { .b = b, .drop = xcalloc(s->data.n + 1, 1) };
	for (int k = 0; k < o->seeds; k++)
		list_add(&l, MEMBER_FULL, 0, own + (uint64_t)k);
	for (int k = 0; k < o->seeds; k++)
		for (int j = 0; j < (k == 0 ? o->subsets : o->other_subsets); j++)
			list_add(&l, MEMBER_SUBSET, j, own + (uint64_t)k);
	for (size_t c = 0; o->contributors && c < s->n_contributors; c++)
		if (can_leave(b, &s->contributors[c]))
			list_add(&l, MEMBER_WITHOUT, s->contributors[c].id, own);
	free(l.drop);
}

void
bank_members_free(struct bank *b)
{
	for (int i = 0; i < b->n_members; i++)
		free(b->member[i].outcome);
	free(b->member);
}
