/*
 * Patterns in tokenizer.json are written for Oniguruma with Ruby's syntax. This puts one in PCRE2's words, and refuses
 * by name what PCRE2 would understand as something else: a wrong split is worse than none.
 */
#include "tok.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "byline/mem.h"

struct onig {
	const char *p, *end;
	const char *whole, *name;
	size_t n;
	struct str *out;
};

static enum err
onig_refuse(const struct onig *o, const char *what)
{
	return err_set(ERR_UNSUPPORTED, "%s: regular expression \"%.*s\": %s is not supported",
		o->name, (int)(o->n < 200 ? o->n : 200), o->whole, what);
}

static bool
onig_ahead(const struct onig *o, const char *s)
{
	size_t n = strlen(s);
	return (size_t)(o->end - o->p) >= n && memcmp(o->p, s, n) == 0;
}

static bool
onig_compiles(const char *pattern)
{
	int code;
	PCRE2_SIZE at;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &code, &at,
		NULL);
	pcre2_code_free(re);
	return re != NULL;
}

/* ---- escapes ---- */

/* Same letter, other members: PCRE2's \s has U+180E too, its \w lacks marks and has all numbers, its \v is a class. */
static const struct { char letter; const char *members, *outside; } onig_classes[] = {
	{ 's', "\\p{Z}\\t-\\r\\x{85}", "[\\p{Z}\\t-\\r\\x{85}]" },
	{ 'S', NULL, "[^\\p{Z}\\t-\\r\\x{85}]" },
	{ 'w', "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}",
		"[\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}]" },
	{ 'W', NULL, "[^\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}]" },
	{ 'h', "0-9a-fA-F", "[0-9a-fA-F]" },
	{ 'H', NULL, "[^0-9a-fA-F]" },
	{ 'v', "\\x{b}", "\\x{b}" },
};

/* \p{Han} is the Script property there and Script_Extensions here. */
static void
onig_property(struct onig *o, const char *name, size_t n, char letter)
{
	char probe[64];
	snprintf(probe, sizeof(probe), "\\p{sc:%.*s}", (int)n, name);
	bool script = n > 2 && n < 40 && name[0] != '^' && onig_compiles(probe);
	str_addf(o->out, "\\%c{%s%.*s}", letter, script ? "sc:" : "", (int)n, name);
}

