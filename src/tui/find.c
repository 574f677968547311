/* find: smart case over code points. */
#include "find.h"

#include <stdint.h>
#include <string.h>
#include <wctype.h>

#include "byline/utf8.h"

static int32_t
fold(int32_t cp)
{
	return cp < 0 ? cp : (int32_t)towlower((wint_t)cp);
}

static bool
needle_has_capitals(const char *needle, size_t m)
{
	for (size_t i = 0; i < m;) {
		int32_t cp;
		i += utf8_decode(needle + i, m - i, &cp);
		if (cp >= 0 && fold(cp) != cp)
			return true;
	}
	return false;
}

/* Bytes of hay[0..n) that match the whole needle, 0: they do not. */
static size_t
match_here(const char *hay, size_t n, const char *needle, size_t m, bool exact)
{
	size_t i = 0, j = 0;
	while (j < m) {
		int32_t a, b;
		if (i >= n)
			return 0;
		unsigned char raw_a = (unsigned char)hay[i], raw_b = (unsigned char)needle[j];
		i += utf8_decode(hay + i, n - i, &a);
		j += utf8_decode(needle + j, m - j, &b);
		if (a < 0 || b < 0 ? raw_a != raw_b : exact ? a != b : fold(a) != fold(b))
			return 0;
	}
	return i;
}

size_t
text_find(const char *hay, size_t n, size_t from, const char *needle, size_t *len)
{
	size_t m = strlen(needle);
	bool exact = needle_has_capitals(needle, m);
	while (m > 0 && from < n) {
		int32_t cp;
		*len = match_here(hay + from, n - from, needle, m, exact);
		if (*len > 0)
			return from;
		from += utf8_decode(hay + from, n - from, &cp);
	}
	return (size_t)-1;
}
