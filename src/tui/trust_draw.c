/* trust_draw: the page of the trust view: words, tables, plot, facts. */
#include "view_trust.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "byline/mem.h"
#include "describe.h"
#include "flow.h"
#include "plot.h"
#include "table.h"

enum { PAGE_MOST = 400, PLOT_COLS = 76, MEASURE = 96, LABEL_COLS = 24 };

struct page { struct canvas *c; const struct trust *t; int row, cols; double least, most; };

/* ---- words ---- */

static enum ink
words_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)token;
	(void)byte;
	return *(const enum ink *)arg;
}

static void
page_words(struct page *p, const char *s, size_t n, enum ink ink)
{
	struct flow f = {0};
	int cols = p->cols - 2 < MEASURE ? p->cols - 2 : MEASURE;
	const struct flow_text text = { .s = s, .n = n, .ascii = p->c->glyphs->ascii };
	const struct flow_paint paint = { .arg = &ink, .ink = words_ink };
	flow_lay(&f, &text, cols);
	flow_draw(&f, p->c, (struct rect){ p->row, 1, f.rows, cols }, 0, &paint);
	p->row += f.rows;
	flow_free(&f);
}

static void
page_heading(struct page *p, const char *title, const char *note)
{
	heading_draw(p->c, ++p->row, 0, p->cols, false, title, note);
	p->row++;
}

/* ---- tables ---- */

enum { LDS_NAME, LDS_VALUE, LDS_RANGE, LDS_BAR, LDS_HELDOUT, LDS_GENERATED, LDS_OTHER, LDS_COLS };
static const struct column lds_columns[LDS_COLS] = {
	[LDS_NAME] = { "method", 12, 1, false, false, 9 },
	[LDS_VALUE] = { "LDS", 5, 0, true, false, 9 },
	[LDS_RANGE] = { "95 %", 13, 0, true, false, 5 },
	[LDS_BAR] = { "", 10, 3, false, false, 6 },
	[LDS_HELDOUT] = { "held out", 8, 0, true, false, 3 },
	[LDS_GENERATED] = { "written", 7, 0, true, false, 2 },
	[LDS_OTHER] = { "other seed", 10, 0, true, false, 4 },
};

static void
add_number(struct str *out, double v, int decimals)
{
	if (isfinite(v))
		str_addf(out, "%.*f", decimals, v);
	else
		str_adds(out, "-");
}

static void
lds_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct page *p = arg;
	const struct method_trust *m = &p->t->method[i];
	const double value[LDS_COLS] = {
		[LDS_VALUE] = m->lds.value, [LDS_HELDOUT] = m->lds_heldout.value,
		[LDS_GENERATED] = m->lds_generated.value, [LDS_OTHER] = m->lds_other_seed.value,
	};
	out->ink = m->is_default ? INK_ACCENT : INK_TEXT;
	if (column == LDS_NAME)
		str_addf(&out->text, "%s%s", m->name, m->is_default ? " *" : "");
	else if (column == LDS_RANGE && isfinite(m->lds.lo) && isfinite(m->lds.hi))
		str_addf(&out->text, "%.2f to %.2f", m->lds.lo, m->lds.hi);
	else if (column == LDS_BAR)
		out->whisker = (struct whisker){ m->lds.value, m->lds.lo, m->lds.hi, p->least, p->most };
	else if (column != LDS_RANGE)
		add_number(&out->text, value[column], 2);
	out->whiskered = column == LDS_BAR;
}

