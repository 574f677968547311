/* roff: requests and macros of a manual page, as a table of what each does to the text. */
#include "roff.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "roff_text.h"

enum { ARGS_MAX = 64 };

struct arg { const char *s; size_t n; };

struct roff {
	struct roff_page *page;
	bool fill;			/* lines are joined to paragraphs */
	bool table_format;		/* between .TS and the line that ends its format */
	bool in_table, in_definition;
	int skipping;			/* depth of a conditional's \{ ... \} that is left out */
	bool any_text;
};

/* ---- text ---- */

static void
break_line(struct roff *r)
{
	struct str *t = &r->page->text;
	str_trim(t);
	if (t->len > 0)
		str_addc(t, '\n');
}

static void
break_paragraph(struct roff *r)
{
	break_line(r);
	if (r->page->text.len > 0)
		str_addc(&r->page->text, '\n');
}

static void
put_space(struct roff *r)
{
	struct str *t = &r->page->text;
	if (t->len > 0 && t->s[t->len - 1] != '\n' && t->s[t->len - 1] != ' ')
		str_addc(t, ' ');
}

static void
end_input_line(struct roff *r)
{
	r->any_text = true;
	if (!r->fill)
		str_addc(&r->page->text, '\n');
}

static void
put_text(struct roff *r, const char *s, size_t n)
{
	if (r->fill)
		put_space(r);
	roff_unescape(&r->page->text, s, n);
	end_input_line(r);
}

/* ---- arguments ---- */

/* Words, with "quoted ones" that may hold blanks and "" for a quote; a \" begins a comment. */
static size_t
split_args(const char *s, size_t n, struct arg *args)
{
	size_t count = 0;
	for (size_t at = 0; count < ARGS_MAX;) {
		while (at < n && (s[at] == ' ' || s[at] == '\t'))
			at++;
		if (at >= n || (s[at] == '\\' && at + 1 < n && s[at + 1] == '"'))
			break;
		bool quoted = s[at] == '"';
		size_t from = at + quoted, end = from;
		while (end < n && (quoted ? s[end] != '"' || (end + 1 < n && s[end + 1] == '"') : s[end] != ' ')) {
			bool pair = (s[end] == '\\' || (quoted && s[end] == '"')) && end + 1 < n;
			end += pair ? 2 : 1;
		}
		args[count++] = (struct arg){s + from, end - from};
		at = end + quoted;
	}
	return count;
}

static char *
arg_text(const struct arg *args, size_t n, size_t i)
{
	struct str s = {0};
	if (i < n)
		roff_unescape(&s, args[i].s, args[i].n);
	return str_take(&s);
}

/* ---- macros ---- */

typedef void (*macro)(struct roff *r, const struct arg *args, size_t n);

static void
put_args(struct roff *r, const struct arg *args, size_t n, bool apart)
{
	if (r->fill)
		put_space(r);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && apart)
			str_addc(&r->page->text, ' ');
		roff_unescape(&r->page->text, args[i].s, args[i].n);
	}
	end_input_line(r);
}

static void
do_words(struct roff *r, const struct arg *args, size_t n)
{
	if (n > 0)
		put_args(r, args, n, true);
}

static void
do_joined(struct roff *r, const struct arg *args, size_t n)
{
	put_args(r, args, n, false);
}

static void
do_nothing(struct roff *r, const struct arg *args, size_t n)
{
	(void)r;
	(void)args;
	(void)n;
}

static void
do_title(struct roff *r, const struct arg *args, size_t n)
{
	if (r->page->name)
		return;
	r->page->name = arg_text(args, n, 0);
	r->page->section = arg_text(args, n, 1);
	r->page->date = arg_text(args, n, 2);
}

static void
do_heading(struct roff *r, const struct arg *args, size_t n)
{
	r->fill = true;
	break_paragraph(r);
	put_args(r, args, n, true);
	break_line(r);
}

static void
do_paragraph(struct roff *r, const struct arg *args, size_t n)
{
	(void)args;
	(void)n;
	break_paragraph(r);
}

/* .IP TAG: the tag opens the paragraph; indents that follow it are numbers and say nothing. */
static void
do_tagged(struct roff *r, const struct arg *args, size_t n)
{
	break_paragraph(r);
	if (n > 0)
		put_args(r, args, 1, true);
}

static void
do_break(struct roff *r, const struct arg *args, size_t n)
{
	(void)args;
	(void)n;
	break_line(r);
}

static void
do_nofill(struct roff *r, const struct arg *args, size_t n)
{
	(void)args;
	(void)n;
	break_line(r);
	r->fill = false;
}

static void
do_fill(struct roff *r, const struct arg *args, size_t n)
{
	(void)args;
	(void)n;
	break_line(r);
	r->fill = true;
}

static void
do_table(struct roff *r, const struct arg *args, size_t n)
{
	do_nofill(r, args, n);
	r->in_table = r->table_format = true;
}

static void
do_table_end(struct roff *r, const struct arg *args, size_t n)
{
	r->in_table = r->table_format = false;
	do_fill(r, args, n);
}

static void
do_redirect(struct roff *r, const struct arg *args, size_t n)
{
	if (!r->any_text && !r->page->redirect && n > 0)
		r->page->redirect = arg_text(args, n, 0);
}

static void
do_define(struct roff *r, const struct arg *args, size_t n)
{
	(void)args;
	(void)n;
	r->in_definition = true;
}

