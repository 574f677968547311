/* bank_query: a query of the bank as the session asks it. */
#include "byline/bank.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

static void
add_token(struct str *out, const struct tokenizer *t, int32_t token)
{
	size_t n = 0;
	const char *bytes = tokenizer_bytes(t, token, &n);
	if (bytes)
		str_add(out, bytes, n);
}

/* The prompt's words, without the token that begins every example. */
static char *
prompt_text(const struct session *s, const struct bank_query *from)
{
	struct str text = {0};
	for (int i = 0; i < from->n_prompt; i++)
		if (i > 0 || !tokenizer_is_special(s->tokenizer, from->token[i]))
			add_token(&text, s->tokenizer, from->token[i]);
	return str_take(&text);
}

static void
query_fill(struct query *q, const struct bank_query *from)
{
	size_t n = (size_t)from->n_prompt + (size_t)from->n_out;
	q->prompt = prompt_text(q->session, from);
	q->n_prompt = from->n_prompt;
	q->n_out = from->n_out;
	q->target_given = true;
	q->tokens = xcalloc(n + 1, sizeof(*q->tokens));
	memcpy(q->tokens, from->token, n * sizeof(*q->tokens));
	q->facts = xcalloc((size_t)from->n_out + 1, sizeof(*q->facts));
	q->byte_of = xcalloc((size_t)from->n_out + 1, sizeof(*q->byte_of));
	for (int i = 0; i < from->n_out; i++) {
		add_token(&q->output, q->session->tokenizer, from->token[from->n_prompt + i]);
		q->byte_of[i + 1] = (uint32_t)q->output.len;
	}
	str_add(&q->output, "", 0);
}

enum err
bank_query_open(const struct bank *b, int query, struct query **out)
{
	const struct bank_query *from = &b->query[query];
	struct query *q = xcalloc(1, sizeof(*q));
	q->session = b->session;
	query_fill(q, from);
	enum err err = score_continuation(&b->session->model, q->tokens, q->n_prompt, q->tokens + q->n_prompt, q->n_out,
		q->facts);
	if (err != OK) {
		query_free(q);
		q = NULL;
	}
	*out = q;
	return err;
}
