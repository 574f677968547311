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

void
rewrite_add(struct rewrite *r, const struct mapped *in, const char *s, size_t k, size_t from, size_t to)
{
	size_t start = r->text.len;
	if (start > TOK_REWRITTEN_MAX)
		return;			/* rewrite_end will say so */
	mem_grow(&r->at, &r->cap, start + k + 1, sizeof(*r->at));
	for (size_t i = 0; i < k; i++)
		r->at[start + i] = mapped_source(in, k == to - from ? from + i : from + i * (to - from) / k);
	str_add(&r->text, s, k);
}

enum err
rewrite_end(struct rewrite *r, const struct mapped *in, size_t to, struct mapped *out)
{
	if (r->text.len > TOK_REWRITTEN_MAX)
		return err_set(ERR_LIMIT, "a text that the tokenizer makes longer than %d bytes", TOK_REWRITTEN_MAX);
	mem_grow(&r->at, &r->cap, r->text.len + 1, sizeof(*r->at));
	r->at[r->text.len] = mapped_source(in, to);
	*out = (struct mapped){ .s = r->text.s, .n = r->text.len, .at = r->at };
	return OK;
}

void
rewrite_free(struct rewrite *r)
{
	str_free(&r->text);
	free(r->at);
}
