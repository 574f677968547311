/* holders: Copyright and SPDX lines, as people really write them. */
#include "holders.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "byline/mem.h"

struct slice { const char *s; size_t n; };

static struct slice
slice_trim(struct slice v, const char *front, const char *back)
{
	for (; v.n > 0 && strchr(front, *v.s) && *v.s; v.n--)
		v.s++;
	while (v.n > 0 && v.s[v.n - 1] && strchr(back, v.s[v.n - 1]))
		v.n--;
	return v;
}

/* Where `word` begins in v, without regard to case, or v.n. */
static size_t
slice_find(struct slice v, const char *word)
{
	size_t m = strlen(word);
	for (size_t i = 0; i + m <= v.n; i++)
		if (strncasecmp(v.s + i, word, m) == 0)
			return i;
	return v.n;
}

static bool
slice_begins(struct slice v, const char *word)
{
	return v.n >= strlen(word) && strncasecmp(v.s, word, strlen(word)) == 0;
}

static struct slice
slice_from(struct slice v, size_t at)
{
	at = at < v.n ? at : v.n;
	return (struct slice){v.s + at, v.n - at};
}

/* ---- one line ---- */

static const char sign[] = "\xc2\xa9";	/* the copyright sign */

/* Skips marks, years and "by" between the word and the name. *year: the first four digits seen. */
static struct slice
skip_years(struct slice v, struct slice *year)
{
	static const char *const words[] = {"(c)", sign, "by ", "copyright "};
	for (bool more = true; more;) {
		more = false;
		v = slice_trim(v, " \t,:;-.", "");
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (slice_begins(v, words[i])) {
				v = slice_from(v, strlen(words[i]));
				more = true;
			}
		size_t digits = 0;
		while (digits < v.n && isdigit((unsigned char)v.s[digits]))
			digits++;
		if (digits == 4 && year->n == 0)
			*year = (struct slice){v.s, 4};
		v = slice_from(v, digits);
		more = more || digits > 0;
	}
	return v;
}

static bool
has_word(struct slice v, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = slice_find(v, words[i]), end = at + strlen(words[i]);
		if (at < v.n && (at == 0 || !isalpha((unsigned char)v.s[at - 1]))
			&& (end == v.n || !isalpha((unsigned char)v.s[end])))
			return true;
	}
	return false;
}

/* What follows the comma after an organisation is its place, not a second holder. */
static bool
is_organisation(struct slice name)
{
	static const char *const words[] = {"inc", "incorporated", "corp", "corporation", "ltd", "llc", "llp", "gmbh",
		"company", "university", "foundation", "institute", "consortium", "laboratory", "laboratories",
		"systems", "software", "project", "technologies", "regents", "group"};
	return has_word(name, words, ARRAY_LEN(words));
}

/* Company forms follow a comma without being a second holder. */
static bool
comma_goes_on(struct slice rest)
{
	static const char *const forms[] = {"inc", "ltd", "llc", "gmbh", "jr", "s.a", "co."};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (slice_begins(rest, forms[i]))
			return true;
	return false;
}

/* ---- names ---- */

static bool
two_words(struct slice v)
{
	return memchr(v.s, ' ', v.n);
}

/* A full stop after a word, not after an initial, with a capital behind it. */
static size_t
sentence_end(struct slice v)
{
	for (size_t i = 3; i + 2 < v.n; i++)
		if (v.s[i] == '.' && v.s[i + 1] == ' ' && isupper((unsigned char)v.s[i + 2])
			&& isalpha((unsigned char)v.s[i - 1]) && isalpha((unsigned char)v.s[i - 2])
			&& isalpha((unsigned char)v.s[i - 3]))
			return i;
	return v.n;
}

/* A name without what people write around it: a role before it; a remark, an address, years after it. */
static struct slice
name_tidy(struct slice v)
{
	static const char *const roles[] = {"author: ", "authors: ", "author ", "written by "};
	static const char *const remarks[] = {" - ", " -- ", " http", ": "};
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (slice_begins(v, roles[i]))
			v = slice_from(v, strlen(roles[i]));
	for (size_t i = 0; i < ARRAY_LEN(remarks); i++)
		v.n = slice_find(v, remarks[i]);
	v.n = sentence_end(v);
	v = slice_trim(v, " ", " .;,:*/#-0123456789");
	if (v.n > 4 && strncasecmp(v.s + v.n - 4, " and", 4) == 0)
		v.n -= 4;
	return slice_trim(v, " ", " .;,");
}

/* Whether what stands at i ends the name before it. */
static bool
name_ends(struct slice v, size_t i)
{
	struct slice rest = slice_from(v, i);
	if (*rest.s == ',')
		return !comma_goes_on(slice_trim(slice_from(rest, 1), " ", ""));
	return slice_begins(rest, " and ") || (slice_begins(rest, " & ") && two_words((struct slice){v.s, i}));
}

/* Takes one name off the front of *v. Empty when what stands there is no name. */
static struct slice
take_name(struct slice *v)
{
	size_t i = 0;
	while (i < v->n && !strchr("<(\"\t[{", v->s[i]) && !name_ends(*v, i))
		i++;
	bool mail = i < v->n && (v->s[i] == '<' || v->s[i] == '(');
	struct slice name = name_tidy((struct slice){v->s, i});
	*v = slice_from(*v, i);
	bool proper = name.n > 0 && (isupper((unsigned char)*name.s) || (unsigned char)*name.s >= 0xc2 || mail);
	return name.n >= 2 && name.n <= 80 && proper ? name : (struct slice){name.s, 0};
}

