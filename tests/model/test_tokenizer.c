/* tokenizer: exact bytes whatever the text; the table of tokens; saved and loaded. */
#include "byline/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "tokenizer_unit.h"
#include "unit.h"

/* ---- bytes ---- */

/* The spans follow each other without holes, and each token's bytes are those of its span. */
static void
check_exact(const struct tokenizer *t, const char *text, size_t n)
{
	struct token_span *v;
	size_t count, at = 0;
	assert_ok(tokenizer_encode(t, text, n, true, &v, &count));
	struct str back = {0};
	int32_t *ids = xcalloc(count, sizeof(*ids));
	for (size_t i = 0; i < count; i++) {
		size_t len;
		const char *bytes = tokenizer_bytes(t, v[i].id, &len);
		assert_int_equal(v[i].from, at);
		assert_int_equal(v[i].to - v[i].from, len);
		assert_memory_equal(bytes, text + at, len);
		at = v[i].to;
		ids[i] = v[i].id;
	}
	assert_int_equal(at, n);
	tokenizer_decode(t, ids, count, &back);
	assert_int_equal(back.len, n);
	assert_memory_equal(back.s, text, n);
	str_free(&back);
	free(ids);
	free(v);
}

static void
test_any_bytes(void **state)
{
	(void)state;
	static const char *const nasty[] = {
		"\xff", "\xc3", "a\xc3", "\xc3(", "\xe2\x82", "x\xe2\x82y", "\xf0\x9f\x98", "\xc0\x80", "\xed\xa0\x80",
			"\xf4\x90\x80\x80",
		"\x80\x80the tide\x80", "the\xfftide", "  \xff  ", "\xf8\x88\x80\x80\x80", "\xe2\x82\xac\xe2\x82",
			"<|endof\xfftext|>",
	};
	struct tokenizer *t = base_tokenizer();
	uint32_t x = 12345;
	char buf[97];
	for (size_t i = 0; i < ARRAY_LEN(nasty); i++)
		check_exact(t, nasty[i], strlen(nasty[i]));
	check_exact(t, "a\0b\0", 4);
	for (int round = 0; round < 2000; round++) {
		size_t n = (size_t)round % sizeof(buf);
		for (size_t i = 0; i < n; i++) {
			x = x * 1664525 + 1013904223;
			/* Half of them from the bytes that UTF-8 is made of. */
			buf[i] = x >> 24 & 1 ? (char)(x >> 16) : "\xe2\x82\xac\xc3\xa9 a\xf0\x9f\x98"[(x >> 16) % 10];
		}
		check_exact(t, buf, n);
	}
	tokenizer_free(t);
}

static void
test_prefix_space(void **state)
{
	(void)state;
	struct tokenizer *t;
	struct token_span *v;
	size_t n, len;
	assert_ok(parse_patched(&t,
		"{'pre_tokenizer': {'type': 'ByteLevel', 'add_prefix_space': true, 'trim_offsets': true}}"));
	assert_ok(tokenizer_encode(t, "the tide", 8, true, &v, &n));
	assert_memory_equal(tokenizer_bytes(t, v[0].id, &len), " the", 4);
	assert_int_equal(v[0].from, 0);
	assert_int_equal(v[0].to, 3);
	free(v);
	/* None after a stray byte: the text did not begin there. */
	assert_ok(tokenizer_encode(t, "\xffthe", 4, true, &v, &n));
	assert_true(n >= 2);
	assert_memory_equal(tokenizer_bytes(t, v[1].id, &len), "t", 1);
	free(v);
	tokenizer_free(t);
}

/* Normalised text keeps pointing into the text that was given. */
static void
test_normalized_spans(void **state)
{
	(void)state;
	struct tokenizer *t;
	struct token_span *v;
	size_t n;
	static const char text[] = "cafe\xcc\x81 e\xcc\x81 x";
	assert_ok(parse_patched(&t, "{'normalizer': {'type': 'NFC'}}"));
	assert_ok(tokenizer_encode(t, text, sizeof(text) - 1, true, &v, &n));
	assert_int_equal(v[0].from, 0);
	assert_int_equal(v[n - 1].to, sizeof(text) - 1);
	for (size_t i = 1; i < n; i++)
		assert_int_equal(v[i].from, v[i - 1].to);
	assert_int_equal(v[n - 1].from, sizeof(text) - 2);
	free(v);
	tokenizer_free(t);
}

