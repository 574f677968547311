/* utf8: decoding, width and escaping of text from strangers. */
#include "byline/utf8.h"

#include <assert.h>
#include <string.h>

#include <utf8proc.h>

#include "byline/mem.h"

struct range { int32_t first, last; };

/* C0 holds '\t' and '\n' too; utf8_hostile lets those two pass because what they mean depends on where they go. */
static const struct range hostile_ranges[] = {
	{ 0x0000, 0x0008 }, { 0x000b, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c }, { 0x200e, 0x200f },
	{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff }, { 0xe0000, 0xe007f },
};

size_t
utf8_decode(const char *s, size_t n, int32_t *cp)
{
	assert(n > 0);
	utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)(n < 4 ? n : 4), cp);
	if (used > 0)
		return (size_t)used;
	*cp = -1;
	return 1;
}

size_t
utf8_encode(int32_t cp, char out[4])
{
	assert(utf8proc_codepoint_valid(cp));
	utf8proc_uint8_t bytes[4];
	size_t n = (size_t)utf8proc_encode_char(cp, bytes);
	memcpy(out, bytes, n);
	return n;
}

bool
utf8_valid(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		int32_t cp;
		i += utf8_decode(s + i, n - i, &cp);
		if (cp < 0)
			return false;
	}
	return true;
}

int
utf8_width(int32_t cp)
{
	/* An invalid byte is shown as one replacement character. */
	return cp < 0 ? 1 : utf8proc_charwidth(cp);
}

bool
utf8_hostile(int32_t cp)
{
	for (size_t i = 0; i < ARRAY_LEN(hostile_ranges); i++)
		if (cp >= hostile_ranges[i].first && cp <= hostile_ranges[i].last)
			return true;
	/* Nobody knows how wide a terminal draws what Unicode has not assigned. */
	return cp >= 0x80 && utf8proc_category(cp) == UTF8PROC_CATEGORY_CN;
}

/* The width of a cluster is the sum over its code points, as wcwidth-minded terminals and curses count it; a terminal
 * that joins emoji uses less, never more. */
size_t
utf8_grapheme(const char *s, size_t n, int *width)
{
	int32_t cp, next, state = 0;
	size_t i = utf8_decode(s, n, &cp);
	*width = utf8_width(cp);
	while (cp >= 0 && i < n) {
		size_t used = utf8_decode(s + i, n - i, &next);
		if (next < 0 || utf8proc_grapheme_break_stateful(cp, next, &state))
			break;
		*width += utf8_width(next);
		i += used;
		cp = next;
	}
	return i;
}

/* What stands for the code point cp, or the invalid byte, when it may not pass. */
static void
escape_one(struct str *out, int32_t cp, char byte)
{
	if (cp < 0)
		str_addf(out, "\\x%02x", (unsigned)(unsigned char)byte);
	else if (cp < 0x80)
		str_addf(out, "\\x%02x", (unsigned)cp);
	else
		str_addf(out, "\\u{%x}", (unsigned)cp);
}

static bool
passes(int32_t cp, unsigned flags)
{
	if (cp < 0 || utf8_hostile(cp))
		return false;
	return cp == '\t' ? !(flags & ESCAPE_TAB_CODE) : cp < 0x80 || !(flags & ESCAPE_ASCII);
}

void
text_escape(struct str *out, const char *s, size_t n, unsigned flags)
{
	str_add(out, "", 0);
	for (size_t i = 0; i < n;) {
		int32_t cp;
		size_t used = utf8_decode(s + i, n - i, &cp);
		if (cp == '\n' && (flags & ESCAPE_NEWLINE))
			str_adds(out, flags & ESCAPE_ASCII ? "\\n" : "\u21b5");
		else if (cp == '\t' && (flags & ESCAPE_TAB))
			str_addc(out, ' ');
		else if (!passes(cp, flags))
			escape_one(out, cp, s[i]);
		else
			str_add(out, s + i, used);
		i += used;
	}
}

void
text_shell(struct str *out, const char *s)
{
	str_addc(out, '\'');
	for (; *s; s++)
		if (*s == '\'')
			str_adds(out, "'\\''");
		else
			str_addc(out, *s);
	str_addc(out, '\'');
}

size_t
text_width(const char *s, size_t n)
{
	size_t cols = 0;
	for (size_t i = 0; i < n;) {
		int32_t cp;
		i += utf8_decode(s + i, n - i, &cp);
		cols += (size_t)utf8_width(cp);
	}
	return cols;
}

size_t
text_fit(struct str *out, const char *s, size_t n, size_t cols, const char *ellipsis)
{
	size_t mark = ellipsis ? text_width(ellipsis, strlen(ellipsis)) : 0;
	if (mark > cols) {
		ellipsis = NULL;
		mark = 0;
	}
	/* `cut` bytes of `cut_cols` columns leave room for the mark, should the rest not fit. */
	size_t i = 0, at = 0, cut = 0, cut_cols = 0;
	while (i < n) {
		int width;
		size_t used = utf8_grapheme(s + i, n - i, &width);
		if (at + (size_t)width > cols) {
			str_add(out, s, cut);
			str_adds(out, ellipsis ? ellipsis : "");
			return cut_cols + mark;
		}
		i += used;
		at += (size_t)width;
		if (at + mark <= cols) {
			cut = i;
			cut_cols = at;
		}
	}
	str_add(out, s, n);
	return at;
}
