/* view_help: made from the table of actions, those of the view we came from first; then commands, and words. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "byline/mem.h"
#include "describe.h"
#include "find.h"

static const struct { const char *word, *meaning; } words[] = {
	{ "score", "how much less likely the span would be, had the model never seen the example (predicted)" },
	{ "~", "before a score: taken from compressed gradients, not yet rescored exactly" },
	{ "proponent", "an example that helped: its score is positive" },
	{ "opponent", "an example that worked against the span: its score is negative" },
	{ "noise floor", "the spread of scores under unrelated questions; three of it are still chance" },
	{ "LDS", "how well a method foretold what really happened when parts of the corpus were left out of training: "
		"1 is perfect, 0 is guessing (6 shows the whole measurement)" },
	{ "rail beside rows", "their ranks cannot be told apart: the scores are closer than their errors" },
	{ "v, i, b", "beside an example: its bytes stand in the output (verbatim), its score stands above the noise "
		"(influential), or both; one does not imply the other" },
	{ "===", "under words: they stand in the corpus just so" },
	{ "share", "a contributor's part of all that stands out from chance and of the rest that adds up" },
	{ "residual", "the part of the help that is credited to nobody" },
	{ "rests on", "how many works the help would come from if they all helped alike" },
	{ "span", "the selected part of the output; everything below it is about the span" },
	{ "BM25, hidden-state", "other ways to find related examples: by shared words, by what the model makes of "
		"them" },
};

struct help_line { char *left, *right; bool heading; };

struct help_view {
	struct view v;
	struct help_line *line;
	size_t n, cap, top, match;	/* match: line, n: none */
	int rows;
	char *search;
};

static struct help_view *
self(struct view *v)
{
	return (struct help_view *)v;
}

static void
help_add(struct help_view *h, bool heading, const char *left, const char *right)
{
	mem_grow(&h->line, &h->cap, h->n + 1, sizeof(*h->line));
	h->line[h->n++] = (struct help_line){ xstrdup(left), xstrdup(right), heading };
}

static void
help_title(struct help_view *h, const char *title)
{
	if (h->n > 0)
		help_add(h, false, "", "");
	help_add(h, true, title, "");
}

static void
help_action(struct help_view *h, enum action a)
{
	struct str keys = {0};
	int32_t key;
	str_clear(&keys);
	for (size_t i = 0; (key = keymap_key(&h->v.app->keys, a, i)) != K_NONE; i++) {
		char name[KEY_NAME_MAX];
		key_label(key, name);
		str_addf(&keys, "%s%s", i > 0 ? " " : "", name);
	}
	help_add(h, false, keys.len > 0 ? keys.s : "(no key)", action_info(a)->help);
	str_free(&keys);
}

/* Actions for some views only, among them `place`; or those for all views; or those while typing. */
static void
help_actions(struct help_view *h, const char *title, bool (*wanted)(unsigned places, unsigned place), unsigned place)
{
	bool any = false;
	for (int a = 1; a < ACTIONS; a++) {
		if (!wanted(action_info((enum action)a)->places, place))
			continue;
		if (!any)
			help_title(h, title);
		any = true;
		help_action(h, (enum action)a);
	}
}

static bool of_view(unsigned places, unsigned place) { return places != V_ANY && (places & place) != 0; }
static bool of_all(unsigned places, unsigned place) { (void)place; return places == V_ANY; }
static bool of_typing(unsigned places, unsigned place) { (void)place; return (places & V_TYPING) != 0; }
static bool of_others(unsigned places, unsigned place) { return places != V_ANY && (places & (place | V_TYPING)) == 0; }

static void
help_fill(struct help_view *h, unsigned place, const char *name)
{
	const char *command, *args, *help;
	struct str s = {0};
	str_addf(&s, "In this view (%s)", name);
	help_actions(h, s.s, of_view, place);
	help_actions(h, "Everywhere", of_all, 0);
	help_actions(h, "In other views", of_others, place);
	help_actions(h, "While typing", of_typing, 0);
	help_title(h, "Commands, after :");
	for (int i = 0; command_line_info(i, &command, &args, &help); i++) {
		str_clear(&s);
		str_addf(&s, "%s %s", command, args);
		help_add(h, false, s.s, help);
	}
	help_title(h, "What the words mean");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		help_add(h, false, words[i].word, words[i].meaning);
	help_title(h, "Changing keys");
	help_add(h, false, "~/.config/byline/keys", "one line an action, as in the file 'keys' that comes with byline");
	str_free(&s);
}

