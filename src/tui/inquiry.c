/* inquiry: what is wanted to know, and what is known. Runs on the screen's thread. */
#include "inquiry.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "standing.h"

enum { EXACT_DEFAULT = 64 };

struct inquiry *
inquiry_new(struct source *s, struct worker *w)
{
	struct inquiry *q = xcalloc(1, sizeof(*q));
	q->source = s;
	q->worker = w;
	q->wish = (struct wish){ .method = &s->info.methods[0], .exact = EXACT_DEFAULT };
	for (int i = 0; i < s->info.n_methods && !source_able(&s->info, q->wish.method); i++)
		q->wish.method = &s->info.methods[i];
	pthread_mutex_init(&q->lock, NULL);
	return q;
}

static void
inquiry_forget_tokens(struct inquiry *q)
{
	token_influence_free(q->tokens.t);
	q->tokens = (struct two_way){0};
}

/* Forgets everything that was found out. */
static void
inquiry_clear(struct inquiry *q)
{
	standing_free(q->standing, q->source->ops);
	q->source->ops->free_query(q->query);
	free(q->strength);
	free(q->stream);
	free(q->marks.mark);
	free(q->expected);
	q->standing = NULL;
	q->query = NULL;
	q->strength = NULL;
	q->stream = NULL;
	q->expected = NULL;
	q->n_stream = 0;
	q->saved_id = 0;
	q->asked = q->scored = q->halted = q->raw = false;
	q->err = OK;
	q->marks = (struct marks){0};
	inquiry_forget_tokens(q);
	q->source->ops->free_spans(q->verbatim.span, q->verbatim.n);
	q->verbatim = (struct spans){0};
	q->version++;
}

void
inquiry_free(struct inquiry *q)
{
	if (!q)
		return;
	if (q->stage != STAGE_NONE)
		worker_stop(q->worker);
	assert(q->stage == STAGE_NONE);
	inquiry_clear(q);
	pthread_mutex_destroy(&q->lock);
	free(q->prompt);
	free(q->target);
	free(q);
}

/* ---- wishes ---- */

/* What is being worked out may be stale now; its end will look at the wishes anew. */
static void
inquiry_changed(struct inquiry *q)
{
	const struct wish *a = &q->doing, *b = &q->wish;
	bool moved = a->method != b->method || a->from != b->from || a->to != b->to;
	q->halted = false;
	q->err = OK;
	if (((q->stage == STAGE_RANK || q->stage == STAGE_STRENGTH) && moved)
		|| (q->stage == STAGE_EXACT && (moved || a->exact != b->exact))
		|| (q->stage == STAGE_MARKS && (a->from != b->from || a->to != b->to)))
		worker_cancel(q->worker);
}

void
inquiry_ask(struct inquiry *q, const char *prompt, const char *target, const struct sample_options *o)
{
	char *p = xstrdup(prompt), *t = target ? xstrdup(target) : NULL;
	/* The worker reads what is about to change. */
	if (q->stage != STAGE_NONE)
		worker_stop(q->worker);
	inquiry_clear(q);
	free(q->prompt);
	free(q->target);
	q->prompt = p;
	q->target = t;
	q->sample = *o;
	q->sample.stop = NULL;
	q->sample.n_stop = 0;
	q->wish.from = q->wish.to = 0;
	q->span_whole = true;
}

void
inquiry_span(struct inquiry *q, int from, int to)
{
	int n = q->query ? q->query->n_out : 0;
	q->span_whole = to <= 0;
	q->wish.from = q->span_whole ? 0 : from;
	q->wish.to = q->span_whole ? n : to < n || n == 0 ? to : n;
	if (q->marks.wanted && (q->marks.from != q->wish.from || q->marks.to != q->wish.to))
		q->marks.ready = false;
	inquiry_changed(q);
}

void
inquiry_method(struct inquiry *q, const struct method *m)
{
	q->wish.method = m;
	inquiry_changed(q);
}

void
inquiry_exact(struct inquiry *q, size_t exact)
{
	q->wish.exact = exact;
	inquiry_changed(q);
}

