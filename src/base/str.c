/* str: a growable byte string. */
#include "byline/str.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

/* Room for n more bytes and the NUL. */
static void
str_reserve(struct str *s, size_t n)
{
	assert(n < SIZE_MAX - s->len);
	mem_grow(&s->s, &s->cap, s->len + n + 1, 1);
}

static void
str_end(struct str *s, size_t len)
{
	s->len = len;
	s->s[len] = '\0';
}

void
str_add(struct str *s, const char *bytes, size_t n)
{
	str_reserve(s, n);
	if (n > 0)
		memcpy(s->s + s->len, bytes, n);
	str_end(s, s->len + n);
}

void
str_adds(struct str *s, const char *cstr)
{
	str_add(s, cstr, strlen(cstr));
}

void
str_addc(struct str *s, char c)
{
	str_add(s, &c, 1);
}

void
str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	str_addv(s, fmt, ap);
	va_end(ap);
}

void
str_addv(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(n >= 0);
	str_reserve(s, (size_t)n);
	vsnprintf(s->s + s->len, (size_t)n + 1, fmt, ap);
	s->len += (size_t)n;
}

void
str_fill(struct str *s, char c, size_t n)
{
	str_reserve(s, n);
	memset(s->s + s->len, c, n);
	str_end(s, s->len + n);
}

void
str_clear(struct str *s)
{
	str_reserve(s, 0);
	str_end(s, 0);
}

void
str_trim(struct str *s)
{
	str_reserve(s, 0);
	size_t n = s->len;
	while (n > 0 && (s->s[n - 1] == ' ' || (s->s[n - 1] >= '\t' && s->s[n - 1] <= '\r')))
		n--;
	str_end(s, n);
}

char *
str_take(struct str *s)
{
	str_reserve(s, 0);
	str_end(s, s->len);
	char *bytes = s->s;
	*s = (struct str){0};
	return bytes;
}

void
str_free(struct str *s)
{
	free(s->s);
	*s = (struct str){0};
}
