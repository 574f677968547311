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
	normal_free(&t->normal);
	decoder_free(&t->decoder);
	pair_map_free(&t->symbols);
	pair_map_free(&t->joints);
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

enum err
tokenizer_fit(struct tokenizer *t, int vocab, const char *name)
{
	if (t->n_model > vocab)
		return err_set(ERR_MISMATCH, "%s: the tokenizer has ids up to %d, the model's vocabulary ends at %d",
			name, t->n_model - 1, vocab - 1);
	for (int side = 0; side < 2; side++) {
		const struct around *w = side ? &t->after : &t->before;
		for (int i = 0; i < w->n; i++)
			if (w->v[i] >= vocab)
				return err_set(ERR_MISMATCH, "%s: the tokenizer puts token %d around every text, the "
					"model's vocabulary ends at %d", name, (int)w->v[i], vocab - 1);
	}
	added_set_cut(&t->raw, vocab);
	added_set_cut(&t->normalized, vocab);
	t->n_tokens = t->n_tokens < vocab ? t->n_tokens : vocab;
	return OK;
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

/* How much of a text's first token was put there by the file. */
static size_t
lead_length(const struct decoder *d, const char *s, size_t n)
{
	size_t len = strlen(d->lead), at = 0;
	for (int i = 0; i < d->n_lead && len > 0 && n - at >= len && memcmp(s + at, d->lead, len) == 0; i++)
		at += len;
	return at;
}

static bool
is_around(const struct around *a, int32_t id)
{
	for (int i = 0; i < a->n; i++)
		if (a->v[i] == id)
			return true;
	return false;
}

void
tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n, struct str *out)
{
	bool begun = false;
	str_add(out, "", 0);
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const char *bytes = tokenizer_bytes(t, ids[i], &len);
		size_t lead = bytes && !begun ? lead_length(&t->decoder, bytes, len) : 0;
		begun = begun || (bytes && !is_around(&t->before, ids[i]));
		if (bytes)
			str_add(out, bytes + lead, len - lead);
	}
}

size_t
tokenizer_before(const struct tokenizer *t, const int32_t **ids)
{
	*ids = t->before.v;
	return (size_t)t->before.n;
}

size_t
tokenizer_after(const struct tokenizer *t, const int32_t **ids)
{
	*ids = t->after.v;
	return (size_t)t->after.n;
}

enum err
tokenizer_save(const struct tokenizer *t, const char *path)
{
	return file_replace(path, t->json.s, t->json.len);
}
