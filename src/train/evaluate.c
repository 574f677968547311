/* evaluate: mean loss over whole examples, in fixed groups. */
#include "byline/train.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/mm.h"

/* Rows of a group: enough to keep the products busy, few enough that groups outnumber threads. */
enum { GROUP_ROWS = 512 };

struct group { size_t from, to; double loss; bool failed; };

struct evaluation {
	const struct model *m;
	const float *params;
	const struct dataset *d;
	uint32_t *example;
	struct group *groups;
	size_t n_groups;
	struct worker { struct acts *acts; struct ragged ragged; } *workers;
};

static void
group_run(void *arg, size_t i, int worker)
{
	struct evaluation *e = arg;
	struct group *g = &e->groups[i];
	struct worker *w = &e->workers[worker];
	if (!w->acts)
		w->acts = acts_new(e->m);
	ragged_fill(&w->ragged, e->d, e->example + g->from, g->to - g->from);
	g->failed = model_forward(e->m, e->params, w->acts, &w->ragged.batch) != OK;
	if (!g->failed)
		g->loss = acts_loss(e->m, w->acts, &w->ragged.batch, NULL, NULL);
}

/* Chosen examples in order, cut where a group is full. Returns the number of tokens. */
static size_t
groups_make(struct evaluation *e, bool which)
{
	size_t n = 0, rows = 0, tokens = 0, cap = 0;
	for (size_t i = 0; i < e->d->n; i++) {
		size_t length = (size_t)(e->d->start[i + 1] - e->d->start[i]) - 1;
		if ((e->d->heldout[i] != 0) != which)
			continue;
		if (n == 0 || rows + length > GROUP_ROWS) {
			mem_grow(&e->groups, &cap, e->n_groups + 1, sizeof(*e->groups));
			e->groups[e->n_groups++] = (struct group){ .from = n };
			rows = 0;
		}
		e->example[n++] = (uint32_t)i;
		e->groups[e->n_groups - 1].to = n;
		rows += length;
		tokens += length;
	}
	return tokens;
}

double
train_evaluate(const struct model *m, const float *params, const struct dataset *d, bool which, struct pool *pool)
{
	struct evaluation e = { .m = m, .params = params, .d = d };
	int threads = pool_threads(pool);
	e.example = xcalloc(d->n, sizeof(*e.example));
	e.workers = xcalloc((size_t)threads, sizeof(*e.workers));
	size_t tokens = groups_make(&e, which);
	mm_init();
	pool_run(pool, e.n_groups, group_run, &e);
	double loss = 0;
	for (size_t i = 0; i < e.n_groups; i++)
		loss += e.groups[i].failed ? (double)NAN : e.groups[i].loss;
	for (int i = 0; i < threads; i++) {
		if (e.workers[i].acts)
			acts_free(e.workers[i].acts);
		ragged_free(&e.workers[i].ragged);
	}
	free(e.workers);
	free(e.groups);
	free(e.example);
	return tokens > 0 ? loss / (double)tokens : (double)NAN;
}
