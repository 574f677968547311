/* import_dir: a tree of texts; the author is in the path, as a folder level or by a pattern. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "import_files.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

/* Where the author is: in a folder level, "dir1" being the first below the root, or in what a pattern finds. */
struct rule { int level; pcre2_code *code; pcre2_match_data *md; pcre2_match_context *limits; };

static void
author_of_level(const char *rel, int level, struct record *r)
{
	for (int i = 1; i < level; i++) {
		rel = strchr(rel, '/');
		if (!rel)
			return;
		rel++;
	}
	const char *end = strchr(rel, '/');
	if (end)
		people_add(&r->people, rel, (size_t)(end - rel), 1, NULL);
}

static char *
group_text(const pcre2_code *code, pcre2_match_data *md, const char *rel, const char *name)
{
	int number = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);
	if (number < 0)
		return NULL;
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(md);
	PCRE2_SIZE from = at[2 * number], to = at[2 * number + 1];
	return from == PCRE2_UNSET || to <= from ? NULL : xstrndup(rel + from, to - from);
}

static void
take_groups(const pcre2_code *code, pcre2_match_data *md, const char *rel, const char *between, struct record *r)
{
	char *author = group_text(code, md, rel, "author");
	if (author)
		people_add(&r->people, author, strlen(author), 1, between);
	free(author);
	r->title = group_text(code, md, rel, "title");
	r->date = group_text(code, md, rel, "date");
}

static void
author_of_pattern(const struct rule *rule, const char *rel, const char *between, struct record *r)
{
	if (pcre2_match(rule->code, (PCRE2_SPTR)rel, strlen(rel), 0, 0, rule->md, rule->limits) > 0)
		take_groups(rule->code, rule->md, rel, between, r);
}

/* ---- the rule ---- */

static void
rule_free(struct rule *rule)
{
	pcre2_match_data_free(rule->md);
	pcre2_match_context_free(rule->limits);
	pcre2_code_free(rule->code);
}

/* The pattern is the user's own, the paths may be a stranger's: limits keep a match from running away. */
static enum err
rule_compile(struct rule *rule, const char *pattern)
{
	int why;
	PCRE2_SIZE at;
	rule->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
		&why, &at, NULL);
	if (!rule->code) {
		PCRE2_UCHAR text[128];
		pcre2_get_error_message(why, text, sizeof(text));
		return err_set(ERR_USAGE, "author pattern \"%s\", at %zu: %s", pattern, (size_t)at, (char *)text);
	}
	if (pcre2_substring_number_from_name(rule->code, (PCRE2_SPTR)"author") < 0) {
		pcre2_code_free(rule->code);
		return err_set(ERR_USAGE,
			"author pattern \"%s\" names no author: write dir1, or a pattern with (?<author>...)",
			pattern);
	}
	rule->limits = pcre2_match_context_create(NULL);
	rule->md = pcre2_match_data_create_from_pattern(rule->code, NULL);
	pcre2_set_match_limit(rule->limits, 100000);
	pcre2_set_heap_limit(rule->limits, 4096);
	return OK;
}

static enum err
rule_make(struct rule *rule, const char *from)
{
	*rule = (struct rule){0};
	if (!from || !*from)
		from = "dir1";
	size_t digits = strncmp(from, "dir", 3) == 0 ? strspn(from + 3, "0123456789") : 0;
	if (digits == 0 || from[3 + digits])
		return rule_compile(rule, from);
	rule->level = digits < 4 ? atoi(from + 3) : 0;
	return rule->level > 0 ? OK : err_set(ERR_USAGE, "\"%s\": folder levels are dir1 to dir999", from);
}

static enum err
take_text(struct importer *im, const char *path, const char *rel, const struct str *bytes)
{
	const struct rule *rule = im->format;
	struct record r = {0};
	if (rule->level)
		author_of_level(rel, rule->level, &r);
	else
		author_of_pattern(rule, rel, im->o->author_map, &r);
	str_add(&r.text, bytes->s, bytes->len);
	r.source = xstrdup(rel);
	if (!r.title)
		r.title = file_stem(rel);
	enum err err = importer_add(im, path, 0, &r);
	record_free(&r);
	return err;
}

enum err
import_dir(struct importer *im, const char *path)
{
	struct rule rule;
	TRY(rule_make(&rule, im->o->author_from));
	im->format = &rule;
	enum err err = import_files(im, path, false, take_text);
	im->format = NULL;
	rule_free(&rule);
	return err;
}
