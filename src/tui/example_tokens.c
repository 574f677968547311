/* example_tokens: which tokens of the example moved which of the output, in both directions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "byline/utf8.h"
#include "describe.h"
#include "view_example.h"

enum { STRIP_ROWS = 4, STRIP_FROM = 15, STRIP_LEAST = 7 };

const struct token_influence *
example_tokens(const struct example_view *e)
{
	const struct two_way *t = &e->v.q->tokens;
	bool fits = t->t && t->example == e->example && t->t->n_in == e->n && t->t->to - t->t->from == e->n_passage;
	return fits ? t->t : NULL;
}

/* ---- what is there ---- */

static void
passage_take(struct example_view *e)
{
	const struct query *q = e->v.q->query;
	int from = e->v.q->wish.from, to = e->v.q->wish.to;
	free(e->passage_at);
	e->passage_at = NULL;
	e->n_passage = 0;
	str_clear(&e->passage);
	if (!q || to > q->n_out || from >= to)
		return;
	e->n_passage = to - from;
	e->passage_at = xcalloc((size_t)e->n_passage + 1, sizeof(*e->passage_at));
	for (int i = 0; i <= e->n_passage; i++)
		e->passage_at[i] = q->byte_of[from + i] - q->byte_of[from];
	str_add(&e->passage, q->output.s + q->byte_of[from], q->byte_of[to] - q->byte_of[from]);
}

static int
clamp(int v, int n)
{
	return v < 0 || n <= 0 ? 0 : v >= n ? n - 1 : v;
}

void
example_tokens_update(struct example_view *e)
{
	struct inquiry *q = e->v.q;
	passage_take(e);
	e->out = clamp(e->out, e->n_passage);
	e->in = clamp(e->in, e->n);
	if (e->focus == FOCUS_READ && !e->layers)
		return;
	if (q->query && !q->halted)
		inquiry_tokens_of(q, e->example);
	if (!q->tokens.done || q->tokens.t)
		return;
	app_say(e->v.app, INK_WARN, "%s", q->tokens.failed);
	e->focus = FOCUS_READ;
	e->layers = false;
}

/* ---- acting ---- */

static bool
tokens_possible(struct example_view *e)
{
	struct inquiry *q = e->v.q;
	if (!q->query || e->n_passage == 0)
		app_say(e->v.app, INK_WARN, "nothing was asked yet");
	else if (q->source->info.first_query)
		app_say(e->v.app, INK_WARN, "imported scores have no part for each token of an example, and no layers");
	else if (!q->source->info.indexed)
		app_say(e->v.app, INK_WARN, "the run has no index, so nothing is known token by token (byline index)");
	else
		return true;
	return false;
}

static void
tokens_focus(struct example_view *e, bool forward)
{
	if (tokens_possible(e))
		e->focus = (enum example_focus)((e->focus + (forward ? 1 : FOCUSES - 1)) % FOCUSES);
}

static void
tokens_layers(struct example_view *e)
{
	e->layers = !e->layers && tokens_possible(e);
	e->layer_top = 0;
}

/* Arrows move the cursor as they do in the output. */
static bool
cursor_move(int *cursor, int n, struct flow *f, enum action a)
{
	int row = flow_token_row(f, *cursor), col = flow_token_col(f, *cursor), by = a == ACT_UP ? -1 : 1;
	int32_t token;
	switch (a) {
	case ACT_LEFT:
	case ACT_RIGHT:
		*cursor = clamp(*cursor + (a == ACT_LEFT ? -1 : 1), n);
		return true;
	case ACT_UP:
	case ACT_DOWN:
		token = flow_token_at(f, clamp(row + by, f->rows), col);
		*cursor = token >= 0 ? clamp(token, n) : *cursor;
		return true;
	case ACT_TOP:
	case ACT_BOTTOM:
		*cursor = a == ACT_TOP ? 0 : clamp(n - 1, n);
		return true;
	default:
		return false;
	}
}

