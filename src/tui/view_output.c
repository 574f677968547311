/* view_output: prompt, output, span, and at once who is behind it. */
#include "view_output.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"

static struct output_view *
self(struct view *v)
{
	return (struct output_view *)v;
}

/* ---- the text ---- */

static void
output_update(struct view *v)
{
	struct output_view *o = self(v);
	free(o->byte_of);
	inquiry_text(v->q, &o->text, &o->byte_of, &o->n);
	if (o->cursor >= o->n)
		o->cursor = o->n > 0 ? o->n - 1 : 0;
	/* Asked from elsewhere, as a saved query is that one begins with: there is nothing to type. */
	if (!o->asked && v->q->prompt && o->pane == PANE_PROMPT)
		o->pane = PANE_TEXT;
	o->asked = v->q->prompt != NULL;
	if (o->pane != PANE_PROMPT && v->q->prompt && strcmp(o->prompt.text.s, v->q->prompt) != 0)
		edit_set(&o->prompt, v->q->prompt);
	rows_update(&o->rows);
	people_update(&o->people);
}

/* A token that begins a word: after a space or a line end, or holding one at its own beginning. */
static bool
word_begins(const struct output_view *o, int i)
{
	if (i <= 0 || i >= o->n)
		return true;
	unsigned char first = (unsigned char)o->text.s[o->byte_of[i]],
		before = (unsigned char)o->text.s[o->byte_of[i] - 1];
	return isspace(first) || isspace(before);
}

static void
select_tokens(struct output_view *o, int from, int to)
{
	o->anchor = -1;
	inquiry_span(o->v.q, from, to);
}

static void
select_word(struct output_view *o)
{
	int from = o->cursor, to = o->cursor + 1;
	while (!word_begins(o, from))
		from--;
	while (to < o->n && !word_begins(o, to))
		to++;
	select_tokens(o, from, to);
}

static void
select_line(struct output_view *o)
{
	int row = flow_token_row(&o->flow, o->cursor), from = o->cursor, to = o->cursor + 1;
	while (from > 0 && flow_token_row(&o->flow, from - 1) == row)
		from--;
	while (to < o->n && flow_token_row(&o->flow, to) == row)
		to++;
	select_tokens(o, from, to);
}

/* While a span is open it reaches from the anchor to the cursor, both included. */
static void
select_to_cursor(struct output_view *o)
{
	if (o->anchor < 0)
		return;
	int from = o->anchor < o->cursor ? o->anchor : o->cursor, to = o->anchor < o->cursor ? o->cursor : o->anchor;
	inquiry_span(o->v.q, from, to + 1);
}

static void
cursor_to(struct output_view *o, int token)
{
	o->cursor = token < 0 ? 0 : token >= o->n ? o->n - 1 : token;
	if (o->cursor < 0)
		o->cursor = 0;
	select_to_cursor(o);
}

static void
cursor_rows(struct output_view *o, int rows)
{
	int row = flow_token_row(&o->flow, o->cursor) + rows, col = flow_token_col(&o->flow, o->cursor);
	int last = o->flow.rows - 1, token = flow_token_at(&o->flow, row > last ? last : row < 0 ? 0 : row, col);
	cursor_to(o, token >= 0 ? token : rows < 0 ? 0 : o->cursor);
}

/* ---- actions ---- */

static void
output_ask(struct output_view *o)
{
	struct inquiry *q = o->v.q;
	struct sample_options sample = q->sample;
	if (o->prompt.text.len == 0) {
		app_say(o->v.app, INK_WARN, "type a prompt first: a few words for the model to go on from");
		return;
	}
	edit_done(&o->prompt);
	o->cursor = o->top = 0;
	o->anchor = -1;
	o->pane = PANE_TEXT;
	inquiry_ask(q, o->prompt.text.s, q->target, &sample);
}

static void
output_again(struct output_view *o)
{
	struct inquiry *q = o->v.q;
	struct sample_options sample = q->sample;
	if (!q->prompt)
		return;
	char *prompt = xstrdup(q->prompt);
	sample.seed++;
	o->cursor = o->top = 0;
	o->anchor = -1;
	inquiry_ask(q, prompt, NULL, &sample);
	free(prompt);
}

static void
output_pane(struct output_view *o, bool forward)
{
	o->pane = (enum pane)((o->pane + (forward ? 1 : PANES - 1)) % PANES);
}

static void
output_deeper(struct output_view *o)
{
	uint32_t example;
	const struct contribution *c = people_at(&o->people);
	if (o->pane == PANE_CONTRIBUTORS && c)
		app_push(o->v.app, view_contributor_new(o->v.app, o->v.q, c->contributor));
	else if (o->pane == PANE_EXAMPLES && rows_at(&o->rows, &example))
		app_push(o->v.app, view_example_new(o->v.app, o->v.q, example));
	else if (o->pane == PANE_TEXT && o->n > 0)
		app_go(o->v.app, V_EXAMPLES);
}

static void
output_contributor(struct output_view *o)
{
	uint32_t i;
	struct source *s = o->v.q->source;
	if (!rows_at(&o->rows, &i))
		return;
	const struct work *w = s->ops->work(s, s->ops->example(s, i)->work);
	if (w && w->n_authors > 0)
		app_push(o->v.app, view_contributor_new(o->v.app, o->v.q, w->authors[0].contributor));
}