/* What a step takes out of a text is no token's, whatever was rewritten. */
static void
test_removed_spans(void **state)
{
	(void)state;
	static const struct { const char *steps, *text; struct token_span want[2]; } cases[] = {
		{"'normalizer': {'type': 'Strip', 'strip_left': true, 'strip_right': true}, 'pre_tokenizer': null",
			"  a b  ", {{.from = 2, .to = 3}, {.from = 4, .to = 5}}},
		{"'normalizer': {'type': 'Replace', 'pattern': {'String': 'x'}, 'content': ''}, 'pre_tokenizer': null",
			"axb", {{.from = 0, .to = 1}, {.from = 2, .to = 3}}},
		{"'normalizer': {'type': 'Replace', 'pattern': {'Regex': 'x+'}, 'content': ''}, 'pre_tokenizer': null",
			"axxbx", {{.from = 0, .to = 1}, {.from = 3, .to = 4}}},
		{"'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'Strip', 'strip_left': true, "
			"'strip_right': true}, {'type': 'Replace', 'pattern': {'String': 'x'}, 'content': ''}, "
			"{'type': 'Lowercase'}]}, 'pre_tokenizer': null",
			" xAxxB x ", {{.from = 2, .to = 3}, {.from = 5, .to = 6}}},
		{"'normalizer': null, 'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [{'type': 'Split', "
			"'pattern': {'String': ' '}, 'behavior': 'Removed', 'invert': false}, {'type': 'Metaspace', "
			"'replacement': 'x', 'prepend_scheme': 'always', 'split': false}]}",
			"a  b ", {{.from = 0, .to = 1}, {.from = 3, .to = 4}}},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tokenizer *t;
		struct token_span *v;
		size_t n;
		char *patch = xasprintf("{%s, 'added_tokens': [], 'decoder': null, 'model': {'vocab': {'a': 0, "
			"'b': 1, 'x': 2, 'xa': 3, 'xb': 4}, 'merges': [['x', 'a'], ['x', 'b']]}}", cases[i].steps);
		assert_ok(parse_patched(&t, patch));
		assert_ok(tokenizer_encode(t, cases[i].text, strlen(cases[i].text), true, &v, &n));
		assert_int_equal(n, 2);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(v[k].from, cases[i].want[k].from);
			assert_int_equal(v[k].to, cases[i].want[k].to);
		}
		free(v);
		tokenizer_free(t);
		free(patch);
	}
}

/* One word of a megabyte, and as much white space, marks, digits; none may be quadratic (the test would not end). */
static void
test_long_pieces(void **state)
{
	(void)state;
	static const char *const units[] = { "a", "the", " ", "\n", "e\xcc\x81", "1", "\xff", "'", "ab-" };
	struct tokenizer *t;
	assert_ok(parse_patched(&t, "{'normalizer': {'type': 'NFC'}}"));
	for (size_t k = 0; k < ARRAY_LEN(units); k++) {
		struct str text = {0};
		struct token_span *v;
		size_t n;
		while (text.len < 1000000)
			str_adds(&text, units[k]);
		assert_ok(tokenizer_encode(t, text.s, text.len, true, &v, &n));
		assert_int_equal(v[n - 1].to, text.len);
		free(v);
		str_free(&text);
	}
	tokenizer_free(t);
}

/* Tokens of spaces that take the spaces after them, which each of them would look for anew. */
static void
test_spaces_taken(void **state)
{
	(void)state;
	enum { N = 300000 };
	struct tokenizer *t;
	struct token_span *v;
	size_t n;
	assert_ok(parse_patched(&t, "{'pre_tokenizer': null, 'model': {'vocab': {'a': 0, 'q': 1}, 'merges': []}, "
		"'added_tokens': [{'id': 2, 'content': ' ', 'rstrip': true}, {'id': 3, 'content': '\\t'}, "
		"{'id': 4, 'content': 'q', 'rstrip': true}]}"));
	char *text = xcalloc(N + 2, 1);
	memset(text, ' ', N);
	for (int tabs = 0; tabs < 2; tabs++) {
		for (size_t i = 1; tabs && i < N; i += 2)
			text[i] = '\t';
		memcpy(text, "q", 1);
		memcpy(text + N, "a", 1);
		assert_ok(tokenizer_encode(t, text, N + 1, true, &v, &n));
		assert_int_equal(n, N + 1);
		assert_true(v[0].id == 1 && v[0].from == 0 && v[0].to == N);
		assert_true(v[N].id == 0 && v[N].from == N && v[N].to == N + 1);
		free(v);
	}
	free(text);
	tokenizer_free(t);
}

