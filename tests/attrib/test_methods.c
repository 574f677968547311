/* Each method on a run: finite where the model was trained, and about what the method says it is about. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "query_private.h"
#include "session_index.h"
#include "toy.h"
#include "unit.h"

struct world { struct toy toy; struct session *s; };

static int
world_new(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct toy_options o = toy_small;
	o.d_model = 16;
	o.d_ff = 32;
	o.epochs = 12;
	o.bits = 4;
	o.k = 16;
	toy_new(&w->toy, &o);
	w->s = toy_session(&w->toy, 2);
	*state = w;
	return 0;
}

static int
world_free(void **state)
{
	struct world *w = *state;
	session_close(w->s);
	toy_free(&w->toy);
	free(w);
	return 0;
}

/* The sum of a ranking's scores over the works of one contributor, per example. */
static double
mean_score(const struct world *w, const struct ranking *r, const char *name)
{
	double sum = 0;
	int n = 0;
	for (size_t i = 0; i < w->s->data.n; i++) {
		const struct work *work = session_work(w->s, w->s->examples[i].work);
		if (!isfinite(r->scores[i]) || strcmp(work->authors[0].name, name) != 0)
			continue;
		sum += r->scores[i];
		n++;
	}
	assert_true(n > 0);
	return sum / n;
}

static void
test_finite_where_trained(void **state)
{
	struct world *w = *state;
	struct query *q = toy_query(w->s, "the boat and the", " tide. no sail");
	for (int i = 0; i < n_methods; i++) {
		if (method_ready(w->s, &methods[i]) != OK)
			continue;
		struct rank_options o = { .method = &methods[i], .from = 0, .to = q->n_out, .top = 10, .exact = 6 };
		struct ranking *r;
		assert_ok(query_rank(q, &o, NULL, &r));
		for (size_t e = 0; e < w->s->data.n; e++)
			assert_true(session_trained_on(w->s, e) == (isfinite(r->scores[e]) != 0));
		assert_true(r->n_top > 0);
		ranking_free(r);
	}
	query_free(q);
}

/* Boats and tides are Anna's: bread and frost have less to do with them, by every method that is not chance. */
static void
test_whose_words(void **state)
{
	struct world *w = *state;
	struct query *q = toy_query(w->s, "the boat and the", " tide. no sail without a harbour.");
	for (int i = 0; i < n_methods; i++) {
		if (method_ready(w->s, &methods[i]) != OK)
			continue;
		struct rank_options o = { .method = &methods[i], .from = 0, .to = q->n_out, .top = 10, .exact = 8 };
		struct ranking *r;
		assert_ok(query_rank(q, &o, NULL, &r));
		double anna = mean_score(w, r, "Anna"), bo = mean_score(w, r, "Bo"), cy = mean_score(w, r, "Cy");
		print_message("# %s: Anna %.4g, Bo %.4g, Cy %.4g\n", methods[i].name, anna, bo, cy);
		if (strcmp(methods[i].name, "random") != 0)
			assert_true(anna > bo && anna > cy);
		ranking_free(r);
	}
	query_free(q);
}

static void
test_bm25(void **state)
{
	struct world *w = *state;
	float *scores = xcalloc(w->s->data.n, sizeof(*scores));
	struct query *q = toy_query(w->s, "", "zebra quartz vermilion");
	assert_ok(method_find("bm25")->score(q, 0, q->n_out, scores, NULL));
	for (size_t i = 0; i < w->s->data.n; i++)
		assert_true(scores[i] == 0);
	query_free(q);
	q = toy_query(w->s, "", "sledge");
	size_t found = 0;
	assert_ok(method_find("bm25")->score(q, 0, q->n_out, scores, NULL));
	for (size_t i = 0; i < w->s->data.n; i++) {
		struct str text = {0};
		assert_ok(store_example_text(w->toy.store, &w->s->examples[i], &text));
		if (session_trained_on(w->s, i)) {
			assert_true((strstr(text.s, "sledge") != NULL) == (scores[i] > 0));
			found += scores[i] > 0 ? 1 : 0;
		}
		str_free(&text);
	}
	assert_true(found > 0);
	query_free(q);
	free(scores);
}

