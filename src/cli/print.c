/* print: everything the commands say, escaped. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>

#include "byline/str.h"
#include "byline/utf8.h"

static void
print_escaped(FILE *f, const struct str *s, unsigned flags)
{
	struct str safe = {0};
	text_escape(&safe, s->s ? s->s : "", s->len, flags);
	fwrite(safe.s ? safe.s : "", 1, safe.len, f);
	str_free(&safe);
}

void
complain(const char *fmt, ...)
{
	struct str s = {0};
	str_adds(&s, "byline: ");
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	fflush(stdout);
	/* One message is one line: a file's name may hold a newline, and what follows it would pass for a message of
	 * ours; or tabs, and be another name than it looks. */
	print_escaped(stderr, &s, ESCAPE_NEWLINE | ESCAPE_TAB_CODE);
	fputc('\n', stderr);
	str_free(&s);
}

void
say(const char *fmt, ...)
{
	struct str s = {0};
	va_list ap;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	print_escaped(stdout, &s, 0);
	str_free(&s);
}

int
fail(enum err err)
{
	complain("%s", err_message());
	return err == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}