struct collected { struct token_span *v; size_t n, cap; };

static void
collect(void *arg, const struct token_span *v, size_t n)
{
	struct collected *c = arg;
	mem_grow(&c->v, &c->cap, c->n + n, sizeof(*c->v));
	memcpy(c->v + c->n, v, n * sizeof(*v));
	c->n += n;
}

/* A long text is encoded a stretch at a time. Where both of two texts are known to end a stretch's merges, as after a
 * letter that no merge takes and before another, its tokens are theirs. */
static void
test_stretches(void **state)
{
	(void)state;
	static const char *const names[] = { "gpt2", "llama2", "mistral", "gemma", "meta-always", "meta-digits", "neox",
		"odd-bytes" };
	static const char line[] = "the tide  turned 24 1 \xe5\xae\x88 caf\xc3\xa9 the lamp\n";
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct tokenizer *t = family_tokenizer(names[k]);
		struct token_span *one, *all;
		struct collected each = {0};
		struct str text = {0};
		size_t n_one, n, lines = 6000;
		for (size_t i = 0; i < lines; i++)
			str_adds(&text, line);
		assert_ok(tokenizer_encode_on(t, line, sizeof(line) - 1, &one, &n_one));
		assert_ok(tokenizer_encode_on(t, text.s, text.len, &all, &n));
		assert_int_equal(n, lines * n_one);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(all[i].id, one[i % n_one].id);
			assert_int_equal(all[i].from, one[i % n_one].from + i / n_one * (sizeof(line) - 1));
		}
		free(all);
		assert_ok(tokenizer_encode(t, text.s, text.len, true, &all, &n));
		assert_ok(tokenizer_encode_each(t, text.s, text.len, true, collect, &each));
		assert_int_equal(each.n, n);
		assert_memory_equal(each.v, all, n * sizeof(*all));
		free(all);
		free(one);
		free(each.v);
		str_free(&text);
		tokenizer_free(t);
	}
}

/* ---- the table ---- */

static void
test_table(void **state)
{
	(void)state;
	struct tokenizer *t;
	size_t n;
	assert_ok(parse_patched(&t, "{'added_tokens': [{'id': 0, 'content': '<|endoftext|>', 'special': true},"
		"{'id': 900, 'content': '<far>', 'special': true}, {'id': 700, 'content': '  x'}, {'id': 5, 'content': "
		"''}]}"));
	assert_int_equal(tokenizer_size(t), 642);
	assert_int_equal(tokenizer_special(t, "<|endoftext|>"), 0);
	assert_int_equal(tokenizer_special(t, "<far>"), 640);
	assert_int_equal(tokenizer_special(t, "  x"), -1);
	assert_int_equal(tokenizer_special(t, "the"), -1);
	assert_true(tokenizer_is_special(t, 0) && tokenizer_is_special(t, 640) && !tokenizer_is_special(t, 641));
	assert_memory_equal(tokenizer_bytes(t, 641, &n), "  x", 3);
	assert_int_equal(n, 3);
	assert_null(tokenizer_bytes(t, 800, &n));
	assert_int_equal(n, 0);
	assert_null(tokenizer_bytes(t, -1, &n));
	assert_null(tokenizer_bytes(t, 901, &n));
	assert_false(tokenizer_is_special(t, INT32_MAX) || tokenizer_is_special(t, 800));
	struct str out = {0};
	tokenizer_decode(t, (int32_t[]){ 640, -5, 800, 641, 1 << 30, 0 }, 6, &out);
	assert_string_equal(out.s, "<far>  x<|endoftext|>");
	str_free(&out);
	tokenizer_free(t);
	tokenizer_free(NULL);
}

