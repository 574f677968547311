/* bank_cost: how long members take, by what members took before, or else by a few steps of one. */
#include "bank_cost.h"

#include <stdlib.h>

#include "bank_private.h"
#include "byline/file.h"
#include "byline/mem.h"

static bool
has_weights(const struct bank *b, const struct bank_member *m)
{
	char *path = xasprintf("%s/models/%s.safetensors", b->dir, m->key);
	bool there = file_exists(path);
	free(path);
	return there;
}

static double
trained_on(const struct bank *b, const struct bank_member *m, uint8_t *drop)
{
	double n = 0;
	bank_drop(b, m, drop);
	for (size_t i = 0; i < b->session->data.n; i++)
		n += !b->session->data.heldout[i] && !drop[i];
	return n;
}

void
bank_cost(const struct bank *b, double *cost)
{
	/* Reading weights, and asking them, is to training as a few examples are to all of it. */
	const double next_to_nothing = 1;
	uint8_t *drop = xcalloc(b->session->data.n + 1, 1);
	for (int i = 0; i < b->n_members; i++) {
		const struct bank_member *m = &b->member[i];
		bool free_of_cost = !m->done && has_weights(b, m);
		cost[i] = free_of_cost ? next_to_nothing : trained_on(b, m, drop);
	}
	free(drop);
}

/* ---- seconds an example ---- */

static double
measured(const struct bank *b, const double *cost)
{
	double seconds = 0, examples = 0;
	for (int i = 0; i < b->n_members; i++)
		if (b->member[i].done && b->member[i].seconds > 0) {
			seconds += b->member[i].seconds;
			examples += cost[i];
		}
	return examples > 0 ? seconds / examples : 0;
}

static double
timed(const struct bank *b)
{
	double seconds;
	size_t examples = session_trained(b->session);
	if (retrain_time(&b->retraining, &seconds) != OK)
		return 0;
	return seconds / (double)(examples ? examples : 1);
}

double
bank_estimate(struct bank *b, int *left)
{
	double *cost = xcalloc((size_t)b->n_members + 1, sizeof(*cost)), rest = 0;
	int threads = pool_threads(b->session->pool);
	bank_cost(b, cost);
	*left = 0;
	for (int i = 0; i < b->n_members; i++)
		if (!b->member[i].done) {
			++*left;
			rest += cost[i];
		}
	double rate = *left > 0 ? measured(b, cost) : 0;
	if (*left > 0 && rate == 0)
		rate = timed(b);
	free(cost);
	int hands = *left < threads ? *left : threads;
	return hands > 0 ? rest * rate / hands : 0;
}
