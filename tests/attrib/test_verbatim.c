/* Verbatim spans: against a search that tries everything, over texts made to trip it; and files that lie. */
#include "byline/verbatim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/attrib.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "unit.h"
#include "verbatim_private.h"
#include "verbatim_word.h"

struct shelf { char dir[64]; struct store *store; char *file; };

static int
shelf_new(void **state)
{
	struct shelf *h = xcalloc(1, sizeof(*h));
	*state = h;
	strcpy(h->dir, "/tmp/byline-verbatim-XXXXXX");
	if (!mkdtemp(h->dir))
		return -1;
	char *dir = path_join(h->dir, "shelf.byline");
	enum err err = store_create(dir, &h->store);
	h->file = path_join(dir, VERBATIM_FILE);
	free(dir);
	return err == OK ? 0 : -1;
}

static int
shelf_free(void **state)
{
	struct shelf *h = *state;
	store_close(h->store);
	enum err err = file_remove_tree(h->dir);
	free(h->file);
	free(h);
	return err == OK ? 0 : -1;
}

struct facts { const char *title, *author, *licence, *date; };

static int64_t
put(struct shelf *h, const char *text, size_t n, struct facts f)
{
	struct work_author a = { f.author, 1 };
	struct work_in w = { .text = text, .text_len = n, .title = f.title, .licence = f.licence, .date = f.date,
		.authors = &a, .n_authors = f.author ? 1 : 0 };
	int64_t id;
	bool added;
	assert_ok(store_add_work(h->store, &w, &id, &added));
	return id;
}

static int64_t
puts_work(struct shelf *h, const char *text, const char *title)
{
	return put(h, text, strlen(text), (struct facts){ .title = title });
}

static struct verbatim *
open_built(struct shelf *h)
{
	struct verbatim *v;
	assert_ok(verbatim_build(h->store, NULL));
	assert_ok(verbatim_open(h->store, &v));
	return v;
}

struct found { struct verbatim_span *v; size_t n; };

static struct found
find(const struct verbatim *v, const char *text, int min_words)
{
	struct found f;
	assert_ok(verbatim_spans(v, text, strlen(text), min_words, &f.v, &f.n));
	return f;
}

static void
lose(struct found f)
{
	verbatim_spans_free(f.v, f.n);
}

/* ---- words ---- */

static void
check_words(const char *s, size_t n, const char *want)
{
	struct str got = {0};
	struct word w = {0};
	str_adds(&got, "");
	while (word_next(s, n, w.to, &w)) {
		str_add(&got, s + w.from, w.to - w.from);
		str_addc(&got, '|');
	}
	assert_string_equal(got.s, want);
	str_free(&got);
}