static bool
layers_act(struct example_view *e, enum action a)
{
	if (a != ACT_UP && a != ACT_DOWN)
		return false;
	e->layer_top = clamp(e->layer_top + (a == ACT_UP ? -1 : 1), 1 << 16);
	return true;
}

bool
example_tokens_act(struct example_view *e, enum action a)
{
	if (a == ACT_NEXT_PANE || a == ACT_PREV_PANE || a == ACT_LAYERS) {
		if (a == ACT_LAYERS)
			tokens_layers(e);
		else
			tokens_focus(e, a == ACT_NEXT_PANE);
		example_tokens_update(e);
		return true;
	}
	if (a == ACT_BACK && (e->focus != FOCUS_READ || e->layers)) {
		e->focus = FOCUS_READ;
		e->layers = false;
		return true;
	}
	if (e->layers && e->focus != FOCUS_OUT)
		return layers_act(e, a);
	if (e->focus == FOCUS_OUT)
		return cursor_move(&e->out, e->n_passage, &e->strip, a);
	return e->focus == FOCUS_IN && cursor_move(&e->in, e->n, &e->flow, a);
}

/* ---- numbers ---- */

bool
example_mark(const struct example_view *e, int token, double *out)
{
	const struct token_influence *t = example_tokens(e);
	const struct marks *m = &e->v.q->marks;
	if (token < 0 || token >= e->n)
		return false;
	if (e->focus == FOCUS_OUT && t) {
		*out = (double)t->matrix[(size_t)e->out * (size_t)t->n_in + (size_t)token];
		return true;
	}
	if (!m->ready || m->example != e->example)
		return false;
	*out = (double)m->mark[token];
	return true;
}

static double
row_sum(const struct token_influence *t, int i)
{
	double sum = 0;
	for (int j = 0; j < t->n_in; j++)
		sum += (double)t->matrix[(size_t)i * (size_t)t->n_in + (size_t)j];
	return sum;
}

/* What the example does to token i of the span, or what the chosen token of it does. */
static bool
strip_values(const struct example_view *e, double *v)
{
	const struct token_influence *t = example_tokens(e);
	struct inquiry *q = e->v.q;
	if (t) {
		for (int i = 0; i < e->n_passage; i++)
			v[i] = e->focus == FOCUS_IN ? (double)t->matrix[(size_t)i * (size_t)t->n_in + (size_t)e->in]
				: row_sum(t, i);
		return true;
	}
	if (!q->query || !q->scored)
		return false;
	float *row = xcalloc((size_t)q->query->n_out + 1, sizeof(*row));
	bool have = q->source->ops->row(q->source, q->query, e->example, row);
	for (int i = 0; have && i < e->n_passage; i++)
		v[i] = (double)row[q->wish.from + i];
	free(row);
	return have;
}

/* ---- drawing ---- */

int
example_strip_rows(struct example_view *e, const struct canvas *c, int rows, int cols)
{
	const struct flow_text text = { .s = e->passage.s, .n = e->passage.len, .byte_of = e->passage_at,
		.n_tokens = e->n_passage, .ascii = c->glyphs->ascii };
	bool wanted = rows >= STRIP_FROM || (e->focus != FOCUS_READ && rows >= STRIP_LEAST);
	if (e->n_passage == 0 || !wanted)
		return 0;
	flow_lay(&e->strip, &text, cols);
	int need = 2 * e->strip.rows, most = rows >= STRIP_FROM ? STRIP_ROWS : 2;
	return 1 + (need < most ? need : most);
}

static void
add_quoted(const struct canvas *c, const char *s, size_t n, struct str *out)
{
	struct str shown = {0};
	canvas_shown(c, &shown, s, n);
	str_adds(out, c->glyphs->open_quote);
	text_fit(out, shown.s, shown.len, 16, c->glyphs->ellipsis);
	str_adds(out, c->glyphs->close_quote);
	str_free(&shown);
}

