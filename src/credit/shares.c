/* Shares of every contributor of the store in one ranking. */
#include "byline/credit.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

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

enum err
credit_shares(const struct session *s, const struct ranking *r, struct shares *out)
{
	size_t n = s->n_contributors;
	struct credit_edge *edge;
	size_t n_edges = edges_make(s, &edge);
	double *share = xcalloc(n + 1, sizeof(*share)), *total = xcalloc(n + 1, sizeof(*total));
	*out = (struct shares){ .c = xcalloc(n + 1, sizeof(*out->c)), .n = n };
	credit_influence(r->scores, s->data.n, edge, n_edges, CREDIT_FLOORS * r->floor, share, total, n,
		&out->residual);
	for (size_t i = 0; i < n; i++) {
		const struct contributor *c = &s->contributors[i];
		out->c[i] = (struct contribution){ .contributor = c->id, .name = c->name, .score = total[i],
			.share = share[i], .works = c->n_works, .opted_out = c->opted_out };
	}
	for (size_t e = 0; e < n_edges; e++)
		out->c[edge[e].party].examples++;
	qsort(out->c, n, sizeof(*out->c), contribution_cmp);
	free(edge);
	free(share);
	free(total);
	return OK;
}

void
shares_free(struct shares *sh)
{
	free(sh->c);
	memset(sh, 0, sizeof(*sh));
}
