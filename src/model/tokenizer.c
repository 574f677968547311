/* tokenizer: the table of tokens, what it answers, and its end. */
#include "byline/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "tok.h"

void
tokenizer_put(struct tokenizer *t, int32_t id, const char *s, size_t n, unsigned flags)
{
	if (id >= t->n_tokens) {
		mem_grow(&t->tokens, &t->tokens_cap, (size_t)id + 1, sizeof(*t->tokens));
		memset(t->tokens + t->n_tokens, 0, (size_t)(id + 1 - t->n_tokens) * sizeof(*t->tokens));
		t->n_tokens = id + 1;
	}
	t->tokens[id] = (struct token){ .at = t->pool.len, .n = (uint32_t)n, .flags = flags | TOKEN_PRESENT };
	str_add(&t->pool, s, n);
}

void
tokenizer_free(struct tokenizer *t)
{
	if (!t)
		return;
	for (int i = 0; i < t->n_steps; i++)
		pcre2_code_free(t->steps[i].re);
	added_set_free(&t->raw);
	added_set_free(&t->normalized);
	pair_map_free(&t->merges);
	str_map_free(&t->whole);
	free(t->whole_text);
	str_free(&t->pool);
	str_free(&t->json);
	free(t->tokens);
	free(t);
}

int
tokenizer_size(const struct tokenizer *t)
{
	return t->n_tokens;
}

static const struct token *
tokenizer_token(const struct tokenizer *t, int32_t id)
{
	return id >= 0 && id < t->n_tokens && t->tokens[id].flags ? &t->tokens[id] : NULL;
}

int32_t
tokenizer_special(const struct tokenizer *t, const char *content)
{
	size_t n = strlen(content);
	for (int32_t id = 0; id < t->n_tokens; id++) {
		const struct token *token = &t->tokens[id];
		if ((token->flags & TOKEN_SPECIAL) && token->n == n && memcmp(t->pool.s + token->at, content, n) == 0)
			return id;
	}
	return -1;
}

const char *
tokenizer_bytes(const struct tokenizer *t, int32_t id, size_t *n)
{
	const struct token *token = tokenizer_token(t, id);
	*n = token ? token->n : 0;
	return token ? t->pool.s + token->at : NULL;
}

bool
tokenizer_is_special(const struct tokenizer *t, int32_t id)
{
	const struct token *token = tokenizer_token(t, id);
	return token && (token->flags & TOKEN_SPECIAL);
}

void
tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n, struct str *out)
{
	str_add(out, "", 0);
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const char *bytes = tokenizer_bytes(t, ids[i], &len);
		if (bytes)
			str_add(out, bytes, len);
	}
}

enum err
tokenizer_save(const struct tokenizer *t, const char *path)
{
	return file_replace(path, t->json.s, t->json.len);
}
