/*
 * Where a text may be cut so that its parts, encoded by themselves, are the tokens of the whole: files of the
 * SentencePiece kind have whole texts as one piece, of which copies and maps would be made. No step of theirs looks
 * further than a code point, and merges only across places that some merge closes.
 */
#include <string.h>

#include "byline/utf8.h"
#include "tok.h"

static bool
is_one(const char *s, size_t n)
{
	int32_t cp;
	return n > 0 && utf8_decode(s, n, &cp) == n && cp >= 0;
}

bool
tokenizer_find_local(const struct tokenizer *t)
{
	if (t->byte_level || t->ignore_merges || t->normalized.n > 0)
		return false;
	for (int i = 0; i < t->normal.n; i++) {
		const struct normal_step *step = &t->normal.steps[i];
		bool one = step->form == NORMAL_REPLACE && !step->re && is_one(step->what, step->n_what);
		if (step->form != NORMAL_PREPEND && !one)
			return false;
	}
	for (int i = 0; i < t->n_steps; i++)
		if (t->steps[i].re && t->steps[i].only < 0)
			return false;
	return true;
}

/* What a code point becomes by the steps that replace one, in turn. false: more than one, or where pieces end. */
static bool
follow(const struct tokenizer *t, const char **s, size_t *n)
{
	for (int i = 0; i < t->normal.n; i++) {
		const struct normal_step *step = &t->normal.steps[i];
		if (step->form != NORMAL_REPLACE || step->n_what != *n || memcmp(step->what, *s, *n) != 0)
			continue;
		*s = step->with;
		*n = step->n_with;
		if (!is_one(*s, *n))
			return false;
	}
	for (int i = 0; i < t->n_steps; i++) {
		int32_t cp;
		if (t->steps[i].replace && *n == 1 && **s == ' ') {
			*s = t->steps[i].mark;
			*n = strlen(*s);
		}
		utf8_decode(*s, *n, &cp);
		if (t->steps[i].re && cp == t->steps[i].only)
			return false;
	}
	return true;
}

/* The symbol that a code point ends (or begins) with; -1: none, or an unknown one, which may join others. */
static int32_t
symbol_at(const struct tokenizer *t, const char *s, size_t n, bool end)
{
	size_t len;
	if (!follow(t, &s, &n))
		return -1;
	int32_t id = tokenizer_symbol(t, s, n, &len);
	for (int i = 0; id < 0 && i < 256; i++)
		if (!t->byte_fallback || t->byte_id[i] < 0)
			return -1;
	return id >= 0 ? id : t->byte_id[(unsigned char)s[end ? n - 1 : 0]];
}

size_t
tokenizer_cut_local(const struct tokenizer *t, const char *s, size_t n, size_t at)
{
	int32_t last = -1, cp;
	while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80)
		at++;
	for (size_t used; at < n; at += used) {
		used = utf8_decode(s + at, n - at, &cp);
		int32_t first = last < 0 ? -1 : symbol_at(t, s + at, used, false);
		if (first >= 0 && !pair_map_get(&t->joints, last, first))
			return at;
		last = symbol_at(t, s + at, used, true);
	}
	return n;
}
