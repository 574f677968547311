/* verbatim_draw: the stretches, who stands behind the one shown in words and numbers, and where it is. */
#include "view_verbatim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "describe.h"

/* ---- counts of everybody and every licence ---- */

struct tally { const char *name; size_t places; };

static void
tally_add(struct tally *t, size_t *n, const char *name, size_t places)
{
	size_t i = 0;
	while (i < *n && strcmp(t[i].name, name) != 0)
		i++;
	*n += i == *n;
	t[i].name = name;
	t[i].places += places;
}

static int
tally_cmp(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	return x->places != y->places ? (x->places < y->places) - (x->places > y->places) : strcmp(x->name, y->name);
}

static void
tally_show(struct tally *t, size_t n, struct str *out)
{
	qsort(t, n, sizeof(*t), tally_cmp);
	for (size_t i = 0; i < n && i < 8; i++)
		str_addf(out, "%s%s %zu", i > 0 ? ", " : "", t[i].name, t[i].places);
	if (n > 8)
		str_addf(out, " and %zu more", n - 8);
}

static void
tallies(const struct verbatim_view *k, const struct verbatim_span *s, struct str *people, struct str *licences)
{
	size_t most = 1, n = 0, m = 0;
	for (size_t i = 0; i < s->n_works; i++)
		most += 1 + (verbatim_place_work(k, i) ? verbatim_place_work(k, i)->n_authors : 0);
	struct tally *person = xcalloc(most, sizeof(*person)), *licence = xcalloc(most, sizeof(*licence));
	for (size_t i = 0; i < s->n_works; i++) {
		const struct work *w = verbatim_place_work(k, i);
		for (size_t a = 0; w && a < w->n_authors; a++)
			tally_add(person, &n, w->authors[a].name, s->work_places[i]);
		if (!w || w->n_authors == 0)
			tally_add(person, &n, UNKNOWN, s->work_places[i]);
		tally_add(licence, &m, describe_licence(w), s->work_places[i]);
	}
	tally_show(person, n, people);
	tally_show(licence, m, licences);
	free(person);
	free(licence);
}

/* ---- drawing ---- */

static enum ink
words_ink(void *arg, int32_t token, uint32_t byte)
{
	(void)arg;
	(void)token;
	(void)byte;
	return INK_TEXT;
}

/* Returns the rows taken. */
static int
draw_wrapped(struct verbatim_view *k, struct canvas *c, struct rect r, const char *s, size_t n)
{
	const struct flow_text text = { .s = s, .n = n, .ascii = c->glyphs->ascii };
	const struct flow_paint paint = { .ink = words_ink };
	flow_lay(&k->flow, &text, r.cols > 100 ? 100 : r.cols);
	return flow_draw(&k->flow, c, r, 0, &paint);
}

static int
draw_words(struct verbatim_view *k, struct canvas *c, struct rect r, const struct verbatim_span *s)
{
	struct str words = {0}, people = {0}, licences = {0};
	str_clear(&people);
	str_clear(&licences);
	tallies(k, s, &people, &licences);
	str_addf(&words, "These %zu words stand just so %zu time%s in the corpus. By contributor: %s. By licence: %s.",
		s->n_words, s->n_places, s->n_places == 1 ? "" : "s", people.s, licences.s);
	if (*s->first_seen)
		str_addf(&words, " First seen %s.", s->first_seen);
	if (isfinite(s->chance))
		str_addf(&words, " How surprising: of the places in the corpus itself, %.2g%% go on as another work "
			"does for as many words.", 100 * s->chance);
	int rows = draw_wrapped(k, c, r, words.s, words.len);
	str_free(&words);
	str_free(&people);
	str_free(&licences);
	return rows;
}

static void
draw_none(struct verbatim_view *k, struct canvas *c, struct rect r)
{
	const struct inquiry *q = k->v.q;
	const char *s = !q->prompt ? "nothing was asked yet: 1 goes to the prompt"
		: !q->verbatim.done ? "being looked for" : q->verbatim.failed[0] ? q->verbatim.failed
		: "No stretch of four words or more of the output stands word for word in the corpus. What was learned "
		"from an example need not show in its words.";
	draw_wrapped(k, c, r, s, strlen(s));
	canvas_park(c, r.row, 0, false);
}

void
verbatim_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct verbatim_view *k = (struct verbatim_view *)v;
	const struct verbatim_span *s = verbatim_span_shown(k);
	struct str title = {0};
	int rows = (int)k->spans.n_all + 1, half = (r.rows - 2) / 3;
	rows = rows < 3 ? 3 : rows > half && half >= 3 ? half : rows;
	if (!s) {
		heading_draw(c, r.row, 0, r.cols, true, "Verbatim", NULL);
		draw_none(k, c, (struct rect){ r.row + 1, 1, r.rows - 1, r.cols - 2 });
		return;
	}
	listing_draw(&k->spans, c, (struct rect){ r.row + 1, 0, rows, r.cols }, !k->second);
	str_adds(&title, "Verbatim  ");
	listing_status(&k->spans, &title);
	heading_draw(c, r.row, 0, r.cols, !k->second, title.s, "not the same as influence");
	struct rect below = { r.row + 1 + rows, 0, r.rows - 1 - rows, r.cols };
	struct rect at = { below.row + 1, 1, below.rows - 5, r.cols - 2 };
	int words = below.rows >= 9 ? draw_words(k, c, at, s) : 0;
	if (words > 0)
		canvas_rule(c, below.row, 0, r.cols);
	below.row += words + (words > 0);
	below.rows -= words + (words > 0);
	listing_draw(&k->places, c, (struct rect){ below.row + 1, 0, below.rows - 1, r.cols }, k->second);
	str_clear(&title);
	str_adds(&title, "Where  ");
	listing_status(&k->places, &title);
	heading_draw(c, below.row, 0, r.cols, k->second, title.s, NULL);
	str_free(&title);
}
