/* tokenizer: the ids that the `tokenizers` library gives, exact bytes whatever the text, and files that lie. */
#include "config.h"	/* _GNU_SOURCE, for memmem */

#include "byline/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "unit.h"

/* ---- fixtures ---- */

static json_t *
fixture(const char *name)
{
	json_t *root;
	char *path = xasprintf("%s/tests/data/tokenizer/%s", getenv("srcdir") ? getenv("srcdir") : ".", name);
	assert_ok(json_parse_file(path, 4 << 20, &root));
	free(path);
	return root;
}

static json_t *
patched(const json_t *base, json_t *patch)
{
	json_t *made = json_deep_copy(base), *value;
	const char *key;
	json_object_foreach(patch, key, value) {
		if (strcmp(key, "model") == 0)
			json_object_update(json_object_get(made, key), value);
		else
			json_object_set(made, key, value);
	}
	return made;
}

static enum err
parse(struct tokenizer **t, const json_t *root)
{
	char *text = json_dumps(root, JSON_ENCODE_ANY);
	enum err err = tokenizer_parse(t, text, strlen(text), "test.json");
	free(text);
	return err;
}

/* The base with `patch` (JSON text, single quotes for double) over it. */
static enum err
parse_patched(struct tokenizer **t, const char *patch)
{
	char *text = xstrdup(patch);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *base = fixture("base.json"), *over;
	assert_ok(json_parse(text, strlen(text), "patch", &over));
	json_t *made = patched(base, over);
	enum err err = parse(t, made);
	json_decref(base);
	json_decref(over);
	json_decref(made);
	free(text);
	return err;
}

static struct tokenizer *
base_tokenizer(void)
{
	struct tokenizer *t;
	assert_ok(parse_patched(&t, "{}"));
	return t;
}

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

/* The settings of a family by its name, over its base. */
static struct tokenizer *
family_tokenizer(const char *name)
{
	json_t *bytes = fixture("base.json"), *all = fixture("families.json"), *f;
	struct tokenizer *t = NULL;
	size_t i;
	json_array_foreach(json_object_get(all, "families"), i, f) {
		if (strcmp(json_string_value(json_object_get(f, "name")), name) != 0)
			continue;
		json_t *other = json_object_get(json_object_get(all, "bases"),
			json_string_value(json_object_get(f, "base")));
		json_t *root = patched(other ? other : bytes, json_object_get(f, "patch"));
		assert_ok(parse(&t, root));
		json_decref(root);
	}
	json_decref(bytes);
	json_decref(all);
	assert_non_null(t);
	return t;
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

/* ---- what is refused ---- */

struct refusal { enum err code; const char *says, *patch; };

static void
check_refusals(const struct refusal *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct tokenizer *t = NULL;
		enum err err = parse_patched(&t, v[i].patch);
		if (err != v[i].code || !strstr(err_message(), v[i].says))
			fail_msg("%s: %d, \"%s\"; wanted %d, \"%s\"", v[i].patch, (int)err, err_message(),
				(int)v[i].code, v[i].says);
		assert_null(t);
	}
}