static void
output_verify(struct output_view *o)
{
	const struct contribution *c = people_at(&o->people);
	if (o->pane == PANE_CONTRIBUTORS && c)
		verify_contributor(o->v.app, o->v.q, c->contributor);
	else
		verify_top(o->v.app, o->v.q);
}

static void
output_select(struct output_view *o)
{
	o->pane = PANE_TEXT;
	if (o->n == 0)
		return;
	o->anchor = o->anchor < 0 ? o->cursor : -1;
	select_to_cursor(o);
}

static bool
act_text(struct output_view *o, enum action a)
{
	switch (a) {
	case ACT_LEFT:
		cursor_to(o, o->cursor - 1);
		return true;
	case ACT_RIGHT:
		cursor_to(o, o->cursor + 1);
		return true;
	case ACT_UP:
	case ACT_DOWN:
		cursor_rows(o, a == ACT_UP ? -1 : 1);
		return true;
	case ACT_TOP:
	case ACT_BOTTOM:
		cursor_to(o, a == ACT_TOP ? 0 : o->n - 1);
		return true;
	default:
		return false;
	}
}

/* Backing out of a span, then out of the pane. */
static bool
act_out(struct output_view *o)
{
	if (o->pane == PANE_PROMPT && o->n > 0) {
		o->pane = PANE_TEXT;
		return true;
	}
	if (o->anchor < 0 && o->v.q->span_whole)
		return false;
	o->anchor = -1;
	inquiry_span(o->v.q, 0, 0);
	return true;
}

static bool
act_prompt(struct output_view *o, enum action a)
{
	switch (a) {
	case ACT_EDIT_ACCEPT:
		output_ask(o);
		return true;
	case ACT_EDIT_COMPLETE:
	case ACT_EDIT_PREV_PANE:
		output_pane(o, a == ACT_EDIT_COMPLETE);
		return true;
	case ACT_EDIT_CANCEL:
		app_act(o->v.app, ACT_BACK);
		return true;
	default:
		return false;
	}
}

static bool
output_act(struct view *v, enum action a)
{
	struct output_view *o = self(v);
	if (o->pane == PANE_PROMPT && act_prompt(o, a))
		return true;
	if (o->pane == PANE_TEXT && act_text(o, a))
		return true;
	switch (a) {
	case ACT_BACK: return act_out(o);
	case ACT_OPEN: output_deeper(o); return true;
	case ACT_PROMPT: o->pane = PANE_PROMPT; return true;
	case ACT_AGAIN: output_again(o); return true;
	case ACT_RIBBON: o->ribbon = (enum ribbon)((o->ribbon + 1) % RIBBONS); return true;
	case ACT_SELECT: output_select(o); return true;
	case ACT_SELECT_WORD: select_word(o); return true;
	case ACT_SELECT_LINE: select_line(o); return true;
	case ACT_SELECT_ALL: select_tokens(o, 0, 0); return true;
	case ACT_VERIFY: output_verify(o); return true;
	case ACT_NOISE: v->q->raw = !v->q->raw; return true;
	case ACT_CONTRIBUTOR: output_contributor(o); return true;
	case ACT_NEXT_PANE:
	case ACT_PREV_PANE: output_pane(o, a == ACT_NEXT_PANE); return true;
	default: return false;
	}
}

/* ---- the rest ---- */

static struct listing *
output_listing(struct view *v)
{
	struct output_view *o = self(v);
	return o->pane == PANE_EXAMPLES ? &o->rows.l : o->pane == PANE_CONTRIBUTORS ? &o->people.l : NULL;
}

static struct edit *
output_editing(struct view *v)
{
	return self(v)->pane == PANE_PROMPT ? &self(v)->prompt : NULL;
}

static void
output_title(struct view *v, struct str *out)
{
	if (v->q->saved_id > 0)
		str_addf(out, "query %lld", (long long)v->q->saved_id);
	else
		str_adds(out, "output");
}

static void
output_free(struct view *v)
{
	struct output_view *o = self(v);
	edit_free(&o->prompt);
	rows_free(&o->rows);
	people_free(&o->people);
	str_free(&o->text);
	free(o->byte_of);
	flow_free(&o->flow);
	free(o);
}

static const struct view_ops output_ops = {
	.name = "output", .place = V_OUTPUT,
	.hints = { ACT_OPEN, ACT_PROMPT, ACT_SELECT, ACT_NEXT_PANE, ACT_METHOD, ACT_RIBBON, ACT_AGAIN, ACT_SAVE },
	.free = output_free, .update = output_update, .draw = output_draw, .act = output_act, .title = output_title,
	.listing = output_listing, .editing = output_editing,
};

struct view *
view_output_new(struct app *app, struct inquiry *q)
{
	struct output_view *o = xcalloc(1, sizeof(*o));
	o->v = (struct view){ .ops = &output_ops, .app = app, .q = q, .owns_q = true };
	o->anchor = -1;
	edit_init(&o->prompt, &app->prompts);
	edit_set(&o->prompt, q->prompt ? q->prompt : "");
	o->asked = q->prompt != NULL;
	o->pane = o->asked ? PANE_TEXT : PANE_PROMPT;
	rows_init(&o->rows, q, app->canvas.glyphs);
	people_init(&o->people, q, app->canvas.glyphs);
	return &o->v;
}
