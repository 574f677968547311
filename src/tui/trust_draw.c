/* trust_draw: the page of the trust view: words, tables, plot, facts. */
#include "view_trust.h"

#include <inttypes.h>
#include <math.h>

#include "describe.h"
#include "plot.h"

enum { PLOT_COLS = 76 };

struct report { struct page *p; const struct trust *t; double least, most; };

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
	const struct report *r = arg;
	const struct method_trust *m = &r->t->method[i];
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
		out->whisker = (struct whisker){ m->lds.value, m->lds.lo, m->lds.hi, r->least, r->most };
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
	const struct method_trust *m = &((const struct report *)arg)->t->method[i];
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
report_table(struct report *r, const struct column *columns, int n,
	void (*cell)(void *arg, size_t row, int column, struct table_cell *out))
{
	const struct table table = { .columns = columns, .n = n, .cell = cell, .arg = r };
	page_table(r->p, &table, (size_t)r->t->n_methods);
}

/* ---- plot ---- */

static void
plot_point(void *arg, int i, double *x, double *y)
{
	const struct calibration_point *p = &((const struct report *)arg)->t->point[i];
	*x = p->predicted;
	*y = p->observed;
}

static const struct method_trust *
report_default(const struct report *r)
{
	for (int i = 0; i < r->t->n_methods; i++)
		if (r->t->method[i].is_default)
			return &r->t->method[i];
	return NULL;
}

static void
report_plot(struct report *r)
{
	struct page *p = r->p;
	const struct method_trust *m = report_default(r);
	struct str note = {0};
	str_clear(&note);
	if (m && isfinite(m->slope))
		str_addf(&note, "the line: slope %.2f %s%.2f", m->slope, p->canvas.glyphs->plus_minus, m->slope_error);
	page_heading(p, "Predicted and observed", note.s);
	const struct plot plot = {
		.arg = r, .point = plot_point, .n = r->t->n_points, .slope = m ? m->slope : (double)NAN,
		.x_title = "predicted, nats a token", .y_title = "observed, nats a token",
	};
	int cols = p->cols - 4 < PLOT_COLS ? p->cols - 4 : PLOT_COLS;
	int rows = p->cols >= 120 ? 24 : p->cols >= 60 ? 17 : 12;
	if (r->t->n_points > 0) {
		plot_draw(&p->canvas, (struct rect){ p->row, 1, rows, cols }, &plot);
		p->row += rows;
	} else {
		page_say(p, INK_DIM, "no points yet");
	}
	str_free(&note);
}

/* ---- facts ---- */

static void
report_facts(struct page *p, const struct trust *t)
{
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
			p->canvas.glyphs->plus_minus, t->floor, NOISE_FLOORS);
	if (isfinite(t->duplicates))
		page_fact(p, "planted duplicates", "%.0f%% stand on top when asked about (100%% would be perfect)",
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
report_range(struct report *r)
{
	for (int i = 0; i < r->t->n_methods; i++) {
		const struct interval *v = &r->t->method[i].lds;
		r->least = fmin(r->least, isfinite(v->lo) ? v->lo : v->value);
		r->most = fmax(r->most, isfinite(v->hi) ? v->hi : v->value);
	}
}

void
trust_draw(struct page *p, const struct trust *t)
{
	struct report r = { .p = p, .t = t };
	struct str s = {0};
	report_range(&r);
	trust_words(t, &s);
	page_words(p, INK_TEXT, s.s, s.len);
	page_heading(p, "Methods", NULL);
	report_table(&r, lds_columns, LDS_COLS, lds_cell);
	report_plot(&r);
	page_heading(p, "More about the methods", NULL);
	report_table(&r, more_columns, MORE_COLS, more_cell);
	report_facts(p, t);
	str_free(&s);
}
