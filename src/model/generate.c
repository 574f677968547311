/* generate: prompts in, tokens and facts out. */
#include "byline/generate.h"

#include <stdlib.h>

#include "byline/mem.h"
#include "kv.h"

/* What of the prompt is fed: all of it, its end when it is too long for the context, or the beginning-of-text token. */
struct feed {
	const int32_t *token;
	int n;
	int32_t start;
};

static enum err
feed_prompt(struct feed *f, const struct model *m, const int32_t *prompt, int n)
{
	f->token = prompt;
	f->n = n;
	if (n > m->config.n_ctx - 1) {
		f->n = m->config.n_ctx / 2 > 0 ? m->config.n_ctx / 2 : 1;
		f->token = prompt + (n - f->n);
	}
	if (n > 0)
		return OK;
	if (m->config.bos < 0)
		return err_set(ERR_USAGE,
			"the prompt is empty, and this model has no token to begin with: give it at least one");
	f->start = m->config.bos;
	f->token = &f->start;
	f->n = 1;
	return OK;
}

static bool
is_stop(const struct sample_options *o, int32_t token)
{
	for (int i = 0; i < o->n_stop; i++)
		if (o->stop[i] == token)
			return true;
	return false;
}

struct run {
	const struct model *m;
	const struct sample_options *o;
	struct job *job;
	bool (*on_token)(void *arg, const struct token_fact *f);
	void *arg;
	struct kv *kv;
	float *logits;
};

/* Writes facts until something ends the output; *n counts them even then. */
static enum err
continue_output(struct run *r, struct token_fact *facts, int *n)
{
	int vocab = r->m->config.vocab;
	while (*n < r->o->max_tokens) {
		TRY(job_check(r->job));
		int32_t token = sample_token(r->logits, vocab, r->o, *n);
		if (is_stop(r->o, token))
			return OK;
		struct token_fact *f = &facts[*n];
		token_fact_fill(f, r->logits, vocab, token);
		job_step(r->job, (uint64_t)++*n);
		if (r->on_token != NULL && !r->on_token(r->arg, f))
			return OK;
		if (*n == r->o->max_tokens || kv_length(r->kv) >= r->m->config.n_ctx)
			return OK;
		TRY(model_step(r->m, r->kv, &token, 1, r->logits));
	}
	return OK;
}

enum err
generate(const struct model *m, const int32_t *prompt, int n_prompt, const struct sample_options *o, struct job *job,
	bool (*on_token)(void *arg, const struct token_fact *f), void *arg, struct token_fact *facts, int *n_out)
{
	struct run r = {m, o, job, on_token, arg, NULL, NULL};
	struct feed feed;
	enum err err = OK;
	*n_out = 0;
	TRY(feed_prompt(&feed, m, prompt, n_prompt));
	r.kv = kv_new(m);
	TRY_OUT(mem_array(&r.logits, (size_t)m->config.vocab, sizeof(*r.logits), "logits"));
	job_phase(job, "generating", (uint64_t)(o->max_tokens > 0 ? o->max_tokens : 0));
	TRY_OUT(model_step(m, r.kv, feed.token, feed.n, r.logits));
	TRY_OUT(continue_output(&r, facts, n_out));
out:
	free(r.logits);
	kv_free(r.kv);
	return err;
}

struct score {
	int vocab;
	const int32_t *cont;
	struct token_fact *facts;
};

static void
score_one(void *arg, int i, const float *logits)
{
	const struct score *s = arg;
	token_fact_fill(&s->facts[i + 1], logits, s->vocab, s->cont[i + 1]);
}

enum err
score_continuation(const struct model *m, const int32_t *prompt, int n_prompt, const int32_t *cont, int n_cont,
	struct token_fact *facts)
{
	struct score s = {m->config.vocab, cont, facts};
	struct feed feed;
	struct kv *kv = NULL;
	float *logits = NULL;
	enum err err = OK;
	if (n_cont <= 0)
		return OK;
	TRY(feed_prompt(&feed, m, prompt, n_prompt));
	for (int i = 0; i < n_cont; i++)
		if (cont[i] < 0 || cont[i] >= s.vocab)
			return err_set(ERR_FORMAT, "token %d at %d is not in the vocabulary of %d", (int)cont[i], i,
				s.vocab);
	kv = kv_new(m);
	TRY_OUT(mem_array(&logits, (size_t)s.vocab, sizeof(*logits), "logits"));
	TRY_OUT(model_step(m, kv, feed.token, feed.n, logits));
	token_fact_fill(&facts[0], logits, s.vocab, cont[0]);
	/* The last token's own prediction is nobody's question. */
	TRY_OUT(kv_feed(kv, cont, n_cont - 1, score_one, &s, logits));
out:
	free(logits);
	kv_free(kv);
	return err;
}
