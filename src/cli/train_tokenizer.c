/* train_tokenizer: the tokenizer of a run: its own, one that was given, or one trained on the corpus. */
#include "train_parts.h"

#include <stdlib.h>

#include "byline/file.h"
#include "byline/mem.h"

struct corpus_texts { struct store *store; int64_t *ids; size_t n, cap, at; struct str text; };

static enum err
corpus_collect(void *arg, const struct work *w)
{
	struct corpus_texts *c = arg;
	if (w->opted_out)
		return OK;
	mem_grow(&c->ids, &c->cap, c->n + 1, sizeof(*c->ids));
	c->ids[c->n++] = w->id;
	return OK;
}

static bool
corpus_next(void *arg, const char **text, size_t *n)
{
	struct corpus_texts *c = arg;
	if (c->at >= c->n)
		return false;
	str_clear(&c->text);
	if (store_work_text(c->store, c->ids[c->at++], &c->text) != OK)
		return false;
	*text = c->text.s ? c->text.s : "";
	*n = c->text.len;
	return true;
}

static void
corpus_rewind(void *arg)
{
	((struct corpus_texts *)arg)->at = 0;
}

static enum err
tokenizer_of_corpus(struct store *s, int vocab, struct job *job, struct tokenizer **t)
{
	struct corpus_texts c = {.store = s};
	enum err err = store_each_work(s, corpus_collect, &c);
	if (err == OK && c.n == 0)
		err = err_set(ERR_MISSING, "%s holds no works to train on; byline import puts some in", store_dir(s));
	const struct text_source src = {corpus_next, corpus_rewind, &c};
	if (err == OK)
		err = tokenizer_train(t, &src, vocab, job);
	free(c.ids);
	str_free(&c.text);
	return err;
}

enum err
train_tokenizer(struct store *s, const char *given, int vocab, const char *path, struct job *job,
	struct tokenizer **t)
{
	if (file_exists(path))
		return tokenizer_load(t, path);
	if (given)
		TRY(tokenizer_load(t, given));
	else
		TRY(tokenizer_of_corpus(s, vocab, job, t));
	return tokenizer_save(*t, path);
}

int32_t
train_begin_token(const struct tokenizer *t)
{
	static const char *const names[] = {"<|endoftext|>", "<|begin_of_text|>", "<s>", "<bos>"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int32_t id = tokenizer_special(t, names[i]);
		if (id >= 0)
			return id;
	}
	return -1;
}