/* Draws words of s in rows of cols; returns the rows used. */
static int
help_wrap(struct canvas *c, int row, int last, int col, int cols, const char *s)
{
	int used = 0;
	do {
		size_t n = strlen(s);
		if ((int)n > cols && used < 8) {
			n = (size_t)cols;
			while (n > 1 && s[n] != ' ')
				n--;
		}
		if (row + used < last)
			canvas_text(c, row + used, col, cols, INK_TEXT, s, n);
		s += n + (s[n] == ' ');
		used++;
	} while (*s);
	return used;
}

static void
help_draw(struct view *v, struct canvas *c, struct rect r)
{
	struct help_view *h = self(v);
	int left = r.cols >= 72 ? 24 : 14, row = r.row + 1, last = r.row + r.rows;
	struct str note = {0};
	h->rows = r.rows - 1;
	str_addf(&note, "%zu%%", h->n > 0 ? 100 * (h->top + 1) / h->n : 100);
	heading_draw(c, r.row, 0, r.cols, true, "Help", note.s);
	for (size_t i = h->top; i < h->n && row < last; i++) {
		const struct help_line *l = &h->line[i];
		enum ink ink = l->heading ? INK_FOCUS : INK_ACCENT;
		if (i == h->match)
			canvas_str(c, row, 0, 1, INK_FOCUS, c->glyphs->here);
		canvas_str(c, row, l->heading ? 1 : 3, l->heading ? r.cols - 2 : left - 2, ink, l->left);
		row += help_wrap(c, row, last, 3 + left, r.cols - left - 4, l->right);
	}
	canvas_park(c, r.row + 1, 1, false);
	str_free(&note);
}

static bool
help_act(struct view *v, enum action a)
{
	struct help_view *h = self(v);
	size_t page = h->rows > 2 ? (size_t)h->rows - 2 : 1, most = h->n > 3 ? h->n - 3 : 0;
	struct list l = { .n = most + 1, .cursor = h->top, .height = page + 1 };
	if (a == ACT_HELP)
		app_back(v->app);
	else if (list_act(&l, a))
		h->top = l.cursor;
	else
		return false;
	return true;
}

static bool
help_matches(const struct help_view *h, size_t i)
{
	size_t len;
	const struct help_line *l = &h->line[i];
	return text_find(l->left, strlen(l->left), 0, h->search, &len) != (size_t)-1
		|| text_find(l->right, strlen(l->right), 0, h->search, &len) != (size_t)-1;
}

static bool
help_search_step(struct view *v, bool forward)
{
	struct help_view *h = self(v);
	size_t from = h->match < h->n ? h->match : h->top;
	for (size_t k = 1; h->search && k <= h->n; k++) {
		size_t i = forward ? (from + k) % h->n : (from + h->n - k) % h->n;
		if (help_matches(h, i)) {
			h->match = h->top = i;
			return true;
		}
	}
	return false;
}

static bool
help_search(struct view *v, const char *text)
{
	struct help_view *h = self(v);
	free(h->search);
	h->search = *text ? xstrdup(text) : NULL;
	h->match = h->n;
	return !h->search || help_search_step(v, true);
}

static void
help_free(struct view *v)
{
	struct help_view *h = self(v);
	for (size_t i = 0; i < h->n; i++) {
		free(h->line[i].left);
		free(h->line[i].right);
	}
	free(h->line);
	free(h->search);
	free(h);
}

static const struct view_ops help_ops = {
	.name = "help", .place = V_HELP, .hints = { ACT_DOWN, ACT_PAGE_DOWN, ACT_SEARCH, ACT_BACK },
	.free = help_free, .draw = help_draw, .act = help_act, .search = help_search, .search_step = help_search_step,
};

struct view *
view_help_new(struct app *app, struct inquiry *q, unsigned place)
{
	struct help_view *h = xcalloc(1, sizeof(*h));
	h->v = (struct view){ .ops = &help_ops, .app = app, .q = q };
	help_fill(h, place, app_top(app)->ops->name);
	h->match = h->n;
	return &h->v;
}
