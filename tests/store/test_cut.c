/* cut: examples end where a reader would pause, and never leave a scrap. */
#include "../../src/store/cut.h"

#include "byline/rng.h"
#include "fake_tokenizer.h"
#include "store_unit.h"

static const struct tokenizer words = { 1000 };

/* The pieces of text, joined by '|'. */
static void
check_cut(const char *text, size_t room, const char *want)
{
	struct token_span *t;
	struct str got = {0};
	size_t n, len = strlen(text);
	assert_ok(tokenizer_encode(&words, text, len, false, &t, &n));
	str_adds(&got, "");
	for (size_t from = 0, to; from < n; from = to) {
		to = cut_next(text, len, t, n, from, room);
		assert_in_range(to - from, 1, room);
		if (got.len)
			str_addc(&got, '|');
		str_add(&got, text + t[from].from, t[to - 1].to - t[from].from);
	}
	assert_string_equal(got.s, want);
	str_free(&got);
	free(t);
}

static void
test_places(void **state)
{
	(void)state;
	check_cut("all of it fits in here", 16, "all of it fits in here");
	check_cut("a b c d e f g h i j k l m n o p", 16, "a b c d e f g h i j k l m n o p");
	/* 20 tokens: eight must be left, so the cut is after twelve. */
	check_cut("a b c d e f g h i j k l m n o p q r s t", 16, "a b c d e f g h i j k l| m n o p q r s t");
	check_cut("a b c d e f g h i j. k l m n o p q r s t u v w x y z", 16,
		"a b c d e f g h i j.| k l m n o p q r s t u v w x y z");
	check_cut("a b c d e f g h i j\nk l. m n o p q r s t u v w x y", 16,
		"a b c d e f g h i j\n|k l. m n o p q r s t u v w x y");
	check_cut("a b c d e f g h i\n\nj k l m\nn. o p q r s t u v w", 16,
		"a b c d e f g h i\n\n|j k l m\nn. o p q r s t u v w");
	check_cut("a b c d e f g h i \r\n \r\nj k l m\nn. o p q r s t u v w", 16,
		"a b c d e f g h i \r\n \r\n|j k l m\nn. o p q r s t u v w");
	check_cut("a b c d e f g h \"i j.\" k l m n o p q r s t u v w x y z", 16,
		"a b c d e f g h \"i j.\"| k l m n o p q r s t u v w x y z");
	/* A paragraph in the first half is too early. */
	check_cut("a b\n\nc d e f g h i j k l m n o p q r s t u v w x y z", 16,
		"a b\n\nc d e f g h i j k l m n o| p q r s t u v w x y z");
}

static void
test_no_place(void **state)
{
	(void)state;
	struct str s = {0};
	/* One-byte tokens without a space anywhere, then characters of two bytes: never inside one. */
	str_fill(&s, '-', 30);
	check_cut(s.s, 16, "----------------|--------------");
	str_clear(&s);
	for (int i = 0; i < 13; i++)
		str_adds(&s, "\xc3\xa9");
	check_cut(s.s, 17, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9|"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
	str_free(&s);
}

/* Whatever the text, the pieces are the text, none is too long and the last is no scrap. */
static void
test_random(void **state)
{
	(void)state;
	static const char *const bits[] = { "word", " word", ".", "\n", "\n\n", " ", "\xc3\xa9", "\xff", "!\" ",
		"\r\n" };
	struct rng r;
	rng_init(&r, 1, 1);
	for (int round = 0; round < 300; round++) {
		struct str s = {0};
		struct token_span *t;
		size_t n, room = 16 + rng_below(&r, 40), at = 0;
		str_adds(&s, "");
		for (uint64_t k = rng_below(&r, 400); k > 0; k--)
			str_adds(&s, bits[rng_below(&r, ARRAY_LEN(bits))]);
		assert_ok(tokenizer_encode(&words, s.s, s.len, false, &t, &n));
		for (size_t from = 0, to; from < n; from = to) {
			to = cut_next(s.s, s.len, t, n, from, room);
			assert_true(to > from && to - from <= room);
			assert_true(to < n || n <= room || to - from >= CUT_TAIL);
			assert_int_equal(t[from].from, at);
			at = t[to - 1].to;
		}
		assert_int_equal(at, s.len);
		free(t);
		str_free(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests_name("cut", tests, NULL, NULL);
}
