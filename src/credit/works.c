/* One contributor's works, and where each stands in a ranking. */
#include "byline/credit.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"

/* All works' sums in one pass over the examples; sum (n_works) in the session's order. */
static void
works_sum(const struct session *s, const struct ranking *r, double *sum)
{
	for (size_t i = 0; i < s->data.n; i++) {
		const struct work *w = session_work(s, s->examples[i].work);
		if (w && isfinite(r->scores[i]))
			sum[w - s->works] += r->scores[i];
	}
}

/* The contributor's part of the work; 0 when it is not theirs. */
static double
work_part(const struct work *w, int64_t contributor)
{
	double part = 0;
	for (size_t a = 0; a < w->n_authors; a++)
		if (w->authors[a].contributor == contributor)
			part += w->authors[a].share;
	return part;
}

static int
work_score_cmp(const void *va, const void *vb)
{
	const struct work_score *a = va, *b = vb;
	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return (a->work->id > b->work->id) - (a->work->id < b->work->id);
}

enum err
credit_works(const struct session *s, const struct ranking *r, int64_t contributor, struct work_score **out, size_t *n)
{
	*out = NULL;
	*n = 0;
	if (!session_contributor(s, contributor))
		return err_set(ERR_MISSING, "contributor %lld: the store has nobody with this number",
			(long long)contributor);
	double *sum = xcalloc(s->n_works + 1, sizeof(*sum));
	works_sum(s, r, sum);
	size_t cap = 0;
	mem_grow(out, &cap, 1, sizeof(**out));
	for (size_t i = 0; i < s->n_works; i++) {
		double part = work_part(&s->works[i], contributor);
		if (part <= 0)
			continue;
		mem_grow(out, &cap, *n + 1, sizeof(**out));
		(*out)[(*n)++] = (struct work_score){ &s->works[i], part * sum[i], part };
	}
	free(sum);
	qsort(*out, *n, sizeof(**out), work_score_cmp);
	return OK;
}
