/* A query: prompt and output as tokens, what the model thought of each, and where each lies in the output's bytes. */
#include "byline/attrib.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/features.h"
#include "byline/mem.h"
#include "query_private.h"
#include "scores_private.h"

struct ids { int32_t *v; int n; };

/* The token put before every example; before an empty prompt, where the run has none, what the model would begin with;
 * -1 when it knows none either. */
static int32_t
begin_token(const struct session *s, bool empty)
{
	if (s->run.bos >= 0 || !empty)
		return s->run.bos;
	if (s->model.config.bos >= 0)
		return s->model.config.bos;
	return tokenizer_special(s->tokenizer, "<|endoftext|>");
}

/* on: it goes on from another text. */
static enum err
encode(const struct session *s, const char *text, bool on, struct ids *out)
{
	struct token_span *span;
	size_t n;
	if (on)
		TRY(tokenizer_encode_on(s->tokenizer, text, strlen(text), &span, &n));
	else
		TRY(tokenizer_encode(s->tokenizer, text, strlen(text), false, &span, &n));
	if (n > INT32_MAX / 2) {
		free(span);
		return err_set(ERR_LIMIT, "a text of %zu tokens is too long for a query", n);
	}
	out->v = xcalloc(n + 1, sizeof(*out->v));
	out->n = (int)n;
	for (size_t i = 0; i < n; i++)
		out->v[i] = span[i].id;
	free(span);
	return OK;
}

/* The begin token and the prompt's end: as much of it as leaves `room` tokens of the context free. */
static enum err
query_prompt(struct query *q, const struct ids *prompt, int room)
{
	const struct session *s = q->session;
	int32_t bos = begin_token(s, prompt->n == 0);
	int lead = bos >= 0 ? 1 : 0, keep = s->model.config.n_ctx - room - lead;
	if (keep > prompt->n)
		keep = prompt->n;
	if (keep < 0)
		keep = 0;
	if (lead + keep == 0)
		return err_set(ERR_USAGE,
			"the prompt is empty and this model has no begin-of-text token: give a prompt");
	q->n_prompt = lead + keep;
	q->prompt_tokens = prompt->n;
	q->prompt_seen = keep;
	q->tokens = xcalloc((size_t)q->n_prompt + (size_t)room + 1, sizeof(*q->tokens));
	if (lead)
		q->tokens[0] = bos;
	memcpy(q->tokens + lead, prompt->v + (prompt->n - keep), (size_t)keep * sizeof(*q->tokens));
	return OK;
}

/* The caller's stops and the model's own end; *stop is the caller's to free. */
static void
stops_make(const struct session *s, struct sample_options *o, int32_t **stop)
{
	int32_t more[] = { s->model.config.eos, tokenizer_special(s->tokenizer, "<|endoftext|>") };
	*stop = xcalloc((size_t)o->n_stop + ARRAY_LEN(more), sizeof(**stop));
	int n = o->n_stop;
	if (n > 0)
		memcpy(*stop, o->stop, (size_t)n * sizeof(**stop));
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		if (more[i] >= 0)
			(*stop)[n++] = more[i];
	o->stop = *stop;
	o->n_stop = n;
}

/* Tokens, bytes and offsets of what came out, from the facts. */
static void
query_finish(struct query *q)
{
	q->byte_of = xcalloc((size_t)q->n_out + 1, sizeof(*q->byte_of));
	for (int i = 0; i < q->n_out; i++) {
		size_t n = 0;
		const char *bytes = tokenizer_bytes(q->session->tokenizer, q->facts[i].token, &n);
		q->tokens[q->n_prompt + i] = q->facts[i].token;
		if (bytes)
			str_add(&q->output, bytes, n);
		q->byte_of[i + 1] = (uint32_t)q->output.len;
	}
	str_add(&q->output, "", 0);
}

typedef bool on_token_fn(void *arg, const struct token_fact *f);

