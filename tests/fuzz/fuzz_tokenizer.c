/*
 * An input that begins with '{' is a tokenizer.json, up to its first NUL byte, and then a text for it; another is a
 * text for a tokenizer trained here. Spans must lie in the text and in order, and what the second gives must be the
 * text again.
 */
#include "fuzz.h"

#include <string.h>

#include "byline/str.h"
#include "byline/tokenizer.h"

static bool
once(void *arg, const char **text, size_t *n)
{
	bool *done = arg;
	*text = "the tide, the tide: the boats are in, the lamps are lit, it's 1931 and they're late  \n\n caf\xc3\xa9 "
		"caf\xc3\xa9";
	*n = strlen(*text);
	bool first = !*done;
	*done = true;
	return first;
}

static void
encode(const struct tokenizer *t, const char *text, size_t n, bool special, bool exact)
{
	struct token_span *v;
	size_t count;
	struct str back = {0};
	if (tokenizer_encode(t, text, n, special, &v, &count) != OK) {
		FUZZ_CHECK(!exact && *err_message());
		return;
	}
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(v[i].from <= v[i].to && v[i].to <= n && (i == 0 || v[i - 1].to <= v[i].from));
		FUZZ_CHECK(v[i].id >= 0 && v[i].id < tokenizer_size(t));
		tokenizer_decode(t, &v[i].id, 1, &back);
	}
	FUZZ_CHECK(!exact || (back.len == n && (n == 0 || memcmp(back.s, text, n) == 0)));
	str_free(&back);
	free(v);
}

/* The text as one that goes on, and what all its tokens and the template's decode to. */
static void
go_on(const struct tokenizer *t, const char *text, size_t n)
{
	struct token_span *v;
	size_t count;
	const int32_t *around;
	struct str back = {0};
	size_t n_around = tokenizer_before(t, &around);
	tokenizer_decode(t, around, n_around, &back);
	n_around = tokenizer_after(t, &around);
	tokenizer_decode(t, around, n_around, &back);
	if (tokenizer_encode_on(t, text, n, &v, &count) == OK) {
		int32_t *ids = calloc(count + 1, sizeof(*ids));
		for (size_t i = 0; i < count; i++)
			ids[i] = v[i].id;
		tokenizer_decode(t, ids, count, &back);
		free(ids);
		free(v);
	}
	str_free(&back);
}

static void
any_file(const char *json, size_t n, const char *text, size_t text_n)
{
	struct tokenizer *t;
	if (tokenizer_parse(&t, json, n, "fuzz.json") != OK) {
		FUZZ_CHECK(*err_message() && !t);
		return;
	}
	encode(t, text, text_n, true, false);
	encode(t, text, text_n, false, false);
	encode(t, "It's 12 o'clock\r\n  caf\xc3\xa9 e\xcc\x81\xff <|endoftext|> \xe2\x82", 43, true, false);
	go_on(t, text, text_n);
	(void)tokenizer_special(t, "<|endoftext|>");
	tokenizer_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokenizer *mine;
	bool done = false;
	const char *s = (const char *)data;
	struct text_source src = { .next = once, .arg = &done };
	if (!mine)
		FUZZ_CHECK(tokenizer_train(&mine, &src, 300, NULL) == OK);
	if (size > 0 && s[0] == '{') {
		const char *nul = memchr(s, '\0', size);
		size_t n = nul ? (size_t)(nul - s) : size;
		any_file(s, n, nul ? nul + 1 : "", nul ? size - n - 1 : 0);
		return 0;
	}
	encode(mine, s, size, true, true);
	encode(mine, s, size, false, true);
	return 0;
}
