/* verify_draw: what will be done, what is being done, and what came of it. */
#include "view_verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "describe.h"
#include "flow.h"

enum { NAMED_MOST = 12 };

/* ---- before ---- */

void
verify_page_ask(struct verify_view *k)
{
	struct page *p = &k->page;
	const struct glyphs *g = p->canvas.glyphs;
	page_fact(p, "left out", "%s", k->ask.removed);
	page_fact(p, "passage", "token%s %d%s%d, %s%s%s", k->n == 1 ? "" : "s", k->ask.from, g->dash, k->ask.to - 1,
		g->open_quote, k->passage.s, g->close_quote);
	page_fact(p, "ranked by", "%s", k->ask.method->title);
}

void
verify_page_offer(struct verify_view *k, double seconds)
{
	struct page *p = &k->page;
	struct str s = {0};
	p->row++;
	page_say(p, INK_TEXT, "The run is trained again from its first step, bit for bit: once with everything, once "
		"without what is left out, and %d times without as many others, chosen at random. How probable the "
		"passage is to each of these models says what its absence really does, beside what was predicted.",
		k->ask.options.controls);
	p->row++;
	describe_duration(seconds, &s);
	page_say(p, INK_ACCENT, "That takes %s here. Enter starts it; the explorer can be used meanwhile.", s.s);
	str_free(&s);
}

void
verify_page_running(struct verify_view *k, struct trial *t)
{
	struct page *p = &k->page;
	struct job_view look;
	struct str s = {0};
	job_look(&t->worker.job, &look);
	p->row++;
	str_addf(&s, "%s", look.phase[0] ? look.phase : "training again");
	if (look.total > 0)
		str_addf(&s, "  %" PRIu64 " of %" PRIu64, look.done, look.total);
	if (look.note[0])
		str_addf(&s, "  %s", look.note);
	page_say(p, INK_ACCENT, "%s", s.s);
	if (look.total > 0)
		canvas_bar(&p->canvas, p->row, 1, p->cols < 62 ? p->cols - 2 : 60, INK_ACCENT, (double)look.done,
			(double)look.total);
	p->row += 2;
	str_clear(&s);
	describe_duration(t->seconds, &s);
	page_say(p, INK_TEXT, "It takes %s in all. Esc stops it; any other way out of this view leaves it running.",
		s.s);
	str_free(&s);
}

/* ---- after ---- */

enum { ROW_PREDICTED, ROW_CALIBRATED, ROW_OBSERVED, ROW_CONTROLS };
enum { COL_WHAT, COL_NATS, COL_AXIS, COLS };
static const struct column columns[COLS] = {
	[COL_WHAT] = { "", 12, 0, false, false, 9 },
	[COL_NATS] = { "nats", 8, 0, true, false, 9 },
	[COL_AXIS] = { "", 12, 1, false, false, 9 },
};

struct result { const struct whatif *w; double least, most; int decimals; };

static double
result_value(const struct whatif *w, size_t row)
{
	const double value[] = { w->predicted, w->calibrated, w->observed };
	return row < ROW_CONTROLS ? value[row] : w->control[row - ROW_CONTROLS];
}

static size_t
result_rows(const struct whatif *w)
{
	return ROW_CONTROLS + (size_t)w->options.controls;
}

static void
result_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	static const char *const names[] = { "predicted", "calibrated", "observed" };
	const struct result *r = arg;
	double v = result_value(r->w, i);
	out->ink = i == ROW_OBSERVED ? INK_ACCENT : i < ROW_CONTROLS ? INK_TEXT : INK_DIM;
	if (column == COL_WHAT && i < ROW_CONTROLS)
		str_adds(&out->text, names[i]);
	else if (column == COL_WHAT)
		str_addf(&out->text, "random %zu", i - ROW_CONTROLS + 1);
	else if (column == COL_NATS && isfinite(v))
		str_addf(&out->text, "%+.*f", r->decimals, v);
	else if (column == COL_NATS)
		str_adds(&out->text, "-");
	out->whiskered = column == COL_AXIS;
	out->whisker = (struct whisker){ v, v, v, r->least, r->most };
}

static void
result_table(struct page *p, const struct whatif *w)
{
	struct result r = { .w = w };
	for (size_t i = 0; i < result_rows(w); i++) {
		double v = result_value(w, i);
		r.least = isfinite(v) ? fmin(r.least, v) : r.least;
		r.most = isfinite(v) ? fmax(r.most, v) : r.most;
	}
	r.decimals = describe_decimals(fmax(r.most, -r.least));
	const struct table t = { .columns = columns, .n = COLS, .cell = result_cell, .arg = &r };
	page_table(p, &t, result_rows(w));
}

