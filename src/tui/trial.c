/* trial: asking, starting, stopping. All on the screen's thread but the functions named job_*. */
#include "trial.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

/* ---- what is asked ---- */

void
trial_ask_copy(struct trial_ask *to, const struct trial_ask *from)
{
	*to = *from;
	to->prompt = xstrdup(from->prompt);
	to->target = from->target ? xstrdup(from->target) : NULL;
	to->output = xstrndup(from->output ? from->output : "", from->n_output);
	to->byte_of = xmalloc(((size_t)from->n_out + 1) * sizeof(*to->byte_of));
	memcpy(to->byte_of, from->byte_of, ((size_t)from->n_out + 1) * sizeof(*to->byte_of));
	to->removed = xstrdup(from->removed);
	to->sample.stop = NULL;
	to->sample.n_stop = 0;
}

void
trial_ask_free(struct trial_ask *ask)
{
	free(ask->prompt);
	free(ask->target);
	free(ask->output);
	free(ask->byte_of);
	free(ask->removed);
	*ask = (struct trial_ask){0};
}

static bool
same_removal(const struct whatif_options *a, const struct whatif_options *b)
{
	return a->top == b->top && a->contributor == b->contributor && a->controls == b->controls && a->seed == b->seed
		&& (a->top > 0 || a->contributor != 0 || a->example == b->example);
}

bool
trial_is(const struct trial *t, const struct trial_ask *ask)
{
	const struct trial_ask *a = &t->ask;
	/* The output stands for the sampling that made it. */
	return t->state != TRIAL_NONE && strcmp(a->prompt, ask->prompt) == 0 && a->n_output == ask->n_output
		&& memcmp(a->output, ask->output, a->n_output) == 0
		&& a->method == ask->method && a->from == ask->from && a->to == ask->to && a->exact == ask->exact
		&& same_removal(&a->options, &ask->options);
}

/* ---- jobs ---- */

static enum err
job_estimate(struct job *job, void *arg)
{
	struct trial *t = arg;
	return t->source->ops->estimate(t->source, &t->ask.options, job, &t->made_seconds);
}

static enum err
job_run(struct job *job, void *arg)
{
	struct trial *t = arg;
	return t->source->ops->whatif(t->source, &t->ask, job, &t->made);
}

/* ---- their ends ---- */

static bool
trial_failed(struct trial *t, enum err err)
{
	if (err == OK)
		return false;
	t->state = err == ERR_CANCELLED ? TRIAL_STOPPED : TRIAL_FAILED;
	err_copy(t->error, sizeof(t->error));
	return true;
}

static void
end_estimate(void *arg, enum err err)
{
	struct trial *t = arg;
	if (trial_failed(t, err))
		return;
	t->seconds = t->made_seconds;
	t->state = TRIAL_READY;
}

static void
end_run(void *arg, enum err err)
{
	struct trial *t = arg;
	if (trial_failed(t, err))
		return;
	t->result = t->made;
	t->made = NULL;
	t->state = TRIAL_DONE;
}

/* ---- what one can do ---- */

enum err
trial_open(struct trial *t)
{
	*t = (struct trial){ .seconds = NAN };
	return worker_open(&t->worker);
}

static void
trial_clear(struct trial *t)
{
	if (t->source)
		t->source->ops->free_whatif(t->result);
	trial_ask_free(&t->ask);
	t->result = NULL;
	t->state = TRIAL_NONE;
	t->seconds = NAN;
}

void
trial_close(struct trial *t)
{
	worker_close(&t->worker);
	trial_clear(t);
}

bool
trial_busy(const struct trial *t)
{
	return t->state == TRIAL_ESTIMATING || t->state == TRIAL_RUNNING;
}

void
trial_estimate(struct trial *t, struct source *s, const struct trial_ask *ask)
{
	assert(t->state != TRIAL_RUNNING);
	worker_stop(&t->worker);
	trial_clear(t);
	t->source = s;
	trial_ask_copy(&t->ask, ask);
	t->state = TRIAL_ESTIMATING;
	enum err err = worker_start(&t->worker, "estimating", job_estimate, end_estimate, t);
	if (err != OK)
		end_estimate(t, err);
}

void
trial_start(struct trial *t)
{
	assert(!trial_busy(t) && t->state != TRIAL_NONE);
	t->state = TRIAL_RUNNING;
	enum err err = worker_start(&t->worker, "verifying", job_run, end_run, t);
	if (err != OK)
		end_run(t, err);
}

void
trial_stop(struct trial *t)
{
	worker_cancel(&t->worker);
}

double
trial_part(struct trial *t)
{
	struct job_view look;
	if (!t->worker.busy)
		return NAN;
	job_look(&t->worker.job, &look);
	return look.total > 0 ? fmin((double)look.done / (double)look.total, 1) : (double)NAN;
}
