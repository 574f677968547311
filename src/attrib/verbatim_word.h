/*
 * verbatim_word: where words begin and end in bytes from anywhere. What a word is stands in byline/verbatim.h. Only the
 * few bytes around a place decide, so that a copy of some text has the words of its original.
 */
#ifndef BYLINE_ATTRIB_VERBATIM_WORD_H
#define BYLINE_ATTRIB_VERBATIM_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERBATIM_END 0xff	/* after each text of the file, and never within a span */

struct word {
	uint32_t from, to;
	bool alone;		/* of a script without spaces: only marks can follow within it */
};

/* The first word at or after byte `at` of s[0..n); false when there is none. `at` must not be inside a word. */
bool word_next(const char *s, size_t n, size_t at, struct word *w);
/* Whether a word of which a part ends before s goes on in s[0..n). */
bool word_goes_on(bool alone, const char *s, size_t n);
/* Whether a word begins at byte `at` < n. */
bool word_begins(const char *s, size_t n, size_t at);

#endif