/* Output token that holds byte `at`. */
static int
token_at(const struct query *q, size_t at)
{
	int t = 0;
	while (q->byte_of[t + 1] <= at)
		t++;
	return t;
}

/* Few words are widened to whole ones and then to the left; many are taken as they are. */
static void
test_bm25_words(void **state)
{
	struct world *w = *state;
	struct query *q = toy_query(w->s, "one two three", " four five six seven eight nine ten eleven");
	struct str words = {0};
	int five = token_at(q, strlen(" four fi"));
	method_bm25_words(q, five, five + 1, &words);
	assert_string_equal(words.s, "one two three four five");
	str_clear(&words);
	method_bm25_words(q, 0, q->n_out, &words);
	str_trim(&words);
	assert_non_null(strstr(words.s, "four five six seven eight nine ten eleven"));
	assert_null(strstr(words.s, "two"));
	str_clear(&words);
	method_bm25_words(q, q->n_out - 1, q->n_out, &words);
	assert_non_null(strstr(words.s, "ten eleven"));
	assert_null(strstr(words.s, "three"));
	str_free(&words);
	query_free(q);
}

/* ---- TF-IDF by force: the toy's texts are lower-case letters, spaces and stops ---- */

struct bag { char *text; char *word[64]; size_t n; };

static void
bag_make(struct bag *b, const char *text)
{
	*b = (struct bag){ .text = xstrdup(text) };
	for (char *w = strtok(b->text, " .,"); w; w = strtok(NULL, " .,")) {
		assert_true(b->n < ARRAY_LEN(b->word));
		b->word[b->n++] = w;
	}
}

static size_t
bag_count(const struct bag *b, const char *word)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += strcmp(b->word[i], word) == 0 ? 1 : 0;
	return n;
}

static double
rarity(const struct bag *all, size_t n, const char *word)
{
	size_t have = 0;
	for (size_t i = 0; i < n; i++)
		have += bag_count(&all[i], word) > 0 ? 1 : 0;
	return have > 0 ? log((double)n / (double)have) : 0;
}

/* Over the places of x's words: a word that stands there c times counts c times its weight in y, once a place. */
static double
bag_inner(const struct bag *x, const struct bag *y, const struct bag *all, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < x->n; i++)
		sum += rarity(all, n, x->word[i]) * rarity(all, n, x->word[i]) * (double)bag_count(y, x->word[i]);
	return sum;
}

static void
test_tfidf(void **state)
{
	struct world *w = *state;
	size_t n = 0;
	struct bag *all = xcalloc(w->s->data.n, sizeof(*all)), ask;
	uint32_t *example = xcalloc(w->s->data.n, sizeof(*example));
	float *scores = xcalloc(w->s->data.n, sizeof(*scores));
	for (size_t i = 0; i < w->s->data.n; i++) {
		struct str text = {0};
		assert_ok(store_example_text(w->toy.store, &w->s->examples[i], &text));
		if (session_trained_on(w->s, i)) {
			example[n] = (uint32_t)i;
			bag_make(&all[n++], text.s);
		}
		str_free(&text);
	}
	/* Folded as for bm25; "zebra" is a word of no example. */
	struct query *q = toy_query(w->s, "", "The boat, a tide and the tide. Zebra SLEDGE");
	bag_make(&ask, "the boat a tide and the tide sledge");
	assert_ok(method_find("tfidf")->score(q, 0, q->n_out, scores, NULL));
	for (size_t i = 0; i < n; i++) {
		double want = bag_inner(&ask, &all[i], all, n)
			/ sqrt(bag_inner(&ask, &ask, all, n) * bag_inner(&all[i], &all[i], all, n));
		assert_true(fabs(scores[example[i]] - want) <= 1e-6);
	}
	for (size_t i = 0; i < n; i++)
		free(all[i].text);
	free(ask.text);
	free(all);
	free(example);
	free(scores);
	query_free(q);
}

static void
test_tfidf_of_nothing(void **state)
{
	struct world *w = *state;
	float *scores = xcalloc(w->s->data.n, sizeof(*scores));
	struct query *q = toy_query(w->s, "", "zebra quartz vermilion");
	assert_ok(method_find("tfidf")->score(q, 0, q->n_out, scores, NULL));
	for (size_t i = 0; i < w->s->data.n; i++)
		assert_true(scores[i] == 0);
	query_free(q);
	free(scores);
}

