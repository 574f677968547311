/* rows: columns of the ranked examples. */
#include "rows.h"

#include <math.h>
#include <string.h>

#include "describe.h"

enum { COL_RANK, COL_SCORE, COL_TIMES, COL_TITLE, COL_PART, COL_PEOPLE, COL_LICENCE, COL_DATE, COLS };

static const struct column columns[COLS] = {
	[COL_RANK] = { "#", 4, 0, true, false, 2 },
	[COL_SCORE] = { "score", 9, 0, true, true, 9 },
	[COL_TIMES] = { "x noise", 7, 0, true, false, 5 },
	[COL_TITLE] = { "work", 14, 5, false, true, 9 },
	[COL_PART] = { "at %", 4, 0, true, false, 4 },
	[COL_PEOPLE] = { "contributors", 12, 3, false, true, 6 },
	[COL_LICENCE] = { "licence", 12, 1, false, true, 3 },
	[COL_DATE] = { "date", 10, 0, false, true, 1 },
};

static const struct work *
row_work(const struct rows *r, const struct ranked *row)
{
	const struct source_ops *ops = r->q->source->ops;
	const struct example *e = ops->example(r->q->source, row->example);
	return e ? ops->work(r->q->source, e->work) : NULL;
}

/* A long work is cut into several examples; they are told apart by where in it they begin. */
static void
row_part(const struct rows *r, const struct ranked *row, struct str *out)
{
	const struct example *e = r->q->source->ops->example(r->q->source, row->example);
	const struct work *w = row_work(r, row);
	if (e && w && w->bytes > 0 && (e->from > 0 || (int64_t)e->to < w->bytes))
		str_addf(out, "%lld", (long long)(100 * (int64_t)e->from / w->bytes));
}

static void
row_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct rows *r = arg;
	const struct ranked *row = &r->q->standing->row[i];
	const struct ranking *ranking = r->q->standing->ranking;
	const struct work *w = row_work(r, row);
	bool noise = fabs((double)row->score) < r->q->standing->threshold;
	out->ink = noise ? INK_DIM : INK_TEXT;
	switch (column) {
	case COL_RANK:
		/* Counted from both ends: -1 is the strongest opponent. */
		str_addf(&out->text, row->score < 0 ? "-%zu" : "%zu", row->score < 0 ? r->q->standing->n - i : i + 1);
		out->ink = INK_DIM;
		break;
	case COL_SCORE:
		describe_score((double)row->score, r->decimals, row->exact || ranking->method->rescore == RESCORE_NONE,
			&out->text);
		out->ink = noise ? INK_DIM : row->score < 0 ? INK_OPPOSED : INK_HELPED;
		break;
	case COL_TIMES:
		describe_times((double)row->score, ranking->floor, &out->text);
		break;
	case COL_TITLE:
		describe_title(w, &out->text);
		break;
	case COL_PART:
		row_part(r, row, &out->text);
		break;
	case COL_PEOPLE:
		describe_people(w, &out->text);
		break;
	case COL_LICENCE:
		str_adds(&out->text, describe_licence(w));
		break;
	default:
		str_adds(&out->text, w && w->date ? w->date : "");
	}
}

static int
row_compare(void *arg, int column, size_t a, size_t b)
{
	const struct rows *r = arg;
	const struct ranked *row = r->q->standing->row;
	if (column == COL_SCORE)
		return fabs((double)row[a].score) > fabs((double)row[b].score) ? -1
			: fabs((double)row[a].score) < fabs((double)row[b].score);
	struct table_cell x = {0}, y = {0};
	str_clear(&x.text);
	str_clear(&y.text);
	row_cell(arg, a, column, &x);
	row_cell(arg, b, column, &y);
	int order = strcmp(x.text.s, y.text.s);
	str_free(&x.text);
	str_free(&y.text);
	return order;
}

void
rows_init(struct rows *r, struct inquiry *q)
{
	*r = (struct rows){ .q = q };
	listing_init(&r->l, columns, COLS, r, row_cell, row_compare);
}

void
rows_free(struct rows *r)
{
	listing_free(&r->l);
}

static size_t
rows_find(const struct standing *st, uint32_t example)
{
	for (size_t i = 0; st && i < st->n; i++)
		if (st->row[i].example == example)
			return i;
	return (size_t)-1;
}

void
rows_update(struct rows *r)
{
	const struct standing *st = r->q->standing;
	if (r->seen == r->q->version + 1) {
		rows_at(r, &r->example);
		return;
	}
	bool moved = r->seen && r->l.list.cursor > 0;
	double largest = 0;
	for (size_t i = 0; st && i < st->n; i++)
		largest = fmax(largest, fabs((double)st->row[i].score));
	r->decimals = describe_decimals(largest);
	r->seen = r->q->version + 1;
	listing_fill(&r->l, st ? st->n : 0, moved ? rows_find(st, r->example) : (size_t)-1);
	rows_at(r, &r->example);
}

bool
rows_at(const struct rows *r, uint32_t *example)
{
	size_t row = listing_row(&r->l);
	const struct standing *st = r->q->standing;
	if (!st || row >= st->n)
		return false;
	*example = st->row[row].example;
	return true;
}

void
rows_title(const struct rows *r, struct str *out)
{
	const struct method *m = r->q->standing ? r->q->standing->ranking->method : r->q->wish.method;
	str_addf(out, "%s, %s", m->title, m->unit);
}

void
rows_note(const struct rows *r, const struct glyphs *g, struct str *out)
{
	const struct standing *st = r->q->standing;
	if (!st)
		return;
	if (st->ranking->floor > 0)
		str_addf(out, "noise floor %s%.*f", g->plus_minus, r->decimals, st->ranking->floor);
	if (!inquiry_ranked(r->q))
		str_addf(out, "%sbeing replaced", out->len > 0 ? ", " : "");
	else if (!inquiry_current(r->q))
		str_addf(out, "%sapproximate so far", out->len > 0 ? ", " : "");
	else if (st->exact)
		str_addf(out, "%sexact for %zu", out->len > 0 ? ", " : "", st->ranking->n_exact);
}
