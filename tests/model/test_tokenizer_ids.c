/* tokenizer: the ids, and the bytes of each, that the `tokenizers` library gives. */
#include "config.h"	/* _GNU_SOURCE, for memmem */

#include "byline/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "tokenizer_unit.h"
#include "unit.h"

/* ---- the library's ids ---- */

static void
print_ids(struct str *out, const struct token_span *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		str_addf(out, " %d", (int)v[i].id);
}

static void
check_ids(const struct tokenizer *t, const char *name, const json_t *text, const json_t *ids, bool special)
{
	struct token_span *v;
	size_t n;
	struct str got = {0}, want = {0};
	assert_ok(tokenizer_encode(t, json_string_value(text), json_string_length(text), special, &v, &n));
	str_add(&got, "", 0);
	str_add(&want, "", 0);
	print_ids(&got, v, n);
	for (size_t i = 0; i < json_array_size(ids); i++)
		str_addf(&want, " %d", (int)json_integer_value(json_array_get(ids, i)));
	if (strcmp(got.s, want.s) != 0)
		fail_msg("%s: \"%s\"\n  got   %s\n  wanted%s", name, json_string_value(text), got.s, want.s);
	for (size_t i = 0; i < n; i++) {
		assert_true(v[i].from <= v[i].to && v[i].to <= json_string_length(text));
		assert_true(i == 0 || v[i - 1].to <= v[i].from);
	}
	str_free(&got);
	str_free(&want);
	free(v);
}

static void
check_case(const json_t *base, const json_t *texts, json_t *c)
{
	const char *name = json_string_value(json_object_get(c, "name"));
	struct tokenizer *t;
	json_t *root = patched(base, json_object_get(c, "patch"));
	if (parse(&t, root) != OK)
		fail_msg("%s: %s", name, err_message());
	const json_t *chosen = json_object_get(c, "texts"), *ids = json_object_get(c, "ids"),
		*plain = json_object_get(c, "plain");
	assert_true(json_array_size(chosen) > 10 && json_array_size(chosen) == json_array_size(ids));
	for (size_t i = 0; i < json_array_size(chosen); i++) {
		const json_t *text = json_array_get(texts, (size_t)json_integer_value(json_array_get(chosen, i)));
		check_ids(t, name, text, json_array_get(ids, i), true);
		if (plain)
			check_ids(t, name, text, json_array_get(plain, i), false);
	}
	tokenizer_free(t);
	json_decref(root);
}

static void
test_cases(void **state)
{
	(void)state;
	json_t *base = fixture("base.json"), *all = fixture("cases.json"), *cases = json_object_get(all, "cases");
	assert_true(json_array_size(cases) > 40);
	for (size_t i = 0; i < json_array_size(cases); i++)
		check_case(base, json_object_get(all, "texts"), json_array_get(cases, i));
	json_decref(base);
	json_decref(all);
}

/* ---- the families' settings ---- */

/* The start of the character that byte i is of, and the end of the one that byte i - 1 is of. */
static size_t
character_start(const char *s, size_t i)
{
	while (i > 0 && ((unsigned char)s[i] & 0xc0) == 0x80)
		i--;
	return i;
}

static size_t
character_end(const char *s, size_t i)
{
	while (((unsigned char)s[i] & 0xc0) == 0x80)
		i++;
	return i;
}

/* The library tells characters, and gives the space that it puts before a text to the character after it. */
static void
check_span(const char *name, const char *text, const struct token_span *v, const json_t *want, size_t i)
{
	size_t from = (size_t)json_integer_value(json_array_get(want, 2 * i)),
		to = (size_t)json_integer_value(json_array_get(want, 2 * i + 1));
	bool good = v->from == v->to ? v->from >= from && v->to <= to
		: character_start(text, v->from) == from && character_end(text, v->to) == to;
	if (!good)
		fail_msg("%s: \"%s\": token %zu is of bytes %u to %u, wanted %zu to %zu", name, text, i, v->from, v->to,
			from, to);
}

static void
check_spans(const struct tokenizer *t, const char *name, const json_t *text, const json_t *want)
{
	struct token_span *v;
	size_t n, at = 0;
	const char *s = json_string_value(text);
	assert_ok(tokenizer_encode(t, s, json_string_length(text), true, &v, &n));
	assert_int_equal(json_array_size(want), 2 * n);
	for (size_t i = 0; i < n; i++) {
		check_span(name, s, &v[i], want, i);
		assert_int_equal(v[i].from, at);
		at = v[i].to;
	}
	assert_int_equal(at, json_string_length(text));
	free(v);
}

