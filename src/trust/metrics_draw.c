/* metrics_draw: see metrics_draw.h. Draws depend on the seed, on how many queries count and on how many members. */
#include "metrics_draw.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/rng.h"

/* "boot", so that no other use of the seed meets these numbers. */
static const uint64_t stream_boot = UINT64_C(0x626f6f7400000000);

void
draw_new(struct draw *d, const struct measure *m)
{
	*d = (struct draw){ .query = xcalloc((size_t)m->queries + 1, sizeof(int)),
		.member = xcalloc((size_t)m->members + 1, sizeof(int)),
		.used = xcalloc((size_t)m->queries + 1, sizeof(int)) };
	for (int q = 0; q < m->queries; q++)
		if (!m->use || m->use[q])
			d->used[d->n_used++] = q;
}

void
draw_free(struct draw *d)
{
	free(d->query);
	free(d->member);
	free(d->used);
	*d = (struct draw){0};
}

static void
members_once(struct draw *d, const struct measure *m)
{
	for (int j = 0; j < m->members; j++)
		d->member[j] = 1;
}

void
draw_all(struct draw *d, const struct measure *m)
{
	memset(d->query, 0, (size_t)m->queries * sizeof(int));
	for (int i = 0; i < d->n_used; i++)
		d->query[d->used[i]] = 1;
	members_once(d, m);
}

void
draw_take(struct draw *d, const struct measure *m, int number, bool members)
{
	struct rng rng;
	rng_init(&rng, m->seed, stream_boot + (uint64_t)number);
	memset(d->query, 0, (size_t)m->queries * sizeof(int));
	for (int i = 0; i < d->n_used; i++)
		d->query[d->used[rng_below(&rng, (uint64_t)d->n_used)]]++;
	if (!members) {
		members_once(d, m);
		return;
	}
	memset(d->member, 0, (size_t)m->members * sizeof(int));
	for (int j = 0; j < m->members; j++)
		d->member[rng_below(&rng, (uint64_t)m->members)]++;
}
