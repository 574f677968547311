/* tokenizer: files that lie, or ask for what there is not, are refused in words. */
#include "byline/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/mem.h"
#include "tokenizer_unit.h"
#include "unit.h"

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
	/* Left out, as `tokenizers` does; those beside it merge, and what it covered is no token's. */
	assert_ok(tokenizer_encode(t, "caccb\xff", 6, true, &v, &n));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].id, 2);
	assert_int_equal(v[0].from, 1);
	assert_int_equal(v[0].to, 5);
	free(v);
	assert_ok(tokenizer_encode(t, "ac", 2, true, &v, &n));
	assert_int_equal(n, 1);
	assert_int_equal(v[0].to, 1);
	free(v);
	assert_ok(tokenizer_encode(t, "c\xff", 2, true, &v, &n));
	assert_int_equal(n, 0);
	free(v);
	char *text = xcalloc(1001, 1);
	memset(text, 'c', 1000);
	text[1] = 'a';
	text[900] = 'b';
	for (int times = 0; times < 2; times++) {
		assert_ok(tokenizer_encode(t, text, 1000, true, &v, &n));
		assert_int_equal(n, 1);
		assert_int_equal(v[0].to, 901);
		free(v);
	}
	free(text);
	tokenizer_free(t);
	/* A vocabulary whose unknown token is not in it. */
	assert_ok(parse_patched(&t,
		"{'model': {'vocab': {'a': 0}, 'merges': [], 'unk_token': '<unk>'}, 'added_tokens': []}"));
	assert_ok(tokenizer_encode(t, "b", 1, true, &v, &n));
	assert_int_equal(n, 0);
	free(v);
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
		cmocka_unit_test(test_refused_by_name),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_too_many_steps),
		cmocka_unit_test(test_patterns_refused),
		cmocka_unit_test(test_patterns_without_end),
		cmocka_unit_test(test_missing_byte),
		cmocka_unit_test(test_odd_merges),
	};
	return cmocka_run_group_tests_name("tokenizer_refused", tests, NULL, NULL);
}
