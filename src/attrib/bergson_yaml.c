/* bergson_yaml: see bergson_yaml.h. */
#include "bergson_yaml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/str.h"

enum { DEPTH = 32, PAIRS_MAX = 1 << 16 };

struct parsing {
	const char *name, *p, *end;
	int line;
	struct str path;
	struct { size_t indent, length; } level[DEPTH];	/* where a key stands, and the path's length before it */
	int depth;
	struct yaml *out;
};

static enum err
refuse(const struct parsing *k, const char *why)
{
	return err_set(ERR_FORMAT, "%s:%d: %s", k->name, k->line, why);
}

static bool
line_next(struct parsing *k, const char **line, size_t *n)
{
	if (k->p == k->end)
		return false;
	const char *stop = memchr(k->p, '\n', (size_t)(k->end - k->p));
	*line = k->p;
	*n = (size_t)((stop ? stop : k->end) - k->p);
	k->p = stop ? stop + 1 : k->end;
	k->line++;
	while (*n > 0 && ((*line)[*n - 1] == ' ' || (*line)[*n - 1] == '\r'))
		--*n;
	return true;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* Where a value in quotes ends: the place of the quote, or n. Two single ones, or a backslash, keep it going. */
static size_t
quote_end(const char *s, size_t n, size_t from, char quote)
{
	for (size_t i = from; i < n; i++) {
		if (quote == '"' && s[i] == '\\')
			i++;
		else if (s[i] == quote && quote == '\'' && i + 1 < n && s[i + 1] == quote)
			i++;
		else if (s[i] == quote)
			return i;
	}
	return n;
}

/* The text between quotes as it stands, but for '': no setting that is asked for here has a backslash. */
static void
quoted_add(struct str *out, const char *s, size_t n, char quote)
{
	for (size_t i = 0; i < n; i++) {
		str_addc(out, s[i]);
		i += quote == '\'' && s[i] == quote ? 1 : 0;
	}
}

static enum err
quoted_read(struct parsing *k, const char *s, size_t n, struct str *out)
{
	char quote = s[0];
	size_t from = 1;
	for (;;) {
		size_t end = quote_end(s, n, from, quote);
		quoted_add(out, s + from, (end < n ? end : n) - from, quote);
		if (end < n)
			return end + 1 == n ? OK : refuse(k, "something stands behind a closing quote");
		if (!line_next(k, &s, &n))
			return refuse(k, "a quote is not closed");
		str_addc(out, ' ');
		for (from = 0; from < n && s[from] == ' ';)
			from++;
	}
}

static enum err
value_read(struct parsing *k, const char *s, size_t n, struct str *out)
{
	str_clear(out);
	str_adds(out, "");
	if (n > 0 && (s[0] == '\'' || s[0] == '"'))
		return quoted_read(k, s, n, out);
	bool empty = n == 2 && (memcmp(s, "[]", 2) == 0 || memcmp(s, "{}", 2) == 0);
	if (n > 0 && strchr("|>&*!%@`{[", s[0]) && !empty)
		return refuse(k, "this is more of YAML than a settings file needs");
	str_add(out, s, n);
	return OK;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* The length of the key that the line begins with; 0: none, it goes on with the value of the line before. */
static size_t
key_length(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == ':' && (i + 1 == n || s[i + 1] == ' '))
			return i;
		else if (s[i] == ' ' || s[i] == '\'' || s[i] == '"' || s[i] == '#')
			return 0;
	return 0;
}

/* The path of a key that stands at this indentation. */
static enum err
path_set(struct parsing *k, size_t indent, const char *key, size_t n)
{
	while (k->depth > 0 && k->level[k->depth - 1].indent >= indent)
		k->path.len = k->level[--k->depth].length;
	if (k->depth == DEPTH)
		return refuse(k, "nested too deep");
	k->level[k->depth].indent = indent;
	k->level[k->depth++].length = k->path.len;
	if (k->path.len > 0)
		str_addc(&k->path, '.');
	str_add(&k->path, key, n);
	return OK;
}

static enum err
pair_add(struct parsing *k, const char *value)
{
	struct yaml *y = k->out;
	if (y->n == PAIRS_MAX)
		return refuse(k, "too many settings");
	mem_grow(&y->v, &y->cap, y->n + 1, sizeof(*y->v));
	y->v[y->n++] = (struct yaml_pair){ xstrndup(k->path.s, k->path.len), xstrdup(value) };
	return OK;
}

static enum err
line_take(struct parsing *k, const char *s, size_t n, struct str *value)
{
	size_t indent = 0;
	while (indent < n && s[indent] == ' ')
		indent++;
	while (indent + 1 < n && s[indent] == '-' && s[indent + 1] == ' ')
		for (indent++; indent < n && s[indent] == ' ';)
			indent++;
	size_t key = key_length(s + indent, n - indent), at = indent + key + 1;
	if (memchr(s, '\t', n) || memchr(s, '\0', n))
		return refuse(k, "a tab or a NUL");
	if (key == 0)
		return OK;
	TRY(path_set(k, indent, s + indent, key));
	while (at < n && s[at] == ' ')
		at++;
	TRY(value_read(k, s + (at < n ? at : n), at < n ? n - at : 0, value));
	return pair_add(k, value->s);
}

enum err
yaml_parse(const char *text, size_t n, const char *name, struct yaml *out)
{
	text = text ? text : "";
	struct parsing k = { .name = name, .p = text, .end = text + n, .out = out };
	struct str value = {0};
	const char *line;
	size_t length;
	enum err err = OK;
	*out = (struct yaml){0};
	while (err == OK && line_next(&k, &line, &length))
		if (length > 0 && line[0] != '#')
			err = line_take(&k, line, length, &value);
	str_free(&value);
	str_free(&k.path);
	if (err != OK)
		yaml_free(out);
	return err;
}

void
yaml_free(struct yaml *y)
{
	for (size_t i = 0; i < y->n; i++) {
		free(y->v[i].path);
		free(y->v[i].value);
	}
	free(y->v);
	*y = (struct yaml){0};
}

const char *
yaml_find(const struct yaml *y, const char *tail)
{
	size_t n = strlen(tail);
	for (size_t i = 0; i < y->n; i++) {
		size_t m = strlen(y->v[i].path);
		if (m < n || strcmp(y->v[i].path + m - n, tail) != 0)
			continue;
		if (m == n || y->v[i].path[m - n - 1] == '.')
			return y->v[i].value;
	}
	return NULL;
}