/* The same whenever they meet, whatever the span; another for another query; as many helped as not. */
static void
test_random(void **state)
{
	struct world *w = *state;
	size_t n = w->s->data.n;
	float *a = xcalloc(n, sizeof(*a)), *b = xcalloc(n, sizeof(*b));
	struct query *q = toy_query(w->s, "the boat", " and the tide."), *other = toy_query(w->s, "the boat", " and the tides");
	double sum = 0, square = 0;
	const struct method *m = method_find("random");
	assert_ok(m->score(q, 0, q->n_out, a, NULL));
	assert_ok(m->score(q, 0, 1, b, NULL));
	assert_memory_equal(a, b, n * sizeof(*a));
	assert_ok(m->score(other, 0, 1, b, NULL));
	for (size_t i = 0; i < n; i++) {
		assert_true(isfinite(a[i]) && a[i] != b[i]);
		sum += (double)a[i] / (double)n;
		square += (double)a[i] * a[i] / (double)n;
	}
	assert_true(fabs(sum) < 4 / sqrt((double)n) && square > 0.3 && square < 2.5);
	query_free(q);
	query_free(other);
	free(a);
	free(b);
}

static void
test_hidden(void **state)
{
	struct world *w = *state;
	float *scores = xcalloc(w->s->data.n, sizeof(*scores));
	size_t chosen = w->s->data.n, best;
	for (size_t i = 0; i < w->s->data.n; i++)
		chosen = session_trained_on(w->s, i) ? i : chosen;
	struct str text = {0};
	assert_ok(store_example_text(w->toy.store, &w->s->examples[chosen], &text));
	struct query *q = toy_query(w->s, "", text.s);
	assert_ok(method_find("hidden")->score(q, 0, q->n_out, scores, NULL));
	best = chosen;
	for (size_t i = 0; i < w->s->data.n; i++) {
		assert_true(isnan(scores[i]) || (scores[i] >= -1.0001f && scores[i] <= 1.0001f));
		best = scores[i] > scores[best] ? i : best;
	}
	assert_true(scores[chosen] > 0.99f && scores[best] - scores[chosen] < 0.01f);
	query_free(q);
	str_free(&text);
	free(scores);
}

/* The span's own states and no others, against the stored mean of an example. */
static void
test_hidden_of_a_span(void **state)
{
	struct world *w = *state;
	const struct model *m = &w->s->model;
	struct query *q = toy_query(w->s, "the boat and", " the tide. no sail");
	int from = 2, to = 5, rows = q->n_prompt + q->n_out, d = m->config.d_model;
	int32_t start[2] = { 0, rows };
	struct batch b = { .n_seq = 1, .rows = rows, .start = start, .token = q->tokens };
	struct acts *acts = acts_new(m);
	float *scores = xcalloc(w->s->data.n, sizeof(*scores)), *stored = xcalloc((size_t)d, sizeof(*stored));
	double xx = 0, yy = 0, xy = 0;
	assert_ok(model_forward(m, m->params, acts, &b));
	assert_ok(method_find("hidden")->score(q, from, to, scores, NULL));
	assert_ok(st_read_f32(&w->s->index->hidden, st_find(&w->s->index->hidden, "hidden"), (uint64_t)d, (uint64_t)d, stored));
	for (int i = 0; i < d; i++) {
		double x = 0;
		for (int r = q->n_prompt + from; r < q->n_prompt + to; r++)
			x += (double)acts_hidden(acts)[r * d + i];
		xx += x * x;
		yy += (double)stored[i] * stored[i];
		xy += x * stored[i];
	}
	assert_true(fabs(scores[features_example(w->s->index->features, 1)] - xy / sqrt(xx * yy)) < 1e-5);
	acts_free(acts);
	free(scores);
	free(stored);
	query_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finite_where_trained),
		cmocka_unit_test(test_whose_words),
		cmocka_unit_test(test_bm25),
		cmocka_unit_test(test_bm25_words),
		cmocka_unit_test(test_tfidf),
		cmocka_unit_test(test_tfidf_of_nothing),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_hidden_of_a_span),
	};
	return cmocka_run_group_tests(tests, world_new, world_free);
}