static void
strip_title(const struct example_view *e, const struct canvas *c, const double *v, struct str *out)
{
	const struct token_influence *t = example_tokens(e);
	if (e->focus != FOCUS_READ && !t)
		str_adds(out, "Token by token: being worked out");
	else if (e->focus == FOCUS_OUT) {
		add_quoted(c, e->passage.s + e->passage_at[e->out], e->passage_at[e->out + 1] - e->passage_at[e->out],
			out);
		str_addf(out, " %+.3g; above, by which of its tokens", v[e->out]);
	} else if (e->focus == FOCUS_IN) {
		double sum = 0;
		for (int i = 0; i < e->n_passage; i++)
			sum += v[i];
		add_quoted(c, e->text.s + e->byte_of[e->in], e->byte_of[e->in + 1] - e->byte_of[e->in], out);
		str_addf(out, " %+.3g; below, on which tokens", sum);
	} else {
		str_adds(out, "Pushes in the output");
	}
}

/* It is what exact influence says, whatever the ranking is by. */
static const char *
whose_score(const struct example_view *e)
{
	const struct method *m = e->v.q->wish.method;
	bool own = !m || strcmp(m->name, "influence") == 0 || strcmp(m->name, "ekfac") == 0;
	return own ? "" : " by influence";
}

/* All of it sums to the score; whoever looks may see that it does. */
static void
strip_note(const struct example_view *e, struct str *out)
{
	const struct token_influence *t = example_tokens(e);
	double sum = 0;
	for (int i = 0; t && i < e->n_passage; i++)
		sum += row_sum(t, i);
	if (t && fabs(sum - t->score) <= 1e-3 * fabs(t->score) + 1e-6)
		str_addf(out, "sums to %+.3g, the score%s", sum, whose_score(e));
	else if (t)
		str_addf(out, "sums to %+.3g, NOT the score%s %+.3g", sum, whose_score(e), t->score);
}

struct strip_painter { const struct example_view *e; const double *v; double largest; };

static enum ink
strip_ink(void *arg, int32_t token, uint32_t byte)
{
	const struct example_view *e = ((const struct strip_painter *)arg)->e;
	(void)byte;
	return e->focus == FOCUS_OUT && token == e->out ? INK_CURSOR : INK_TEXT;
}

static int
strip_level(void *arg, int32_t token)
{
	const struct strip_painter *p = arg;
	return describe_level(p->v[token], p->largest);
}

void
example_strip_draw(struct example_view *e, struct canvas *c, struct rect r)
{
	double *v = xcalloc((size_t)e->n_passage + 1, sizeof(*v));
	struct strip_painter painter = { .e = e, .v = v };
	struct str title = {0}, note = {0};
	bool have = strip_values(e, v);
	for (int i = 0; i < e->n_passage; i++)
		painter.largest = fmax(painter.largest, fabs(v[i]));
	str_clear(&note);
	strip_title(e, c, v, &title);
	strip_note(e, &note);
	const struct flow_paint paint = { .arg = &painter, .ink = strip_ink, .level = have ? strip_level : NULL };
	int row = flow_token_row(&e->strip, e->out);
	flow_measure(&e->strip, &paint);
	e->strip_top = flow_scroll(&e->strip, e->strip_top, r.rows - 1, row);
	heading_draw(c, r.row, 0, c->cols, e->focus == FOCUS_OUT, title.s, note.s);
	flow_draw(&e->strip, c, (struct rect){ r.row + 1, r.col, r.rows - 1, r.cols }, e->strip_top, &paint);
	if (e->focus == FOCUS_OUT)
		canvas_park(c, r.row + 1 + flow_below(&e->strip, e->strip_top, row),
			r.col + flow_token_col(&e->strip, e->out), false);
	free(v);
	str_free(&title);
	str_free(&note);
}