static void
test_refused_by_name(void **state)
{
	(void)state;
	static const struct refusal v[] = {
		{ ERR_UNSUPPORTED, "WordPiece", "{'model': {'type': 'WordPiece'}}" },
		{ ERR_UNSUPPORTED, "Unigram", "{'model': {'type': 'Unigram'}}" },
		{ ERR_UNSUPPORTED, "WordLevel", "{'model': {'type': 'WordLevel'}}" },
		{ ERR_UNSUPPORTED, "dropout", "{'model': {'dropout': 0.1}}" },
		{ ERR_UNSUPPORTED, "continuing_subword_prefix", "{'model': {'continuing_subword_prefix': '##'}}" },
		{ ERR_UNSUPPORTED, "end_of_word_suffix", "{'model': {'end_of_word_suffix': '</w>'}}" },
		{ ERR_UNSUPPORTED, "version \"2.0\"", "{'version': '2.0'}" },
		{ ERR_UNSUPPORTED, "\"Metaspace\" after", "{'pre_tokenizer': {'type': 'Sequence', 'pretokenizers':"
			"[{'type': 'ByteLevel'}, {'type': 'Metaspace'}]}}" },
		{ ERR_UNSUPPORTED, "prepend_scheme \"last\"",
			"{'pre_tokenizer': {'type': 'Metaspace', 'prepend_scheme': 'last'}}" },
		{ ERR_UNSUPPORTED, "\"Whitespace\"",
			"{'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [{'type': 'Whitespace'}]}}" },
		{ ERR_UNSUPPORTED, "\"Digits\" after", "{'pre_tokenizer': {'type': 'Sequence', 'pretokenizers':"
			"[{'type': 'ByteLevel'}, {'type': 'Digits'}]}}" },
		{ ERR_UNSUPPORTED, "behavior \"Sideways\"",
			"{'pre_tokenizer': {'type': 'Split', 'pattern': {'String': 'x'}, 'behavior': 'Sideways'}}" },
		{ ERR_UNSUPPORTED, "normalizer \"BertNormalizer\"", "{'normalizer': {'type': 'BertNormalizer'}}" },
		{ ERR_UNSUPPORTED, "normalizer \"Nmt\"",
			"{'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'NFC'}, {'type': 'Nmt'}]}}" },
		{ ERR_UNSUPPORTED, "is empty",
			"{'normalizer': {'type': 'Replace', 'pattern': {'String': ''}, 'content': ' '}}" },
		{ ERR_UNSUPPORTED, "post-processor \"Odd\"", "{'post_processor': {'type': 'Odd'}}" },
		{ ERR_UNSUPPORTED, "decoder \"CTC\"",
			"{'decoder': {'type': 'Sequence', 'decoders': [{'type': 'CTC'}]}}" },
		{ ERR_UNSUPPORTED, "with a regular expression",
			"{'decoder': {'type': 'Replace', 'pattern': {'Regex': 'x'}, 'content': ''}}" },
		{ ERR_UNSUPPORTED, "gaps in the ids", "{'model': {'vocab': {'a': 0, 'b': 2}, 'merges': []}, "
			"'added_tokens': [{'id': 3, 'content': '<x>'}]}" },
		{ ERR_UNSUPPORTED, "twice, with different settings", "{'added_tokens': [{'id': 640, 'content': '<x>'}, "
			"{'id': 640, 'content': '<x>', 'lstrip': true}]}" },
		{ ERR_UNSUPPORTED, "are the same when normalized", "{'normalizer': {'type': 'Lowercase'}, "
			"'added_tokens': [{'id': 640, 'content': '<X>'}, {'id': 641, 'content': '<x>'}]}" },
		{ ERR_UNSUPPORTED, "leaves nothing", "{'normalizer': {'type': 'Strip'}, "
			"'added_tokens': [{'id': 640, 'content': '  '}]}" },
		{ ERR_UNSUPPORTED, "of what may be nothing", "{'normalizer': {'type': 'Replace', 'pattern': "
			"{'Regex': '(?=A)'}, 'content': ' '}}" },
		{ ERR_UNSUPPORTED, "\"first\" after a normalizer \"Replace\"", "{'normalizer': {'type': 'Replace', "
			"'pattern': {'String': 'ab'}, 'content': ' '}, 'pre_tokenizer': {'type': 'Metaspace', "
			"'prepend_scheme': 'first'}}" },
		{ ERR_UNSUPPORTED, "several normal forms", "{'normalizer': {'type': 'Sequence', 'normalizers': [{'type': "
			"'NFC'}, {'type': 'NFD'}]}, 'pre_tokenizer': {'type': 'Metaspace', 'prepend_scheme': 'first'}}" },
		{ ERR_UNSUPPORTED, "one text", "{'post_processor': {'type': 'TemplateProcessing', 'single': []}}" },
	};
	check_refusals(v, ARRAY_LEN(v));
}

