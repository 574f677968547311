/* standing: rows, and on how many works an output rests. */
#include "standing.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"

struct part { int64_t work; double score; };

static int
part_cmp(const void *a, const void *b)
{
	int64_t x = ((const struct part *)a)->work, y = ((const struct part *)b)->work;
	return (x > y) - (x < y);
}

/* The inverse Simpson index of the works' parts of all that stands out from chance. */
static double
parts_effective(struct part *part, size_t n)
{
	double sum = 0, squares = 0;
	if (n > 0)
		qsort(part, n, sizeof(*part), part_cmp);
	for (size_t i = 0; i < n;) {
		double work = 0;
		int64_t id = part[i].work;
		for (; i < n && part[i].work == id; i++)
			work += part[i].score;
		sum += work;
		squares += work * work;
	}
	return squares > 0 ? sum * sum / squares : (double)NAN;
}

static double
standing_rests_on(struct source *s, const struct ranking *r, double threshold)
{
	size_t n = 0;
	struct part *part = xcalloc(s->info.n_examples + 1, sizeof(*part));
	for (size_t i = 0; i < s->info.n_examples; i++)
		if ((double)r->scores[i] > threshold)
			part[n++] = (struct part){ s->ops->example(s, (uint32_t)i)->work,
				(double)r->scores[i] - threshold };
	double effective = parts_effective(part, n);
	free(part);
	return effective;
}

struct standing *
standing_new(struct source *s, struct ranking *r, struct shares *sh)
{
	struct standing *st = xcalloc(1, sizeof(*st));
	st->ranking = r;
	st->shares = *sh;
	*sh = (struct shares){0};
	st->row = xcalloc(r->n_top + r->n_bottom + 1, sizeof(*st->row));
	for (size_t i = 0; i < r->n_top; i++)
		st->row[st->n++] = r->top[i];
	for (size_t i = r->n_bottom; i > 0; i--)
		st->row[st->n++] = r->bottom[i - 1];
	st->threshold = r->floor > 0 ? CREDIT_FLOORS * r->floor : 0;
	st->nothing = r->floor > 0 && r->n_runs > 0 && r->n_above == 0;
	st->rests_on = standing_rests_on(s, r, st->threshold);
	return st;
}

void
standing_free(struct standing *st, const struct source_ops *ops)
{
	if (!st)
		return;
	ops->free_ranking(st->ranking);
	ops->free_shares(&st->shares);
	free(st->row);
	free(st);
}
