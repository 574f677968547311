/*
 * Regular expressions of strangers, run by PCRE2's interpreter within limits. The just-in-time compiler stays off: it
 * would be three times as fast on patterns that nobody has checked.
 */
#include "tok.h"

#include <stdlib.h>

#include "byline/mem.h"

enum { PATTERN_MAX = 1 << 16, MATCH_LIMIT = 10000000, DEPTH_LIMIT = 100000, HEAP_LIMIT_KIB = 1 << 16 };

static enum err
tok_regex_compile(pcre2_code **out, const char *pattern, size_t n, uint32_t options, const char *name)
{
	int code;
	PCRE2_SIZE at;
	PCRE2_UCHAR why[128];
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	*out = pcre2_compile((PCRE2_SPTR)pattern, n, PCRE2_UTF | options, &code, &at, context);
	pcre2_compile_context_free(context);
	if (*out)
		return OK;
	pcre2_get_error_message(code, why, sizeof(why));
	return err_set(ERR_UNSUPPORTED, "%s: regular expression \"%.*s\": %s", name, (int)(n < 200 ? n : 200), pattern,
		(char *)why);
}

enum err
tok_regex(pcre2_code **out, const char *pattern, size_t n, bool literal, const char *name)
{
	if (n > PATTERN_MAX)
		return err_set(ERR_LIMIT, "%s: a regular expression of %zu bytes, at most %d are read", name, n,
			PATTERN_MAX);
	if (literal)
		return tok_regex_compile(out, pattern, n, PCRE2_LITERAL, name);
	struct str mine = {0};
	str_add(&mine, "", 0);
	enum err err = onig_translate(pattern, n, name, &mine);
	if (err == OK)
		err = tok_regex_compile(out, mine.s, mine.len, PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
			name);
	str_free(&mine);
	return err;
}

bool
tok_regex_empty(const pcre2_code *re)
{
	uint32_t empty = 0;
	pcre2_pattern_info(re, PCRE2_INFO_MATCHEMPTY, &empty);
	return empty != 0;
}

void
tok_matcher_init(struct tok_matcher *m)
{
	*m = (struct tok_matcher){
		.data = pcre2_match_data_create(1, NULL),
		.context = pcre2_match_context_create(NULL),
	};
	pcre2_set_match_limit(m->context, MATCH_LIMIT);
	pcre2_set_depth_limit(m->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
}

void
tok_matcher_free(struct tok_matcher *m)
{
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->context);
	free(m->found.v);
}

static void
tok_matches_add(struct tok_matches *m, size_t from, size_t to, bool hit)
{
	mem_grow(&m->v, &m->cap, m->n + 1, sizeof(*m->v));
	m->v[m->n++] = (struct tok_match){ .from = (uint32_t)from, .to = (uint32_t)to, .hit = hit };
}

/* The first match at or after `at`; *from = n + 1 when there is none. */
static enum err
tok_matcher_find(struct tok_matcher *m, const pcre2_code *re, const char *s, size_t n, size_t at, size_t *from,
	size_t *to)
{
	/* The text is checked once, at the first call; later ones would make it quadratic. */
	int rc = pcre2_match(re, (PCRE2_SPTR)s, n, at, at ? PCRE2_NO_UTF_CHECK : 0, m->data, m->context);
	*from = *to = n + 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return OK;
	if (rc < 0) {
		PCRE2_UCHAR why[128];
		pcre2_get_error_message(rc, why, sizeof(why));
		return err_set(ERR_LIMIT, "the tokenizer's regular expression gave up on a text: %s", (char *)why);
	}
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(m->data);
	if (v[0] < at || v[1] < v[0] || v[1] > n)
		return err_set(ERR_UNSUPPORTED, "the tokenizer's regular expression matches backwards");
	*from = v[0];
	*to = v[1];
	return OK;
}

/* As onig's find_iter: an empty match right at the end of the one before it does not count. */
enum err
tok_matcher_some(struct tok_matcher *m, const pcre2_code *re, const char *s, size_t n, struct tok_scan *scan,
	size_t max)
{
	size_t from, to;
	m->found.n = 0;
	while (scan->at <= n && m->found.n < max) {
		TRY(tok_matcher_find(m, re, s, n, scan->at, &from, &to));
		if (from > n)
			break;
		if (from == to && scan->any && to == scan->done) {
			for (scan->at++; scan->at < n && ((unsigned char)s[scan->at] & 0xc0) == 0x80;)
				scan->at++;
			continue;
		}
		if (from > scan->done)
			tok_matches_add(&m->found, scan->done, from, false);
		tok_matches_add(&m->found, from, to, true);
		scan->at = scan->done = to;
		scan->any = true;
	}
	if (m->found.n >= max && scan->at <= n)
		return OK;
	if (scan->done < n)
		tok_matches_add(&m->found, scan->done, n, false);
	scan->end = true;
	return OK;
}

enum err
tok_matcher_run(struct tok_matcher *m, const pcre2_code *re, const char *s, size_t n)
{
	struct tok_scan scan = {0};
	return tok_matcher_some(m, re, s, n, &scan, SIZE_MAX);
}
