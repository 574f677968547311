/* people: columns of the contributors. */
#include "people.h"

#include <math.h>
#include <string.h>

#include "describe.h"

enum { COL_NAME, COL_SHARE, COL_BAR, COL_SCORE, COL_WORKS, COL_EXAMPLES, COL_NOTE };
enum { BAR_BESIDE_ERRORS = 3 };	/* it is what gives way to them */

static const struct column columns[PEOPLE_COLUMNS] = {
	[COL_NAME] = { "contributor", 15, 4, false, true, 9 },
	[COL_SHARE] = { "share %", 7, 0, true, true, 9 },
	[COL_BAR] = { "", 5, 3, false, false, 5 },
	[COL_SCORE] = { "net score", 9, 0, true, true, 4 },
	[COL_WORKS] = { "works", 6, 0, true, true, 3 },
	[COL_EXAMPLES] = { "examples", 8, 0, true, true, 1 },
	[COL_NOTE] = { "", 9, 0, false, false, 2 },
};

const struct shares *
people_shares(const struct people *p)
{
	return p->q->standing ? &p->q->standing->shares : &p->everyone;
}

static void
person_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct people *p = arg;
	const struct contribution *c = &people_shares(p)->c[i];
	bool ranked = p->q->standing != NULL;
	out->ink = ranked && c->share <= 0 ? INK_DIM : INK_TEXT;
	switch (column) {
	case COL_NAME:
		str_adds(&out->text, c->name);
		break;
	case COL_SHARE:
		if (ranked)
			describe_share(c->share, c->error, p->error, p->glyphs, &out->text);
		break;
	case COL_BAR:
		out->bar = true;
		out->ink = INK_ACCENT;
		out->value = ranked ? c->share : 0;
		out->full = p->largest;
		break;
	case COL_SCORE:
		if (ranked)
			describe_score(c->score, p->decimals, true, &out->text);
		break;
	case COL_WORKS:
		str_addf(&out->text, "%lld", (long long)c->works);
		break;
	case COL_EXAMPLES:
		str_addf(&out->text, "%lld", (long long)c->examples);
		break;
	default:
		str_adds(&out->text, c->opted_out ? "opted out" : "");
	}
}

static int
descending(double a, double b)
{
	return a > b ? -1 : a < b;
}

static int
person_compare(void *arg, int column, size_t a, size_t b)
{
	const struct people *p = arg;
	const struct contribution *x = &people_shares(p)->c[a], *y = &people_shares(p)->c[b];
	switch (column) {
	case COL_NAME:
		return strcmp(x->name, y->name);
	case COL_SCORE:
		return descending(x->score, y->score);
	case COL_WORKS:
		return descending((double)x->works, (double)y->works);
	case COL_EXAMPLES:
		return descending((double)x->examples, (double)y->examples);
	default:
		return descending(x->share, y->share);
	}
}

void
people_init(struct people *p, struct inquiry *q, const struct glyphs *g)
{
	*p = (struct people){ .q = q, .glyphs = g };
	q->source->ops->everyone(q->source, &p->everyone);
	memcpy(p->column, columns, sizeof(columns));
	listing_init(&p->l, p->column, PEOPLE_COLUMNS, p, person_cell, person_compare);
}

void
people_free(struct people *p)
{
	p->q->source->ops->free_shares(&p->everyone);
	listing_free(&p->l);
}

static void
people_widen(struct people *p, const struct shares *sh)
{
	struct column *share = &p->column[COL_SHARE];
	bool errors = p->q->standing && sh->n_runs > 1;
	p->column[COL_BAR].width = errors ? BAR_BESIDE_ERRORS : columns[COL_BAR].width;
	share->width = columns[COL_SHARE].width;
	if (errors)
		share_widen(share, sh->residual, sh->residual_error, p->error, p->glyphs);
	for (size_t i = 0; errors && i < sh->n; i++)
		share_widen(share, sh->c[i].share, sh->c[i].error, p->error, p->glyphs);
}

void
people_update(struct people *p)
{
	const struct contribution *at = people_at(p);
	if (p->seen == p->q->version + 1) {
		p->contributor = at ? at->contributor : 0;
		return;
	}
	bool moved = p->seen && p->l.list.cursor > 0;
	p->seen = p->q->version + 1;
	const struct shares *sh = people_shares(p);
	size_t keep = (size_t)-1;
	double score = 0;
	p->largest = p->q->standing ? sh->residual : 0;
	p->error = fmax(0, sh->residual_error);
	for (size_t i = 0; i < sh->n; i++) {
		p->largest = fmax(p->largest, sh->c[i].share);
		p->error = fmax(p->error, sh->c[i].error);
		score = fmax(score, fabs(sh->c[i].score));
		if (moved && sh->c[i].contributor == p->contributor)
			keep = i;
	}
	p->decimals = describe_decimals(score);
	people_widen(p, sh);
	listing_fill(&p->l, sh->n, keep);
}

const struct contribution *
people_at(const struct people *p)
{
	size_t row = listing_row(&p->l);
	const struct shares *sh = people_shares(p);
	return row < sh->n ? &sh->c[row] : NULL;
}

/* The residual stands in the columns of the others, but cannot be walked to. */
static void
residual_draw(const struct people *p, struct canvas *c, int row, int col, int cols)
{
	int width[TABLE_COLUMNS], at = col + 2;
	table_layout(&p->l.table, cols, width);
	canvas_str(c, row, at, width[COL_NAME], INK_DIM, "residual");
	at += width[COL_NAME] + 2;
	const struct shares *sh = people_shares(p);
	struct str share = {0};
	describe_share(sh->residual, sh->residual_error, p->error, p->glyphs, &share);
	canvas_right(c, row, at, width[COL_SHARE], INK_DIM, share.s);
	str_free(&share);
	at += width[COL_SHARE] + 2;
	int bar = (int)lround(p->q->standing->shares.residual / p->largest * width[COL_BAR]);
	if (width[COL_BAR] > 0 && p->largest > 0)
		canvas_fill(c, (struct rect){ row, at, 1, bar }, c->glyphs->hatch, INK_DIM);
}

void
people_draw(struct people *p, struct canvas *c, struct rect r, bool focus)
{
	bool residual = p->q->standing && r.rows > 1;
	struct rect list = r;
	list.rows -= residual;
	listing_draw(&p->l, c, list, focus);
	if (residual)
		residual_draw(p, c, r.row + r.rows - 1, r.col, r.cols);
}
