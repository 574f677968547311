/* ranking_list: the best and the worst of a ranking, which of them can be told apart, and how many stand out. */
#include "ranking.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/stats.h"

static int
index_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool
is_exact(const struct rescored *done, uint32_t example)
{
	return done->n > 0 && bsearch(&example, done->example, done->n, sizeof(example), index_cmp) != NULL;
}

/* The `want` best (sign +1) or worst (-1) examples whose score has that sign. */
static size_t
list_make(const struct ranking *r, size_t n, size_t want, int sign, const struct rescored *done, struct ranked **out)
{
	uint32_t *order = xcalloc((want < n ? want : n) + 1, sizeof(*order));
	size_t k = stats_top(r->scores, n, want, sign, order), kept = 0;
	*out = xcalloc(k + 1, sizeof(**out));
	while (kept < k && (float)sign * r->scores[order[kept]] > 0) {
		uint32_t i = order[kept];
		(*out)[kept++] = (struct ranked){ .example = i, .score = r->scores[i],
			.error = r->error ? r->error[i] : NAN, .exact = is_exact(done, i) };
	}
	ranking_brackets(*out, kept);
	free(order);
	return kept;
}

static double
known(float error)
{
	return isfinite(error) ? error : 0;
}

void
ranking_brackets(struct ranked *list, size_t n)
{
	const struct ranked *first = list;
	int bracket = 0;
	for (size_t i = 0; i < n; i++) {
		double apart = fabs((double)list[i].score - first->score);
		if (apart > 2 * hypot(known(list[i].error), known(first->error))) {
			first = &list[i];
			bracket++;
		}
		list[i].bracket = bracket;
	}
}

static size_t
count_above(const float *scores, size_t n, double limit)
{
	size_t above = 0;
	for (size_t i = 0; i < n; i++)
		above += isfinite(scores[i]) && (isnan(limit) || fabs((double)scores[i]) > limit) ? 1 : 0;
	return above;
}

void
ranking_lists(struct ranking *r, size_t n, size_t want, const struct rescored *done)
{
	if (done->n > 0)
		qsort(done->example, done->n, sizeof(*done->example), index_cmp);
	r->n_top = list_make(r, n, want, 1, done, &r->top);
	r->n_bottom = list_make(r, n, want, -1, done, &r->bottom);
	r->n_above = count_above(r->scores, n, NOISE_FLOORS * r->floor);
}
