/* appearances: from the shares that saved queries carry. */
#include "appearances.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/credit.h"
#include "byline/mem.h"
#include "describe.h"

enum { COL_ID, COL_PROMPT, COL_METHOD, COL_SHARE, COL_BAR, COL_RANK };

static const struct column columns[APPEARANCE_COLUMNS] = {
	[COL_ID] = { "#", 4, 0, true, true, 3 },
	[COL_PROMPT] = { "saved query", 12, 4, false, true, 9 },
	[COL_METHOD] = { "method", 10, 0, false, true, 1 },
	[COL_SHARE] = { "share %", 7, 0, true, true, 9 },
	[COL_BAR] = { "", 8, 1, false, false, 2 },
	[COL_RANK] = { "rank", 4, 0, true, true, 5 },
};

/* "12.3", or "<0.4" where only those who had more are listed. */
static void
appearance_share(const struct appearances *p, const struct appearance *a, struct str *out)
{
	if (a->below > 0)
		str_adds(out, "<");
	describe_share(fmax(a->share, ceil(1000 * a->below) / 1000), a->error, p->error, p->glyphs, out);
}

static void
appearance_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct appearances *p = arg;
	const struct appearance *a = &p->a[i];
	out->ink = a->rank == 0 ? INK_DIM : INK_TEXT;
	if (column == COL_ID)
		str_addf(&out->text, "%lld", (long long)a->query);
	else if (column == COL_PROMPT)
		str_adds(&out->text, a->prompt);
	else if (column == COL_METHOD)
		str_adds(&out->text, a->method);
	else if (column == COL_SHARE)
		appearance_share(p, a, &out->text);
	else if (column == COL_RANK && a->rank > 0)
		str_addf(&out->text, "%zu", a->rank);
	else if (column == COL_BAR) {
		out->bar = true;
		out->ink = INK_ACCENT;
		out->value = a->share;
		out->full = p->largest;
	}
}

static int
appearance_compare(void *arg, int column, size_t a, size_t b)
{
	const struct appearances *p = arg;
	const struct appearance *x = &p->a[a], *y = &p->a[b];
	if (column == COL_PROMPT || column == COL_METHOD)
		return strcmp(column == COL_PROMPT ? x->prompt : x->method,
			column == COL_PROMPT ? y->prompt : y->method);
	if (column == COL_ID)
		return (x->query > y->query) - (x->query < y->query);
	return x->share > y->share ? -1 : x->share < y->share;
}

static enum err
appearance_add(void *arg, const struct saved_query *q)
{
	struct appearances *p = arg;
	struct saved_share share;
	p->without += !credit_saved_share(q->result, p->name, &share);
	struct appearance a = { .query = q->id, .prompt = xstrdup(q->prompt ? q->prompt : ""),
		.method = share.method ? share.method : xstrdup(""), .share = share.share, .error = share.error,
		.below = share.below, .rank = share.rank, .of = share.of };
	p->largest = fmax(p->largest, a.share);
	p->error = fmax(p->error, a.error);
	p->with_share += a.rank > 0;
	p->least |= a.below > 0;
	mem_grow(&p->a, &p->cap, p->n + 1, sizeof(*p->a));
	p->a[p->n++] = a;
	return OK;
}

static void
appearances_widen(struct appearances *p)
{
	memcpy(p->column, columns, sizeof(columns));
	for (size_t i = 0; i < p->n; i++)
		share_widen(&p->column[COL_SHARE], p->a[i].share, p->a[i].error, p->error, p->glyphs);
}

void
appearances_init(struct appearances *p, struct source *s, const char *name, const struct glyphs *g)
{
	*p = (struct appearances){ .name = xstrdup(name), .glyphs = g };
	(void)s->ops->each_query(s, appearance_add, p);
	appearances_widen(p);
	listing_init(&p->l, p->column, APPEARANCE_COLUMNS, p, appearance_cell, appearance_compare);
	listing_fill(&p->l, p->n, (size_t)-1);
	err_clear();
}

void
appearances_free(struct appearances *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->a[i].prompt);
		free(p->a[i].method);
	}
	free(p->a);
	free(p->name);
	listing_free(&p->l);
}
