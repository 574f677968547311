/* output_draw: the output view on the canvas. Rows are shared out by how much there is room for. */
#include "view_output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "byline/utf8.h"
#include "describe.h"
#include "setting.h"

enum { SIDE_FROM = 112, PANES_FROM = 72, ROOMY = 14, MEASURE = 110, PEOPLE_COLS = 33, ALL_CHOICES = 26 };

/* ---- sharing out the screen ---- */

static struct plan
plan_make(const struct output_view *o, struct rect r)
{
	struct plan p = {0};
	bool roomy = r.rows >= ROOMY, both = r.cols >= PANES_FROM, side = r.cols >= SIDE_FROM && roomy;
	int row = r.row, want = o->flow.rows * 2;
	p.prompt = (struct rect){ row++, r.col, 1, r.cols };
	if (roomy)
		p.settings = (struct rect){ row++, r.col, 1, r.cols };
	int facts = side || !roomy ? 1 : r.rows >= ALL_CHOICES ? 3 : 2, left = r.row + r.rows - row - 1 - facts;
	int text = roomy ? left * 45 / 100 : left / 2, least = side ? 8 : roomy ? 4 : 2;
	text = text > want ? want : text;
	text = text < least ? least : text;
	p.text = (struct rect){ row + 1, r.col + 1, text, r.cols - 2 - (side ? SIDE_COLS + 1 : 0) };
	if (side)
		p.side = (struct rect){ row + 1, r.col + r.cols - SIDE_COLS, text, SIDE_COLS };
	row += 1 + text;
	p.facts = (struct rect){ row, r.col, facts, r.cols };
	row += facts;
	struct rect lists = { row, r.col, r.row + r.rows - row, r.cols };
	p.examples = p.people = lists;
	if (both) {
		p.people.cols = r.cols * 2 / 5 > PEOPLE_COLS ? r.cols * 2 / 5 : PEOPLE_COLS;
		p.examples.cols = r.cols - p.people.cols - 1;
		p.people.col = r.col + p.examples.cols + 1;
	} else if (o->pane == PANE_CONTRIBUTORS) {
		p.examples.rows = 0;
	} else {
		p.people.rows = 0;
	}
	return p;
}

/* ---- prompt and settings ---- */

static void
draw_prompt(struct output_view *o, struct canvas *c, const struct plan *p)
{
	bool typing = o->pane == PANE_PROMPT && o->v.app->line == LINE_NONE;
	struct inquiry *q = o->v.q;
	int used = canvas_str(c, p->prompt.row, 1, 8, typing ? INK_FOCUS : INK_DIM, "Prompt  ");
	edit_draw(&o->prompt, c, p->prompt.row, 1 + used, p->prompt.cols - used - 2, INK_TEXT, typing);
	if (p->settings.rows == 0)
		return;
	struct str s = {0};
	setting_show(&q->sample, c->glyphs, &s);
	if (q->target)
		str_addf(&s, " %s continuation given", c->glyphs->dot);
	canvas_str(c, p->settings.row, 9, p->settings.cols - 10, INK_DIM, s.s);
	str_free(&s);
}

/* ---- text and ribbon ---- */

struct ribbon_values { float *v; double largest; };

struct painter {
	const struct output_view *o;
	struct ribbon_values ribbon;
	bool span;
};

static enum ink
paint_ink(void *arg, int32_t token, uint32_t byte)
{
	const struct painter *p = arg;
	const struct output_view *o = p->o;
	const struct inquiry *q = o->v.q;
	(void)byte;
	if (token < 0)
		return INK_DIM;
	if (token == o->cursor && o->pane == PANE_TEXT)
		return INK_CURSOR;
	return p->span && token >= q->wish.from && token < q->wish.to ? INK_SPAN : INK_TEXT;
}

static int
paint_level(void *arg, int32_t token)
{
	const struct painter *p = arg;
	return p->ribbon.v ? describe_level((double)p->ribbon.v[token], p->ribbon.largest) : 0;
}