/* Root mean square of what random removals did. */
static double
result_chance(const struct whatif *w)
{
	double sum = 0;
	for (int i = 0; i < w->options.controls; i++)
		sum += w->control[i] * w->control[i];
	return w->options.controls > 0 ? sqrt(sum / w->options.controls) : (double)NAN;
}

static void
result_words(struct page *p, const struct whatif *w)
{
	double chance = result_chance(w), times = fabs(w->observed) / chance;
	struct str s = {0};
	int decimals = describe_decimals(fmax(fabs(w->observed), fabs(w->predicted)));
	str_addf(&s, "In plain words: without %s the passage is %.*f nats %s likely; predicted were %.*f nats %s. ",
		w->n_removed == 1 ? "this example" : "these examples", decimals, fabs(w->observed),
		w->observed >= 0 ? "less" : "more", decimals, fabs(w->predicted), w->predicted >= 0 ? "less" : "more");
	if (isfinite(times) && times >= 2)
		str_addf(&s, "Random removals of the same size moved it by %.*f: this one did %.*f times as much.",
			decimals, chance, times < 9.95 ? 1 : 0, times);
	else if (isfinite(chance))
		str_addf(&s, "Random removals of the same size moved it by %.*f: what this one did cannot be told from "
			"chance.", decimals, chance);
	page_words(p, INK_TEXT, s.s, s.len);
	str_free(&s);
}

struct painter { const struct whatif *w; double largest; };

static int
token_level(void *arg, int32_t token)
{
	const struct painter *k = arg;
	return token >= 0 ? describe_level(k->w->token[token], k->largest) : 0;
}

static enum ink
token_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)arg;
	(void)token;
	(void)byte;
	return INK_TEXT;
}

/* The passage with what happened to each of its tokens. */
static void
result_tokens(struct verify_view *k, const struct whatif *w)
{
	struct page *p = &k->page;
	struct painter painter = { .w = w };
	struct flow f = {0};
	if (!w->token || w->to - w->from != k->n)
		return;
	for (int i = 0; i < k->n; i++)
		painter.largest = fmax(painter.largest, fabs(w->token[i]));
	const struct flow_text text = { .s = k->passage.s, .n = k->passage.len, .byte_of = k->byte_of, .n_tokens = k->n,
		.ascii = p->canvas.glyphs->ascii };
	const struct flow_paint paint = { .arg = &painter, .ink = token_ink, .level = token_level };
	int cols = p->cols - 2 < PAGE_MEASURE ? p->cols - 2 : PAGE_MEASURE;
	struct str note = {0};
	str_addf(&note, "%s %+.2g less likely", p->canvas.glyphs->helped[8], painter.largest);
	page_heading(p, "What happened to each token", note.s);
	flow_lay(&f, &text, cols);
	flow_draw(&f, &p->canvas, (struct rect){ p->row, 1, f.rows * 2, cols }, 0, &paint);
	p->row += f.rows * 2;
	flow_free(&f);
	str_free(&note);
}

static void
result_removed(struct verify_view *k, const struct whatif *w)
{
	struct source *s = k->v.app->source;
	struct page *p = &k->page;
	struct str n = {0};
	describe_count((int64_t)w->n_removed, "example", "examples", &n);
	str_adds(&n, ", ");
	describe_count((int64_t)w->tokens_removed, "token", "tokens", &n);
	page_heading(p, "What was left out", n.s);
	for (size_t i = 0; i < w->n_removed && i < NAMED_MOST; i++) {
		const struct example *e = s->ops->example(s, w->removed[i]);
		const struct work *work = e ? s->ops->work(s, e->work) : NULL;
		str_clear(&n);
		describe_title(work, &n);
		str_adds(&n, " by ");
		describe_people(work, &n);
		canvas_str(&p->canvas, p->row++, 1, p->cols - 2, INK_TEXT, n.s);
	}
	if (w->n_removed > NAMED_MOST)
		page_say(p, INK_DIM, "and %zu more", w->n_removed - NAMED_MOST);
	str_free(&n);
}

void
verify_page_result(struct verify_view *k, const struct whatif *w)
{
	struct page *p = &k->page;
	struct str s = {0};
	p->row++;
	result_words(p, w);
	page_heading(p, "How much less likely the passage became", NULL);
	result_table(p, w);
	result_tokens(k, w);
	result_removed(k, w);
	page_heading(p, "How far this can be relied on", NULL);
	page_fact(p, "repetition", "%s", w->bit_exact ? "bit-exact: trained again with everything, the run's own "
		"weights came out" : "NOT bit-exact: trained again with everything, other weights came out than "
		"the run's own; the two repetitions can still be compared with each other");
	page_fact(p, "calibrated", "%s", isfinite(w->calibrated) ? "the prediction times the slope measured in this "
		"store" : "not known: byline eval measures the slope");
	describe_duration(w->seconds, &s);
	page_fact(p, "took", "%s", s.s);
	str_free(&s);
}
