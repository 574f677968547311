/* err: one message a thread. */
#include "byline/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP " ... "

static _Thread_local char message[ERR_MESSAGE];

static bool
inside_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* A stranger's name may be as long as he likes; what is wrong stands after it. */
static void
fit(char *to, size_t size, const char *from, size_t n)
{
	if (n < size) {
		memcpy(to, from, n + 1);
		return;
	}
	size_t head = size / 3, tail = n - (size - 1 - head - strlen(GAP));
	while (head > 0 && inside_character(from[head]))
		head--;
	while (tail < n && inside_character(from[tail]))
		tail++;
	memcpy(to, from, head);
	memcpy(to + head, GAP, strlen(GAP));
	memcpy(to + head + strlen(GAP), from + tail, n - tail + 1);
}

/* What was formatted, and after it, unless it is NULL, ": " and `rest`; cut to the length of a message. */
static void __attribute__((format(printf, 3, 0)))
format(char fresh[ERR_MESSAGE], const char *rest, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(fresh, ERR_MESSAGE, fmt, ap);
	size_t more = rest ? strlen(rest) + 2 : 0, all = n < 0 ? 0 : (size_t)n + more;
	char *whole = n < 0 ? NULL : malloc(all + 1);
	if (whole) {
		vsnprintf(whole, (size_t)n + 1, fmt, again);
		if (rest)
			snprintf(whole + n, more + 1, ": %s", rest);
		fit(fresh, ERR_MESSAGE, whole, all);
	}
	free(whole);
	va_end(again);
}

enum err
err_set(enum err code, const char *fmt, ...)
{
	/* The arguments may point into the old message. */
	char fresh[ERR_MESSAGE] = "";
	va_list ap;
	va_start(ap, fmt);
	format(fresh, NULL, fmt, ap);
	va_end(ap);
	memcpy(message, fresh, sizeof(message));
	return code;
}

enum err
err_prefix(enum err code, const char *fmt, ...)
{
	char fresh[ERR_MESSAGE] = "";
	va_list ap;
	va_start(ap, fmt);
	format(fresh, message, fmt, ap);
	va_end(ap);
	memcpy(message, fresh, sizeof(message));
	return code;
}

const char *
err_message(void)
{
	return message;
}

void
err_copy(char *to, size_t size)
{
	fit(to, size, message, strlen(message));
}

void
err_clear(void)
{
	message[0] = '\0';
}
