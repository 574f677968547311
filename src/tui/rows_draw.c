/* rows_draw: a ranking under its heading, or the plain statement that there is none. */
#include "rows.h"

#include <string.h>

#include "byline/utf8.h"
#include "describe.h"
#include "flow.h"
#include "measured.h"

enum { HEADING_EDGES = 6, NOTES = 5 };

static const struct method *
rows_method(const struct rows *r)
{
	return r->q->standing ? r->q->standing->ranking->method : r->q->wish.method;
}

/* ---- heading ---- */

static int
width_of(const struct str *s)
{
	return (int)text_width(s->s, s->len);
}

/* The longest title that leaves room for the measurement. */
static void
heading_title(const struct rows *r, int cols, const char *before, const char *status, struct str *out)
{
	const struct method *m = rows_method(r);
	bool asked = r->l.filter || r->l.search;
	for (int shorter = 0; shorter < 4; shorter++) {
		str_clear(out);
		str_addf(out, "%s%s", shorter < 2 ? before : "", m->title);
		if (shorter == 0)
			str_addf(out, ", %s", m->unit);
		str_adds(out, shorter < 3 || asked ? status : "");
		if (width_of(out) <= cols)
			return;
	}
}

static void
note_runs(const struct ranking *r, struct str *out)
{
	if (r->n_runs > 1)
		str_addf(out, "mean of %d runs", r->n_runs);
}

static void
note_floor(const struct rows *r, struct str *out)
{
	if (r->q->standing->ranking->floor > 0)
		str_addf(out, "noise floor %s%.*f", r->glyphs->plus_minus, r->decimals,
			r->q->standing->ranking->floor);
}

static void
note_state(const struct rows *r, struct str *out)
{
	const struct standing *st = r->q->standing;
	if (!inquiry_ranked(r->q))
		str_adds(out, "being replaced");
	else if (st->nothing)
		str_adds(out, r->raw ? "all of it noise" : "nothing stands out");
	else if (!inquiry_current(r->q))
		str_adds(out, "approximate so far");
}

static void
note_exact(const struct rows *r, struct str *out)
{
	if (inquiry_current(r->q) && r->q->standing->exact)
		str_addf(out, "exact for %zu", r->q->standing->ranking->n_exact);
}

/* What matters most comes first, and as much of it as fits. */
static void
heading_note(const struct rows *r, int cols, struct str *out)
{
	struct str part[NOTES] = { {0} };
	for (int i = 0; i < NOTES; i++)
		str_clear(&part[i]);
	measured_note(r->q->source, rows_method(r), r->glyphs, false, &part[0]);
	if (width_of(&part[0]) > cols) {
		str_clear(&part[0]);
		measured_note(r->q->source, rows_method(r), r->glyphs, true, &part[0]);
	}
	if (r->q->standing) {
		note_state(r, &part[1]);
		note_runs(r->q->standing->ranking, &part[2]);
		note_floor(r, &part[3]);
		note_exact(r, &part[4]);
	}
	for (int i = 0; i < NOTES; i++) {
		int width = width_of(&part[i]), gap = out->len > 0 ? 2 : 0;
		if (width > 0 && width_of(out) + gap + width <= cols)
			str_addf(out, "%s%s", gap ? ", " : "", part[i].s);
		str_free(&part[i]);
	}
}

static void
rows_heading(const struct rows *r, struct canvas *c, struct rect at, bool focus, const char *before,
	const char *status)
{
	struct str title = {0}, note = {0};
	str_clear(&title);
	str_clear(&note);
	measured_note(r->q->source, rows_method(r), r->glyphs, true, &note);
	heading_title(r, at.cols - width_of(&note) - HEADING_EDGES, before, status, &title);
	str_clear(&note);
	heading_note(r, at.cols - width_of(&title) - HEADING_EDGES, &note);
	heading_draw(c, at.row, at.col, at.cols, focus, title.s, note.s);
	str_free(&title);
	str_free(&note);
}

/* ---- below it ---- */

static enum ink
nothing_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)token;
	return byte < *(const uint32_t *)arg ? INK_WARN : INK_DIM;
}

static void
draw_nothing(const struct rows *r, struct canvas *c, struct rect at)
{
	const struct ranking *ranking = r->q->standing->ranking;
	struct str s = {0};
	str_addf(&s, "Nothing stands above the noise floor: no score is beyond %.0f times %s%.*f.", NOISE_FLOORS,
		r->glyphs->plus_minus, r->decimals, ranking->floor);
	uint32_t first = (uint32_t)s.len;
	const struct source_info *info = &r->q->source->info;
	str_addf(&s, " What may help: %sanother method (m)",
		r->q->span_whole ? "" : "a longer span (A: the whole output), ");
	if (!info->foreign && !info->first_query)
		str_addf(&s, ", or the mean of several runs (byline train %s --as %s --seed N)", info->folder,
			info->run);
	str_adds(&s, ". z shows the list all the same, marked as noise.");
	const struct flow_text text = { .s = s.s, .n = s.len, .ascii = c->glyphs->ascii };
	const struct flow_paint paint = { .arg = &first, .ink = nothing_ink };
	struct flow f = {0};
	flow_lay(&f, &text, at.cols - 3);
	flow_draw(&f, c, (struct rect){ at.row, at.col + 2, at.rows, at.cols - 3 }, 0, &paint);
	canvas_park(c, at.row, at.col, false);
	flow_free(&f);
	str_free(&s);
}

void
rows_draw(struct rows *r, struct canvas *c, struct rect at, bool focus, const char *before, bool counted)
{
	const struct rect below = { at.row + 1, at.col, at.rows - 1, at.cols };
	struct str status = {0};
	if (r->q->standing && r->q->standing->nothing && !r->raw)
		draw_nothing(r, c, below);
	else
		listing_draw(&r->l, c, below, focus);
	str_adds(&status, counted ? "  " : "");
	if (counted)
		listing_status(&r->l, &status);
	rows_heading(r, c, at, focus, before, status.s);
	str_free(&status);
}