/* The address in .UR and .MT is text a reader would want, before the words it is tied to. */
static const struct { const char *name; macro act; } macros[] = {
	{"TH", do_title}, {"Dt", do_title}, {"SH", do_heading}, {"SS", do_heading}, {"Sh", do_heading},
	{"Ss", do_heading}, {"PP", do_paragraph}, {"P", do_paragraph}, {"LP", do_paragraph}, {"HP", do_paragraph},
	{"Pp", do_paragraph}, {"TP", do_paragraph}, {"TQ", do_break}, {"IP", do_tagged}, {"It", do_tagged},
	{"RS", do_break}, {"RE", do_break}, {"br", do_break}, {"sp", do_paragraph}, {"nf", do_nofill},
	{"EX", do_nofill}, {"Bd", do_nofill}, {"fi", do_fill}, {"EE", do_fill}, {"Ed", do_fill}, {"TS", do_table},
	{"TE", do_table_end}, {"so", do_redirect}, {"de", do_define}, {"de1", do_define}, {"am", do_define},
	{"ig", do_define}, {"B", do_words}, {"I", do_words}, {"SM", do_words}, {"SB", do_words}, {"R", do_words},
	{"BR", do_joined}, {"BI", do_joined}, {"IR", do_joined}, {"IB", do_joined}, {"RB", do_joined},
	{"RI", do_joined}, {"UR", do_words}, {"MT", do_words}, {"Nm", do_words}, {"Nd", do_words}, {"Xr", do_words},
	{"Fl", do_words}, {"Ar", do_words}, {"Pa", do_words}, {"Em", do_words}, {"Li", do_words}, {"Ql", do_words},
	{"Dq", do_words}, {"Fn", do_words}, {"Ft", do_words}, {"Fa", do_words}, {"Dv", do_words}, {"Va", do_words},
	{"Vt", do_words}, {"Cm", do_words}, {"Ic", do_words}, {"Op", do_words}, {"Sy", do_words}, {"No", do_words},
	{"q", do_words},
};

static macro
macro_find(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(macros); i++)
		if (strlen(macros[i].name) == n && memcmp(macros[i].name, s, n) == 0)
			return macros[i].act;
	return do_nothing;
}

/* ---- lines ---- */

static bool
holds(const char *s, size_t n, const char *two)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (s[i] == two[0] && s[i + 1] == two[1])
			return true;
	return false;
}

static bool
is_conditional(const char *s, size_t n)
{
	return (n >= 2 && (memcmp(s, "if", 2) == 0 || memcmp(s, "ie", 2) == 0 || memcmp(s, "el", 2) == 0))
		&& (n == 2 || s[2] == ' ' || s[2] == '\\' || s[2] == '\t');
}

static void
take_request(struct roff *r, const char *s, size_t n)
{
	struct arg args[ARGS_MAX];
	size_t at = 1;
	while (at < n && (s[at] == ' ' || s[at] == '\t'))
		at++;
	if (at >= n || s[at] == '\\')
		return;
	if (is_conditional(s + at, n - at)) {
		r->skipping += holds(s, n, "\\{") && !holds(s, n, "\\}");
		return;
	}
	size_t end = at;
	while (end < n && s[end] != ' ' && s[end] != '\t' && s[end] != '\\')
		end++;
	size_t count = split_args(s + end, n - end, args);
	macro_find(s + at, end - at)(r, args, count);
}

/* Formats of tbl end with the line that ends in a full stop; in the data, T{ and T} stand around blocks. */
static bool
take_table_line(struct roff *r, const char *s, size_t n)
{
	if (!r->in_table)
		return false;
	if (r->table_format) {
		r->table_format = !(n > 0 && s[n - 1] == '.');
		return true;
	}
	if (n > 2 && memcmp(s, "T}", 2) == 0)
		put_text(r, s + 2, n - 2);
	return (n == 1 && (*s == '_' || *s == '=')) || (n >= 2 && s[0] == 'T' && (s[1] == '{' || s[1] == '}'));
}

static void
take_line(struct roff *r, const char *s, size_t n)
{
	bool request = n > 0 && (*s == '.' || *s == '\'');
	if (n > 0 && s[n - 1] == '\r')
		n--;
	if (r->in_definition)
		r->in_definition = !(n >= 2 && s[0] == '.' && s[1] == '.');
	else if (r->skipping)
		r->skipping -= holds(s, n, "\\}");
	else if (request)
		take_request(r, s, n);
	else if (take_table_line(r, s, n))
		return;
	else if (n == 0)
		break_paragraph(r);
	else
		put_text(r, s, n);
}

/* Never more than one empty line; none at the ends. */
static void
squeeze(struct str *t)
{
	size_t to = 0, ends = 2;
	for (size_t i = 0; i < t->len; i++) {
		ends = t->s[i] == '\n' ? ends + 1 : 0;
		if (ends <= 2)
			t->s[to++] = t->s[i];
	}
	if (t->s) {
		t->len = to;
		t->s[to] = '\0';
	}
	str_trim(t);
	if (t->len > 0)
		str_addc(t, '\n');
}

void
roff_read(const char *s, size_t n, struct roff_page *page)
{
	struct roff r = {.page = page, .fill = true};
	*page = (struct roff_page){0};
	for (size_t at = 0; at < n;) {
		const char *end = memchr(s + at, '\n', n - at);
		size_t len = end ? (size_t)(end - (s + at)) : n - at;
		take_line(&r, s + at, len);
		at += len + 1;
	}
	squeeze(&page->text);
}

void
roff_page_free(struct roff_page *page)
{
	str_free(&page->text);
	free(page->name);
	free(page->section);
	free(page->date);
	free(page->redirect);
}