static void
test_lies(void **state)
{
	(void)state;
	static const struct refusal v[] = {
		{ ERR_FORMAT, "no \"vocab\"", "{'model': {'vocab': null}}" },
		{ ERR_FORMAT, "no \"vocab\"", "{'model': {'vocab': ['a', 'b']}}" },
		{ ERR_FORMAT, "vocabulary is empty", "{'model': {'vocab': {}, 'merges': []}, 'added_tokens': []}" },
		{ ERR_FORMAT, "no \"merges\"", "{'model': {'merges': {}}}" },
		{ ERR_FORMAT, "token \"a\"", "{'model': {'vocab': {'a': -1}}}" },
		{ ERR_FORMAT, "token \"a\"", "{'model': {'vocab': {'a': 'x'}}}" },
		{ ERR_FORMAT, "token \"a\"", "{'model': {'vocab': {'a': 1.5}}}" },
		{ ERR_FORMAT, "two tokens have id 7", "{'model': {'vocab': {'a': 7, 'b': 7}}}" },
		{ ERR_LIMIT, "1048576", "{'model': {'vocab': {'a': 1048576}}}" },
		{ ERR_LIMIT, "9223372036854775807", "{'model': {'vocab': {'a': 9223372036854775807}}}" },
		{ ERR_FORMAT, "merge 0 names \"zz\"", "{'model': {'merges': ['a zz']}}" },
		{ ERR_FORMAT, "merge 1 names \"~~\"", "{'model': {'merges': [['h', 'e'], ['~', '~']]}}" },
		{ ERR_FORMAT, "merge 0 is not a pair", "{'model': {'merges': ['ab']}}" },
		{ ERR_FORMAT, "merge 0 is not a pair", "{'model': {'merges': ['a b c']}}" },
		{ ERR_FORMAT, "merge 0 is not a pair", "{'model': {'merges': [['a']]}}" },
		{ ERR_FORMAT, "merge 0 is not a pair", "{'model': {'merges': [['a', 'b', 'c']]}}" },
		{ ERR_FORMAT, "merge 0 is not a pair", "{'model': {'merges': [['a', 3]]}}" },
		{ ERR_FORMAT, "merge 0 is not a pair", "{'model': {'merges': [3]}}" },
		{ ERR_FORMAT, "unk_token", "{'model': {'unk_token': 3}}" },
		{ ERR_FORMAT, "type", "{'model': {'type': []}}" },
		{ ERR_FORMAT, "added_tokens", "{'added_tokens': {}}" },
		{ ERR_FORMAT, "content", "{'added_tokens': [3]}" },
		{ ERR_FORMAT, "content", "{'added_tokens': [{'id': 3}]}" },
		{ ERR_FORMAT, "id", "{'added_tokens': [{'content': '<x>'}]}" },
		{ ERR_FORMAT, "id", "{'added_tokens': [{'content': '<x>', 'id': -1}]}" },
		{ ERR_FORMAT, "id", "{'added_tokens': [{'content': '<x>', 'id': 4294967296}]}" },
		{ ERR_FORMAT, "special", "{'added_tokens': [{'content': '<x>', 'id': 2000, 'special': 1}]}" },
		{ ERR_FORMAT, "normalizer", "{'normalizer': 'NFC'}" },
		{ ERR_FORMAT, "\"type\" is missing", "{'normalizer': {}}" },
		{ ERR_FORMAT, "normalizers", "{'normalizer': {'type': 'Sequence'}}" },
		{ ERR_FORMAT, "pretokenizers", "{'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': 3}}" },
		{ ERR_FORMAT, "pattern", "{'pre_tokenizer': {'type': 'Split', 'behavior': 'Isolated'}}" },
		{ ERR_FORMAT, "behavior", "{'pre_tokenizer': {'type': 'Split', 'pattern': {'String': 'x'}}}" },
		{ ERR_FORMAT, "pattern", "{'normalizer': {'type': 'Replace', 'content': ' '}}" },
		{ ERR_FORMAT, "content", "{'normalizer': {'type': 'Replace', 'pattern': {'String': 'x'}}}" },
		{ ERR_FORMAT, "prepend", "{'normalizer': {'type': 'Prepend'}}" },
		{ ERR_FORMAT, "not one character", "{'pre_tokenizer': {'type': 'Metaspace', 'replacement': 'ab'}}" },
		{ ERR_FORMAT, "not one character",
			"{'decoder': {'type': 'Sequence', 'decoders': [{'type': 'Strip', 'content': ''}]}}" },
		{ ERR_FORMAT, "single", "{'post_processor': {'type': 'TemplateProcessing'}}" },
		{ ERR_FORMAT, "has no ids", "{'post_processor': {'type': 'TemplateProcessing', 'single': ["
			"{'SpecialToken': {'id': 'x'}}, {'Sequence': {'id': 'A'}}]}}" },
		{ ERR_FORMAT, "does not exist", "{'post_processor': {'type': 'TemplateProcessing', 'special_tokens':"
			"{'x': {'ids': [999999]}}, 'single': [{'SpecialToken': {'id': 'x'}}, {'Sequence': {}}]}}" },
		{ ERR_FORMAT, "whole number", "{'post_processor': {'type': 'BertProcessing', 'cls': ['x', -1]}}" },
		{ ERR_FORMAT, "add_prefix_space",
			"{'pre_tokenizer': {'type': 'ByteLevel', 'add_prefix_space': 'no'}}" },
	};
	check_refusals(v, ARRAY_LEN(v));
}

