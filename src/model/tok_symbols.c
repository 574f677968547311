/* What a text's code points are before merging, and between which of them no merge can reach. */
#include "byline/utf8.h"
#include "tok.h"

/* Has every byte a token? Only then does byte fallback take them. */
static bool
falls_back(const struct tokenizer *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (t->byte_id[(unsigned char)s[i]] < 0)
			return false;
	return t->byte_fallback;
}

static int32_t
token_of(const struct tokenizer *t, const char *s, size_t n, size_t *len)
{
	int32_t cp;
	*len = 1;
	if (t->byte_level)
		return t->byte_id[(unsigned char)*s];
	*len = utf8_decode(s, n, &cp);
	const struct pair_slot *slot = cp < 0 ? NULL : pair_map_get(&t->symbols, cp, 0);
	return slot ? slot->y : -1;
}

struct symbol
tokenizer_symbol(const struct tokenizer *t, const char *s, size_t n)
{
	struct symbol to = { .kind = SYMBOL_TOKEN };
	to.first = to.last = token_of(t, s, n, &to.len);
	if (to.first >= 0)
		return to;
	if (falls_back(t, s, to.len)) {
		to.kind = SYMBOL_BYTES;
		to.first = t->byte_id[(unsigned char)s[0]];
		to.last = t->byte_id[(unsigned char)s[to.len - 1]];
		return to;
	}
	to.kind = t->unk < 0 ? SYMBOL_NONE : SYMBOL_UNKNOWN;
	to.first = to.last = t->unk;
	return to;
}

bool
seam_pass(const struct tokenizer *t, struct seam *seam, const struct symbol *next)
{
	if (next->kind == SYMBOL_NONE)
		return false;
	bool unknown = next->kind == SYMBOL_UNKNOWN;
	bool joins = seam->waits && (next->kind == SYMBOL_BYTES || (unknown && t->fuse_unk));
	/* Bytes that pass an unknown symbol come to stand beside what is before it. */
	bool closed = seam->last < 0 || joins || (unknown && t->byte_fallback);
	closed = closed || pair_map_get(&t->joints, seam->last, next->first);
	seam->waits = unknown || joins;
	seam->last = seam->waits ? t->unk : next->last;
	return !closed;
}