/* A byte of a stretch that stands word for word in the corpus. */
static bool
paint_under(void *arg, int32_t token, uint32_t byte)
{
	const struct output_view *o = ((const struct painter *)arg)->o;
	const struct spans *v = &o->v.q->verbatim;
	if (token < 0 || o->n == 0)
		return false;
	uint32_t at = byte - o->byte_of[0];
	for (size_t i = 0; i < v->n && v->span[i].from <= at; i++)
		if (at < v->span[i].to)
			return true;
	return false;
}

static void
verbatim_legend(const struct inquiry *q, struct str *out)
{
	const struct spans *v = &q->verbatim;
	if (!v->done)
		str_adds(out, "ribbon: verbatim, being looked for");
	else if (v->failed[0])
		str_adds(out, "ribbon: verbatim (7 says why there is none)");
	else
		str_addf(out, "ribbon: verbatim, %zu stretch%s", v->n, v->n == 1 ? "" : "es");
}

/* What the ribbon shows: the pushes of the example under the cursor, or of all, or how surprised the model was. */
static bool
ribbon_values(struct output_view *o, struct ribbon_values *out, struct str *legend)
{
	struct inquiry *q = o->v.q;
	uint32_t example;
	float *v = xcalloc((size_t)o->n + 1, sizeof(*v));
	bool have = false;
	if (o->ribbon == RIBBON_SURPRISE) {
		struct token_fact f;
		for (int i = 0; i < o->n && inquiry_fact(q, i, &f); i++)
			v[i] = -f.logprob;
		str_adds(legend, "ribbon: surprise, a step a nat");
		have = true;
	} else if (o->ribbon == RIBBON_INFLUENCE && o->pane == PANE_EXAMPLES && q->scored
		&& q->query && rows_at(&o->rows, &example)) {
		have = q->source->ops->row(q->source, q->query, example, v);
		str_adds(legend, "ribbon: where this example pushes");
	} else if (o->ribbon == RIBBON_INFLUENCE && q->strength) {
		memcpy(v, q->strength, (size_t)o->n * sizeof(*v));
		str_adds(legend, "ribbon: influence");
		have = true;
	}
	out->v = have ? v : NULL;
	out->largest = o->ribbon == RIBBON_SURPRISE ? 8 : 0;
	for (int i = 0; have && i < o->n && o->ribbon != RIBBON_SURPRISE; i++)
		out->largest = fmax(out->largest, fabs((double)v[i]));
	if (!have) {
		str_clear(legend);
		free(v);
	}
	return have;
}

static void
text_heading(struct output_view *o, struct canvas *c, const struct plan *p, const char *legend)
{
	struct inquiry *q = o->v.q;
	struct str title = {0};
	str_adds(&title, "Output");
	if (q->query && q->query->prompt_seen < q->query->prompt_tokens)
		str_addf(&title, "  prompt cut to %d of %d tokens", q->query->prompt_seen, q->query->prompt_tokens);
	else if (o->n > 0)
		str_addf(&title, "  %d tokens", o->n);
	if (q->stage == STAGE_ASK)
		str_adds(&title, ", being written");
	else if (q->halted && !q->query)
		str_adds(&title, q->err == OK || q->err == ERR_CANCELLED ? ", stopped" : ", failed");
	else if (q->expected && q->query)
		str_adds(&title, strcmp(q->expected, q->query->output.s) == 0 ? ", the bytes that were saved"
			: ", NOT what was saved: another checkpoint or machine");
	else if (q->span_whole && inquiry_ranked(q) && isfinite(q->standing->rests_on))
		str_addf(&title, ", rests on about %.1f works", q->standing->rests_on);
	heading_draw(c, p->text.row - 1, 0, p->side.rows > 0 ? p->side.col : c->cols, o->pane == PANE_TEXT, title.s,
		legend);
	str_free(&title);
}

