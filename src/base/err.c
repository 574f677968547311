/* err: one message a thread. */
#include "byline/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[1024];

enum err
err_set(enum err code, const char *fmt, ...)
{
	/* The arguments may point into the old message. */
	char fresh[sizeof(message)] = "";
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(fresh, sizeof(fresh), fmt, ap);
	va_end(ap);
	memcpy(message, fresh, sizeof(message));
	return code;
}

enum err
err_prefix(enum err code, const char *fmt, ...)
{
	char fresh[sizeof(message)] = "";
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(fresh, sizeof(fresh), fmt, ap);
	va_end(ap);
	/* A message too long for its prefix loses its end. */
	if (n >= 0 && (size_t)n < sizeof(fresh) && snprintf(fresh + n, sizeof(fresh) - (size_t)n, ": %s", message) < 0)
		fresh[n] = '\0';
	memcpy(message, fresh, sizeof(message));
	return code;
}

const char *
err_message(void)
{
	return message;
}

void
err_clear(void)
{
	message[0] = '\0';
}
