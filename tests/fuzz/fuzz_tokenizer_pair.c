/*
 * vocab.json, merges.txt, tokenizer_config.json, special_tokens_map.json, added_tokens.json and a text, each up to the
 * next NUL byte. The first byte chooses the class. What loads must encode the text, in order, or say why not.
 */
#include "fuzz.h"

#include <string.h>

#include "byline/json.h"
#include "byline/str.h"
#include "byline/tokenizer.h"
#include "tok_dir.h"

static const struct tokenizer_class classes[] = {
	{"A", "a", NULL, false, "<|endoftext|>"}, {"B", "b", "\\p{N}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\s+", true, NULL},
};

struct cut { const char *s; size_t n; };

static struct cut
next_part(struct cut *rest)
{
	const char *nul = rest->n > 0 ? memchr(rest->s, '\0', rest->n) : NULL;
	struct cut part = { rest->s, nul ? (size_t)(nul - rest->s) : rest->n };
	size_t used = part.n + (nul ? 1 : 0);
	*rest = (struct cut){ rest->s + used, rest->n - used };
	return part;
}

static json_t *
side(struct cut part)
{
	json_t *value;
	if (json_parse(part.s, part.n, "side.json", &value) != OK)
		return json_object();
	if (json_is_object(value))
		return value;
	json_decref(value);
	return json_object();
}

static void
encode(const struct tokenizer *t, struct cut text)
{
	struct token_span *v;
	size_t n;
	struct str back = {0};
	if (tokenizer_encode(t, text.s, text.n, true, &v, &n) != OK) {
		FUZZ_CHECK(*err_message());
		return;
	}
	for (size_t i = 0; i < n; i++) {
		FUZZ_CHECK(v[i].from <= v[i].to && v[i].to <= text.n && (i == 0 || v[i - 1].to <= v[i].from));
		tokenizer_decode(t, &v[i].id, 1, &back);
	}
	str_free(&back);
	free(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cut rest = { (const char *)data, size };
	struct tokenizer_pair p = { .class = &classes[size > 0 && data[0] & 1], .merges = json_array() };
	struct tokenizer *t = NULL;
	if (size > 0)
		rest = (struct cut){ rest.s + 1, rest.n - 1 };
	struct cut vocab = next_part(&rest), merges = next_part(&rest);
	p.config = side(next_part(&rest));
	p.specials = side(next_part(&rest));
	p.added = side(next_part(&rest));
	if (json_parse(vocab.s, vocab.n, "vocab.json", &p.vocab) == OK &&
		tokenizer_merges(merges.s, merges.n, "merges.txt", p.merges) == OK &&
		tokenizer_of_pair(&t, &p, "vocab.json") == OK)
		encode(t, rest);
	else
		FUZZ_CHECK(*err_message() && !t);
	tokenizer_free(t);
	json_decref(p.vocab);
	json_decref(p.merges);
	json_decref(p.config);
	json_decref(p.specials);
	json_decref(p.added);
	return 0;
}
