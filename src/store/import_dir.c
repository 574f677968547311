/* import_dir: a tree of texts; the author is in the path, as a folder level or by a pattern. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "import_files.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

/* "dir1" is the first folder below the root. */
static enum err
author_of_level(const char *rel, int level, struct record *r)
{
	for (int i = 1; i < level; i++) {
		rel = strchr(rel, '/');
		if (!rel)
			return OK;
		rel++;
	}
	const char *end = strchr(rel, '/');
	if (end)
		people_add(&r->people, rel, (size_t)(end - rel), 1, NULL);
	return OK;
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

/* The pattern is the user's own, the paths may be a stranger's: limits keep a match from running away. */
static enum err
author_of_pattern(const char *rel, const char *pattern, const char *between, struct record *r)
{
	int why;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &why, &at, NULL);
	if (!code) {
		PCRE2_UCHAR text[128];
		pcre2_get_error_message(why, text, sizeof(text));
		return err_set(ERR_USAGE, "author pattern \"%s\", at %zu: %s", pattern, (size_t)at, (char *)text);
	}
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_match_data *md = pcre2_match_data_create_from_pattern(code, NULL);
	pcre2_set_match_limit(limits, 100000);
	if (pcre2_match(code, (PCRE2_SPTR)rel, strlen(rel), 0, 0, md, limits) > 0)
		take_groups(code, md, rel, between, r);
	pcre2_match_data_free(md);
	pcre2_match_context_free(limits);
	pcre2_code_free(code);
	return OK;
}

static enum err
author_of_path(const struct import_options *o, const char *rel, struct record *r)
{
	const char *rule = o->author_from ? o->author_from : "dir1";
	if (strncmp(rule, "dir", 3) == 0 && rule[3] >= '1' && rule[3] <= '9' && rule[4] == '\0')
		return author_of_level(rel, rule[3] - '0', r);
	return author_of_pattern(rel, rule, o->author_map, r);
}

static enum err
take_text(struct importer *im, const char *path, const char *rel, const struct str *bytes)
{
	struct record r = {0};
	enum err err = author_of_path(im->o, rel, &r);
	if (err == OK) {
		str_add(&r.text, bytes->s ? bytes->s : "", bytes->len);
		r.source = xstrdup(rel);
		if (!r.title)
			r.title = file_stem(rel);
		err = importer_add(im, path, 0, &r);
	}
	record_free(&r);
	return err;
}

enum err
import_dir(struct importer *im, const char *path)
{
	return import_files(im, path, take_text);
}
