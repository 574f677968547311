/* inquiry_work: from wishes to jobs. Everything here runs on the screen's thread but the functions named job_*. */
#include "inquiry.h"

#include <stdlib.h>

#include "byline/mem.h"
#include "standing.h"

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
	return q->source->ops->scores(q->source, q->query, job);
}

static enum err
job_strength(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	q->made_floats = xcalloc((size_t)q->query->n_out + 1, sizeof(float));
	return q->source->ops->strength(q->source, q->query, q->made_floats, job);
}

static enum err
job_rank(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	struct ranking *made = NULL;
	const struct rank_options o = {
		.method = q->doing.method, .from = q->doing.from, .to = q->doing.to, .exact = q->doing.exact,
		.top = RANKED_MOST,
	};
	enum err err = q->source->ops->rank(q->source, q->query, &o, job, &made, &q->made_shares);
	q->made = err == OK ? standing_new(q->source, made, &q->made_shares) : NULL;
	return err;
}

static enum err
job_marks(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	return q->source->ops->marks(q->source, q->query, q->about.from, q->about.to, q->about.example, job,
		&q->made_score, q->made_floats);
}

static enum err
job_tokens(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	struct token_influence *made = NULL;
	enum err err = q->source->ops->tokens(q->source, q->query, q->about.from, q->about.to, q->about.example, job,
		&made);
	q->made = made;
	return err;
}

static enum err
job_verbatim(struct job *job, void *arg)
{
	struct inquiry *q = arg;
	struct verbatim_span *made = NULL;
	q->made_n = 0;
	enum err err = q->source->ops->verbatim(q->source, q->query, job, &made, &q->made_n);
	q->made = made;
	return err;
}

/* ---- their ends: on the screen's thread ---- */

static void
inquiry_failed(struct inquiry *q, enum stage stage, enum err err)
{
	/* These are told where they would be shown; the rest goes on without them. */
	if ((stage == STAGE_TOKENS || stage == STAGE_VERBATIM) && err != ERR_CANCELLED)
		return;
	/* Cancelled by a change of mind is no failure: the next step does what is wanted now. */
	if (err == ERR_CANCELLED && !q->halted)
		return;
	q->halted = true;
	q->err = err;
	err_copy(q->error, sizeof(q->error));
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
}

static void
end_strength(struct inquiry *q, enum err err)
{
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

/* Another example, or another span, may have been chosen as they were worked out. */
static void
end_marks(struct inquiry *q, enum err err)
{
	struct marks *m = &q->marks;
	if (err != OK || q->about.example != m->example || q->about.from != q->wish.from || q->about.to != q->wish.to)
		return;
	free(m->mark);
	m->mark = q->made_floats;
	m->score = q->made_score;
	q->made_floats = NULL;
	m->ready = true;
}

/* A change of span while they were worked out makes them another's. */
static void
end_tokens(struct inquiry *q, enum err err)
{
	struct two_way *t = &q->tokens;
	struct token_influence *made = q->made;
	bool fits = made && t->wanted && made->example == t->example && made->from == t->from && made->to == t->to;
	if (fits)
		t->t = made;
	else
		token_influence_free(made);
	t->done = fits || (err != OK && err != ERR_CANCELLED);
	if (err != OK)
		err_copy(t->failed, sizeof(t->failed));
}

static void
end_verbatim(struct inquiry *q, enum err err)
{
	struct spans *v = &q->verbatim;
	v->done = err != ERR_CANCELLED;
	v->span = q->made;
	v->n = err == OK ? q->made_n : 0;
	if (err != OK)
		err_copy(v->failed, sizeof(v->failed));
}

static void
inquiry_done(void *arg, enum err err)
{
	static void (*const ends[])(struct inquiry *q, enum err err) = {
		[STAGE_ASK] = end_ask, [STAGE_SCORES] = end_scores, [STAGE_RANK] = end_rank, [STAGE_EXACT] = end_rank,
		[STAGE_STRENGTH] = end_strength, [STAGE_MARKS] = end_marks,
		[STAGE_TOKENS] = end_tokens, [STAGE_VERBATIM] = end_verbatim,
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

static bool
tokens_missing(const struct inquiry *q)
{
	return q->tokens.wanted && !q->tokens.done && q->scored && q->source->info.indexed && q->query->n_out > 0;
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
	if (tokens_missing(q))
		return STAGE_TOKENS;
	if (!q->verbatim.done)
		return STAGE_VERBATIM;
	if (!q->strength && q->scored)
		return STAGE_STRENGTH;
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
		q->about = (struct about){ q->marks.example, q->marks.from, q->marks.to };
		const struct example *e = q->source->ops->example(q->source, q->marks.example);
		q->made_floats = xcalloc((size_t)e->n_tokens + 1, sizeof(float));
	}
	if (stage == STAGE_TOKENS)
		q->about = (struct about){ q->tokens.example, q->tokens.from, q->tokens.to };
}

bool
inquiry_step(struct inquiry *q)
{
	static const struct { const char *what; enum err (*fn)(struct job *job, void *arg); } stages[] = {
		[STAGE_ASK] = { "writing", job_ask }, [STAGE_SCORES] = { "scoring", job_scores },
		[STAGE_RANK] = { "ranking", job_rank }, [STAGE_EXACT] = { "rescoring exactly", job_rank },
		[STAGE_STRENGTH] = { "comparing every token", job_strength }, [STAGE_MARKS] = { "marking", job_marks },
		[STAGE_TOKENS] = { "token by token", job_tokens },
		[STAGE_VERBATIM] = { "looking for the words", job_verbatim },
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
