/* json_print: values to text, the same bytes in every locale; values from bytes and numbers that JSON cannot say. */
#include "byline/json.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/utf8.h"

static void
print_string(struct str *out, const char *s, size_t n)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	str_addc(out, '"');
	for (size_t i = 0; i < n; i++) {
		const char *special = s[i] ? strchr(plain, s[i]) : NULL;
		if (special)
			str_addf(out, "\\%c", letter[special - plain]);
		else if ((unsigned char)s[i] < 0x20)
			str_addf(out, "\\u%04x", (unsigned)s[i]);
		else
			str_addc(out, s[i]);
	}
	str_addc(out, '"');
}

/* The shortest of 15, 16 and 17 digits that reads back the same. */
static void
print_real(struct str *out, double x)
{
	char buf[64];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, x);
		if (strtod(buf, NULL) == x)
			break;
	}
	const char *point = localeconv()->decimal_point, *at = strstr(buf, point);
	size_t whole = at ? (size_t)(at - buf) : strlen(buf);
	str_add(out, buf, whole);
	if (at) {
		str_addc(out, '.');
		str_adds(out, at + strlen(point));
	} else if (!strchr(buf, 'e')) {
		str_adds(out, ".0");	/* or it would come back as an integer */
	}
}

static void
print_break(struct str *out, int indent, int depth)
{
	if (indent > 0) {
		str_addc(out, '\n');
		str_fill(out, ' ', (size_t)indent * (size_t)depth);
	}
}

static void print_value(struct str *out, json_t *v, int indent, int depth);

static void
print_array(struct str *out, json_t *v, int indent, int depth)
{
	size_t i;
	json_t *item;
	str_addc(out, '[');
	json_array_foreach(v, i, item) {
		if (i > 0)
			str_addc(out, ',');
		print_break(out, indent, depth + 1);
		print_value(out, item, indent, depth + 1);
	}
	if (json_array_size(v) > 0)
		print_break(out, indent, depth);
	str_addc(out, ']');
}

static void
print_object(struct str *out, json_t *v, int indent, int depth)
{
	const char *key;
	json_t *item;
	bool first = true;
	str_addc(out, '{');
	json_object_foreach(v, key, item) {
		if (!first)
			str_addc(out, ',');
		first = false;
		print_break(out, indent, depth + 1);
		print_string(out, key, strlen(key));
		str_adds(out, indent > 0 ? ": " : ":");
		print_value(out, item, indent, depth + 1);
	}
	if (!first)
		print_break(out, indent, depth);
	str_addc(out, '}');
}

static void
print_value(struct str *out, json_t *v, int indent, int depth)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: print_object(out, v, indent, depth); break;
	case JSON_ARRAY: print_array(out, v, indent, depth); break;
	case JSON_STRING: print_string(out, json_string_value(v), json_string_length(v)); break;
	case JSON_INTEGER: str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
	case JSON_REAL: print_real(out, json_real_value(v)); break;
	case JSON_TRUE: str_adds(out, "true"); break;
	case JSON_FALSE: str_adds(out, "false"); break;
	case JSON_NULL: str_adds(out, "null"); break;
	}
}

void
json_print(struct str *out, const json_t *value, int indent)
{
	/* jansson's iterators take no const, though they change nothing. */
	print_value(out, (json_t *)(uintptr_t)value, indent, 0);
}

json_t *
json_text(const char *s, size_t n)
{
	struct str clean = {0};
	str_add(&clean, "", 0);
	for (size_t i = 0; i < n;) {
		int32_t cp;
		size_t used = utf8_decode(s + i, n - i, &cp);
		if (cp < 0)
			str_adds(&clean, "\ufffd");
		else
			str_add(&clean, s + i, used);
		i += used;
	}
	json_t *value = json_stringn(clean.s, clean.len);
	assert(value);
	str_free(&clean);
	return value;
}

json_t *
json_cstr(const char *s)
{
	return s ? json_text(s, strlen(s)) : json_null();
}

json_t *
json_number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}
