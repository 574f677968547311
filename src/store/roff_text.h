/* roff_text: one line's escapes resolved. Private to roff. */
#ifndef BYLINE_STORE_ROFF_TEXT_H
#define BYLINE_STORE_ROFF_TEXT_H

#include <stddef.h>

#include "byline/str.h"

/* Appends s[0..n) with fonts, sizes and comments gone and special characters written out in UTF-8. */
void roff_unescape(struct str *out, const char *s, size_t n);

#endif