static struct slice
skip_address(struct slice v)
{
	static const char pairs[][2] = {{'<', '>'}, {'(', ')'}, {'[', ']'}};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (v.n > 0 && *v.s == pairs[i][0]) {
			const char *end = memchr(v.s, pairs[i][1], v.n);
			return end ? slice_from(v, (size_t)(end - v.s) + 1) : slice_from(v, v.n);
		}
	return v;
}

static bool
is_month(struct slice v)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (const char *m = months; v.n >= 3 && *m; m += 3)
		if (strncmp(v.s, m, 3) == 0)
			return v.n > 3;
	return false;
}

/* Past what joins two names; *joined when it was an "and", after which even one word is a name. */
static struct slice
skip_joint(struct slice v, bool *joined)
{
	struct slice none = {0};
	v = slice_trim(skip_address(slice_trim(v, " ", "")), " ,.;", "");
	*joined = slice_begins(v, "and ") || slice_begins(v, "& ");
	if (*joined)
		v = slice_from(v, *v.s == '&' ? 2 : 4);
	return skip_years(v, &none);
}

/* Everything after the years: names with addresses, between commas and "and". Returns how many there were. */
static size_t
take_names(struct slice v, struct people *p)
{
	static const char written[] = "written by ";
	size_t n = 0, at = slice_find(v, written), rights = slice_find(v, "all rights");
	bool joined = true;
	if (at < v.n)
		v = slice_from(v, at + strlen(written));
	else
		v.n = rights;
	for (int guard = 0; v.n > 0 && guard < 16; guard++) {
		struct slice name = take_name(&v);
		bool addressed = v.n > 0 && strchr("<( ", *v.s) && *v.s;
		if (name.n == 0 || is_month(name) || isdigit((unsigned char)*name.s)
			|| (!joined && !two_words(name) && !addressed))
			break;
		people_add_once(p, name.s, name.n);
		n++;
		if (is_organisation(name) && slice_find(v, " and ") < v.n)
			v = slice_from(v, slice_find(v, " and "));
		else if (is_organisation(name))
			break;
		v = skip_joint(v, &joined);
	}
	return n;
}

/* ---- the header ---- */

struct scan { struct record *r; struct slice year; bool name_follows; };

static void
set_once(char **to, struct slice v)
{
	v = slice_trim(v, " \t:", " \t*/#>-\r");
	if (!*to && v.n > 0 && v.n < 200)
		*to = xstrndup(v.s, v.n);
}

/* An identifier or an expression of them; anything else is prose that quotes the tag. */
static void
set_licence(struct record *r, struct slice v)
{
	static const char marks[] = " -.+()_";
	v = slice_trim(v, " \t:", " \t*/#>-\r");
	for (size_t i = 0; i < v.n; i++)
		if (!isalnum((unsigned char)v.s[i]) && (!v.s[i] || !strchr(marks, v.s[i])))
			return;
	set_once(&r->licence, v);
}

static bool
scan_licence(struct scan *sc, struct slice line)
{
	static const char spdx[] = "SPDX-License-Identifier:", block[] = "LICENSE_START(";
	size_t at = slice_find(line, spdx);
	if (at < line.n) {
		set_licence(sc->r, slice_from(line, at + strlen(spdx)));
	} else if ((at = slice_find(line, block)) < line.n) {
		struct slice id = slice_from(line, at + strlen(block));
		const char *end = memchr(id.s, ')', id.n);
		if (end)
			set_licence(sc->r, (struct slice){id.s, (size_t)(end - id.s)});
	} else {
		return false;
	}
	if (sc->r->licence && !sc->r->licence_from)
		sc->r->licence_from = xstrdup("stated in the file");
	return true;
}

/* "Copyright (C) 1993" may leave its holder to the next line; prose about copyright has neither sign nor year. */
static void
scan_copyright(struct scan *sc, struct slice line)
{
	static const char word[] = "copyright", tag[] = "SPDX-FileCopyrightText:";
	size_t at = slice_find(line, tag);
	bool tagged = at < line.n;
	at = tagged ? at + strlen(tag) : slice_find(line, word);
	if (at >= line.n)
		return;
	struct slice rest = slice_from(line, tagged ? at : at + strlen(word)), year = {0};
	struct slice names = skip_years(rest, &year);
	bool marked = year.n > 0 || slice_find(line, "(c)") < line.n || slice_find(line, sign) < line.n;
	if (!tagged && !marked && !slice_begins(slice_trim(rest, " ", ""), "by "))
		return;
	if (sc->year.n == 0)
		sc->year = year;
	if (take_names(names, &sc->r->people) == 0)
		sc->name_follows = names.n == 0;
}

static void
scan_line(struct scan *sc, struct slice line)
{
	if (scan_licence(sc, line))
		return;
	if (sc->name_follows) {
		sc->name_follows = false;
		if (slice_find(line, "copyright") == line.n)
			take_names(slice_trim(line, " \t.\\\"'*/#;-", ""), &sc->r->people);
	}
	scan_copyright(sc, line);
}

void
holders_scan(const char *text, size_t n, struct record *r)
{
	struct scan sc = {.r = r};
	n = n < HOLDERS_HEAD ? n : HOLDERS_HEAD;
	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - (text + at)) : n - at;
		scan_line(&sc, (struct slice){text + at, len});
		at += len + 1;
	}
	if (sc.year.n > 0 && !r->date)
		r->date = xstrndup(sc.year.s, sc.year.n);
}
