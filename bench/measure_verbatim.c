/*
 * measure_verbatim: how much of what a model writes stands word for word in its corpus.
 *
 * For each of N prompts (the first words of held-out examples, so no prompt was trained on) one output is sampled. A byte
 * of an output counts as verbatim when it lies in a run of at least MIN bytes that occurs in some work. Prints one line a
 * minimum length, with the number of outputs and bytes behind it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/attrib.h"
#include "byline/mem.h"

static const size_t minima[] = {20, 40, 80};

struct corpus { struct store *store; struct str text; };

static enum err
corpus_add(void *arg, const struct work *w)
{
	struct corpus *c = arg;
	TRY(store_work_text(c->store, w->id, &c->text));
	str_addc(&c->text, '\0');	/* no run may cross from one work into the next */
	return OK;
}

static bool
corpus_holds(const struct corpus *c, const char *s, size_t n)
{
	return memmem(c->text.s, c->text.len, s, n) != NULL;
}

/* Bytes of s covered by runs of at least `min` bytes that stand in the corpus. */
static size_t
covered(const struct corpus *c, const char *s, size_t n, size_t min)
{
	size_t sum = 0, end = 0;
	for (size_t i = 0; i + min <= n; i++) {
		size_t len = min;
		if (!corpus_holds(c, s + i, len))
			continue;
		while (i + len < n && corpus_holds(c, s + i, len + 1))
			len++;
		size_t from = i > end ? i : end;
		if (i + len > from)
			sum += i + len - from;
		end = i + len > end ? i + len : end;
	}
	return sum;
}

static enum err
prompt_of(struct session *s, size_t example, struct str *prompt)
{
	str_clear(prompt);
	TRY(store_example_text(s->store, &s->examples[example], prompt));
	size_t words = 0, i = 0;
	while (i < prompt->len && words < 4)
		words += prompt->s[i++] == ' ';
	prompt->len = i > 1 ? i - 1 : 0;
	prompt->s[prompt->len] = '\0';
	return OK;
}

struct tally { size_t bytes, hit[ARRAY_LEN(minima)]; };

static enum err
measure_one(struct session *s, const struct corpus *c, const char *prompt, int seed, int tokens, struct tally *t)
{
	const struct sample_options o = {.temperature = 0.8, .top_p = 0.95, .seed = (uint64_t)seed, .max_tokens = tokens};
	struct query *q;
	TRY(query_new(s, prompt, NULL, &o, NULL, NULL, NULL, &q));
	t->bytes += q->output.len;
	for (size_t m = 0; m < ARRAY_LEN(minima); m++)
		t->hit[m] += covered(c, q->output.s ? q->output.s : "", q->output.len, minima[m]);
	query_free(q);
	return OK;
}

static enum err
measure(struct session *s, const struct corpus *c, int outputs, int tokens)
{
	struct tally t = {0};
	struct str prompt = {0};
	int done = 0;
	for (size_t pass = 0; done < outputs && pass < (size_t)outputs; pass++)
		for (size_t i = 0; i < s->data.n && done < outputs; i++) {
			if (!s->data.heldout[i])
				continue;
			TRY(prompt_of(s, i, &prompt));
			TRY(measure_one(s, c, prompt.s, done++, tokens, &t));
		}
	for (size_t m = 0; m < ARRAY_LEN(minima); m++)
		printf("verbatim in runs of %zu bytes or more: %.1f%% of %zu bytes, %d outputs of up to %d tokens\n", minima[m],
			100.0 * (double)t.hit[m] / (double)(t.bytes ? t.bytes : 1), t.bytes, done, tokens);
	str_free(&prompt);
	return OK;
}

int
main(int argc, char **argv)
{
	struct corpus c = {0};
	struct session *s;
	if (argc < 2) {
		fprintf(stderr, "usage: measure_verbatim STORE [OUTPUTS [TOKENS]]\n");
		return 2;
	}
	enum err err = store_open(argv[1], true, &c.store);
	if (err == OK)
		err = store_each_work(c.store, corpus_add, &c);
	if (err == OK)
		err = session_open(c.store, NULL, 0, &s);
	if (err == OK) {
		err = measure(s, &c, argc > 2 ? atoi(argv[2]) : 100, argc > 3 ? atoi(argv[3]) : 64);
		session_close(s);
	}
	if (err != OK)
		fprintf(stderr, "measure_verbatim: %s\n", err_message());
	store_close(c.store);
	str_free(&c.text);
	return err == OK ? 0 : 3;
}
