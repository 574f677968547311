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

/* May an unknown symbol wait where nothing is known of the text before? */
static bool
may_wait(const struct tokenizer *t)
{
	for (int i = 0; i < 256; i++)
		if (!t->byte_fallback || t->byte_id[i] < 0)
			return t->unk >= 0;
	return false;
}

size_t
tokenizer_cut_local(const struct tokenizer *t, const char *s, size_t n, size_t at)
{
	const struct seam unclear = { .last = -1, .waits = may_wait(t) };
	struct seam seam = unclear;
	int32_t cp;
	while (at < n && ((unsigned char)s[at] & 0xc0) == 0x80)
		at++;
	for (size_t used; at < n; at += used) {
		const char *now = s + at;
		size_t k = used = utf8_decode(now, n - at, &cp);
		if (!follow(t, &now, &k)) {
			seam = unclear;
			continue;
		}
		struct symbol symbol = tokenizer_symbol(t, now, k);
		if (seam_pass(t, &seam, &symbol))
			return at;
	}
	return n;
}
