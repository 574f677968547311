/* view_example: one example whole, with what each of its tokens contributes. */
#include "view_example.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"
#include "find.h"

static struct example_view *
self(struct view *v)
{
	return (struct example_view *)v;
}

const struct work *
example_work(const struct example_view *e)
{
	struct source *s = e->v.q->source;
	const struct example *x = s->ops->example(s, e->example);
	return x ? s->ops->work(s, x->work) : NULL;
}

const struct ranked *
example_ranked(const struct example_view *e, size_t *rank)
{
	const struct standing *st = e->v.q->standing;
	for (size_t i = 0; st && i < st->n; i++)
		if (st->row[i].example == e->example) {
			*rank = i + 1;
			return &st->row[i];
		}
	return NULL;
}

/* Which bytes stand in the selected part of the output, too. */
static void
example_same(struct example_view *e)
{
	struct inquiry *q = e->v.q;
	struct source *s = q->source;
	size_t n;
	const struct verbatim_span *span = inquiry_verbatim(q, &n);
	free(e->same);
	e->same = n > 0 ? xcalloc(e->text.len + 1, sizeof(*e->same)) : NULL;
	for (size_t i = 0; i < n; i++) {
		uint32_t len = span[i].to - span[i].from;
		int64_t at = -1;
		while ((at = s->ops->verbatim_in(s, q->query, &span[i], e->example, (uint32_t)(at + 1))) >= 0)
			if ((size_t)at + len <= e->text.len
				&& memcmp(e->text.s + at, q->query->output.s + span[i].from, len) == 0)
				memset(e->same + at, true, len);
	}
	e->seen = q->version + 1;
}

static void
example_open(struct example_view *e, uint32_t example)
{
	e->seen = 0;
	e->in = 0;
	struct source *s = e->v.q->source;
	e->example = example;
	e->top = 0;
	e->match = (size_t)-1;
	free(e->byte_of);
	e->byte_of = NULL;
	e->n = 0;
	str_clear(&e->text);
	enum err err = s->ops->example_text(s, example, &e->text, &e->byte_of, &e->n);
	if (err != OK)
		app_fail(e->v.app, err);
	inquiry_mark(e->v.q, example);
}

static void
example_update(struct view *v)
{
	/* The span may have changed since. */
	if (v->q->query && !v->q->halted)
		inquiry_mark(v->q, self(v)->example);
	example_tokens_update(self(v));
	if (self(v)->seen != v->q->version + 1)
		example_same(self(v));
}

/* ---- acting ---- */

static void
example_step(struct example_view *e, int by)
{
	const struct standing *st = e->v.q->standing;
	size_t rank;
	if (!example_ranked(e, &rank))
		rank = by > 0 ? 0 : 2;
	size_t next = rank - 1 + (size_t)by;
	if (!st || next >= st->n)
		app_say(e->v.app, INK_DIM, by > 0 ? "this is the last of the ranking"
			: "this is the first of the ranking");
	else
		example_open(e, st->row[next].example);
}

static bool
example_scroll(struct example_view *e, enum action a)
{
	/* The list's arithmetic, with the first line seen for a cursor. */
	struct list l = { .n = (size_t)e->flow.rows, .cursor = (size_t)e->top,
		.height = (size_t)(e->rows_seen > 0 ? e->rows_seen : 1) };
	if (!list_act(&l, a))
		return false;
	e->top = (int)l.cursor;
	return true;
}

static bool
example_act(struct view *v, enum action a)
{
	struct example_view *e = self(v);
	const struct work *w = example_work(e);
	if (example_tokens_act(e, a))
		return true;
	if (a == ACT_NEXT_EXAMPLE || a == ACT_PREV_EXAMPLE) {
		example_step(e, a == ACT_NEXT_EXAMPLE ? 1 : -1);
		return true;
	}
	if (a == ACT_VERIFY) {
		verify_example(v->app, v->q, e->example);
		return true;
	}
	if (a == ACT_OPEN || a == ACT_CONTRIBUTOR || a == ACT_OTHER_WORKS) {
		if (w && w->n_authors > 0)
			app_push(v->app, view_contributor_new(v->app, v->q, w->authors[0].contributor));
		return true;
	}
	return example_scroll(e, a);
}

static bool
example_find(struct example_view *e, size_t from)
{
	e->match = e->search ? text_find(e->text.s, e->text.len, from, e->search, &e->match_len) : (size_t)-1;
	if (e->match == (size_t)-1)
		return false;
	int row = flow_byte_row(&e->flow, (uint32_t)e->match);
	if (row < e->top || row >= e->top + e->rows_seen)
		e->top = row;
	return true;
}

static bool
example_search(struct view *v, const char *text)
{
	struct example_view *e = self(v);
	free(e->search);
	e->search = *text ? xstrdup(text) : NULL;
	return !e->search || example_find(e, 0);
}

/* Backwards: the last match before the one we are at, by walking from the beginning. */
static bool
example_search_step(struct view *v, bool forward)
{
	struct example_view *e = self(v);
	size_t here = e->match, last = (size_t)-1;
	if (!e->search)
		return false;
	if (forward)
		return example_find(e, here + 1) || example_find(e, 0);
	for (size_t at = 0; example_find(e, at); at = e->match + 1) {
		if (e->match >= here && last != (size_t)-1)
			break;
		last = e->match;
	}
	return last != (size_t)-1 && example_find(e, last);
}

static void
example_title(struct view *v, struct str *out)
{
	describe_title(example_work(self(v)), out);
}

static void
example_free(struct view *v)
{
	struct example_view *e = self(v);
	v->q->marks.wanted = v->q->tokens.wanted = false;
	str_free(&e->passage);
	free(e->passage_at);
	free(e->same);
	flow_free(&e->strip);
	str_free(&e->text);
	free(e->byte_of);
	free(e->search);
	flow_free(&e->flow);
	free(e);
}

static const struct view_ops example_ops = {
	.name = "example", .place = V_EXAMPLE,
	.hints = { ACT_NEXT_EXAMPLE, ACT_NEXT_PANE, ACT_LAYERS, ACT_VERIFY, ACT_CONTRIBUTOR, ACT_OTHER_WORKS,
		ACT_SEARCH, ACT_BACK },
	.free = example_free, .update = example_update, .draw = example_draw, .act = example_act,
	.title = example_title, .search = example_search, .search_step = example_search_step,
};

struct view *
view_example_new(struct app *app, struct inquiry *q, uint32_t example)
{
	struct example_view *e = xcalloc(1, sizeof(*e));
	e->v = (struct view){ .ops = &example_ops, .app = app, .q = q };
	example_open(e, example);
	return &e->v;
}
