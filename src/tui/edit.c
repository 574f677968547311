/* edit: a line editor. */
#include "edit.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"

enum { EDIT_MAX = 32 * 1024 };

void
edit_init(struct edit *e, struct history *history)
{
	*e = (struct edit){ .history = history };
	str_clear(&e->text);
}

void
edit_free(struct edit *e)
{
	str_free(&e->text);
	free(e->typed);
	*e = (struct edit){0};
}

/* ---- places in the text ---- */

static size_t
edit_next(const struct edit *e, size_t at)
{
	int width;
	return at < e->text.len ? at + utf8_grapheme(e->text.s + at, e->text.len - at, &width) : at;
}

/* Clusters can only be found from the left. */
static size_t
edit_prev(const struct edit *e, size_t at)
{
	size_t prev = 0;
	for (size_t i = 0; i < at; i = edit_next(e, i))
		prev = i;
	return prev;
}

static size_t
edit_word_start(const struct edit *e, size_t at)
{
	while (at > 0 && e->text.s[at - 1] == ' ')
		at--;
	while (at > 0 && e->text.s[at - 1] != ' ')
		at--;
	return at;
}

/* ---- changing it ---- */

void
edit_replace(struct edit *e, size_t from, size_t to, const char *text, size_t n)
{
	if (e->text.len - (to - from) + n > EDIT_MAX)
		return;
	struct str fresh = {0};
	str_add(&fresh, e->text.s, from);
	str_add(&fresh, text, n);
	str_add(&fresh, e->text.s + to, e->text.len - to);
	str_free(&e->text);
	e->text = fresh;
	e->at = from + n;
	/* What was typed may have joined its neighbours into one cluster. */
	size_t boundary = 0;
	while (boundary < e->at)
		boundary = edit_next(e, boundary);
	e->at = boundary;
}

void
edit_set(struct edit *e, const char *text)
{
	edit_replace(e, 0, e->text.len, text, strlen(text));
	e->left = 0;
}

void
edit_insert(struct edit *e, int32_t cp)
{
	char bytes[4];
	size_t n = utf8_encode(cp, bytes);
	edit_replace(e, e->at, e->at, bytes, n);
}

static void
edit_cut(struct edit *e, size_t from, size_t to)
{
	edit_replace(e, from, to, "", 0);
}

void
edit_done(struct edit *e)
{
	if (e->history)
		history_add(e->history, e->text.s);
	e->older = 0;
}

/* Shows the line `older` steps back. */
static void
edit_recall(struct edit *e, size_t older)
{
	if (!e->history || older > e->history->n || older == e->older)
		return;
	if (e->older == 0) {
		free(e->typed);
		e->typed = xstrdup(e->text.s);
	}
	e->older = older;
	edit_set(e, older == 0 ? e->typed : e->history->line[e->history->n - older]);
}

static void edit_left(struct edit *e) { e->at = edit_prev(e, e->at); }
static void edit_right(struct edit *e) { e->at = edit_next(e, e->at); }
static void edit_home(struct edit *e) { e->at = 0; }
static void edit_end(struct edit *e) { e->at = e->text.len; }
static void edit_backspace(struct edit *e) { edit_cut(e, edit_prev(e, e->at), e->at); }
static void edit_kill_word(struct edit *e) { edit_cut(e, edit_word_start(e, e->at), e->at); }
static void edit_kill_start(struct edit *e) { edit_cut(e, 0, e->at); }
static void edit_kill_end(struct edit *e) { edit_cut(e, e->at, e->text.len); }
static void edit_older(struct edit *e) { edit_recall(e, e->older + 1); }
static void edit_newer(struct edit *e) { edit_recall(e, e->older > 0 ? e->older - 1 : 0); }

static void
edit_delete(struct edit *e)
{
	size_t at = e->at;
	edit_cut(e, at, edit_next(e, at));
}

bool
edit_act(struct edit *e, enum action a)
{
	static const struct { enum action action; void (*fn)(struct edit *e); } table[] = {
		{ ACT_EDIT_LEFT, edit_left }, { ACT_EDIT_RIGHT, edit_right }, { ACT_EDIT_HOME, edit_home },
		{ ACT_EDIT_END, edit_end }, { ACT_EDIT_BACKSPACE, edit_backspace }, { ACT_EDIT_DELETE, edit_delete },
		{ ACT_EDIT_KILL_WORD, edit_kill_word }, { ACT_EDIT_KILL_START, edit_kill_start },
		{ ACT_EDIT_KILL_END, edit_kill_end }, { ACT_EDIT_OLDER, edit_older }, { ACT_EDIT_NEWER, edit_newer },
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].action == a) {
			table[i].fn(e);
			return true;
		}
	return false;
}

/* ---- showing it ---- */

/* Columns of the bytes [from, to) as they are shown. */
static int
edit_width(const struct edit *e, const struct canvas *c, size_t from, size_t to)
{
	struct str shown = {0};
	int width = (int)canvas_shown(c, &shown, e->text.s + from, to - from);
	str_free(&shown);
	return width;
}

/* The cursor takes a column of its own at the end of the text. */
static void
edit_scroll(struct edit *e, const struct canvas *c, int cols)
{
	if (e->left > e->at)
		e->left = e->at;
	while (e->left < e->at && edit_width(e, c, e->left, e->at) >= cols)
		e->left = edit_next(e, e->left);
	/* Deleting near the end pulls earlier text back into sight. */
	while (e->left > 0 && edit_width(e, c, edit_prev(e, e->left), e->text.len) < cols)
		e->left = edit_prev(e, e->left);
}

void
edit_draw(struct edit *e, struct canvas *c, int row, int col, int cols, enum ink ink, bool typing)
{
	if (cols <= 0)
		return;
	if (typing)
		edit_scroll(e, c, cols);
	else
		e->left = 0;
	canvas_text(c, row, col, cols, ink, e->text.s + e->left, e->text.len - e->left);
	if (typing)
		canvas_park(c, row, col + edit_width(e, c, e->left, e->at), true);
}