static void
test_words(void **state)
{
	(void)state;
	static const struct { const char *text, *want; } cases[] = {
		{ "", "" }, { " .,! \n", "" }, { "one", "one|" }, { " one, two.", "one|two|" },
		{ "don't 'quote' rock'n'roll dogs' it''s", "don't|quote|rock'n'roll|dogs|it|s|" },
		{ "d\u2019accord", "d\u2019accord|" }, { "snake_case x-ray 3.14", "snake_case|x|ray|3|14|" },
		{ "\u00e9t\u00e9 e\u0301te\u0301", "\u00e9t\u00e9|e\u0301te\u0301|" },
		{ "\u6f22\u5b57kana \u304b\u306a", "\u6f22|\u5b57|kana|\u304b|\u306a|" },
		{ "\u05e9\u05dc\u05d5\u05dd \u0633\u0644\u0627\u0645", "\u05e9\u05dc\u05d5\u05dd|\u0633\u0644\u0627\u0645|" },
		{ "\u0e01\u0e34\u0e19", "\u0e01\u0e34|\u0e19|" }, { "caf\xe9 noir", "caf\xe9|noir|" },
		{ "one\xfftwo", "one|two|" }, { "\u0301 a", "\u0301|a|" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_words(cases[i].text, strlen(cases[i].text), cases[i].want);
	check_words("a\0b", 3, "a|b|");
}

/* Pieces that words are made of, and broken by. */
static const struct { const char *s; size_t n; } pieces[] = {
	{ "a", 1 }, { "b", 1 }, { "a", 1 }, { "b", 1 }, { " ", 1 }, { " ", 1 }, { " ", 1 }, { ". ", 2 }, { "'", 1 }, { "\0", 1 },
	{ "\xff", 1 }, { "\xc3", 1 }, { "\xc3\xa9", 2 }, { "\xe6\xbc\xa2", 3 }, { "\xcc\x81", 2 }, { "\xe2\x80\x99", 3 },
};

static void
scribble(struct str *out, struct rng *r, size_t n_pieces, size_t kinds)
{
	str_adds(out, "");
	for (size_t i = 0; i < n_pieces; i++) {
		size_t k = (size_t)rng_below(r, kinds);
		str_add(out, pieces[k].s, pieces[k].n);
	}
}

static void
test_words_begin(void **state)
{
	(void)state;
	struct rng r;
	rng_init(&r, 1, 1);
	for (int round = 0; round < 2000; round++) {
		struct str s = {0};
		scribble(&s, &r, 1 + (size_t)rng_below(&r, 20), ARRAY_LEN(pieces));
		struct word w = {0};
		bool more = word_next(s.s, s.len, 0, &w);
		for (size_t i = 0; i < s.len; i++) {
			assert_int_equal(word_begins(s.s, s.len, i), more && i == w.from);
			if (more && i == w.from)
				more = word_next(s.s, s.len, w.to, &w);
		}
		str_free(&s);
	}
}

/* ---- trying everything ---- */

enum { WORKS_MAX = 6, PLACES_MAX = 512 };

struct whole { struct str text; struct word word[PLACES_MAX]; size_t n_words; };

static void
read_words(struct whole *w)
{
	struct word one = {0};
	w->n_words = 0;
	while (word_next(w->text.s, w->text.len, one.to, &one)) {
		assert_in_range(w->n_words, 0, PLACES_MAX - 1);
		w->word[w->n_words++] = one;
	}
}

/* Whether words [i, end) of a stand in b from its word k on. */
static bool
same_words(const struct whole *a, size_t i, size_t end, const struct whole *b, size_t k)
{
	size_t from = a->word[i].from, n = a->word[end - 1].to - from, at = b->word[k].from;
	if (k + (end - i) > b->n_words || b->word[k + (end - i) - 1].to - at != n)
		return false;
	return memcmp(a->text.s + from, b->text.s + at, n) == 0 && !memchr(a->text.s + from, 0xff, n);
}

static size_t
count_everywhere(const struct whole *a, size_t i, size_t end, const struct whole *work, size_t n_works)
{
	size_t n = 0;
	for (size_t w = 0; w < n_works; w++)
		for (size_t k = 0; k < work[w].n_words; k++)
			n += same_words(a, i, end, &work[w], k);
	return n;
}

static bool
is_maximal(const struct whole *a, size_t i, size_t end, const struct whole *work, size_t n_works)
{
	return count_everywhere(a, i, end, work, n_works) > 0
		&& (i == 0 || count_everywhere(a, i - 1, end, work, n_works) == 0)
		&& (end == a->n_words || count_everywhere(a, i, end + 1, work, n_works) == 0);
}

static void
check_place(const struct verbatim_place *p, const char *asked, const struct verbatim_span *span, const struct whole *work,
	const int64_t *id, size_t n_works)
{
	size_t w = 0, n = span->to - span->from;
	while (w < n_works && id[w] != p->work)
		w++;
	assert_true(w < n_works);
	assert_true((size_t)p->from + n <= work[w].text.len);
	assert_memory_equal(work[w].text.s + p->from, asked + span->from, n);
}

static void
check_span(const struct verbatim_span *span, const struct whole *a, size_t i, size_t end, const struct whole *work,
	const int64_t *id, size_t n_works)
{
	size_t sum = 0;
	assert_int_equal(span->from, a->word[i].from);
	assert_int_equal(span->to, a->word[end - 1].to);
	assert_int_equal(span->n_words, end - i);
	assert_int_equal(span->n_places, count_everywhere(a, i, end, work, n_works));
	for (size_t p = 0; p < span->n_listed; p++) {
		check_place(&span->place[p], a->text.s, span, work, id, n_works);
		assert_true(p == 0 || span->place[p - 1].work < span->place[p].work ||
			(span->place[p - 1].work == span->place[p].work && span->place[p - 1].from < span->place[p].from));
	}
	for (size_t w = 0; w < span->n_works; w++)
		sum += span->work_places[w];
	assert_int_equal(sum, span->n_places);
}

/* Every maximal span there is, in order, is what verbatim_spans gives. */
static void
check_against_everything(const struct verbatim *v, const struct whole *a, const struct whole *work, const int64_t *id,
	size_t n_works, size_t min)
{
	struct verbatim_span *span;
	size_t n, at = 0;
	assert_ok(verbatim_spans(v, a->text.s, a->text.len, (int)min, &span, &n));
	for (size_t i = 0; i < a->n_words; i++)
		for (size_t end = i + min; end <= a->n_words; end++)
			if (is_maximal(a, i, end, work, n_works)) {
				assert_true(at < n);
				check_span(&span[at++], a, i, end, work, id, n_works);
			}
	assert_int_equal(at, n);
	verbatim_spans_free(span, n);
}

/* How many words go on from word i of work w as they do in another work. */
static size_t
longest_elsewhere(const struct whole *work, size_t n_works, size_t w, size_t i)
{
	size_t best = 0;
	for (size_t o = 0; o < n_works; o++)
		for (size_t k = 0; o != w && k < work[o].n_words; k++)
			while (i + best < work[w].n_words && same_words(&work[w], i, i + best + 1, &work[o], k))
				best++;
	return best;
}

static void
check_lengths(const struct verbatim *v, const struct whole *work, size_t n_works)
{
	int64_t want[VERBATIM_LENGTHS] = {0};
	for (size_t w = 0; w < n_works && n_works > 1; w++)
		for (size_t i = 0; i < work[w].n_words; i++)
			want[longest_elsewhere(work, n_works, w, i)]++;
	assert_memory_equal(want, v->longest, sizeof(want));
}

static void
test_everything(void **state)
{
	struct shelf *h;
	struct rng r;
	rng_init(&r, 2, 1);
	for (int round = 0; round < 24; round++) {
		struct whole work[WORKS_MAX] = {0}, asked = {0};
		int64_t id[WORKS_MAX];
		size_t n_works = 1 + (size_t)rng_below(&r, WORKS_MAX), kinds = round % 2 ? 9 : ARRAY_LEN(pieces);
		assert_int_equal(shelf_new(state), 0);
		h = *state;
		for (size_t w = 0; w < n_works; w++) {
			char title[8] = { (char)('a' + w) };
			scribble(&work[w].text, &r, 5 + (size_t)rng_below(&r, 90), kinds);
			read_words(&work[w]);
			id[w] = put(h, work[w].text.s, work[w].text.len, (struct facts){ .title = title });
		}
		struct verbatim *v = open_built(h);
		check_lengths(v, work, n_works);
		for (int q = 0; q < 12; q++) {
			scribble(&asked.text, &r, 40, kinds);
			/* Something long to be found, whole or in part. */
			if (q % 2)
				str_add(&asked.text, work[0].text.s, work[0].text.len * (size_t)(q % 6) / 5);
			read_words(&asked);
			check_against_everything(v, &asked, work, id, n_works, 1 + (size_t)q % 4);
			str_clear(&asked.text);
		}
		verbatim_close(v);
		for (size_t w = 0; w < n_works; w++)
			str_free(&work[w].text);
		str_free(&asked.text);
		assert_int_equal(shelf_free(state), 0);
	}
	*state = NULL;
}

/* ---- what is told of a span ---- */

static void
test_facts(void **state)
{
	struct shelf *h = *state;
	int64_t a = put(h, "The tap at the end of Hollow Lane drips. The tap at the end of Hollow Lane is old.", 82,
		(struct facts){ "tap", "Ada Wren", "CC0-1.0", "1931-04-02" });
	int64_t b = put(h, "Somebody wrote: the tap at the end of Hollow Lanes.", 51, (struct facts){ "lanes", "Bo Pell", "MIT", "1901" });
	int64_t c = put(h, "On the tap at the end of Hollow Lane", 36, (struct facts){ "on", "Bo Pell", "CC0-1.0", "spring 1899" });
	struct verbatim *v = open_built(h);
	struct found f = find(v, "x tap at the end of Hollow Lane! The beans", 4);
	assert_int_equal(f.n, 1);
	const struct verbatim_span *s = &f.v[0];
	assert_int_equal(s->from, 2);
	assert_int_equal(s->to, 31);
	assert_int_equal(s->n_words, 7);
	assert_int_equal(s->n_places, 3);
	assert_int_equal(s->n_listed, 3);
	assert_int_equal(s->place[1].from, 45);
	assert_int_equal(s->n_works, 2);
	assert_true(s->work[0] == a && s->work[1] == c);
	assert_true(s->work_places[0] == 2 && s->work_places[1] == 1);
	assert_int_equal(s->n_contributors, 2);
	assert_int_equal(s->n_licences, 1);
	assert_int_equal(s->first_work, a);
	assert_string_equal(s->first_seen, "1931-04-02");
	assert_true(s->chance > 0 && s->chance < 0.5);
	lose(f);
	f = find(v, "the tap at the end of Hollow", 4);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.v->n_works, 2);
	assert_int_equal(f.v->work[0], b);
	assert_string_equal(f.v->first_seen, "1901");
	lose(f);
	f = find(v, "tap at the", 4);
	assert_int_equal(f.n, 0);
	lose(f);
	verbatim_close(v);
}

/* Of the places in a corpus of four works, of which two begin alike, how many go on so long. */
static void
test_chance(void **state)
{
	struct shelf *h = *state;
	puts_work(h, "one two three four five", "a");
	puts_work(h, "one two three 4 5", "b");
	puts_work(h, "red green", "c");
	puts_work(h, "blue one", "d");
	struct verbatim *v = open_built(h);
	/* Of 14 places: "one" goes on for 3 twice, "two" for 2 twice, "three" for 1 twice, "one" of d for 1. */
	assert_int_equal(verbatim_words(v), 14);
	assert_int_equal(verbatim_places_compared(v), 14);
	struct found f = find(v, "one two three", 1);
	assert_int_equal(f.n, 1);
	assert_true(fabs(f.v->chance - 3.0 / 15) < 1e-12);
	lose(f);
	f = find(v, "red", 1);
	assert_true(fabs(f.v->chance - 8.0 / 15) < 1e-12);
	lose(f);
	verbatim_close(v);
}

static void
test_few_works(void **state)
{
	struct shelf *h = *state;
	struct verbatim *v;
	assert_err(verbatim_open(h->store, &v), ERR_MISSING);
	assert_non_null(strstr(err_message(), "--build"));
	v = open_built(h);
	struct found f = find(v, "nothing stands here at all", 1);
	assert_int_equal(f.n, 0);
	lose(f);
	verbatim_close(v);
	puts_work(h, "all alone in the world", "one");
	assert_err(verbatim_open(h->store, &v), ERR_MISSING);
	assert_non_null(strstr(err_message(), "of other works"));
	v = open_built(h);
	f = find(v, "all alone in the world", 4);
	assert_int_equal(f.n, 1);
	assert_true(isnan(f.v->chance));
	lose(f);
	f = find(v, "", 4);
	assert_int_equal(f.n, 0);
	lose(f);
	verbatim_close(v);
}

static void
test_same_bytes(void **state)
{
	struct shelf *h = *state;
	struct str one = {0}, two = {0};
	puts_work(h, "water the beans by hand in the morning", "a");
	puts_work(h, "water the beans by hand in the evening", "b");
	verbatim_close(open_built(h));
	assert_ok(file_read(h->file, 1 << 20, &one));
	unlink(h->file);
	verbatim_close(open_built(h));
	assert_ok(file_read(h->file, 1 << 20, &two));
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.s, two.s, one.len);
	str_free(&one);
	str_free(&two);
}

