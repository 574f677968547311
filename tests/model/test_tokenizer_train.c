/* tokenizer_train: the merges that the `tokenizers` library learns, ties, small and strange corpora. */
#include "byline/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "unit.h"

struct texts { const char *const *v; size_t n, at; bool backwards; };

static bool
texts_next(void *arg, const char **text, size_t *n)
{
	struct texts *t = arg;
	if (t->at == t->n)
		return false;
	*text = t->v[t->backwards ? t->n - 1 - t->at : t->at];
	*n = strlen(*text);
	t->at++;
	return true;
}

static void
texts_rewind(void *arg)
{
	((struct texts *)arg)->at = 0;
}

static struct tokenizer *
train(const char *const *v, size_t n, int vocab, bool backwards)
{
	struct tokenizer *t;
	struct texts texts = { .v = v, .n = n, .at = n, .backwards = backwards };
	struct text_source src = { .next = texts_next, .rewind = texts_rewind, .arg = &texts };
	assert_ok(tokenizer_train(&t, &src, vocab, NULL));
	return t;
}

static void
assert_token(const struct tokenizer *t, int32_t id, const char *bytes)
{
	size_t n;
	const char *got = tokenizer_bytes(t, id, &n);
	assert_non_null(got);
	assert_int_equal(n, strlen(bytes));
	assert_memory_equal(got, bytes, n);
}

/* What was trained, as tokenizer.json says it. */
static json_t *
trained_json(const struct tokenizer *t)
{
	char dir[] = "/tmp/byline-test.XXXXXX";
	json_t *root;
	assert_non_null(mkdtemp(dir));
	char *path = path_join(dir, "tokenizer.json");
	assert_ok(tokenizer_save(t, path));
	assert_ok(json_parse_file(path, 1 << 20, &root));
	assert_ok(file_remove_tree(dir));
	free(path);
	return root;
}

static void
test_as_the_library(void **state)
{
	(void)state;
	json_t *base, *cases, *text;
	size_t i, n;
	const char *srcdir = getenv("srcdir") ? getenv("srcdir") : ".";
	char *path = xasprintf("%s/tests/data/tokenizer/base.json", srcdir),
		*other = xasprintf("%s/tests/data/tokenizer/cases.json", srcdir);
	assert_ok(json_parse_file(path, 1 << 20, &base));
	assert_ok(json_parse_file(other, 1 << 20, &cases));
	const json_t *sentences = json_object_get(cases, "sentences");
	const char **v = xcalloc(json_array_size(sentences), sizeof(*v));
	json_array_foreach((json_t *)(uintptr_t)sentences, i, text)
		v[i] = json_string_value(text);
	n = i;
	assert_true(n > 30);
	json_t *model = json_object_get(base, "model"), *vocab = json_object_get(model, "vocab"),
		*pairs = json_object_get(model, "merges");
	for (int backwards = 0; backwards < 2; backwards++) {
		struct tokenizer *t = train(v, n, (int)json_object_size(vocab), backwards);
		json_t *mine = trained_json(t), *mine_model = json_object_get(mine, "model"),
			*merges = json_object_get(mine_model, "merges");
		assert_true(json_equal(vocab, json_object_get(mine_model, "vocab")));
		assert_int_equal(json_array_size(merges), json_array_size(pairs));
		for (i = 0; i < json_array_size(pairs); i++) {
			const json_t *pair = json_array_get(pairs, i);
			char *line = xasprintf("%s %s", json_string_value(json_array_get(pair, 0)),
				json_string_value(json_array_get(pair, 1)));
			assert_string_equal(json_string_value(json_array_get(merges, i)), line);
			free(line);
		}
		json_decref(mine);
		tokenizer_free(t);
	}
	free(v);
	free(path);
	free(other);
	json_decref(base);
	json_decref(cases);
}

static void
test_bytes_first(void **state)
{
	(void)state;
	struct tokenizer *t = train(NULL, 0, 300, false);
	assert_int_equal(tokenizer_size(t), 257);
	assert_int_equal(tokenizer_special(t, "<|endoftext|>"), 0);
	assert_token(t, 1, "!");
	assert_token(t, 94, "~");
	assert_token(t, 95, "\xa1");
	assert_token(t, 188, "\xff");
	assert_int_equal(*tokenizer_bytes(t, 189, &(size_t){0}), '\0');
	assert_token(t, 221, " ");
	assert_token(t, 222, "\x7f");
	assert_token(t, 256, "\xad");
	tokenizer_free(t);
}

