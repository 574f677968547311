/* examples: with the real tokenizer, the tokens of an example are exactly its bytes, whatever they are. */
#include "byline/rng.h"
#include "store_unit.h"

static char *
page(uint64_t i, size_t *n)
{
	static const char *const bits[] = { "the ", "tide ", "lamp", "'s ", "counted. ", "boats,", "\n", "\n\n", "  ",
		"1931 ", "\xc3\xa9t\xc3\xa9 ", "\xd0\xbb\xd0\xb5\xd0\xb4 ", "\xff", "\xe2\x80\xae", "\x1b[31m",
		"<|endoftext|>", "\r\n", "_-_", "\xf0\x9f\x90\x9d" };
	struct rng r;
	struct str s = {0};
	rng_init(&r, 11, i);
	str_adds(&s, "");
	for (uint64_t k = 5 + rng_below(&r, 400); k > 0; k--)
		str_adds(&s, bits[rng_below(&r, ARRAY_LEN(bits))]);
	if (i % 5 == 0)
		str_add(&s, "\0", 1);
	*n = s.len;
	return str_take(&s);
}

struct pages { uint64_t at; char *text; };

static bool
next_page(void *arg, const char **text, size_t *n)
{
	struct pages *p = arg;
	free(p->text);
	p->text = p->at < 30 ? page(p->at++, n) : NULL;
	*text = p->text;
	return p->text;
}

static void
rewind_pages(void *arg)
{
	((struct pages *)arg)->at = 0;
}

static void
add_page(struct store *s, uint64_t i)
{
	struct work_in w = { .title = "page" };
	char *text = page(i, &w.text_len);
	int64_t id;
	bool added;
	w.text = text;
	assert_ok(store_add_work(s, &w, &id, &added));
	free(text);
}

static void
check_examples(struct store *s, int64_t run, const struct tokenizer *t)
{
	struct dataset data;
	struct example *e;
	struct str text = {0}, bytes = {0};
	assert_ok(store_run_dataset(s, run, &data, &e));
	uint32_t at = 0;
	for (size_t i = 0; i < data.n; i++) {
		const int32_t *ids = data.token + data.start[i];
		str_clear(&text);
		str_clear(&bytes);
		assert_ok(store_example_text(s, &e[i], &text));
		assert_int_equal(ids[0], 0);
		tokenizer_decode(t, ids + 1, e[i].n_tokens - 1, &bytes);
		assert_int_equal(bytes.len, text.len);
		assert_memory_equal(bytes.s, text.s, text.len);
		/* The examples of a work are the whole of it, end to end. */
		at = i > 0 && e[i].work == e[i - 1].work ? at : 0;
		assert_int_equal(e[i].from, at);
		at = e[i].to;
		if (i + 1 == data.n || e[i + 1].work != e[i].work) {
			struct work w;
			assert_ok(store_work(s, e[i].work, &w));
			assert_int_equal(at, w.bytes);
			work_free(&w);
		}
	}
	dataset_free(&data);
	free(e);
	str_free(&text);
	str_free(&bytes);
}

static void
test_bytes(void **state)
{
	struct store *s = the_store(state);
	struct pages pages = {0};
	const struct text_source src = { .next = next_page, .rewind = rewind_pages, .arg = &pages };
	struct tokenizer *t;
	int64_t run;
	assert_ok(tokenizer_train(&t, &src, 400, NULL));
	for (uint64_t i = 0; i < 60; i++)
		add_page(s, i);
	for (int max = 32; max <= 2048; max *= 8) {
		char *name = xasprintf("run%d", max);
		const struct run_spec spec = { .name = name, .tokenizer = t, .bos = 0, .max_tokens = max,
			.heldout = 0.1, .seed = 3 };
		assert_ok(store_create_run(s, &spec, NULL, &run));
		check_examples(s, run, t);
		free(name);
	}
	int64_t n;
	assert_ok(store_verify(s, NULL, NULL, NULL, &n));
	assert_int_equal(n, 0);
	tokenizer_free(t);
	free(pages.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes, store_enter, store_leave),
	};
	return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
