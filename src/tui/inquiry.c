/* inquiry: from wishes to jobs. Everything here runs on the screen's thread but the functions named job_*. */
#include "inquiry.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "standing.h"

enum { LIST_MAX = 5000, EXACT_DEFAULT = 64 };

struct inquiry *
inquiry_new(struct source *s, struct worker *w)
{
	struct inquiry *q = xcalloc(1, sizeof(*q));
	q->source = s;
	q->worker = w;
	q->wish = (struct wish){ .method = &s->info.methods[0], .exact = EXACT_DEFAULT };
	for (int i = 0; i < s->info.n_methods && !s->info.indexed && q->wish.method->needs_index; i++)
		q->wish.method = &s->info.methods[i];
	pthread_mutex_init(&q->lock, NULL);
	return q;
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
	q->asked = q->scored = q->halted = false;
	q->err = OK;
	q->marks = (struct marks){0};
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
	if ((q->stage == STAGE_RANK && moved) || (q->stage == STAGE_EXACT && (moved || a->exact != b->exact))
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
	if (q->stage == STAGE_EXACT || q->stage == STAGE_MARKS)
		worker_cancel(q->worker);
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

/* ---- jobs: in the worker ---- */

static bool
job_on_token(void *arg, const struct token_fact *f)
{
	struct inquiry *q = arg;
	pthread_mutex_lock(&q->lock);
	if (q->n_stream < q->sample.max_tokens)
		q->stream[q->n_stream++] = *f;
	pthread_mutex_unlock(&q->lock);
	job_step(&q->worker->job, (uint64_t)q->n_stream);
	return true;
}

static enum err
job_ask(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	struct query *made = NULL;
	job_phase(job, "writing", q->target ? 0 : (uint64_t)q->sample.max_tokens);
	enum err err = q->source->ops->ask(q->source, q->prompt, q->target, &q->sample, job, job_on_token, q, &made);
	q->made = made;
	return err;
}

static enum err
job_scores(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	q->made_floats = xcalloc((size_t)q->query->n_out + 1, sizeof(float));
	return q->source->ops->scores(q->source, q->query, q->made_floats, job);
}

static enum err
job_rank(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	struct ranking *made = NULL;
	const struct rank_options o = {
		.method = q->doing.method, .from = q->doing.from, .to = q->doing.to, .exact = q->doing.exact,
		.top = LIST_MAX,
	};
	enum err err = q->source->ops->rank(q->source, q->query, &o, job, &made, &q->made_shares);
	q->made = err == OK ? standing_new(q->source, made, &q->made_shares) : NULL;
	return err;
}

static enum err
job_marks(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	return q->source->ops->marks(q->source, q->query, q->marks.from, q->marks.to, q->marks.example, job,
		&q->marks.score, q->made_floats);
}

/* ---- their ends: on the screen's thread ---- */

static void
inquiry_failed(struct inquiry *q, enum stage stage, enum err err)
{
	/* Cancelled by a change of mind is no failure: the next step does what is wanted now. */
	if (err == ERR_CANCELLED && !q->halted)
		return;
	q->halted = true;
	q->err = err;
	snprintf(q->error, sizeof(q->error), "%.*s", (int)sizeof(q->error) - 1, err_message());
	if (stage == STAGE_ASK)
		q->asked = true;
	if (stage == STAGE_SCORES)
		q->scored = true;
}

static void
end_ask(struct inquiry *q, enum err err)
{
	q->asked = true;
	q->query = q->made;
	if (err == OK && q->span_whole)
		q->wish.to = q->query->n_out;
	else if (err == OK && q->wish.to > q->query->n_out)
		inquiry_span(q, 0, 0);
}

static void
end_scores(struct inquiry *q, enum err err)
{
	q->scored = err == OK;
	if (err == OK) {
		q->strength = q->made_floats;
		q->made_floats = NULL;
	}
}

static void
end_rank(struct inquiry *q, enum err err)
{
	if (err != OK)
		return;
	standing_free(q->standing, q->source->ops);
	q->standing = q->made;
	q->have = q->doing;
	q->standing->exact = q->doing.exact > 0 && q->standing->ranking->n_exact > 0;
}

static void
end_marks(struct inquiry *q, enum err err)
{
	if (err != OK)
		return;
	free(q->marks.mark);
	q->marks.mark = q->made_floats;
	q->made_floats = NULL;
	q->marks.ready = true;
}

static void
inquiry_done(void *arg, enum err err)
{
	static void (*const ends[])(struct inquiry *q, enum err err) = {
		[STAGE_ASK] = end_ask, [STAGE_SCORES] = end_scores, [STAGE_RANK] = end_rank, [STAGE_EXACT] = end_rank,
		[STAGE_MARKS] = end_marks,
	};
	struct inquiry *q = arg;
	enum stage stage = q->stage;
	q->stage = STAGE_NONE;
	if (err != OK)
		inquiry_failed(q, stage, err);
	ends[stage](q, err);
	free(q->made_floats);
	q->made_floats = NULL;
	q->made = NULL;
	q->version++;
}

/* ---- what comes next ---- */

static bool
marks_missing(const struct inquiry *q)
{
	return q->marks.wanted && !q->marks.ready && q->scored && q->source->info.indexed && q->query->n_out > 0;
}

static enum stage
inquiry_next(const struct inquiry *q)
{
	if (!q->prompt || q->halted)
		return STAGE_NONE;
	if (!q->asked)
		return STAGE_ASK;
	if (!q->query || q->query->n_out == 0)
		return STAGE_NONE;
	if (!q->scored && q->source->info.indexed)
		return STAGE_SCORES;
	if (!inquiry_ranked(q))
		return STAGE_RANK;
	if (marks_missing(q))
		return STAGE_MARKS;
	return inquiry_current(q) ? STAGE_NONE : STAGE_EXACT;
}

static void
stage_prepare(struct inquiry *q, enum stage stage)
{
	q->doing = q->wish;
	/* A first ranking comes at once; rescoring takes its time behind it. */
	if (stage == STAGE_RANK && q->wish.method->rescore == RESCORE_BEST)
		q->doing.exact = 0;
	if (stage == STAGE_ASK) {
		free(q->stream);
		q->stream = xcalloc((size_t)q->sample.max_tokens + 1, sizeof(*q->stream));
		q->n_stream = 0;
	}
	if (stage == STAGE_MARKS) {
		q->marks.from = q->wish.from;
		q->marks.to = q->wish.to;
		const struct example *e = q->source->ops->example(q->source, q->marks.example);
		q->made_floats = xcalloc((size_t)e->n_tokens + 1, sizeof(float));
	}
}

bool
inquiry_step(struct inquiry *q)
{
	static const struct { const char *what; enum err (*fn)(struct job *job, void *arg); } stages[] = {
		[STAGE_ASK] = { "writing", job_ask }, [STAGE_SCORES] = { "scoring", job_scores },
		[STAGE_RANK] = { "ranking", job_rank }, [STAGE_EXACT] = { "rescoring exactly", job_rank },
		[STAGE_MARKS] = { "marking", job_marks },
	};
	enum stage next = q->stage != STAGE_NONE ? STAGE_NONE : inquiry_next(q);
	if (next == STAGE_NONE || q->worker->busy)
		return q->stage != STAGE_NONE || next != STAGE_NONE;
	stage_prepare(q, next);
	q->stage = next;
	enum err err = worker_start(q->worker, stages[next].what, stages[next].fn, inquiry_done, q);
	if (err != OK)
		inquiry_done(q, err);
	return true;
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
