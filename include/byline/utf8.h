/*
 * utf8: decoding, display width and escaping of text that came from strangers. Pure functions.
 *
 * Width is that of utf8proc, the same one used to truncate and to pad, so columns cannot drift apart.
 */
#ifndef BYLINE_UTF8_H
#define BYLINE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byline/str.h"

/* Decodes one code point from s[0..n), n > 0. Returns bytes used, at least 1. An invalid byte: *cp = -1, 1 byte. */
size_t utf8_decode(const char *s, size_t n, int32_t *cp);

/* Writes cp (a scalar value) to out[4]; returns the number of bytes. */
size_t utf8_encode(int32_t cp, char out[4]);

bool utf8_valid(const char *s, size_t n);

/* Columns cp occupies: 0, 1 or 2; 1 for the -1 of an invalid byte. */
int utf8_width(int32_t cp);

/* True for what must never reach a terminal raw: C0 (but for '\n' and '\t'), DEL, C1, bidi controls, line and paragraph
 * separators, BOM, tags, and what Unicode has not assigned, whose width nobody knows. */
bool utf8_hostile(int32_t cp);

/* One grapheme cluster of s[0..n), n > 0: bytes used, and the sum of its code points' widths, as curses counts. */
size_t utf8_grapheme(const char *s, size_t n, int *width);

enum {
	ESCAPE_NEWLINE = 1,	/* '\n' becomes a visible mark too; otherwise it passes */
	ESCAPE_ASCII = 2,	/* everything beyond ASCII becomes \u{XXXX} */
	ESCAPE_TAB = 4,		/* '\t' becomes one space; otherwise it passes */
	ESCAPE_TAB_CODE = 8	/* '\t' becomes \x09, as other controls do */
};

/* Appends a copy of s that is safe to show: hostile code points as \u{202e} or \x1b, invalid bytes as \xff. */
void text_escape(struct str *out, const char *s, size_t n, unsigned flags);

/* Appends s as one word of a shell's command, whatever is in it. */
void text_shell(struct str *out, const char *s);

/* The columns of s[0..n), which must hold no newline or control. */
size_t text_width(const char *s, size_t n);

/* Appends s cut to at most `cols` columns, with `ellipsis` (may be NULL) where cut. Returns the columns used. */
size_t text_fit(struct str *out, const char *s, size_t n, size_t cols, const char *ellipsis);

#endif
