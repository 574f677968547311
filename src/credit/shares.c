/* Shares of every contributor of the store in one ranking. */
#include "byline/credit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/stats.h"

/* One edge for each author of each example that was trained on. */
static size_t
edges_make(const struct session *s, struct credit_edge **out)
{
	struct credit_edge *edge = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; i < s->data.n; i++) {
		const struct work *w = session_work(s, s->examples[i].work);
		for (size_t a = 0; w && session_trained_on(s, i) && a < w->n_authors; a++) {
			const struct contributor *c = session_contributor(s, w->authors[a].contributor);
			if (!c)
				continue;
			mem_grow(&edge, &cap, n + 1, sizeof(*edge));
			edge[n++] = (struct credit_edge){
				(uint32_t)i, (uint32_t)(c - s->contributors), w->authors[a].share };
		}
	}
	*out = edge;
	return n;
}

static int
contribution_cmp(const void *va, const void *vb)
{
	const struct contribution *a = va, *b = vb;
	if (a->share != b->share)
		return a->share < b->share ? 1 : -1;
	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	int names = strcmp(a->name, b->name);
	return names ? names : (a->contributor > b->contributor) - (a->contributor < b->contributor);
}

struct edges { struct credit_edge *v; size_t n; };

/* One vector of scores into a list in order. */
static void
list_make(const struct session *s, const struct edges *e, const float *scores, double floor, struct shares *out)
{
	size_t n = s->n_contributors;
	double *share = xcalloc(n + 1, sizeof(*share)), *total = xcalloc(n + 1, sizeof(*total));
	*out = (struct shares){ .c = xcalloc(n + 1, sizeof(*out->c)), .n = n, .residual_error = NAN, .n_runs = 1 };
	credit_influence(scores, s->data.n, e->v, e->n, CREDIT_FLOORS * floor, share, total, n, &out->residual);
	for (size_t i = 0; i < n; i++) {
		const struct contributor *c = &s->contributors[i];
		out->c[i] = (struct contribution){ .contributor = c->id, .name = c->name, .score = total[i],
			.share = share[i], .error = NAN, .works = c->n_works, .opted_out = c->opted_out };
	}
	for (size_t i = 0; i < e->n; i++)
		out->c[e->v[i].party].examples++;
	if (n > 0)
		qsort(out->c, n, sizeof(*out->c), contribution_cmp);
	for (size_t i = 0; i < n; i++)
		out->c[i].rank = out->c[i].rank_lo = out->c[i].rank_hi = i + 1;
	free(share);
	free(total);
}

/* What the runs say each by itself: share (contributors, runs), residual (runs), best and worst rank (contributors);
 * contributors in the session's order. */
struct spread { double *share, *residual; size_t *lo, *hi; int runs; };

static void
spread_run(const struct session *s, const struct edges *e, const struct ranking *r, int run, struct spread *p)
{
	struct shares one;
	list_make(s, e, r->run_scores + (size_t)run * s->data.n, r->run_floor[run], &one);
	p->residual[run] = one.residual;
	for (size_t i = 0; i < one.n; i++) {
		size_t c = (size_t)(session_contributor(s, one.c[i].contributor) - s->contributors);
		p->share[c * (size_t)p->runs + (size_t)run] = one.c[i].share;
		p->lo[c] = run == 0 || i + 1 < p->lo[c] ? i + 1 : p->lo[c];
		p->hi[c] = run == 0 || i + 1 > p->hi[c] ? i + 1 : p->hi[c];
	}
	shares_free(&one);
}

static void
spread_put(const struct session *s, const struct spread *p, struct shares *out)
{
	double root = sqrt(p->runs);
	out->n_runs = p->runs;
	out->residual_error = stats_sd(p->residual, (size_t)p->runs) / root;
	for (size_t i = 0; i < out->n; i++) {
		struct contribution *to = &out->c[i];
		size_t c = (size_t)(session_contributor(s, to->contributor) - s->contributors);
		to->error = stats_sd(p->share + c * (size_t)p->runs, (size_t)p->runs) / root;
		to->rank_lo = p->lo[c] < to->rank_lo ? p->lo[c] : to->rank_lo;
		to->rank_hi = p->hi[c] > to->rank_hi ? p->hi[c] : to->rank_hi;
	}
}

static void
errors_make(const struct session *s, const struct edges *e, const struct ranking *r, struct shares *out)
{
	size_t n = s->n_contributors, runs = (size_t)r->n_runs;
	struct spread p = { .runs = r->n_runs };
	p.share = xcalloc(n * runs + 1, sizeof(*p.share));
	p.residual = xcalloc(runs, sizeof(*p.residual));
	p.lo = xcalloc(n + 1, sizeof(*p.lo));
	p.hi = xcalloc(n + 1, sizeof(*p.hi));
	for (int run = 0; run < r->n_runs; run++)
		spread_run(s, e, r, run, &p);
	spread_put(s, &p, out);
	free(p.share);
	free(p.residual);
	free(p.lo);
	free(p.hi);
}

enum err
credit_shares(const struct session *s, const struct ranking *r, struct shares *out)
{
	struct edges e;
	e.n = edges_make(s, &e.v);
	list_make(s, &e, r->scores, r->floor, out);
	if (r->run_scores && r->n_runs > 1)
		errors_make(s, &e, r, out);
	free(e.v);
	return OK;
}

void
shares_free(struct shares *sh)
{
	free(sh->c);
	memset(sh, 0, sizeof(*sh));
}