/* By hand: "ab" comes five times, then "abc" three; "xy" and "yz" two each, x < y. Then nothing comes twice. */
static void
test_small(void **state)
{
	(void)state;
	static const char *const v[] = { "abc", "abc", "abc", "ab", "ab", "xyz", "xyz", "once" };
	struct tokenizer *t = train(v, ARRAY_LEN(v), 4096, false);
	assert_int_equal(tokenizer_size(t), 261);
	assert_token(t, 257, "ab");
	assert_token(t, 258, "abc");
	assert_token(t, 259, "xy");
	assert_token(t, 260, "xyz");
	tokenizer_free(t);
	t = train(v, ARRAY_LEN(v), 259, false);
	assert_int_equal(tokenizer_size(t), 259);
	tokenizer_free(t);
}

/* Pairs that overlap themselves, and one token reached in two ways. */
static void
test_overlaps(void **state)
{
	(void)state;
	static const char *const v[] = { "aaaaaaa", "aaaaaaa", "aaa", "aaaa", "abab", "ababab", "bababa" };
	struct tokenizer *t = train(v, ARRAY_LEN(v), 4096, false);
	struct token_span *out;
	size_t n;
	assert_token(t, 257, "aa");
	assert_ok(tokenizer_encode(t, "aaaaaaa", 7, true, &out, &n));
	assert_int_equal(n, 1);
	free(out);
	json_t *root = trained_json(t);
	json_decref(root);
	tokenizer_free(t);
}

static void
test_strange_texts(void **state)
{
	(void)state;
	static const char *const v[] = { "\xff\xff\xff\xff", "\xc3(\xc3(", "tide\xffs tides",
		"<|endoftext|><|endoftext|>", "", "  ", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80" };
	struct tokenizer *t = train(v, ARRAY_LEN(v), 4096, false);
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct token_span *out;
		size_t n;
		struct str back = {0};
		assert_ok(tokenizer_encode(t, v[i], strlen(v[i]), true, &out, &n));
		for (size_t k = 0; k < n; k++)
			tokenizer_decode(t, &out[k].id, 1, &back);
		assert_int_equal(back.len, strlen(v[i]));
		if (n > 0)
			assert_memory_equal(back.s, v[i], back.len);
		str_free(&back);
		free(out);
	}
	tokenizer_free(t);
}

static void
test_refused(void **state)
{
	(void)state;
	struct texts texts = {0};
	struct text_source src = { .next = texts_next, .rewind = texts_rewind, .arg = &texts };
	struct tokenizer *t;
	static const int sizes[] = { -1, 0, 256, (1 << 20) + 1 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_err(tokenizer_train(&t, &src, sizes[i], NULL), ERR_USAGE);
		assert_null(t);
	}
}

static void
test_cancel(void **state)
{
	(void)state;
	static const char *const v[] = { "the tide", "the tide" };
	struct texts texts = { .v = v, .n = 2 };
	struct text_source src = { .next = texts_next, .rewind = texts_rewind, .arg = &texts };
	struct tokenizer *t;
	struct job job;
	job_init(&job);
	job_cancel(&job);
	assert_err(tokenizer_train(&t, &src, 300, &job), ERR_CANCELLED);
	assert_null(t);
	job_done(&job);
}

/* The megabyte without a space that somebody's corpus always holds. */
static void
test_one_long_word(void **state)
{
	(void)state;
	struct str text = {0};
	uint32_t x = 7;
	for (int i = 0; i < 300000; i++) {
		x = x * 1664525 + 1013904223;
		str_addc(&text, (char)('a' + (x >> 24) % 26));
	}
	const char *v[] = { text.s };
	struct tokenizer *t = train(v, 1, 1000, false);
	assert_int_equal(tokenizer_size(t), 1000);
	tokenizer_free(t);
	str_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_library),
		cmocka_unit_test(test_bytes_first),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_strange_texts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_one_long_word),
	};
	return cmocka_run_group_tests_name("tokenizer_train", tests, NULL, NULL);
}
