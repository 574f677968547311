/* json: jansson behind the checks that data from strangers needs, and a printer whose floats read back the same. */
#include "byline/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/hash.h"

enum { DEPTH_MAX = 512 };

/* ---- reading ---- */

/* Counts brackets before jansson recurses into them. In text that is not JSON the count means nothing, but then jansson
 * refuses it without having gone deeper than we counted. */
static bool
json_too_deep(const char *text, size_t n)
{
	bool quoted = false;
	int depth = 0;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{') && ++depth > DEPTH_MAX)
			return true;
		else if (!quoted && (c == ']' || c == '}'))
			depth--;
	}
	return false;
}

/* `transformers` writes 1e30 as a whole number for "no limit" (model_max_length). The text again, with ".0" behind each
 * whole number that may not fit 64 bits. */
static void
json_long_to_real(struct str *out, const char *text, size_t n)
{
	bool quoted = false;
	for (size_t i = 0, length; i < n; i += length) {
		bool whole = true;
		length = quoted && text[i] == '\\' && i + 1 < n ? 2 : 1;
		if (!quoted && strchr("-0123456789", text[i]))
			for (length = 0; i + length < n && strchr("-+.eE0123456789", text[i + length]); length++)
				whole = whole && !strchr(".eE", text[i + length]);
		str_add(out, text + i, length);
		if (length > 18 && whole)
			str_adds(out, ".0");
		if (text[i] == '"')
			quoted = !quoted;
	}
}

enum err
json_parse(const char *text, size_t n, const char *name, json_t **out)
{
	*out = NULL;
	if (json_too_deep(text, n))
		return err_set(ERR_LIMIT, "%s: JSON nested more than %d deep", name, DEPTH_MAX);
	json_error_t why;
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
	*out = json_loadb(n ? text : "", n, flags, &why);
	if (!*out && json_error_code(&why) == json_error_numeric_overflow) {
		struct str reals = {0};
		json_long_to_real(&reals, text, n);
		*out = json_loadb(reals.s, reals.len, flags, &why);
		str_free(&reals);
	}
	if (!*out)
		return err_set(ERR_FORMAT, "%s: line %d, column %d: %s", name, why.line, why.column, why.text);
	return OK;
}

enum err
json_parse_file(const char *path, size_t limit, json_t **out)
{
	struct str text = {0};
	*out = NULL;
	enum err err = file_read(path, limit, &text);
	if (err == OK)
		err = json_parse(text.s, text.len, path, out);
	str_free(&text);
	return err;
}

/* ---- getters ---- */

/* *value is NULL when the key is absent or null. */
static enum err
json_find(const json_t *obj, const char *name, const char *key, const json_t **value)
{
	*value = NULL;
	if (!json_is_object(obj))
		return err_set(ERR_FORMAT, "%s: \"%s\" is looked for in something that is not an object", name, key);
	*value = json_object_get(obj, key);
	if (json_is_null(*value))
		*value = NULL;
	return OK;
}

static enum err
json_absent(const char *name, const char *key)
{
	return err_set(ERR_FORMAT, "%s: \"%s\" is missing", name, key);
}

static enum err
json_take_int(const json_t *v, const char *name, const char *key, int64_t min, int64_t max, int64_t *out)
{
	if (!json_is_integer(v))
		return err_set(ERR_FORMAT, "%s: \"%s\" must be a whole number", name, key);
	int64_t n = json_integer_value(v);
	if (n < min || n > max)
		return err_set(ERR_FORMAT, "%s: \"%s\" is %" PRId64 ", must be from %" PRId64 " to %" PRId64,
			name, key, n, min, max);
	*out = n;
	return OK;
}

static enum err
json_take_str(const json_t *v, const char *name, const char *key, const char **out)
{
	if (!json_is_string(v))
		return err_set(ERR_FORMAT, "%s: \"%s\" must be a string", name, key);
	const char *s = json_string_value(v);
	/* As a C string it would end early, and two checks could see two different strings. */
	if (strlen(s) != json_string_length(v))
		return err_set(ERR_FORMAT, "%s: \"%s\" holds a NUL byte", name, key);
	*out = s;
	return OK;
}

enum err
json_want_int(const json_t *obj, const char *name, const char *key, int64_t min, int64_t max, int64_t *out)
{
	const json_t *v;
	TRY(json_find(obj, name, key, &v));
	return v ? json_take_int(v, name, key, min, max, out) : json_absent(name, key);
}

enum err
json_opt_int(const json_t *obj, const char *name, const char *key, int64_t min, int64_t max, int64_t def, int64_t *out)
{
	const json_t *v;
	*out = def;
	TRY(json_find(obj, name, key, &v));
	return v ? json_take_int(v, name, key, min, max, out) : OK;
}

enum err
json_opt_real(const json_t *obj, const char *name, const char *key, double min, double max, double def, double *out)
{
	const json_t *v;
	*out = def;
	TRY(json_find(obj, name, key, &v));
	if (!v)
		return OK;
	if (!json_is_number(v))
		return err_set(ERR_FORMAT, "%s: \"%s\" must be a number", name, key);
	double x = json_number_value(v);
	if (!(x >= min && x <= max))
		return err_set(ERR_FORMAT, "%s: \"%s\" is %g, must be from %g to %g", name, key, x, min, max);
	*out = x;
	return OK;
}

enum err
json_opt_bool(const json_t *obj, const char *name, const char *key, bool def, bool *out)
{
	const json_t *v;
	*out = def;
	TRY(json_find(obj, name, key, &v));
	if (v && !json_is_boolean(v))
		return err_set(ERR_FORMAT, "%s: \"%s\" must be true or false", name, key);
	if (v)
		*out = json_is_true(v);
	return OK;
}

enum err
json_want_str(const json_t *obj, const char *name, const char *key, const char **out)
{
	const json_t *v;
	TRY(json_find(obj, name, key, &v));
	return v ? json_take_str(v, name, key, out) : json_absent(name, key);
}

enum err
json_opt_str(const json_t *obj, const char *name, const char *key, const char *def, const char **out)
{
	const json_t *v;
	*out = def;
	TRY(json_find(obj, name, key, &v));
	return v ? json_take_str(v, name, key, out) : OK;
}

static enum err
json_take_hash(const char *text, const char *name, const char *key, char *hex)
{
	if (strlen(text) != HASH_HEX - 1 || strspn(text, "0123456789abcdef") != HASH_HEX - 1)
		return err_set(ERR_FORMAT, "%s: \"%s\" must be a SHA-256 in 64 lower-case hexadecimal digits", name,
			key);
	memcpy(hex, text, HASH_HEX);
	return OK;
}

enum err
json_want_hash(const json_t *obj, const char *name, const char *key, char *hex)
{
	const char *text;
	TRY(json_want_str(obj, name, key, &text));
	return json_take_hash(text, name, key, hex);
}

enum err
json_opt_hash(const json_t *obj, const char *name, const char *key, char *hex)
{
	const char *text;
	TRY(json_opt_str(obj, name, key, NULL, &text));
	*hex = '\0';
	return text ? json_take_hash(text, name, key, hex) : OK;
}

enum err
json_want_u64(const json_t *obj, const char *name, const char *key, uint64_t *out)
{
	const char *text;
	char *end;
	TRY(json_want_str(obj, name, key, &text));
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return err_set(ERR_FORMAT, "%s: \"%s\" must be a whole number in a string", name, key);
	return OK;
}
