/*
 * str: a growable byte string, always NUL-terminated after the first call. May hold NULs; `len` is the truth.
 * Zero-initialise (`struct str s = {0};`), free with str_free(), or take the bytes with str_take().
 */
#ifndef BYLINE_STR_H
#define BYLINE_STR_H

#include <stdarg.h>
#include <stddef.h>

struct str {
	char *s;
	size_t len, cap;
};

void str_add(struct str *s, const char *bytes, size_t n);
void str_adds(struct str *s, const char *cstr);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_addv(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void str_fill(struct str *s, char c, size_t n);	/* n copies of c */
void str_clear(struct str *s);			/* len = 0, keeps the buffer */
void str_trim(struct str *s);			/* trailing ASCII white space goes */
char *str_take(struct str *s);			/* the caller owns the result; s is empty again; never NULL */
void str_free(struct str *s);

#endif
