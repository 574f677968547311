/*
 * bench_verbatim: what it costs to make a corpus searchable word for word, and to look a text up in it.
 *
 * Corpora of made-up works (words of a Zipf law, a tenth of the works quoting an earlier one) at growing sizes. Building
 * stands beside hashing the same bytes once; looking up 64 words, of which half are quoted, beside one memmem of a phrase
 * that is nowhere. With a STORE, that one instead. Processor time, so that other work on the machine does not count.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "byline/file.h"
#include "byline/hash.h"
#include "byline/mem.h"
#include "byline/rng.h"
#include "byline/verbatim.h"

enum { VOCABULARY = 30000, WORK_WORDS = 500, QUERIES = 200, QUERY_WORDS = 64 };

static double
seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Rank r comes with a probability of about 1/r. */
static void
add_words(struct str *out, struct rng *r, int n)
{
	for (int i = 0; i < n; i++) {
		unsigned word = (unsigned)pow(VOCABULARY, rng_uniform(r));
		str_addf(out, "%c%x%s", 'a' + (int)(word % 26), word * 2654435761u >> 18, i % 17 ? " " : ".\n");
	}
}

static enum err
add_work(struct store *s, struct rng *r, int number, size_t *bytes)
{
	struct str text = {0};
	char title[32];
	int64_t id;
	bool added;
	if (number % 10 == 9)
		TRY(store_work_text(s, 1 + (int64_t)rng_below(r, (uint64_t)number), &text));
	text.len = text.len > 400 ? 400 : text.len;
	add_words(&text, r, WORK_WORDS);
	snprintf(title, sizeof(title), "work %d", number);
	const struct work_in w = { .text = text.s, .text_len = text.len, .title = title };
	enum err err = store_add_work(s, &w, &id, &added);
	*bytes += text.len;
	str_free(&text);
	return err;
}

static enum err
make_corpus(const char *dir, size_t want, struct store **s)
{
	struct rng r;
	size_t bytes = 0;
	rng_init(&r, 1, 1);
	TRY(store_create(dir, s));
	TRY(store_begin(*s));
	for (int i = 0; bytes < want; i++)
		TRY(add_work(*s, &r, i, &bytes));
	return store_commit(*s);
}

struct texts { struct store *s; struct str all; size_t n; };

static enum err
texts_add(void *arg, const struct work *w)
{
	struct texts *t = arg;
	t->n++;
	return store_work_text(t->s, w->id, &t->all);
}

static double
time_of_hash(const struct str *all)
{
	char hex[HASH_HEX];
	double began = seconds();
	hash_bytes(all->s, all->len, hex);
	return seconds() - began;
}

static double
time_of_scan(const struct str *all)
{
	double began = seconds();
	if (memmem(all->s, all->len, "nowhere to be found\001", 20))
		abort();
	return seconds() - began;
}

static enum err
time_of_queries(const struct verbatim *v, const struct str *all, double *mean, size_t *found)
{
	struct rng r;
	double began = seconds();
	rng_init(&r, 2, 1);
	for (int i = 0; i < QUERIES; i++) {
		struct str q = {0};
		struct verbatim_span *span;
		size_t n, at = all->len > 300 ? (size_t)rng_below(&r, all->len - 300) : 0;
		str_add(&q, all->s + at, all->len > 300 ? 200 : all->len);
		str_addc(&q, ' ');
		add_words(&q, &r, QUERY_WORDS / 2);
		TRY(verbatim_spans(v, q.s, q.len, VERBATIM_WORDS, &span, &n));
		*found += n;
		verbatim_spans_free(span, n);
		str_free(&q);
	}
	*mean = (seconds() - began) / QUERIES;
	return OK;
}

static enum err
measure(struct store *s)
{
	struct texts t = { .s = s };
	struct verbatim *v;
	struct rusage use;
	double query;
	size_t found = 0;
	uint64_t size;
	char *path = path_join(store_dir(s), VERBATIM_FILE);
	remove(path);
	double began = seconds();
	TRY(verbatim_build(s, NULL));
	double build = seconds() - began;
	getrusage(RUSAGE_SELF, &use);
	TRY(store_each_work(s, texts_add, &t));
	TRY(file_size(path, &size));
	began = seconds();
	TRY(verbatim_open(s, &v));
	double open = seconds() - began, mb = (double)t.all.len / 1e6;
	TRY(time_of_queries(v, &t.all, &query, &found));
	printf("%8.2f MB %6zu works  build %.3f s/MB, %4.1f hashes of the same bytes  file %.2f B/B  peak %ld MB\n"
		"%23s open %.2f ms  query of %d words %.3f ms (%.1f spans), 1/%.0f of one scan\n", mb, t.n, build / mb,
		build / time_of_hash(&t.all), (double)size / (double)t.all.len, use.ru_maxrss / 1024, "", 1e3 * open, QUERY_WORDS,
		1e3 * query, (double)found / QUERIES, time_of_scan(&t.all) / query);
	verbatim_close(v);
	str_free(&t.all);
	free(path);
	return OK;
}

static enum err
measure_made(double mb)
{
	char top[] = "/tmp/byline-bench-XXXXXX";
	struct store *s = NULL;
	if (!mkdtemp(top))
		return err_set(ERR_IO, "cannot make a folder below /tmp");
	char *dir = path_join(top, "bench.byline");
	enum err err = make_corpus(dir, (size_t)(mb * 1e6), &s);
	if (err == OK)
		err = measure(s);
	store_close(s);
	free(dir);
	return err == OK ? file_remove_tree(top) : err;
}

int
main(int argc, char **argv)
{
	static const double sizes[] = { 0.25, 1, 4 };
	struct store *s = NULL;
	enum err err = OK;
	if (argc > 1)
		err = store_open(argv[1], false, &s);
	if (argc > 1 && err == OK)
		err = measure(s);
	for (size_t i = 0; argc < 2 && err == OK && i < ARRAY_LEN(sizes); i++)
		err = measure_made(sizes[i]);
	store_close(s);
	if (err != OK)
		fprintf(stderr, "bench_verbatim: %s\n", err_message());
	return err == OK ? 0 : 3;
}
