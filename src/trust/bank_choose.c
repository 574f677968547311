/* bank_choose: the queries of a new bank, from its seed alone: spans of texts that were never trained on, and what the
 * run's own model makes of beginnings that were. */
#include "bank_private.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/rng.h"

/* "held", "gener", "word": so that no other use of the seed meets these numbers. */
static const uint64_t stream_heldout = UINT64_C(0x68656c6400000000);
static const uint64_t stream_generated = UINT64_C(0x67656e6572000000);
static const uint64_t stream_word = UINT64_C(0x776f726400000000);

/* Shorter spans come only when longer ones have run out. */
enum { SPAN_SHORT = 16, SPAN_STUMP = 8 };

static const double temperature = 0.8;

static void
query_add(struct bank *b, uint32_t example, bool generated, const int32_t *prompt, int n_prompt, const int32_t *span,
	int n_out)
{
	struct bank_query *q = &b->query[b->n_queries++];
	*q = (struct bank_query){ .n_prompt = n_prompt, .n_out = n_out, .generated = generated, .example = example };
	q->token = xcalloc((size_t)n_prompt + (size_t)n_out, sizeof(*q->token));
	memcpy(q->token, prompt, (size_t)n_prompt * sizeof(*q->token));
	memcpy(q->token + n_prompt, span, (size_t)n_out * sizeof(*q->token));
}

/* Tokens of an example that the model can hold together. */
static int
example_tokens(const struct bank *b, uint32_t i)
{
	const struct dataset *d = &b->session->data;
	uint64_t n = d->start[i + 1] - d->start[i];
	uint64_t n_ctx = (uint64_t)b->session->model.config.n_ctx;
	return (int)(n < n_ctx ? n : n_ctx);
}

static const int32_t *
example_text(const struct bank *b, uint32_t i)
{
	return b->session->data.token + b->session->data.start[i];
}

/* ---- held-out ---- */

/* A place for a span. rank: drawn; level 0: of a good length, 1: short, 2: overlaps two others by half of each. */
struct slot { uint32_t example, rank; int from, n, level; };
struct slots { struct slot *v; size_t n, cap; };

static void
slot_add(struct slots *s, uint32_t example, int from, int n, int level)
{
	mem_grow(&s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct slot){ .example = example, .from = from, .n = n, .level = level };
}

static void
slots_of(const struct bank *b, struct slots *s, uint32_t example, struct rng *rng)
{
	const int tokens = example_tokens(b, example), span = b->options.span;
	if (tokens < 2)
		return;
	int lead = b->options.prompt < tokens ? b->options.prompt : tokens / 2;
	int room = tokens - lead, n = room < span ? room : span, whole = room / n;
	int at = lead + (int)rng_below(rng, (uint64_t)(room - whole * n) + 1);
	for (int k = 0; k < whole; k++)
		slot_add(s, example, at + k * n, n, n < SPAN_SHORT && n < span);
	for (int k = 0; k + 1 < whole && n > 1; k++)
		slot_add(s, example, at + k * n + n / 2, n, 2);
}

static int
slot_compare(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void
slots_draw(struct slots *s, struct rng *rng)
{
	uint32_t *rank = xcalloc(s->n + 1, sizeof(*rank));
	for (size_t i = 0; i < s->n; i++)
		rank[i] = (uint32_t)i;
	rng_shuffle(rng, rank, s->n);
	for (size_t i = 0; i < s->n; i++)
		s->v[i].rank = rank[i];
	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), slot_compare);
	free(rank);
}

static void
choose_heldout(struct bank *b)
{
	const struct session *s = b->session;
	struct slots slots = {0};
	struct rng rng;
	rng_init(&rng, b->options.seed, stream_heldout);
	for (size_t i = 0; i < s->data.n; i++)
		if (s->data.heldout[i])
			slots_of(b, &slots, (uint32_t)i, &rng);
	slots_draw(&slots, &rng);
	for (size_t i = 0; i < slots.n && i < (size_t)b->options.heldout; i++) {
		const struct slot *t = &slots.v[i];
		const int32_t *text = example_text(b, t->example);
		query_add(b, t->example, false, text, t->from, text + t->from, t->n);
	}
	free(slots.v);
}

/* ---- generated ---- */

/* Trained examples in a drawn order. */
static size_t
shuffled(const struct bank *b, uint32_t *order)
{
	struct rng rng;
	size_t n = 0;
	for (size_t i = 0; i < b->session->data.n; i++)
		if (session_trained_on(b->session, i) && example_tokens(b, (uint32_t)i) > 1)
			order[n++] = (uint32_t)i;
	rng_init(&rng, b->options.seed, stream_generated);
	rng_shuffle(&rng, order, n);
	return n;
}

static enum err
continue_example(struct bank *b, uint32_t example, int least, struct token_fact *facts, int32_t *span, struct job *job)
{
	const struct model *m = &b->session->model;
	int32_t stop[2];
	struct sample_options o = { .temperature = temperature, .top_p = 1, .max_tokens = b->options.span,
		.stop = stop };
	struct rng rng;
	int lead = example_tokens(b, example), half = m->config.n_ctx / 2, n;
	lead = lead < b->options.prompt ? lead : b->options.prompt;
	lead = lead < half ? lead : half > 0 ? half : 1;
	if (o.max_tokens > m->config.n_ctx - lead)
		o.max_tokens = m->config.n_ctx - lead;
	if (o.max_tokens < 1)
		return OK;
	rng_init(&rng, b->options.seed, stream_word + example);
	o.seed = rng_u64(&rng);
	if (m->config.eos >= 0)
		stop[o.n_stop++] = m->config.eos;
	int32_t end = tokenizer_special(b->session->tokenizer, "<|endoftext|>");
	if (end >= 0)
		stop[o.n_stop++] = end;
	TRY(generate(m, example_text(b, example), lead, &o, job, NULL, NULL, facts, &n));
	for (int i = 0; i < n; i++)
		span[i] = facts[i].token;
	if (n >= least)
		query_add(b, example, true, example_text(b, example), lead, span, n);
	return OK;
}

static bool
is_taken(const struct bank *b, int first, uint32_t example)
{
	for (int i = first; i < b->n_queries; i++)
		if (b->query[i].example == example)
			return true;
	return false;
}

/* Continuations that end at once are taken only when there are no longer ones. */
static enum err
choose_generated(struct bank *b, struct job *job)
{
	uint32_t *order = xcalloc(b->session->data.n + 1, sizeof(*order));
	struct token_fact *facts = xcalloc((size_t)b->options.span + 1, sizeof(*facts));
	int32_t *span = xcalloc((size_t)b->options.span + 1, sizeof(*span));
	const int first = b->n_queries, want = first + b->options.generated;
	const int stump = b->options.span < SPAN_STUMP ? b->options.span : SPAN_STUMP;
	size_t n = shuffled(b, order), most = (size_t)b->options.generated * 4;
	enum err err = OK;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; err == OK && b->n_queries < want && i < n && i < most; i++)
			if (!is_taken(b, first, order[i]))
				err = continue_example(b, order[i], round == 0 ? stump : 1, facts, span, job);
	free(order);
	free(facts);
	free(span);
	return err;
}

enum err
bank_choose(struct bank *b, struct job *job)
{
	b->query = xcalloc((size_t)b->options.heldout + (size_t)b->options.generated + 1, sizeof(*b->query));
	choose_heldout(b);
	TRY(choose_generated(b, job));
	return b->n_queries > 0 ? OK : err_set(ERR_MISSING, "run %s holds nothing out, and its model writes nothing:"
		" there is no query to measure with", b->session->run.name);
}
