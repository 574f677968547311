/* roff_text: escapes. */
#include "roff_text.h"

#include <string.h>

#include "byline/mem.h"

static const struct { const char *name, *text; } characters[] = {
	{"aq", "'"}, {"dq", "\""}, {"oq", "\u2018"}, {"cq", "\u2019"}, {"lq", "\u201c"}, {"rq", "\u201d"},
	{"em", "\u2014"}, {"en", "\u2013"}, {"hy", "-"}, {"bu", "\u2022"}, {"co", "\u00a9"}, {"ha", "^"}, {"ti", "~"},
	{"rs", "\\"}, {"mu", "\u00d7"}, {"ga", "`"}, {"aa", "\u00b4"}, {"ul", "_"}, {"ba", "|"}, {"->", "\u2192"},
	{"<-", "\u2190"}, {"<=", "\u2264"}, {">=", "\u2265"}, {"!=", "\u2260"}, {"+-", "\u00b1"}, {"mc", "\u00b5"},
	{"de", "\u00b0"}, {"if", "\u221e"}, {"at", "@"}, {"sh", "#"}, {"Do", "$"}, {"lB", "["}, {"rB", "]"},
	{"lC", "{"}, {"rC", "}"}, {"sl", "/"}, {"12", "\u00bd"}, {"14", "\u00bc"}, {"di", "\u00f7"}, {"pi", "\u03c0"},
	{"'e", "\u00e9"}, {"`e", "\u00e8"}, {":o", "\u00f6"}, {":u", "\u00fc"}, {":a", "\u00e4"}, {"/o", "\u00f8"},
	{",c", "\u00e7"}, {"ss", "\u00df"},
};

static const struct { char c; const char *text; } singles[] = {
	{'-', "-"}, {'e', "\\"}, {'\\', "\\"}, {' ', " "}, {'~', " "}, {'0', " "}, {'t', "\t"}, {'\'', "'"}, {'`', "`"},
	{'.', "."}, {'&', ""}, {'/', ""}, {',', ""}, {'|', ""}, {'^', ""}, {':', ""}, {'%', ""}, {'c', ""}, {')', ""},
	{'{', ""}, {'}', ""}, {'p', ""},
};

struct reader { const char *s; size_t n, at; };

/* A name after \( , \[ or a single letter, as \f, \*, \n and special characters take it. */
static void
read_name(struct reader *r, const char **name, size_t *len)
{
	*name = r->s + r->at;
	*len = 0;
	if (r->at >= r->n)
		return;
	if (r->s[r->at] == '(') {
		*name = r->s + ++r->at;
		*len = r->n - r->at < 2 ? r->n - r->at : 2;
		r->at += *len;
	} else if (r->s[r->at] == '[') {
		const char *end = memchr(r->s + r->at, ']', r->n - r->at);
		*name = r->s + r->at + 1;
		*len = end ? (size_t)(end - *name) : r->n - r->at - 1;
		r->at += *len + 1 + (end != NULL);
	} else {
		*len = 1;
		r->at++;
	}
}

/* 'anything', as \h, \v, \w and \s take it. */
static void
skip_quoted(struct reader *r)
{
	if (r->at >= r->n || r->s[r->at] != '\'')
		return;
	const char *end = memchr(r->s + r->at + 1, '\'', r->n - r->at - 1);
	r->at = end ? (size_t)(end - r->s) + 1 : r->n;
}

static void
skip_size(struct reader *r)
{
	if (r->at < r->n && (r->s[r->at] == '+' || r->s[r->at] == '-'))
		r->at++;
	while (r->at < r->n && r->s[r->at] >= '0' && r->s[r->at] <= '9')
		r->at++;
	skip_quoted(r);
}

static void
put_character(struct str *out, struct reader *r)
{
	const char *name;
	size_t len;
	read_name(r, &name, &len);
	for (size_t i = 0; i < ARRAY_LEN(characters); i++)
		if (strlen(characters[i].name) == len && memcmp(characters[i].name, name, len) == 0)
			str_adds(out, characters[i].text);
}

static void
put_single(struct str *out, char c)
{
	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		if (singles[i].c == c) {
			str_adds(out, singles[i].text);
			return;
		}
	str_addc(out, c);
}

/* r stands behind the backslash. */
static void
read_escape(struct str *out, struct reader *r)
{
	const char *name;
	size_t len;
	char c = r->s[r->at];
	if (c == '"' || c == '#') {
		r->at = r->n;
	} else if (c == '(' || c == '[') {
		put_character(out, r);
	} else if (c && strchr("fFmMnkgYV", c)) {
		r->at++;
		read_name(r, &name, &len);
	} else if (c == '*') {
		r->at++;
		put_character(out, r);
	} else if (c == 's') {
		r->at++;
		skip_size(r);
	} else if (c && strchr("hvwDLlobxXZACRB", c)) {
		r->at++;
		skip_quoted(r);
	} else {
		r->at++;
		put_single(out, c);
	}
}

void
roff_unescape(struct str *out, const char *s, size_t n)
{
	struct reader r = {s, n, 0};
	while (r.at < r.n) {
		char c = r.s[r.at++];
		if (c != '\\')
			str_addc(out, c);
		else if (r.at < r.n)
			read_escape(out, &r);
	}
}
