/* Training's first half: the different pieces of the texts, and how often each comes. */
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/utf8.h"
#include "tok_train.h"

static void
words_count(struct words *w, const char *s, size_t n)
{
	int32_t at = str_map_get(&w->index, s, n);
	if (at < 0) {
		char *copy = memcpy(xmalloc(n), s, n);
		at = (int32_t)w->n;
		mem_grow(&w->v, &w->cap, w->n + 1, sizeof(*w->v));
		w->v[w->n++] = (struct word){ .s = copy, .n = (uint32_t)n };
		str_map_put(&w->index, copy, n, at);
	}
	w->v[at].count++;
}

/* Bytes that are not UTF-8 stand alone, so nothing is to be learnt from them. */
static enum err
words_of_text(struct words *w, struct splitter *splitter, const struct split_step *step, const char *text, size_t n)
{
	for (size_t from = 0, to = 0; from < n; from = ++to) {
		int32_t cp;
		while (to < n) {
			size_t used = utf8_decode(text + to, n - to, &cp);
			if (cp < 0)
				break;
			to += used;
		}
		struct mapped run = { .s = text + from, .n = to - from }, part;
		const struct pieces *pieces;
		TRY(splitter_begin(splitter, step, 1, &run, false));
		do {
			TRY(splitter_next(splitter, &part, &pieces));
			for (size_t i = 0; pieces && i < pieces->n; i++)
				words_count(w, part.s + pieces->v[i].from, pieces->v[i].to - pieces->v[i].from);
		} while (pieces);
	}
	return OK;
}

enum err
words_collect(struct words *w, const struct text_source *src, struct job *job)
{
	struct split_step step;
	struct splitter splitter;
	const char *text;
	size_t n;
	uint64_t done = 0;
	enum err err = OK;
	TRY(split_gpt2(&step));
	splitter_init(&splitter);
	job_phase(job, "counting words", 0);
	if (src->rewind)
		src->rewind(src->arg);
	while (err == OK && src->next(src->arg, &text, &n)) {
		err = n > INT32_MAX / 2 ? err_set(ERR_LIMIT, "a text of %zu bytes is too long", n)
			: words_of_text(w, &splitter, &step, text, n);
		job_step(job, ++done);
		if (err == OK)
			err = job_check(job);
	}
	splitter_free(&splitter);
	pcre2_code_free(step.re);
	return err;
}

void
words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i].s);
	free(w->v);
	str_map_free(&w->index);
	*w = (struct words){0};
}