enum {
	MORE_NAME, MORE_R, MORE_SIZE, MORE_PARTIAL, MORE_SLOPE, MORE_NDCG, MORE_VARIETY, MORE_BYTES, MORE_TIME,
	MORE_COLS
};
static const struct column more_columns[MORE_COLS] = {
	[MORE_NAME] = { "method", 12, 1, false, false, 9 },
	[MORE_R] = { "people r", 8, 0, true, false, 9 },
	[MORE_SIZE] = { "by size", 7, 0, true, false, 8 },
	[MORE_PARTIAL] = { "beyond", 6, 0, true, false, 3 },
	[MORE_SLOPE] = { "slope", 5, 0, true, false, 4 },
	[MORE_NDCG] = { "NDCG@20", 7, 0, true, false, 7 },
	[MORE_VARIETY] = { "variety", 7, 0, true, false, 2 },
	[MORE_BYTES] = { "bytes", 6, 0, true, false, 6 },
	[MORE_TIME] = { "s/query", 7, 0, true, false, 1 },
};

static void
more_cell(void *arg, size_t i, int column, struct table_cell *out)
{
	const struct method_trust *m = &((const struct page *)arg)->t->method[i];
	const double value[MORE_COLS] = {
		[MORE_R] = m->contributor_r, [MORE_SIZE] = m->contributor_r_size,
		[MORE_PARTIAL] = m->contributor_partial, [MORE_SLOPE] = m->slope, [MORE_NDCG] = m->ndcg20,
		[MORE_VARIETY] = m->cardinality,
	};
	out->ink = m->is_default ? INK_ACCENT : INK_TEXT;
	if (column == MORE_NAME)
		str_addf(&out->text, "%s%s", m->name, m->is_default ? " *" : "");
	else if (column == MORE_BYTES && m->bytes_per_example == 0)
		str_adds(&out->text, "-");
	else if (column == MORE_BYTES)
		str_addf(&out->text, "%" PRId64, m->bytes_per_example);
	else if (column == MORE_TIME)
		str_addf(&out->text, "%.2g", m->seconds_per_query);
	else
		add_number(&out->text, value[column], 2);
}

static void
page_table(struct page *p, const struct column *columns, int n,
	void (*cell)(void *arg, size_t row, int column, struct table_cell *out))
{
	const struct table table = { .columns = columns, .n = n, .cell = cell, .arg = p };
	int cols = p->cols < MEASURE + 24 ? p->cols : MEASURE + 24;
	table_draw_head(&table, p->c, p->row++, 0, cols, -1, false);
	for (int i = 0; i < p->t->n_methods; i++)
		table_draw_row(&table, p->c, p->row++, 0, cols, (size_t)i, false);
}

/* ---- plot ---- */

static void
plot_point(void *arg, int i, double *x, double *y)
{
	const struct calibration_point *p = &((const struct page *)arg)->t->point[i];
	*x = p->predicted;
	*y = p->observed;
}

static void
page_plot(struct page *p)
{
	const struct method_trust *m = NULL;
	struct str note = {0};
	for (int i = 0; i < p->t->n_methods; i++)
		if (p->t->method[i].is_default)
			m = &p->t->method[i];
	str_clear(&note);
	if (m && isfinite(m->slope))
		str_addf(&note, "the line: slope %.2f %s%.2f", m->slope, p->c->glyphs->plus_minus, m->slope_error);
	page_heading(p, "Predicted and observed", note.s);
	struct plot plot = {
		.arg = p, .point = plot_point, .n = p->t->n_points, .slope = m ? m->slope : (double)NAN,
		.x_title = "predicted, nats a token", .y_title = "observed, nats a token",
	};
	int cols = p->cols - 4 < PLOT_COLS ? p->cols - 4 : PLOT_COLS;
	int rows = p->cols >= 120 ? 24 : p->cols >= 60 ? 17 : 12;
	if (p->t->n_points > 0) {
		plot_draw(p->c, (struct rect){ p->row, 1, rows, cols }, &plot);
		p->row += rows;
	} else {
		canvas_str(p->c, p->row++, 1, p->cols - 2, INK_DIM, "no points yet");
	}
	str_free(&note);
}

/* ---- facts ---- */