static void
check_around(const struct tokenizer *t, const json_t *want)
{
	const int32_t *before, *after;
	size_t n = tokenizer_before(t, &before), n_after = tokenizer_after(t, &after);
	assert_int_equal(json_array_size(want), n + n_after);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(before[i], json_integer_value(json_array_get(want, i)));
	for (size_t i = 0; i < n_after; i++)
		assert_int_equal(after[i], json_integer_value(json_array_get(want, n + i)));
}

static void
check_family(const json_t *base, const json_t *texts, const json_t *f)
{
	const char *name = json_string_value(json_object_get(f, "name"));
	const json_t *chosen = json_object_get(f, "texts"), *ids = json_object_get(f, "ids"),
		*spans = json_object_get(f, "spans");
	struct tokenizer *t;
	json_t *root = patched(base, json_object_get(f, "patch"));
	size_t compared = 0;
	if (parse(&t, root) != OK)
		fail_msg("%s: %s", name, err_message());
	for (size_t i = 0; i < json_array_size(chosen); i++) {
		const json_t *text = json_array_get(texts, (size_t)json_integer_value(json_array_get(chosen, i)));
		check_ids(t, name, text, json_array_get(ids, i), true);
		if (json_is_null(json_array_get(spans, i)))
			continue;
		check_spans(t, name, text, json_array_get(spans, i));
		compared++;
	}
	assert_true(json_array_size(chosen) > 50 && (compared > 40 || strncmp(name, "odd", 3) == 0));
	check_around(t, json_object_get(f, "around"));
	tokenizer_free(t);
	json_decref(root);
}

static void
test_families(void **state)
{
	(void)state;
	json_t *bytes = fixture("base.json"), *all = fixture("families.json"), *list = json_object_get(all, "families");
	assert_true(json_array_size(list) > 20);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *f = json_array_get(list, i);
		const json_t *other = json_object_get(json_object_get(all, "bases"),
			json_string_value(json_object_get(f, "base")));
		check_family(other ? other : bytes, json_object_get(all, "texts"), f);
	}
	json_decref(bytes);
	json_decref(all);
}

/* What a text that goes on from another gets no space before it, and the first of a text loses it again. */
static void
test_space_before(void **state)
{
	(void)state;
	static const char *const names[] = { "llama2", "mistral", "meta-always", "gpt2-prefix" };
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct tokenizer *t = family_tokenizer(names[k]);
		struct token_span *v;
		size_t n, len;
		assert_ok(tokenizer_encode(t, "tide", 4, false, &v, &n));
		assert_true(*tokenizer_bytes(t, v[0].id, &len) == ' ' && v[0].from == 0);
		free(v);
		assert_ok(tokenizer_encode_on(t, "tide", 4, &v, &n));
		assert_true(*tokenizer_bytes(t, v[0].id, &len) == 't');
		free(v);
		tokenizer_free(t);
	}
}

static void
check_decoded(const struct tokenizer *t, const char *text, size_t n)
{
	struct token_span *v;
	size_t count, at = 0;
	struct str back = {0};
	assert_ok(tokenizer_encode(t, text, n, false, &v, &count));
	int32_t *ids = xcalloc(count + 1, sizeof(*ids));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(v[i].from, at);
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

/* Byte fallback takes what UTF-8 does not know, a byte a token; long texts are cut where no merge reaches. */
static void
test_fallback_bytes(void **state)
{
	(void)state;
	static const char *const names[] = { "llama2", "gemma", "meta-never", "wide-llama2", "wide-gemma" };
	uint32_t x = 777;
	char buf[400];
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct tokenizer *t = family_tokenizer(names[k]);
		check_decoded(t, "\xff\xfe the tide\x80", 12);
		for (int round = 0; round < 500; round++) {
			size_t n = (size_t)round * 7 % sizeof(buf);
			for (size_t i = 0; i < n; i++) {
				x = x * 1664525 + 1013904223;
				buf[i] = x >> 24 & 3 ? "the lamp a  \xe2\x82\xac\xc3\xa9 and the"[(x >> 16) % 25]
					: (char)(x >> 16);
			}
			/* The mark itself comes back as a space. */
			if (!memmem(buf, n, "\xe2\x96\x81", 3))
				check_decoded(t, buf, n);
		}
		tokenizer_free(t);
	}
}

