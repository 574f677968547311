/* Texts made of other texts, with a map of where each byte came from. */
#include "tok.h"

#include <stdlib.h>

#include "byline/mem.h"

void
rewrite_begin(struct rewrite *r)
{
	str_clear(&r->text);
	str_add(&r->text, "", 0);
}

static void
rewrite_grow(struct rewrite *r, size_t n)
{
	mem_grow(&r->at, &r->cap, n, sizeof(*r->at));
	mem_grow(&r->to, &r->cap_to, n, sizeof(*r->to));
}

void
rewrite_add(struct rewrite *r, const struct mapped *in, const char *s, size_t k, size_t from, size_t to)
{
	size_t start = r->text.len, n = to - from;
	if (start > TOK_REWRITTEN_MAX)
		return;			/* rewrite_end will say so */
	rewrite_grow(r, start + k + 1);
	for (size_t i = 0; i < k; i++) {
		size_t first = k == n ? i : i * n / k, end = k == n ? i + 1 : (i + 1) * n / k;
		r->at[start + i] = mapped_source(in, from + first);
		r->to[start + i] = mapped_end(in, from + first, from + end);
	}
	str_add(&r->text, s, k);
}

enum err
rewrite_end(struct rewrite *r, const struct mapped *in, size_t to, struct mapped *out)
{
	if (r->text.len > TOK_REWRITTEN_MAX)
		return err_set(ERR_LIMIT, "a text that the tokenizer makes longer than %d bytes", TOK_REWRITTEN_MAX);
	rewrite_grow(r, r->text.len + 1);
	r->at[r->text.len] = mapped_source(in, to);
	*out = (struct mapped){ .s = r->text.s, .n = r->text.len, .at = r->at, .to = r->to };
	return OK;
}

void
rewrite_free(struct rewrite *r)
{
	str_free(&r->text);
	free(r->at);
	free(r->to);
}
