/*
 * measure_verbatim: how much of what a model writes stands word for word in its corpus.
 *
 * For each of N prompts (the first words of held-out examples, so no prompt was trained on) one output is sampled. A byte
 * of an output counts as verbatim when it lies in a span of at least MIN words that stands in some work. Prints one line
 * a minimum length, with the number of outputs and bytes behind it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "byline/attrib.h"
#include "byline/mem.h"
#include "byline/verbatim.h"

static const int minima[] = {4, 8, 16};

/* Bytes of the text covered by spans of at least `min` words that stand in the corpus. */
static enum err
covered(const struct verbatim *v, const struct str *text, int min, size_t *sum)
{
	struct verbatim_span *span;
	size_t n, end = 0;
	TRY(verbatim_spans(v, text->s ? text->s : "", text->len, min, &span, &n));
	for (size_t i = 0; i < n; i++) {
		size_t from = span[i].from > end ? span[i].from : end;
		*sum += span[i].to > from ? span[i].to - from : 0;
		end = span[i].to > end ? span[i].to : end;
	}
	verbatim_spans_free(span, n);
	return OK;
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
measure_one(struct session *s, const struct verbatim *v, const char *prompt, int seed, int tokens, struct tally *t)
{
	const struct sample_options o = {.temperature = 0.8, .top_p = 0.95, .seed = (uint64_t)seed, .max_tokens = tokens};
	struct query *q;
	TRY(query_new(s, prompt, NULL, &o, NULL, NULL, NULL, &q));
	t->bytes += q->output.len;
	enum err err = OK;
	for (size_t m = 0; m < ARRAY_LEN(minima) && err == OK; m++)
		err = covered(v, &q->output, minima[m], &t->hit[m]);
	query_free(q);
	return err;
}

static enum err
measure(struct session *s, const struct verbatim *v, int outputs, int tokens)
{
	struct tally t = {0};
	struct str prompt = {0};
	int done = 0;
	for (size_t pass = 0; done < outputs && pass < (size_t)outputs; pass++)
		for (size_t i = 0; i < s->data.n && done < outputs; i++) {
			if (!s->data.heldout[i])
				continue;
			TRY(prompt_of(s, i, &prompt));
			TRY(measure_one(s, v, prompt.s, done++, tokens, &t));
		}
	for (size_t m = 0; m < ARRAY_LEN(minima); m++)
		printf("verbatim in runs of %d words or more: %.1f%% of %zu bytes, %d outputs of up to %d tokens\n", minima[m],
			100.0 * (double)t.hit[m] / (double)(t.bytes ? t.bytes : 1), t.bytes, done, tokens);
	str_free(&prompt);
	return OK;
}

int
main(int argc, char **argv)
{
	struct store *store = NULL;
	struct verbatim *v = NULL;
	struct session *s = NULL;
	if (argc < 2) {
		fprintf(stderr, "usage: measure_verbatim STORE [OUTPUTS [TOKENS]]\n");
		return 2;
	}
	enum err err = store_open(argv[1], true, &store);
	if (err == OK)
		err = verbatim_open(store, &v);
	if (err == OK)
		err = session_open(store, NULL, 0, &s);
	if (err == OK)
		err = measure(s, v, argc > 2 ? atoi(argv[2]) : 100, argc > 3 ? atoi(argv[3]) : 64);
	if (err != OK)
		fprintf(stderr, "measure_verbatim: %s\n", err_message());
	session_close(s);
	verbatim_close(v);
	store_close(store);
	return err == OK ? 0 : 3;
}
