/* cut: the best place to end an example. */
#include "cut.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum place { INSIDE_CHARACTER, ANYWHERE, SPACE, SENTENCE, LINE, PARAGRAPH, PLACES };

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether the text before `at` ends a sentence: its mark, perhaps a closing quote or bracket. */
static bool
ends_sentence(const char *text, size_t at)
{
	while (at > 0 && is_blank(text[at - 1]))
		at--;
	while (at > 0 && strchr("\"')]", text[at - 1]))
		at--;
	return at > 0 && strchr(".!?", text[at - 1]) && text[at - 1];
}

/* The number of line ends that directly precede `at`, spaces and carriage returns between them aside. */
static int
lines_before(const char *text, size_t at)
{
	int lines = 0;
	for (; at > 0 && is_blank(text[at - 1]); at--)
		lines += text[at - 1] == '\n';
	return lines;
}

static enum place
place_at(const char *text, size_t len, size_t at)
{
	if (at >= len || at == 0)
		return ANYWHERE;
	if (((unsigned char)text[at] & 0xc0) == 0x80)
		return INSIDE_CHARACTER;
	if (!is_blank(text[at]) && !is_blank(text[at - 1]))
		return ANYWHERE;
	/* A break belongs to what it ends: cut after it. */
	int lines = text[at] == '\n' ? 0 : lines_before(text, at);
	if (lines > 0)
		return lines > 1 ? PARAGRAPH : LINE;
	return ends_sentence(text, at) ? SENTENCE : SPACE;
}

size_t
cut_next(const char *text, size_t len, const struct token_span *token, size_t n, size_t from, size_t room)
{
	size_t last[PLACES] = {0};
	assert(room >= CUT_ROOM_MIN && from < n);
	if (n - from <= room)
		return n;
	size_t high = from + room < n - CUT_TAIL ? from + room : n - CUT_TAIL, low = from + room / 2;
	for (size_t i = high; i > low; i--) {
		enum place place = place_at(text, len, token[i].from);
		if (last[place] == 0)
			last[place] = i;
		if (place == PARAGRAPH)
			break;
	}
	for (int place = PARAGRAPH; place > INSIDE_CHARACTER; place--)
		if (last[place])
			return last[place];
	return high;
}