static void
test_not_json(void **state)
{
	(void)state;
	static const char *const v[] = { "", "[]", "3", "null", "{",
		"{\"model\":{\"vocab\":{\"a\":1,\"a\":2},\"merges\":[]}}", "\xff", "{}" };
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct tokenizer *t;
		assert_err(tokenizer_parse(&t, v[i], strlen(v[i]), "test.json"), ERR_FORMAT);
		assert_null(t);
	}
}

/* Thirty-three steps where thirty-two are allowed; sequences nested deep. */
static void
test_too_many_steps(void **state)
{
	(void)state;
	static const char *const what[][3] = {
		{ "{'normalizer': {'type': 'Sequence', 'normalizers': [", "{'type': 'NFC'}", "]}}" },
		{ "{'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [",
			"{'type': 'Digits', 'individual_digits': true}", "]}}" },
	};
	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		struct str text = {0};
		struct tokenizer *t;
		str_adds(&text, what[i][0]);
		for (int k = 0; k < 33; k++)
			str_addf(&text, "%s%s", k ? "," : "", what[i][1]);
		str_adds(&text, what[i][2]);
		assert_err(parse_patched(&t, text.s), ERR_LIMIT);
		str_free(&text);
	}
}

/* ---- patterns ---- */

static enum err
parse_pattern(struct tokenizer **t, const char *pattern)
{
	json_t *base = fixture("base.json");
	json_t *split = json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex", pattern, "behavior",
		"Isolated", "invert", 0);
	json_t *bytes = json_pack("{s:s, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0, "use_regex", 0);
	json_object_set_new(base, "pre_tokenizer", json_pack("{s:s, s:[o, o]}", "type", "Sequence", "pretokenizers",
		split, bytes));
	enum err err = parse(t, base);
	json_decref(base);
	return err;
}

/* Patterns that PCRE2 cannot read, or would read as something else than their authors meant. */
static void
test_patterns_refused(void **state)
{
	(void)state;
	static const char *const v[] = {
		"(", ")", "a{2}+", "a{2}?", "[a&&b]", "[[:alpha:]]", "[a[^b]]", "[]a]", "[^]a]", "[a", "[a[b]", "\\",
			"a\\", "\\p{NoSuchThing}", "\\pL",
		"\\p{L", "\\p{a\"b}", "\\bthe\\b", "\\B", "\\K", "\\G", "\\R", "\\X", "\\C", "\\Q..\\E", "\\1",
			"(a)\\k<1>", "(?<n>a)", "(?P<n>a)", "(?R)", "(?1)",
		"(?x)a b", "(?m)a", "a(?i)b", "(?C1)", "(*ACCEPT)", "(*UTF)a", "[\\W]", "[\\H]", "\\xff", "\\x{110000}",
			"\\x{", "\\u12", "\\cA",
		"(?<=a*)b", "a**\\", "\\N", "(?#comment)",
	};
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct tokenizer *t;
		enum err err = parse_pattern(&t, v[i]);
		if (err != ERR_UNSUPPORTED)
			fail_msg("%s: %d", v[i], (int)err);
		assert_non_null(strstr(err_message(), "regular expression"));
	}
	struct str longer = {0};
	struct tokenizer *t;
	str_fill(&longer, 'a', 70000);
	assert_err(parse_pattern(&t, longer.s), ERR_LIMIT);
	str_free(&longer);
}