static void
draw_empty(struct output_view *o, struct canvas *c, const struct plan *p)
{
	struct inquiry *q = o->v.q;
	const char *s = "Type what the model should go on from, and press Enter.";
	if (q->err != OK && q->err != ERR_CANCELLED)
		canvas_str(c, p->text.row, p->text.col, p->text.cols, INK_BAD, q->error);
	else if (q->query)
		canvas_str(c, p->text.row + 1, p->text.col, p->text.cols, INK_WARN,
			"The model ended its output at once: r tries the next seed.");
	else if (q->stage == STAGE_NONE)
		canvas_str(c, p->text.row, p->text.col, p->text.cols, INK_DIM, s);
}

static void
draw_text(struct output_view *o, struct canvas *c, const struct plan *p)
{
	struct str legend = {0};
	struct painter painter = { .o = o, .span = !o->v.q->span_whole };
	str_clear(&legend);
	bool ribbon = ribbon_values(o, &painter.ribbon, &legend), verbatim = o->ribbon == RIBBON_VERBATIM;
	if (verbatim)
		verbatim_legend(o->v.q, &legend);
	text_heading(o, c, p, legend.s);
	struct flow_paint paint = { .arg = &painter, .ink = paint_ink, .level = ribbon ? paint_level : NULL,
		.under = verbatim ? paint_under : NULL };
	int row = flow_token_row(&o->flow, o->n > 0 ? o->cursor : 0);
	flow_measure(&o->flow, &paint);
	/* While it is being written, the end is what one looks at. */
	if (o->v.q->stage == STAGE_ASK)
		row = o->flow.rows - 1;
	o->top = flow_scroll(&o->flow, o->top, p->text.rows, row > 0 ? row : 0);
	flow_draw(&o->flow, c, p->text, o->top, &paint);
	if (o->pane == PANE_TEXT && o->v.app->line == LINE_NONE)
		canvas_park(c, p->text.row + flow_below(&o->flow, o->top, row),
			p->text.col + flow_token_col(&o->flow, o->cursor), false);
	if (o->n == 0 && (o->flow.n == 0 || o->v.q->query))
		draw_empty(o, c, p);
	free(painter.ribbon.v);
	str_free(&legend);
}

/* ---- lists ---- */

static void
draw_lists(struct output_view *o, struct canvas *c, const struct plan *p)
{
	struct rect r = p->examples;
	if (r.rows > 1)
		rows_draw(&o->rows, c, r, o->pane == PANE_EXAMPLES, "Examples  ", false);
	r = p->people;
	if (r.rows > 1) {
		heading_draw(c, r.row, r.col, r.cols, o->pane == PANE_CONTRIBUTORS, "Contributors", NULL);
		people_draw(&o->people, c, (struct rect){ r.row + 1, r.col, r.rows - 1, r.cols },
			o->pane == PANE_CONTRIBUTORS);
	}
	if (p->examples.rows > 1 && p->people.rows > 1) {
		canvas_fill(c, (struct rect){ r.row + 1, r.col - 1, r.rows - 1, 1 }, c->glyphs->vrule, INK_DIM);
		canvas_fill(c, (struct rect){ r.row, r.col - 1, 1, 1 }, c->glyphs->tee_down, INK_DIM);
	}
}

void
output_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct output_view *o = (struct output_view *)v;
	int cols = r.cols - 2 - (r.cols >= SIDE_FROM && r.rows >= ROOMY ? SIDE_COLS + 1 : 0);
	/* Longer lines are hard to read. */
	cols = cols > MEASURE ? MEASURE : cols;
	struct flow_text text = {
		.s = o->text.s, .n = o->text.len, .byte_of = o->byte_of, .n_tokens = o->n, .ascii = c->glyphs->ascii,
		.line_ends = true,
	};
	flow_lay(&o->flow, &text, cols);
	struct plan p = plan_make(o, r);
	draw_text(o, c, &p);
	output_draw_facts(o, c, &p);
	if (p.side.rows > 0)
		output_draw_side(o, c, p.side);
	draw_lists(o, c, &p);
	draw_prompt(o, c, &p);
}