static void __attribute__((format(printf, 3, 4)))
page_fact(struct page *p, const char *label, const char *fmt, ...)
{
	struct str s = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	int at = p->cols >= 72 ? LABEL_COLS : 14, cols = p->cols - at - 2;
	struct flow f = {0};
	enum ink ink = INK_TEXT;
	const struct flow_text text = { .s = s.s, .n = s.len, .ascii = p->c->glyphs->ascii };
	const struct flow_paint paint = { .arg = &ink, .ink = words_ink };
	flow_lay(&f, &text, cols < MEASURE ? cols : MEASURE);
	canvas_str(p->c, p->row, 1, at - 2, INK_DIM, label);
	flow_draw(&f, p->c, (struct rect){ p->row, at, f.rows, cols }, 0, &paint);
	p->row += f.rows > 0 ? f.rows : 1;
	flow_free(&f);
	str_free(&s);
}

static void
page_facts(struct page *p)
{
	const struct trust *t = p->t;
	struct str day = {0};
	describe_day(t->measured, &day);
	page_heading(p, "How it was measured", NULL);
	page_fact(p, "retrained", "%d times without a random %.0f%% of the examples, seed %" PRIu64 "; %d times from "
		"seed %" PRIu64 "; %d times without one contributor", t->n_subsets, 100 * (1 - t->alpha), t->run_seed,
		t->n_other_subsets, t->other_seed, t->n_contributors);
	page_fact(p, "passages", "%d: %d held out of training, %d written by the model", t->n_queries, t->n_heldout,
		t->n_generated);
	if (isfinite(t->ceiling_other_seed))
		page_fact(p, "ceiling, other seed", "%.2f: what a perfect predictor would reach there",
			t->ceiling_other_seed);
	if (isfinite(t->floor))
		page_fact(p, "noise floor", "%s%.3g for a passage; a score stands out beyond %.0f of it",
			p->c->glyphs->plus_minus, t->floor, NOISE_FLOORS);
	if (isfinite(t->duplicates))
		page_fact(p, "planted duplicates", "%.0f%% are ranked next to their twin (100%% would be perfect)",
			100 * t->duplicates);
	if (isfinite(t->randomised))
		page_fact(p, "randomised model", "rank agreement %.2f between scores of the trained model and of "
			"random weights (near 0: the scores come from what was learned)", t->randomised);
	page_fact(p, "seed of the draws", "%" PRIu64, t->seed);
	page_fact(p, "measured", "%s UTC", day.s);
	page_fact(p, "the columns", "LDS: mean rank correlation of predicted and observed; held out, written: of "
		"those passages alone. people r: of a contributor's predicted and measured absence; by size: with the "
		"size of their work as the prediction; beyond: with size taken out of both. slope: real nats for a "
		"predicted one. NDCG@20: agreement of the first 20 with the exact method. variety: different examples "
		"among the first 10 of all passages, of those possible. bytes: stored for an example. * is the method "
		"used unless another is chosen.");
	str_free(&day);
}

/* ---- all of it ---- */

static void
page_range(struct page *p)
{
	for (int i = 0; i < p->t->n_methods; i++) {
		const struct interval *v = &p->t->method[i].lds;
		p->least = fmin(p->least, isfinite(v->lo) ? v->lo : v->value);
		p->most = fmax(p->most, isfinite(v->hi) ? v->hi : v->value);
	}
}

void
trust_draw(struct canvas *page, int cols, const struct trust *t)
{
	struct page p = { .c = page, .t = t, .cols = cols };
	struct str s = {0};
	canvas_resize(page, PAGE_MOST, cols);
	page_range(&p);
	trust_words(t, &s);
	page_words(&p, s.s, s.len, INK_TEXT);
	page_heading(&p, "Methods", NULL);
	page_table(&p, lds_columns, LDS_COLS, lds_cell);
	page_plot(&p);
	page_heading(&p, "More about the methods", NULL);
	page_table(&p, more_columns, MORE_COLS, more_cell);
	page_facts(&p);
	/* Rows lie one after another, so a lower page is a page cut short. */
	page->rows = p.row < PAGE_MOST ? p.row : PAGE_MOST;
	str_free(&s);
}
