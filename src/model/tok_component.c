/* Reading tokenizer.json's components. */
#include "tok_component.h"

#include <string.h>

#include "byline/json.h"
#include "byline/utf8.h"

static enum err
refuse(const struct reading *r, const char *type)
{
	return err_set(ERR_UNSUPPORTED, "%s: %s \"%s\" is not supported", r->name, r->kind, type);
}

enum err
read_component(const struct reading *r, const json_t *value, const struct component *table, size_t n)
{
	const char *type;
	if (!value || json_is_null(value))
		return OK;
	if (!json_is_object(value))
		return err_set(ERR_FORMAT, "%s: a %s is not an object", r->name, r->kind);
	TRY(json_want_str(value, r->name, "type", &type));
	for (size_t i = 0; i < n; i++)
		if (strcmp(type, table[i].type) == 0)
			return table[i].read ? table[i].read(r, value, (int)i) : OK;
	return refuse(r, type);
}

enum err
read_list(const struct reading *r, const json_t *value, const char *key,
	enum err (*read)(const struct reading *, const json_t *))
{
	const json_t *list = json_object_get(value, key);
	if (!json_is_array(list))
		return err_set(ERR_FORMAT, "%s: the %s Sequence has no list \"%s\"", r->name, r->kind, key);
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(read(r, json_array_get(list, i)));
	return OK;
}

enum err
read_pattern(const struct reading *r, const json_t *value, struct pattern *out)
{
	const json_t *pattern = json_object_get(value, "pattern");
	const json_t *regex = json_object_get(pattern, "Regex"), *text = json_object_get(pattern, "String");
	const json_t *given = regex ? regex : text;
	if (!json_is_string(given))
		return err_set(ERR_FORMAT, "%s: a %s has no pattern {\"Regex\": ...} or {\"String\": ...}", r->name,
			r->kind);
	*out = (struct pattern){ json_string_value(given), json_string_length(given), regex != NULL };
	if (out->n == 0 || memchr(out->s, '\0', out->n))
		return err_set(ERR_UNSUPPORTED, "%s: the pattern of a %s is empty, or holds a NUL", r->name, r->kind);
	return OK;
}

enum err
read_mark(const struct reading *r, const json_t *value, char mark[8])
{
	const char *s;
	int32_t cp = -1;
	TRY(json_opt_str(value, r->name, "replacement", "\xe2\x96\x81", &s));
	size_t n = strlen(s);
	if (n == 0 || utf8_decode(s, n, &cp) != n || cp < 0)
		return err_set(ERR_FORMAT, "%s: the \"replacement\" of a %s is not one character", r->name, r->kind);
	memcpy(mark, s, n + 1);
	return OK;
}
