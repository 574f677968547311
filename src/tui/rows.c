/* rows: columns of the ranked examples. */
#include "rows.h"

#include <math.h>
#include <string.h>

#include "byline/utf8.h"
#include "describe.h"

enum { COL_RANK, COL_SCORE, COL_TIMES, COL_MARK, COL_TITLE, COL_PART, COL_PEOPLE, COL_LICENCE, COL_DATE };

static const struct column columns[ROWS_COLUMNS] = {
	[COL_RANK] = { "#", 4, 0, true, false, 2 },
	[COL_SCORE] = { "score", 7, 0, true, true, 9 },
	[COL_TIMES] = { "x noise", 7, 0, true, false, 5 },
	[COL_MARK] = { "", 1, 0, false, true, 7 },
	[COL_TITLE] = { "work", 13, 5, false, true, 9 },
	[COL_PART] = { "at %", 4, 0, true, false, 4 },
	[COL_PEOPLE] = { "contributors", 11, 3, false, true, 6 },
	[COL_LICENCE] = { "licence", 11, 1, false, true, 3 },
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

/* What speaks for it: v its bytes, i its score, b both. */
static void
row_mark(const struct rows *r, const struct ranked *row, struct table_cell *out)
{
	static const struct { const char *letter; enum ink ink; } marks[] = {
		[MARK_NONE] = { "", INK_DIM }, [MARK_VERBATIM] = { "v", INK_MATCH },
		[MARK_INFLUENTIAL] = { "i", INK_HELPED }, [MARK_BOTH] = { "b", INK_WARN },
	};
	const struct inquiry *q = r->q;
	const struct ranking *ranking = q->standing->ranking;
	size_t n;
	const struct verbatim_span *spans = inquiry_verbatim(q, &n);
	if (!inquiry_ranked(q))
		return;
	enum verbatim_mark mark = q->source->ops->evidence(q->source, q->query, spans, n, row->example,
		(double)row->score, ranking->floor);
	str_adds(&out->text, marks[mark].letter);
	out->ink = marks[mark].ink;
}

static void
row_score(const struct rows *r, const struct ranked *row, struct str *out)
{
	const struct ranking *ranking = r->q->standing->ranking;
	describe_score((double)row->score, r->decimals, row->exact || ranking->method->rescore == RESCORE_NONE, out);
	if (ranking->error)
		describe_error((double)row->error, r->error, r->decimals, r->glyphs, out);
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
		row_score(r, row, &out->text);
		out->ink = noise ? INK_DIM : row->score < 0 ? INK_OPPOSED : INK_HELPED;
		break;
	case COL_TIMES:
		describe_times((double)row->score, ranking->floor, &out->text);
		break;
	case COL_MARK:
		row_mark(r, row, out);
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

/* Ranks of both ends count from there, so do their brackets. */
static int64_t
row_group(void *arg, size_t i)
{
	const struct rows *r = arg;
	const struct standing *st = r->q->standing;
	return st->ranking->error ? (int64_t)st->row[i].bracket * 2 + (st->row[i].score < 0) : -1;
}

static bool
bracket_same(const struct ranked *a, const struct ranked *b)
{
	return a->bracket == b->bracket && (a->score < 0) == (b->score < 0);
}

void
rows_bracket(const struct standing *st, size_t row, size_t *first, size_t *last)
{
	const struct ranked *at = &st->row[row];
	/* A ranking that knows of no errors has no brackets. */
	bool known = st->ranking->error != NULL;
	size_t lo = row, hi = row;
	while (known && lo > 0 && bracket_same(at, &st->row[lo - 1]))
		lo--;
	while (known && hi + 1 < st->n && bracket_same(at, &st->row[hi + 1]))
		hi++;
	*first = at->score < 0 ? st->n - hi : lo + 1;
	*last = at->score < 0 ? st->n - lo : hi + 1;
}

void
rows_init(struct rows *r, struct inquiry *q, const struct glyphs *g)
{
	*r = (struct rows){ .q = q, .glyphs = g };
	memcpy(r->column, columns, sizeof(columns));
	listing_init(&r->l, r->column, ROWS_COLUMNS, r, row_cell, row_compare);
	r->l.group = row_group;
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

/* Scores are as wide as the widest of them. */
static void
rows_widen(struct rows *r)
{
	const struct standing *st = r->q->standing;
	size_t most = (size_t)columns[COL_SCORE].width;
	r->error = 0;
	for (size_t i = 0; st && i < st->n; i++)
		r->error = fmax(r->error, (double)st->row[i].error);
	for (size_t i = 0; st && i < st->n; i++) {
		struct str s = {0};
		row_score(r, &st->row[i], &s);
		size_t width = s.s ? text_width(s.s, s.len) : 0;
		most = width > most ? width : most;
		str_free(&s);
	}
	r->column[COL_SCORE].width = (int)most;
}

void
rows_update(struct rows *r)
{
	const struct standing *st = r->q->standing;
	if (r->seen == r->q->version + 1 && r->raw == r->q->raw) {
		rows_at(r, &r->example);
		return;
	}
	bool moved = r->seen && r->l.list.cursor > 0;
	double largest = 0;
	for (size_t i = 0; st && i < st->n; i++)
		largest = fmax(largest, fabs((double)st->row[i].score));
	/* Digits far below the noise say nothing. */
	r->decimals = describe_decimals(st && st->ranking->floor > largest ? st->ranking->floor : largest);
	r->seen = r->q->version + 1;
	r->raw = r->q->raw;
	rows_widen(r);
	bool hidden = !st || (st->nothing && !r->raw);
	listing_fill(&r->l, hidden ? 0 : st->n, moved ? rows_find(st, r->example) : (size_t)-1);
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
