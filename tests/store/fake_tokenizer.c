/* fake_tokenizer: see the header. */
#include "fake_tokenizer.h"

#include <ctype.h>
#include <string.h>

#include "byline/mem.h"

static size_t
token_length(const char *s, size_t n)
{
	size_t i = s[0] == ' ' && n > 1 && isalnum((unsigned char)s[1]);
	if (isalnum((unsigned char)s[i])) {
		while (i < n && isalnum((unsigned char)s[i]))
			i++;
		return i;
	}
	while (i < n && isspace((unsigned char)s[i]) && !(s[i] == ' ' && i + 1 < n && isalnum((unsigned char)s[i + 1])))
		i++;
	return i ? i : 1;
}

static int32_t
token_id(const struct tokenizer *t, const char *s, size_t n)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return 1 + (int32_t)(h % (uint32_t)(t->vocab - 1));
}

int
tokenizer_size(const struct tokenizer *t)
{
	return t->vocab;
}

enum err
tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, bool special, struct token_span **out,
	size_t *n_out)
{
	(void)special;
	*out = xcalloc(n + 1, sizeof(**out));
	*n_out = 0;
	for (size_t at = 0; at < n;) {
		size_t used = token_length(text + at, n - at);
		(*out)[(*n_out)++] = (struct token_span){ token_id(t, text + at, used), (uint32_t)at,
			(uint32_t)(at + used) };
		at += used;
	}
	return OK;
}
