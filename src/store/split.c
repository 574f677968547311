/* split: see split.h. */
#include "split.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "byline/mem.h"
#include "byline/store.h"
#include "byline/utf8.h"

enum { WORD_BYTES = 128 };

/* What the tokenizer of the table takes for a part of a word. */
static bool
is_word(int32_t cp)
{
	if (cp < 0)
		return false;
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT: case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL: case UTF8PROC_CATEGORY_NO: case UTF8PROC_CATEGORY_CO:
		return true;
	default:
		return false;
	}
}

static void
word_give(const char *word, size_t n, void (*fn)(void *arg, const char *word, size_t n), void *arg)
{
	if (n > 0 && n <= WORD_BYTES)
		fn(arg, word, n);
}

void
split_words(const char *text, size_t n, void (*fn)(void *arg, const char *word, size_t n), void *arg)
{
	size_t from = 0;
	for (size_t i = 0; i < n;) {
		int32_t cp;
		size_t used = utf8_decode(text + i, n - i, &cp);
		if (!is_word(cp)) {
			word_give(text + from, i - from, fn, arg);
			from = i + used;
		}
		i += used;
	}
	word_give(text + from, n - from, fn, arg);
}

char *
split_fold(const char *word, size_t n)
{
	utf8proc_uint8_t *folded = NULL;
	char *copy = xstrndup(word, n);
	utf8proc_map((const utf8proc_uint8_t *)copy, 0, &folded,
		UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD);
	if (!folded)
		return copy;
	free(copy);
	copy = xstrdup((const char *)folded);
	free(folded);
	return copy;
}

struct folding { void (*fn)(void *arg, const char *word); void *arg; };

static void
fold_give(void *arg, const char *word, size_t n)
{
	const struct folding *f = arg;
	char *folded = split_fold(word, n);
	if (*folded)
		f->fn(f->arg, folded);
	free(folded);
}

void
store_words(const char *text, size_t n, void (*fn)(void *arg, const char *word), void *arg)
{
	struct folding f = { fn, arg };
	split_words(text, n, fold_give, &f);
}