/* base.json has its merges as pairs; older files have them as strings, some with the first line of merges.txt. */
static void
test_merges_as_strings(void **state)
{
	(void)state;
	json_t *base = fixture("base.json"), *all = fixture("cases.json"),
		*first = json_array_get(json_object_get(all, "cases"), 0);
	json_t *model = json_object_get(base, "model"), *pairs = json_object_get(model, "merges"),
		*strings = json_array(), *pair;
	size_t i;
	json_array_append_new(strings, json_string("#version: 0.2"));
	json_array_foreach(pairs, i, pair) {
		char *line = xasprintf("%s %s", json_string_value(json_array_get(pair, 0)),
			json_string_value(json_array_get(pair, 1)));
		json_array_append_new(strings, json_string(line));
		free(line);
	}
	json_object_set_new(model, "merges", strings);
	check_case(base, json_object_get(all, "texts"), first);
	json_decref(base);
	json_decref(all);
}

/* ---- long pieces ---- */

/* `unit` over and over, long enough to be cut, is `want` over and over. */
static void
check_repeated(const struct tokenizer *t, const char *unit, size_t times, const int32_t *want, size_t n_want)
{
	struct str text = {0};
	struct token_span *v;
	size_t n;
	for (size_t i = 0; i < times; i++)
		str_adds(&text, unit);
	assert_ok(tokenizer_encode(t, text.s, text.len, true, &v, &n));
	assert_int_equal(n, times * n_want);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(v[i].id, want[i % n_want]);
	free(v);
	str_free(&text);
}

/* Tokens that were made of bytes, of the unknown token, across what is left out: merges reach into them wherever a long
 * piece would be cut. Where merges stop, the whole is its parts' tokens. */
static void
test_joints(void **state)
{
	(void)state;
	static const struct { const char *model, *unit; size_t n; int32_t want[2]; } cases[] = {
		{"'vocab': {'<0xC3>': 0, '<0xA9>': 1, 'a': 2, '<0xC3><0xA9>': 3, 'a<0xC3><0xA9>': 4}, "
			"'merges': [['<0xC3>', '<0xA9>'], ['a', '<0xC3><0xA9>']], 'byte_fallback': true",
			"a\xc3\xa9", 1, {4}},
		{"'vocab': {'<0xC3>': 0, '<0xA9>': 1, 'a': 2, '<0xC3><0xA9>': 3, '<0xC3><0xA9>a': 4}, "
			"'merges': [['<0xC3>', '<0xA9>'], ['<0xC3><0xA9>', 'a']], 'byte_fallback': true",
			"\xc3\xa9""a", 1, {4}},
		{"'vocab': {'<u>': 0, 'a': 1, 'b': 2, '<u>a': 3, 'b<u>a': 4}, "
			"'merges': [['<u>', 'a'], ['b', '<u>a']], 'unk_token': '<u>'", "bza", 1, {4}},
		{"'vocab': {'<u>': 0, 'a': 1, 'b': 2, 'a<u>': 3, 'a<u>b': 4}, "
			"'merges': [['a', '<u>'], ['a<u>', 'b']], 'unk_token': '<u>'", "azb", 1, {4}},
		{"'vocab': {'a': 0, 'b': 1, 'ab': 2}, 'merges': [['a', 'b']]", "azzb", 1, {2}},
		/* The bytes pass the unknown code point, and merge with the letter before it. */
		{"'vocab': {'<u>': 0, 'a': 1, '<0xC3>': 2, '<0xA9>': 3, 'a<0xC3>': 4, 'a<0xC3><0xA9>': 5}, "
			"'merges': [['a', '<0xC3>'], ['a<0xC3>', '<0xA9>']], 'unk_token': '<u>', "
			"'byte_fallback': true", "az\xc3\xa9", 2, {5, 0}},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tokenizer *t;
		char *patch = xasprintf("{'normalizer': null, 'pre_tokenizer': null, 'added_tokens': [], "
			"'decoder': null, 'model': {%s}}", cases[i].model);
		assert_ok(parse_patched(&t, patch));
		for (size_t times = 1; times < 100000; times = times * 7 + 1)
			check_repeated(t, cases[i].unit, times, cases[i].want, cases[i].n);
		tokenizer_free(t);
		free(patch);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_space_before),
		cmocka_unit_test(test_fallback_bytes),
		cmocka_unit_test(test_merges_as_strings),
		cmocka_unit_test(test_joints),
	};
	return cmocka_run_group_tests_name("tokenizer_ids", tests, NULL, NULL);
}