/* ---- marks ---- */

static void
test_marks(void **state)
{
	struct shelf *h = *state;
	const char *text = "He said that water the beans by hand is all, for he would water the beans by handle.";
	int64_t id = puts_work(h, text, "a"), other = puts_work(h, "nothing of the kind", "b");
	struct verbatim *v = open_built(h);
	const char *asked = "now water the beans by hand";
	struct found f = find(v, asked, 4);
	assert_int_equal(f.n, 1);
	struct example first = { .work = id, .from = 0, .to = 50 }, second = { .work = id, .from = 50, .to = (uint32_t)strlen(text) },
		cut = { .work = id, .from = 0, .to = 30 }, none = { .work = other, .to = 19 };
	assert_int_equal(verbatim_in_example(v, asked, f.v, &first, 0), 13);
	assert_int_equal(verbatim_in_example(v, asked, f.v, &first, 13), 13);
	assert_int_equal(verbatim_in_example(v, asked, f.v, &first, 14), -1);
	assert_int_equal(verbatim_in_example(v, asked, f.v, &second, 0), -1);
	assert_int_equal(verbatim_in_example(v, asked, f.v, &cut, 0), -1);
	assert_int_equal(verbatim_in_example(v, asked, f.v, &none, 0), -1);
	assert_int_equal(verbatim_mark(v, asked, f.v, f.n, &first, 1, 1), MARK_VERBATIM);
	assert_int_equal(verbatim_mark(v, asked, f.v, f.n, &first, 4, 1), MARK_BOTH);
	assert_int_equal(verbatim_mark(v, asked, f.v, f.n, &none, 4, 1), MARK_INFLUENTIAL);
	assert_int_equal(verbatim_mark(v, asked, f.v, f.n, &none, 4, NAN), MARK_NONE);
	assert_int_equal(verbatim_mark(NULL, asked, NULL, 0, &first, -9, 1), MARK_NONE);
	assert_string_equal(verbatim_mark_names[MARK_BOTH], "both");
	lose(f);
	verbatim_close(v);
}

