/* history: one line of text a line, with '\\' and line ends escaped. */
#include "history.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "byline/err.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/str.h"
#include "xdg.h"

enum { HISTORY_LINES = 500, HISTORY_BYTES = 4 << 20 };

static void
history_push(struct history *h, char *line)
{
	mem_grow(&h->line, &h->cap, h->n + 1, sizeof(*h->line));
	h->line[h->n++] = line;
}

static void
history_drop(struct history *h, size_t i)
{
	free(h->line[i]);
	h->n--;
	memmove(h->line + i, h->line + i + 1, (h->n - i) * sizeof(*h->line));
}

static char *
line_decode(const char *s, size_t n)
{
	struct str out = {0};
	str_clear(&out);
	for (size_t i = 0; i < n; i++) {
		bool escape = s[i] == '\\' && i + 1 < n;
		if (escape)
			i++;
		str_addc(&out, escape && s[i] == 'n' ? '\n' : s[i]);
	}
	return str_take(&out);
}

static void
line_encode(struct str *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n' || *s == '\\')
			str_addc(out, '\\');
		str_addc(out, *s == '\n' ? 'n' : *s);
	}
	str_addc(out, '\n');
}

static void
history_read(struct history *h)
{
	struct str text = {0};
	if (file_read(h->path, HISTORY_BYTES, &text) == OK)
		for (size_t i = 0; i < text.len;) {
			const char *eol = memchr(text.s + i, '\n', text.len - i);
			size_t n = eol ? (size_t)(eol - text.s) - i : text.len - i;
			if (n > 0 && !memchr(text.s + i, '\0', n))
				history_push(h, line_decode(text.s + i, n));
			i += n + 1;
		}
	str_free(&text);
	while (h->n > HISTORY_LINES)
		history_drop(h, 0);
}

void
history_open(struct history *h, const char *name)
{
	*h = (struct history){ .path = xdg_path(XDG_STATE, name) };
	if (h->path && file_exists(h->path))
		history_read(h);
	err_clear();
}

static void
history_write(const struct history *h)
{
	char *folder = xstrndup(h->path, (size_t)(path_base(h->path) - h->path));
	struct str text = {0};
	for (size_t i = 0; i < h->n; i++)
		line_encode(&text, h->line[i]);
	if (file_mkdirs(folder) == OK)
		(void)file_replace(h->path, text.s, text.len);
	err_clear();
	str_free(&text);
	free(folder);
}

void
history_add(struct history *h, const char *line)
{
	if (!*line)
		return;
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->line[i], line) == 0)
			history_drop(h, i--);
	history_push(h, xstrdup(line));
	if (h->n > HISTORY_LINES)
		history_drop(h, 0);
	if (h->path)
		history_write(h);
}

void
history_free(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->line[i]);
	free(h->line);
	free(h->path);
	*h = (struct history){0};
}