void
inquiry_mark(struct inquiry *q, uint32_t example)
{
	struct marks *m = &q->marks;
	bool same = m->wanted && m->example == example && m->from == q->wish.from && m->to == q->wish.to;
	if (same && (m->ready || q->stage == STAGE_MARKS))
		return;
	m->wanted = true;
	m->ready = false;
	m->example = example;
	q->halted = false;
	/* Someone is looking at this example: it goes before the rescoring of a list. */
	if (q->stage == STAGE_STRENGTH || q->stage == STAGE_EXACT || q->stage == STAGE_MARKS)
		worker_cancel(q->worker);
}

void
inquiry_tokens_of(struct inquiry *q, uint32_t example)
{
	struct two_way *t = &q->tokens;
	if (t->wanted && t->example == example && t->from == q->wish.from && t->to == q->wish.to)
		return;
	if (q->stage == STAGE_TOKENS)
		worker_cancel(q->worker);
	inquiry_forget_tokens(q);
	*t = (struct two_way){ .wanted = true, .example = example, .from = q->wish.from, .to = q->wish.to };
	q->halted = false;
	if (q->stage == STAGE_EXACT)
		worker_cancel(q->worker);
}

const struct verbatim_span *
inquiry_verbatim(const struct inquiry *q, size_t *n)
{
	const struct spans *v = &q->verbatim;
	size_t first = 0;
	*n = 0;
	if (!q->query || v->n == 0 || q->wish.to <= q->wish.from)
		return NULL;
	uint32_t from = q->query->byte_of[q->wish.from], to = q->query->byte_of[q->wish.to];
	/* None lies within another, so both ends ascend. */
	while (first < v->n && v->span[first].to <= from)
		first++;
	while (first + *n < v->n && v->span[first + *n].from < to)
		(*n)++;
	return *n > 0 ? v->span + first : NULL;
}

bool
inquiry_ranked(const struct inquiry *q)
{
	return q->standing && q->have.method == q->wish.method && q->have.from == q->wish.from
		&& q->have.to == q->wish.to;
}

bool
inquiry_current(const struct inquiry *q)
{
	return inquiry_ranked(q) && (q->have.exact == q->wish.exact || q->wish.method->rescore != RESCORE_BEST);
}

void
inquiry_halt(struct inquiry *q)
{
	q->halted = true;
	if (q->stage != STAGE_NONE)
		worker_cancel(q->worker);
}

/* ---- looking ---- */

int
inquiry_tokens(struct inquiry *q)
{
	if (q->query)
		return q->query->n_out;
	pthread_mutex_lock(&q->lock);
	int n = q->n_stream;
	pthread_mutex_unlock(&q->lock);
	return n;
}

bool
inquiry_fact(struct inquiry *q, int i, struct token_fact *f)
{
	bool there = i >= 0 && i < inquiry_tokens(q);
	if (!there)
		return false;
	pthread_mutex_lock(&q->lock);
	*f = q->query ? q->query->facts[i] : q->stream[i];
	pthread_mutex_unlock(&q->lock);
	return true;
}

void
inquiry_text(struct inquiry *q, struct str *text, uint32_t **byte_of, int *n)
{
	str_clear(text);
	str_adds(text, q->prompt ? q->prompt : "");
	*n = inquiry_tokens(q);
	*byte_of = xcalloc((size_t)*n + 1, sizeof(**byte_of));
	for (int i = 0; i < *n; i++) {
		struct token_fact f;
		size_t len = 0;
		(*byte_of)[i] = (uint32_t)text->len;
		const char *bytes = inquiry_fact(q, i, &f) ? q->source->ops->token(q->source, f.token, &len) : NULL;
		if (q->query)
			str_add(text, q->query->output.s + q->query->byte_of[i],
				q->query->byte_of[i + 1] - q->query->byte_of[i]);
		else if (bytes)
			str_add(text, bytes, len);
	}
	(*byte_of)[*n] = (uint32_t)text->len;
}