/* Patterns that would run for ever are stopped, and say so. */
static void
test_patterns_without_end(void **state)
{
	(void)state;
	static const char *const v[] = { "(a+)+b", "(?:a|a)*b", "(?:(?:a*)*)*b" };
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct tokenizer *t;
		struct token_span *out;
		size_t n;
		struct str text = {0};
		str_fill(&text, 'a', 1000);
		str_adds(&text, "cb");
		assert_ok(parse_pattern(&t, v[i]));
		assert_err(tokenizer_encode(t, text.s, text.len, true, &out, &n), ERR_LIMIT);
		assert_null(out);
		assert_non_null(strstr(err_message(), "regular expression"));
		tokenizer_free(t);
		str_free(&text);
	}
}

/* ---- vocabularies with holes ---- */

static void
test_missing_byte(void **state)
{
	(void)state;
	struct tokenizer *t;
	struct token_span *v;
	size_t n;
	assert_ok(parse_patched(&t,
		"{'model': {'vocab': {'a': 0, 'b': 1, 'ab': 2}, 'merges': ['a b']}, 'added_tokens': []}"));
	assert_ok(tokenizer_encode(t, "abba", 4, true, &v, &n));
	assert_int_equal(n, 3);
	free(v);
	assert_err(tokenizer_encode(t, "abc", 3, true, &v, &n), ERR_FORMAT);
	assert_non_null(strstr(err_message(), "0x63"));
	assert_err(tokenizer_encode(t, "ab\xff", 3, true, &v, &n), ERR_FORMAT);
	tokenizer_free(t);
	/* A vocabulary whose unknown token is not in it. */
	assert_ok(parse_patched(&t,
		"{'model': {'vocab': {'a': 0}, 'merges': [], 'unk_token': '<unk>'}, 'added_tokens': []}"));
	assert_err(tokenizer_encode(t, "b", 1, true, &v, &n), ERR_FORMAT);
	tokenizer_free(t);
	assert_ok(parse_patched(&t,
		"{'model': {'vocab': {'a': 0, '<unk>': 4}, 'merges': [], 'unk_token': '<unk>'}, 'added_tokens': []}"));
	assert_ok(tokenizer_encode(t, "ab\xff", 3, true, &v, &n));
	assert_int_equal(n, 3);
	assert_int_equal(v[1].id, 4);
	assert_int_equal(v[2].id, 4);
	free(v);
	tokenizer_free(t);
}

/* Merges with empty halves, said twice, going round in circles through shared names: legal JSON that must end. */
static void
test_odd_merges(void **state)
{
	(void)state;
	struct tokenizer *t;
	struct token_span *v;
	size_t n;
	assert_ok(parse_patched(&t, "{'model': {'vocab': {'': 0, 'a': 1, 'aa': 2, 'aaa': 3}, 'merges':"
		"[['', 'a'], ['a', ''], ['', ''], ['a', 'a'], ['aa', 'a'], ['a', 'aa'], ['a', 'a']]}, 'added_tokens': "
		"[]}"));
	assert_ok(tokenizer_encode(t, "aaaaaaa", 7, true, &v, &n));
	assert_int_equal(v[n - 1].to, 7);
	free(v);
	tokenizer_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_families), cmocka_unit_test(test_space_before),
		cmocka_unit_test(test_fallback_bytes), cmocka_unit_test(test_merges_as_strings),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_prefix_space),
		cmocka_unit_test(test_normalized_spans),
		cmocka_unit_test(test_long_pieces),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_stretches),
		cmocka_unit_test(test_added_ids),
		cmocka_unit_test(test_special_only_when_asked),
		cmocka_unit_test(test_save),
		cmocka_unit_test(test_refused_by_name),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_too_many_steps),
		cmocka_unit_test(test_patterns_refused),
		cmocka_unit_test(test_patterns_without_end),
		cmocka_unit_test(test_missing_byte),
		cmocka_unit_test(test_odd_merges),
	};
	return cmocka_run_group_tests_name("tokenizer", tests, NULL, NULL);
}