static enum err
query_generate(struct query *q, const struct ids *prompt, struct job *job, on_token_fn *on_token, void *arg)
{
	int n_ctx = q->session->model.config.n_ctx;
	if (q->sample.max_tokens < 1)
		return err_set(ERR_USAGE, "%d tokens to generate: ask for at least 1", q->sample.max_tokens);
	/* A long prompt gives way to the output down to half of the context; then the output ends where the context
	 * does. */
	int room = q->sample.max_tokens < n_ctx / 2 ? q->sample.max_tokens : n_ctx / 2;
	TRY(query_prompt(q, prompt, room > 0 ? room : 1));
	struct sample_options o = q->sample;
	if (o.max_tokens > n_ctx - q->n_prompt)
		o.max_tokens = n_ctx - q->n_prompt;
	q->tokens = xreallocarray(q->tokens, (size_t)n_ctx + 1, sizeof(*q->tokens));
	q->facts = xcalloc((size_t)o.max_tokens + 1, sizeof(*q->facts));
	int32_t *stop;
	stops_make(q->session, &o, &stop);
	enum err err = generate(&q->session->model, q->tokens, q->n_prompt, &o, job, on_token, arg, q->facts,
		&q->n_out);
	free(stop);
	return err;
}

static enum err
query_target(struct query *q, const struct ids *prompt, const struct ids *target, on_token_fn *on_token, void *arg)
{
	int n_ctx = q->session->model.config.n_ctx;
	if (target->n == 0)
		return err_set(ERR_USAGE, "the target text is empty: give the words to attribute");
	if (target->n > n_ctx - 1)
		return err_set(ERR_LIMIT,
			"the target text is %d tokens long, and the model's context is %d: give a shorter one",
			target->n, n_ctx);
	q->target_given = true;
	TRY(query_prompt(q, prompt, target->n));
	q->n_out = target->n;
	q->facts = xcalloc((size_t)target->n, sizeof(*q->facts));
	TRY(score_continuation(&q->session->model, q->tokens, q->n_prompt, target->v, target->n, q->facts));
	for (int i = 0; on_token && i < q->n_out; i++)
		if (!on_token(arg, &q->facts[i]))
			break;
	return OK;
}

enum err
query_new(struct session *s, const char *prompt, const char *target, const struct sample_options *o, struct job *job,
	bool (*on_token)(void *arg, const struct token_fact *f), void *arg, struct query **out)
{
	enum err err = OK;
	struct ids prompt_ids = {0}, target_ids = {0};
	struct query *q = xcalloc(1, sizeof(*q));
	*out = NULL;
	assert(o || target);
	if (s->imported) {
		free(q);
		return imported_query(s, prompt, target, out);
	}
	q->session = s;
	q->prompt = xstrdup(prompt);
	if (o)
		q->sample = *o;
	TRY_OUT(encode(s, prompt, false, &prompt_ids));
	if (target) {
		TRY_OUT(encode(s, target, *prompt, &target_ids));
		TRY_OUT(query_target(q, &prompt_ids, &target_ids, on_token, arg));
	} else
		TRY_OUT(query_generate(q, &prompt_ids, job, on_token, arg));
	query_finish(q);
	/* The caller's array may be gone tomorrow. */
	q->sample.stop = NULL;
	q->sample.n_stop = 0;
	*out = q;
	q = NULL;
out:
	free(prompt_ids.v);
	free(target_ids.v);
	query_free(q);
	return err;
}

void
query_forget(struct query *q)
{
	query_spans_free(q->spans);
	if (q->features)
		feature_query_free(q->features);
	free(q->features);
	free(q->matrix);
	direction_free(q->direction);
	q->spans = NULL;
	q->features = NULL;
	q->matrix = NULL;
	q->direction = NULL;
}

void
query_free(struct query *q)
{
	if (!q)
		return;
	query_forget(q);
	query_peers_free(q);
	str_free(&q->output);
	free(q->prompt);
	free(q->tokens);
	free(q->facts);
	free(q->byte_of);
	free(q);
}
