/* verbatim_word: words by Unicode categories, found forward; their beginnings also told from the middle of a text. */
#include "verbatim_word.h"

#include <utf8proc.h>

#include "byline/mem.h"
#include "byline/utf8.h"

enum kind { BETWEEN, LETTER, MARK, ALONE };

/* Scripts that leave no space between words: Thai to Tibetan, Myanmar, Khmer, kana, Han, and those of later planes. */
static const struct { int32_t first, last; } unspaced[] = {
	{ 0x0e00, 0x0fff }, { 0x1000, 0x109f }, { 0x1780, 0x17ff }, { 0x2e80, 0x2fdf }, { 0x3005, 0x3007 },
	{ 0x3040, 0x30ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xf900, 0xfaff }, { 0xff66, 0xff9f },
	{ 0x20000, 0x3ffff },
};

static bool
is_unspaced(int32_t cp)
{
	for (size_t i = 0; i < ARRAY_LEN(unspaced) && cp >= unspaced[i].first; i++)
		if (cp <= unspaced[i].last)
			return true;
	return false;
}

static enum kind
kind_of_category(int32_t cp)
{
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT: case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
		return is_unspaced(cp) ? ALONE : LETTER;
	case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_NL: case UTF8PROC_CATEGORY_NO: case UTF8PROC_CATEGORY_PC:
		return LETTER;
	case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ME:
		return MARK;
	default:
		return BETWEEN;
	}
}

/* What stands at s[0..n), n > 0, and in *used its bytes. */
static enum kind
kind_at(const char *s, size_t n, size_t *used)
{
	unsigned char c = (unsigned char)*s;
	int32_t cp;
	*used = 1;
	if (c < 0x80)
		return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ? LETTER
			: BETWEEN;
	*used = utf8_decode(s, n, &cp);
	if (cp >= 0)
		return kind_of_category(cp);
	return c == VERBATIM_END ? BETWEEN : LETTER;
}

/* Bytes of an apostrophe, typewriter's or typographer's, at s[0..n); 0 for none. */
static size_t
apostrophe(const char *s, size_t n)
{
	if (n >= 1 && s[0] == '\'')
		return 1;
	return n >= 3 && s[0] == '\xe2' && s[1] == '\x80' && s[2] == '\x99' ? 3 : 0;
}

/* Bytes that the word before s takes of it; 0 when it ends there. */
static size_t
word_more(bool alone, const char *s, size_t n)
{
	size_t used, quote;
	if (n == 0)
		return 0;
	enum kind k = kind_at(s, n, &used);
	if (k == MARK || (k == LETTER && !alone))
		return used;
	quote = alone ? 0 : apostrophe(s, n);
	return quote > 0 && quote < n && kind_at(s + quote, n - quote, &used) == LETTER ? quote : 0;
}

bool
word_goes_on(bool alone, const char *s, size_t n)
{
	return word_more(alone, s, n) > 0;
}

bool
word_next(const char *s, size_t n, size_t at, struct word *w)
{
	size_t used = 0, more;
	enum kind k = BETWEEN;
	for (; at < n; at += used) {
		k = kind_at(s + at, n - at, &used);
		if (k != BETWEEN)
			break;
	}
	if (at >= n)
		return false;
	w->from = (uint32_t)at;
	w->alone = k == ALONE;
	at += used;
	while ((more = word_more(w->alone, s + at, n - at)) > 0)
		at += more;
	w->to = (uint32_t)at;
	return true;
}

/* Where the character that ends before `at` > 0 begins. UTF-8 synchronises itself: a character found here is found
 * forward too. */
static size_t
before(const char *s, size_t at)
{
	for (size_t back = 1; back <= 4 && back <= at; back++) {
		int32_t cp;
		if (((unsigned char)s[at - back] & 0xc0) != 0x80)
			return utf8_decode(s + at - back, back, &cp) == back ? at - back : at - 1;
	}
	return at - 1;
}

/* The kind that a word ending before `at` began with: BETWEEN when none ends there. */
static enum kind
word_before(const char *s, size_t at)
{
	enum kind k = BETWEEN;
	bool marked = false;
	while (at > 0) {
		size_t used, from = before(s, at);
		k = kind_at(s + from, at - from, &used);
		if (k != MARK)
			break;
		marked = true;
		at = from;
	}
	/* Marks after nothing make a word of their own. */
	return marked && (k == BETWEEN || at == 0) ? LETTER : k;
}

static bool
inside_character(const char *s, size_t n, size_t at)
{
	int32_t cp;
	for (size_t back = 1; back <= 3 && back <= at && ((unsigned char)s[at] & 0xc0) == 0x80; back++)
		if (((unsigned char)s[at - back] & 0xc0) != 0x80)
			return utf8_decode(s + at - back, n - (at - back), &cp) > back;
	return false;
}

bool
word_begins(const char *s, size_t n, size_t at)
{
	size_t used;
	enum kind k = kind_at(s + at, n - at, &used), last = word_before(s, at);
	if (k == BETWEEN || inside_character(s, n, at))
		return false;
	if (k == ALONE || at == 0)
		return true;
	if (last != BETWEEN)
		return k == LETTER && last == ALONE;
	size_t from = before(s, at);
	bool quoted = k == LETTER && apostrophe(s + from, at - from) == at - from;
	return !(quoted && word_before(s, from) == LETTER);
}