/* ---- files that lie ---- */

static const char *const told[] = {
	"The keeper lit the lamp and waited for the tide to turn, counting the boats as they came round the point.",
	"By morning the bread was cold; the keeper lit the lamp and waited for the tide to turn again.",
	"A letter from the quay: we waited for the tide to turn, and it did not.",
};
#define QUESTION "and the keeper lit the lamp and waited for the tide to turn, we waited for the tide to turn and it"

static void
tell(struct shelf *h)
{
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		puts_work(h, told[i], told[i]);
	assert_ok(verbatim_build(h->store, NULL));
}

/* Not file_replace: a thousand of them need not reach the disk. */
static void
overwrite(struct shelf *h, const char *s, size_t n)
{
	FILE *f = fopen(h->file, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(s, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* What opens must answer, and truly, or say that it cannot. Returns whether it answered. */
static bool
survive(struct shelf *h)
{
	struct verbatim *v;
	struct verbatim_span *span;
	size_t n;
	if (verbatim_open(h->store, &v) != OK) {
		assert_true(*err_message() != '\0');
		return false;
	}
	enum err err = verbatim_spans(v, QUESTION, strlen(QUESTION), 2, &span, &n);
	for (size_t i = 0; err == OK && i < n; i++)
		for (size_t p = 0; p < span[i].n_listed; p++) {
			const struct verbatim_place *at = &span[i].place[p];
			size_t len = span[i].to - span[i].from;
			assert_in_range(at->work, 1, ARRAY_LEN(told));
			assert_true(at->from + len <= strlen(told[at->work - 1]));
			assert_memory_equal(told[at->work - 1] + at->from, &QUESTION[span[i].from], len);
		}
	if (err == OK)
		verbatim_spans_free(span, n);
	verbatim_close(v);
	return err == OK;
}

static void
test_damage(void **state)
{
	struct shelf *h = *state;
	struct str whole = {0};
	struct rng r;
	tell(h);
	assert_true(survive(h));
	assert_ok(file_read(h->file, 1 << 20, &whole));
	for (size_t n = 0; n < whole.len; n += 1 + n / 50) {
		overwrite(h, whole.s, n);
		assert_false(survive(h));
	}
	rng_init(&r, 3, 1);
	for (int i = 0; i < 1000; i++) {
		struct str bad = {0};
		str_add(&bad, whole.s, whole.len);
		for (int k = 0; k <= i % 3; k++)
			bad.s[rng_below(&r, bad.len)] = (char)rng_u32(&r);
		overwrite(h, bad.s, bad.len);
		survive(h);
		str_free(&bad);
	}
	str_free(&whole);
}

/* Where the bytes of a tensor lie in the file. */
static size_t
offset_of(struct shelf *h, const char *tensor, size_t *n)
{
	struct st_file f;
	assert_ok(st_open(&f, h->file));
	const struct st_tensor *t = st_find(&f, tensor);
	assert_non_null(t);
	size_t at = (size_t)(t->data - f.map.data);
	*n = t->size;
	st_close(&f);
	return at;
}

static void
test_positions(void **state)
{
	struct shelf *h = *state;
	struct str whole = {0};
	size_t n, at, n_text, text;
	tell(h);
	at = offset_of(h, "words", &n);
	text = offset_of(h, "text", &n_text);
	assert_ok(file_read(h->file, 1 << 20, &whole));
	static const uint32_t wrong[] = { UINT32_MAX, INT32_MAX, 0, 7, 1u << 20 };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		for (size_t k = 0; k + 4 <= n; k += 4)
			memcpy(whole.s + at + k, &wrong[i], 4);
		overwrite(h, whole.s, whole.len);
		assert_true(survive(h));
	}
	/* The end of a text, where the last byte of all is. */
	uint32_t last = (uint32_t)n_text - 1;
	for (size_t k = 0; k + 4 <= n; k += 4)
		memcpy(whole.s + at + k, &last, 4);
	memset(whole.s + text + n_text - 1, 't', 1);
	overwrite(h, whole.s, whole.len);
	assert_true(survive(h));
	str_free(&whole);
}

static void
note(void *arg, const char *finding)
{
	str_adds(arg, finding);
}

static void
check_finding(struct shelf *h, const char *want)
{
	struct str said = {0};
	int64_t n = 0;
	str_adds(&said, "");
	assert_ok(verbatim_verify(h->store, NULL, note, &said, &n));
	assert_int_equal(n, want ? 1 : 0);
	if (want && !strstr(said.s, want))
		fail_msg("\"%s\" does not say \"%s\"", said.s, want);
	str_free(&said);
}

/* Another byte in one tensor after the other: a text that is not the store's is never evidence. */
static void
test_verify(void **state)
{
	static const struct { const char *tensor, *finding; } cases[] = {
		{ "text", "its texts" }, { "words", "its words" }, { "longest", "lengths of chance" }, { "works", "its works" },
		{ "starts", "out of order" },
	};
	struct shelf *h = *state;
	struct str whole = {0};
	size_t n;
	check_finding(h, NULL);
	tell(h);
	check_finding(h, NULL);
	assert_ok(file_read(h->file, 1 << 20, &whole));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t at = offset_of(h, cases[i].tensor, &n);
		whole.s[at] ^= 1;
		overwrite(h, whole.s, whole.len);
		check_finding(h, cases[i].finding);
		whole.s[at] ^= 1;
		overwrite(h, whole.s, whole.len);
	}
	check_finding(h, NULL);
	puts_work(h, "one more", "d");
	check_finding(h, "of other works");
	assert_ok(verbatim_build(h->store, NULL));
	check_finding(h, NULL);
	str_free(&whole);
}

static void
test_false_text(void **state)
{
	struct shelf *h = *state;
	struct str whole = {0};
	struct verbatim *v;
	struct verbatim_span *span;
	size_t n, at;
	tell(h);
	at = offset_of(h, "text", &n);
	assert_ok(file_read(h->file, 1 << 20, &whole));
	memcpy(whole.s + at + 11, "put", 3);
	overwrite(h, whole.s, whole.len);
	assert_ok(verbatim_open(h->store, &v));
	assert_err(verbatim_spans(v, "lamp and waited for the tide", 28, 4, &span, &n), ERR_MISMATCH);
	assert_null(span);
	verbatim_close(v);
	str_free(&whole);
}

/* ---- limits ---- */

/* A copy of a long text that repeats itself, asked about whole. */
static void
test_long(void **state)
{
	struct shelf *h = *state;
	struct str text = {0};
	for (int i = 0; i < 60000; i++)
		str_addf(&text, "%s ", i % 7 == 3 ? "tide" : "lamp");
	put(h, text.s, text.len, (struct facts){ .title = "long" });
	str_addf(&text, "and %.*s", 5000, text.s);
	struct verbatim *v = open_built(h);
	struct found f = find(v, text.s, 4);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.v[0].n_words, 60000);
	assert_int_equal(f.v[1].n_words, 1000);
	assert_true(f.v[1].n_places > 8000 && f.v[1].n_listed < 100);
	lose(f);
	struct verbatim_span *span;
	size_t n;
	assert_err(verbatim_spans(v, text.s, (16 << 20) + 1, 4, &span, &n), ERR_LIMIT);
	verbatim_close(v);
	str_free(&text);
}

static void
test_cancel(void **state)
{
	struct shelf *h = *state;
	struct job job;
	puts_work(h, "some text", "a");
	job_init(&job);
	job_cancel(&job);
	assert_err(verbatim_build(h->store, &job), ERR_CANCELLED);
	assert_false(file_exists(h->file));
	job_done(&job);
}

#define ON_SHELF(test) cmocka_unit_test_setup_teardown(test, shelf_new, shelf_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_words_begin),
		cmocka_unit_test(test_everything),
		ON_SHELF(test_facts),
		ON_SHELF(test_chance),
		ON_SHELF(test_few_works),
		ON_SHELF(test_same_bytes),
		ON_SHELF(test_marks),
		ON_SHELF(test_damage),
		ON_SHELF(test_positions),
		ON_SHELF(test_verify),
		ON_SHELF(test_false_text),
		ON_SHELF(test_long),
		ON_SHELF(test_cancel),
	};
	return cmocka_run_group_tests_name("verbatim", tests, NULL, NULL);
}