/* As the library: the vocabulary's id before the file's, and for others the next that is free. */
static void
test_added_ids(void **state)
{
	(void)state;
	static const struct { const char *patch, *text; int32_t id; } cases[] = {
		{"{'added_tokens': [{'id': 7, 'content': 'X'}]}", "X", 56},
		{"{'added_tokens': [{'id': 40, 'content': '<x>'}]}", "<x>", 640},
		{"{'added_tokens': [{'id': 7, 'content': '<y>'}, {'id': 2000, 'content': '<x>'}]}", "<x>", 641},
		{"{'added_tokens': [{'id': 9, 'content': 'X'}, {'id': 9, 'content': '<x>'}]}", "<x>", 640},
		{"{'added_tokens': [{'id': 9, 'content': '<x>'}, {'id': 9, 'content': '<x>'}]}", "<x>", 640},
		{"{'model': {'vocab': {'x': 3}, 'merges': []}, 'added_tokens': [{'id': 4, 'content': '<x>'}]}", "<x>",
			1},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tokenizer *t;
		struct token_span *v;
		size_t n;
		assert_ok(parse_patched(&t, cases[i].patch));
		assert_ok(tokenizer_encode(t, cases[i].text, strlen(cases[i].text), true, &v, &n));
		assert_int_equal(n, 1);
		assert_int_equal(v[0].id, cases[i].id);
		free(v);
		tokenizer_free(t);
	}
}

/* Two that differ behind a NUL only are two. */
static void
test_added_nul(void **state)
{
	(void)state;
	struct tokenizer *t;
	struct token_span *v;
	size_t n;
	assert_ok(parse_patched(&t, "{'added_tokens': [{'id': 640, 'content': 'q\\u0000a'}, "
		"{'id': 641, 'content': 'q\\u0000b', 'rstrip': true}]}"));
	assert_ok(tokenizer_encode(t, "q\0aq\0b ", 7, true, &v, &n));
	assert_int_equal(n, 2);
	assert_true(v[0].id == 640 && v[0].to == 3 && v[1].id == 641 && v[1].to == 7);
	free(v);
	tokenizer_free(t);
}

static void
test_special_only_when_asked(void **state)
{
	(void)state;
	struct tokenizer *t = base_tokenizer();
	struct token_span *v;
	size_t n;
	assert_ok(tokenizer_encode(t, "<|endoftext|>", 13, true, &v, &n));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].id, 0);
	free(v);
	assert_ok(tokenizer_encode(t, "<|endoftext|>", 13, false, &v, &n));
	assert_true(n > 1);
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(v[i].id, 0);
	free(v);
	assert_ok(tokenizer_encode(t, "", 0, true, &v, &n));
	assert_int_equal(n, 0);
	assert_non_null(v);
	free(v);
	tokenizer_free(t);
}

static void
test_save(void **state)
{
	(void)state;
	char dir[] = "/tmp/byline-test.XXXXXX";
	struct tokenizer *t = base_tokenizer(), *again;
	struct str one = {0}, two = {0};
	assert_non_null(mkdtemp(dir));
	char *path = path_join(dir, "tokenizer.json"), *copy = path_join(dir, "copy.json");
	assert_ok(tokenizer_save(t, path));
	assert_ok(tokenizer_load(&again, path));
	assert_ok(tokenizer_save(again, copy));
	assert_ok(file_read(path, 1 << 20, &one));
	assert_ok(file_read(copy, 1 << 20, &two));
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.s, two.s, one.len);
	tokenizer_free(again);
	assert_ok(file_replace(path, "version https://git-lfs.github.com/spec/v1\noid", 46));
	assert_err(tokenizer_load(&again, path), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "Git LFS"));
	assert_null(again);
	assert_err(tokenizer_load(&again, dir), ERR_IO);
	str_free(&one);
	str_free(&two);
	tokenizer_free(t);
	free(path);
	free(copy);
	file_remove_tree(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_prefix_space),
		cmocka_unit_test(test_normalized_spans),
		cmocka_unit_test(test_removed_spans),
		cmocka_unit_test(test_long_pieces),
		cmocka_unit_test(test_spaces_taken),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_stretches),
		cmocka_unit_test(test_added_ids),
		cmocka_unit_test(test_added_nul),
		cmocka_unit_test(test_special_only_when_asked),
		cmocka_unit_test(test_save),
	};
	return cmocka_run_group_tests_name("tokenizer", tests, NULL, NULL);
}
