/* whatif_choose: what is left out, and random removals to hold it against. */
#include "whatif_private.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/rng.h"

/* "control", so that no other use of the seed meets these numbers. */
static const uint64_t stream_control = UINT64_C(0x636f6e74726f6c00);

/* A control's example is the nearest in length of so many drawn. */
enum { DRAWS = 16 };

static uint64_t
targets_of(const struct session *s, size_t example)
{
	return s->data.start[example + 1] - s->data.start[example] - 1;
}

static bool
is_by(const struct session *s, size_t example, int64_t contributor)
{
	const struct work *w = session_work(s, s->examples[example].work);
	for (size_t i = 0; w && i < w->n_authors; i++)
		if (w->authors[i].contributor == contributor)
			return true;
	return false;
}

static void
drop_top(const struct session *s, const struct ranking *r, int top, uint8_t *drop)
{
	for (size_t i = 0; i < r->n_top && i < (size_t)top; i++)
		drop[r->top[i].example] = session_trained_on(s, r->top[i].example);
}

static enum err
drop_choice(const struct session *s, const struct ranking *r, const struct whatif_options *o, uint8_t *drop)
{
	if (o->top > 0)
		drop_top(s, r, o->top, drop);
	else if (o->contributor > 0)
		for (size_t i = 0; i < s->data.n; i++)
			drop[i] = session_trained_on(s, i) && is_by(s, i, o->contributor);
	else if (o->example < s->data.n)
		drop[o->example] = session_trained_on(s, o->example);
	else
		return err_set(ERR_MISSING, "example %u: the run has %zu", o->example, s->data.n);
	return OK;
}

enum err
whatif_choose(const struct session *s, const struct ranking *r, struct whatif *w, uint8_t *drop)
{
	TRY(drop_choice(s, r, &w->options, drop));
	w->removed = xcalloc(s->data.n + 1, sizeof(*w->removed));
	for (size_t i = 0; i < s->data.n; i++) {
		if (!drop[i])
			continue;
		w->removed[w->n_removed++] = (uint32_t)i;
		w->tokens_removed += targets_of(s, i);
		w->predicted += isfinite(r->scores[i]) ? (double)r->scores[i] : 0;
	}
	if (w->n_removed == 0)
		return err_set(ERR_MISSING, "nothing of this was trained on: there is nothing to leave out");
	return OK;
}

/* The nearest in length to `want` of a few of order[from .. n), swapped to the front. */
static uint32_t
draw_near(const struct session *s, struct rng *rng, uint32_t *order, size_t from, size_t n, uint64_t want)
{
	size_t best = from;
	uint64_t nearest = UINT64_MAX;
	for (int i = 0; i < DRAWS; i++) {
		size_t at = from + (size_t)rng_below(rng, n - from);
		uint64_t have = targets_of(s, order[at]), off = have > want ? have - want : want - have;
		if (off < nearest) {
			nearest = off;
			best = at;
		}
	}
	uint32_t example = order[best];
	order[best] = order[from];
	order[from] = example;
	return example;
}

bool
whatif_control(const struct session *s, const struct whatif *w, int number, uint8_t *drop)
{
	uint32_t *order = xcalloc(s->data.n + 1, sizeof(*order));
	size_t n = 0, removed = 0;
	struct rng rng;
	for (size_t i = 0; i < s->data.n; i++) {
		drop[i] = 0;
		if (removed < w->n_removed && w->removed[removed] == i)
			removed++;
		else if (session_trained_on(s, i))
			order[n++] = (uint32_t)i;
	}
	rng_init(&rng, w->options.seed, stream_control + (uint64_t)number);
	for (size_t i = 0; i < w->n_removed && n >= w->n_removed; i++)
		drop[draw_near(s, &rng, order, i, n, targets_of(s, w->removed[i]))] = 1;
	free(order);
	return n >= w->n_removed;
}
