/* contributor_draw: head, works, saved queries, plain words. */
#include "view_contributor.h"

#include <string.h>

#include "describe.h"

enum { BOTH_FROM = 72 };

/* "CC-BY-4.0 14, unknown 3" */
static void
describe_licences(const struct contributor_view *k, struct str *out)
{
	for (size_t i = 0; i < k->n; i++) {
		size_t count = 0, before = 0;
		for (size_t j = 0; j < k->n; j++)
			if (strcmp(describe_licence(k->work[i].work), describe_licence(k->work[j].work)) == 0) {
				count++;
				before += j < i;
			}
		if (before == 0)
			str_addf(out, "%s%s %zu", out->len > 0 ? ", " : "", describe_licence(k->work[i].work), count);
	}
}

/* "share 54.4 +-1.2% . rank 1 of 7 (1-2 over 3 runs)" */
static void
describe_place(const struct contributor_view *k, const struct glyphs *g, struct str *out)
{
	str_adds(out, "this answer   share ");
	describe_share(k->now.share, k->now.error, 0, g, out);
	str_addf(out, "%% %s rank %zu of %zu", g->dot, k->rank, k->of);
	if (k->n_runs > 1 && k->now.rank_hi > k->now.rank_lo)
		str_addf(out, " (%zu%s%zu over %d runs)", k->now.rank_lo, g->dash, k->now.rank_hi, k->n_runs);
	else if (k->n_runs > 1)
		str_addf(out, " (in each of %d runs)", k->n_runs);
}

static void
describe_saved(const struct appearances *p, const char *dot, struct str *out)
{
	double sum = 0;
	size_t known = p->n - p->without;
	for (size_t i = 0; i < p->n; i++)
		sum += p->a[i].share;
	if (p->n == 0)
		str_adds(out, "no query is saved in this store yet");
	else if (known == 0)
		str_addf(out, "%zu saved without shares: open one, and S saves it with them", p->n);
	else
		str_addf(out, "all %zu saved   share %s%.1f%% on average %s in %zu of them", known,
			p->least ? "at least " : "", 100 * sum / (double)known, dot, p->with_share);
	if (p->without > 0 && known > 0)
		str_addf(out, " %s %zu more without shares", dot, p->without);
}

static void
draw_head(struct contributor_view *k, struct canvas *c, struct rect r)
{
	struct str s = {0}, t = {0};
	const char *dot = c->glyphs->dot;
	int64_t bytes = 0;
	for (size_t i = 0; i < k->n; i++)
		bytes += k->work[i].work->bytes;
	describe_count((int64_t)k->n, "work", "works", &s);
	str_addf(&s, " %s ", dot);
	describe_count(bytes, "byte", "bytes", &s);
	describe_licences(k, &t);
	if (t.len > 0)
		str_addf(&s, " %s %s", dot, t.s);
	if (k->now.opted_out)
		str_addf(&s, " %s opted out", dot);
	canvas_str(c, r.row, 1, r.cols - 2, INK_DIM, s.s);
	str_clear(&s);
	if (k->ranked && k->now.share <= 0)
		str_adds(&s, "this answer   no share: nothing stands out from chance");
	else if (k->ranked)
		describe_place(k, c->glyphs, &s);
	else
		str_adds(&s, "this answer   nothing was asked yet");
	canvas_str(c, r.row + 1, 1, r.cols - 2, INK_TEXT, s.s);
	str_clear(&s);
	describe_saved(&k->where, dot, &s);
	canvas_str(c, r.row + 2, 1, r.cols - 2, INK_DIM, s.s);
	str_free(&s);
	str_free(&t);
}

static enum ink
words_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)arg;
	(void)token;
	(void)byte;
	return INK_TEXT;
}

static int
draw_words(struct contributor_view *k, struct canvas *c, struct rect r)
{
	int cols = r.cols - 2 > 90 ? 90 : r.cols - 2;
	struct flow_text text = { .s = k->words.s, .n = k->words.len, .ascii = c->glyphs->ascii };
	struct flow_paint paint = { .ink = words_ink };
	flow_lay(&k->flow, &text, cols);
	int rows = k->flow.rows < r.rows / 3 ? k->flow.rows : r.rows / 3;
	flow_draw(&k->flow, c, (struct rect){ r.row + r.rows - rows, 1, rows, cols }, 0, &paint);
	return rows;
}

void
contributor_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct contributor_view *k = (struct contributor_view *)v;
	bool both = r.cols >= BOTH_FROM, roomy = r.rows >= 14;
	draw_head(k, c, r);
	int words = roomy ? draw_words(k, c, r) : 0;
	if (words > 0)
		canvas_rule(c, r.row + r.rows - words - 1, 0, r.cols);
	struct rect left = { r.row + 3, 0, r.rows - 3 - (words > 0 ? words + 1 : 0), both ? r.cols / 2 : r.cols };
	struct rect right = { left.row, both ? left.cols + 1 : 0, left.rows, both ? r.cols - left.cols - 1 : r.cols };
	struct str status = {0};
	if (both || !k->second) {
		listing_draw(&k->works, c, (struct rect){ left.row + 1, left.col, left.rows - 1, left.cols },
			!k->second);
		str_adds(&status, "Works  ");
		listing_status(&k->works, &status);
		heading_draw(c, left.row, left.col, left.cols, !k->second, status.s, NULL);
	}
	str_clear(&status);
	if (both || k->second) {
		listing_draw(&k->where.l, c, (struct rect){ right.row + 1, right.col, right.rows - 1, right.cols },
			k->second);
		str_adds(&status, "In saved queries  ");
		listing_status(&k->where.l, &status);
		heading_draw(c, right.row, right.col, right.cols, k->second, status.s, NULL);
	}
	if (both) {
		canvas_fill(c, (struct rect){ left.row, left.cols, left.rows, 1 }, c->glyphs->vrule, INK_DIM);
		canvas_fill(c, (struct rect){ left.row, left.cols, 1, 1 }, c->glyphs->tee_down, INK_DIM);
	}
	str_free(&status);
}