/* At "p{Name}" or "P{Name}", after the backslash. */
static enum err
onig_braced_property(struct onig *o)
{
	const char *close = memchr(o->p, '}', (size_t)(o->end - o->p));
	if (o->end - o->p < 3 || o->p[1] != '{' || !close)
		return onig_refuse(o, "\\p without {name}");
	for (const char *c = o->p + 2; c < close; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_^ -", *c))
			return onig_refuse(o, "this name of a property");
	onig_property(o, o->p + 2, (size_t)(close - o->p - 2), o->p[0]);
	o->p = close + 1;
	return OK;
}

/* \xHH, \x{H...}, \uHHHH, after the backslash. Two digits from 80 on are a byte there, a code point here. */
static enum err
onig_hex(struct onig *o)
{
	bool braced = onig_ahead(o, "x{");
	size_t want = o->p[0] == 'u' ? 4 : 2, n = 0;
	const char *digits = o->p + (braced ? 2 : 1);
	while (digits + n < o->end && isxdigit((unsigned char)digits[n]) && (braced ? n < 8 : n < want))
		n++;
	const char *after = digits + n;
	if (braced ? after == o->end || *after != '}' || n == 0 : n != want)
		return onig_refuse(o, "this hexadecimal escape");
	if (!braced && want == 2 && digits[0] >= '8')
		return onig_refuse(o, "a byte above 7f");
	str_addf(o->out, "\\x{%.*s}", (int)n, digits);
	o->p = after + braced;
	return OK;
}

static enum err
onig_escape(struct onig *o, bool inside)
{
	if (++o->p == o->end)
		return onig_refuse(o, "a backslash at the end");
	char c = *o->p;
	for (size_t i = 0; i < ARRAY_LEN(onig_classes); i++) {
		const char *to = inside ? onig_classes[i].members : onig_classes[i].outside;
		if (onig_classes[i].letter != c)
			continue;
		if (!to && c != 'S')
			return onig_refuse(o, "\\W or \\H inside [ ]");
		o->p++;
		str_adds(o->out, to ? to : "\\S");	/* inside a class one code point off: U+180E */
		return OK;
	}
	if (c == 'p' || c == 'P')
		return onig_braced_property(o);
	if (c == 'x' || c == 'u')
		return onig_hex(o);
	if (isalnum((unsigned char)c) && !strchr(inside ? "dDnrtfae" : "dDnrtfaeAzZ", c)) {
		char what[] = { '\\', c, '\0' };
		return onig_refuse(o, what);
	}
	o->p++;
	str_addc(o->out, '\\');
	str_addc(o->out, c);
	return OK;
}

/* ---- classes, groups, repeats ---- */

/* A class inside a class is a union there; here the brackets would be members. */
static enum err
onig_class(struct onig *o)
{
	int depth = 1;
	str_addc(o->out, *o->p++);
	if (onig_ahead(o, "^"))
		str_addc(o->out, *o->p++);
	if (onig_ahead(o, "]"))
		return onig_refuse(o, "] as first member of [ ]");
	while (o->p < o->end && depth > 0) {
		if (*o->p == '\\') {
			TRY(onig_escape(o, true));
			continue;
		}
		if (onig_ahead(o, "&&"))
			return onig_refuse(o, "&& inside [ ]");
		if (onig_ahead(o, "[:") || onig_ahead(o, "[^") || onig_ahead(o, "[]"))
			return onig_refuse(o, "this kind of [ ] inside [ ]");
		depth += *o->p == '[' ? 1 : *o->p == ']' ? -1 : 0;
		if ((*o->p != '[' && *o->p != ']') || depth == 0)
			str_addc(o->out, *o->p);
		o->p++;
	}
	return depth > 0 ? onig_refuse(o, "[ without ]") : OK;
}

static enum err
onig_group(struct onig *o)
{
	static const char *const heads[] = { "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:" };
	bool at_start = o->p == o->whole;
	if (onig_ahead(o, "(*"))
		return onig_refuse(o, "(*");
	if (!onig_ahead(o, "(?")) {
		str_addc(o->out, *o->p++);
		return OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (onig_ahead(o, heads[i])) {
			str_adds(o->out, heads[i]);
			o->p += strlen(heads[i]);
			return OK;
		}
	/* Further in, (?i) reaches over the next | there but not here. */
	if (!at_start || !onig_ahead(o, "(?i)"))
		return onig_refuse(o, "this kind of group");
	str_adds(o->out, "(?i)");
	o->p += 4;
	return OK;
}

/* {n}, {n,}, {,m}, {n,m}; anything else is a plain brace in both. A + after one is possessive here and a repeat there,
 * a ? after {n} makes it lazy here and optional there. */
static enum err
onig_repeat(struct onig *o)
{
	const char *c = o->p + 1, *low = c;
	while (c < o->end && isdigit((unsigned char)*c))
		c++;
	bool has_low = c > low, comma = c < o->end && *c == ',';
	const char *high = c + comma;
	for (c = high; comma && c < o->end && isdigit((unsigned char)*c);)
		c++;
	bool counted = c < o->end && *c == '}' && (has_low || c > high);
	if (!counted) {
		str_addc(o->out, *o->p++);
		return OK;
	}
	str_adds(o->out, has_low ? "{" : "{0");
	str_add(o->out, low, (size_t)(c + 1 - low));
	o->p = c + 1;
	bool differs = onig_ahead(o, "+") || (!comma && onig_ahead(o, "?"));
	return differs ? onig_refuse(o, "+ or ? after a { } repeat") : OK;
}

enum err
onig_translate(const char *pattern, size_t n, const char *name, struct str *out)
{
	struct onig o = { .p = pattern, .end = pattern + n, .whole = pattern, .name = name, .n = n, .out = out };
	while (o.p < o.end) {
		switch (*o.p) {
		case '\\': TRY(onig_escape(&o, false)); break;
		case '[': TRY(onig_class(&o)); break;
		case '(': TRY(onig_group(&o)); break;
		case '{': TRY(onig_repeat(&o)); break;
		default: str_addc(out, *o.p++);
		}
	}
	return OK;
}
