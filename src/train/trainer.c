/* trainer: one run's arithmetic. */
#include "trainer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "byline/mm.h"

/* The running mean of the loss forgets half of what it knew in about 14 steps. */
static const double loss_memory = 0.95;

static enum err
check_example(const struct dataset *d, size_t i, const struct model_config *c)
{
	uint64_t n = d->start[i + 1] - d->start[i];
	if (n < 2)
		return err_set(ERR_USAGE, "example %zu has no token to predict", i);
	if (n - 1 > (uint64_t)c->n_ctx)
		return err_set(ERR_LIMIT, "example %zu has %" PRIu64 " tokens, the model takes %d and one to predict",
			i, n, c->n_ctx);
	for (uint64_t j = d->start[i]; j < d->start[i + 1]; j++)
		if (d->token[j] < 0 || d->token[j] >= c->vocab)
			return err_set(ERR_MISMATCH, "example %zu has token %" PRId32 ", the model knows 0 to %d:"
				" another tokenizer made it", i, d->token[j], c->vocab - 1);
	return OK;
}

enum err
trainer_check(const struct model *m, const struct train_spec *spec)
{
	const struct dataset *d = spec->data;
	TRY(train_options_check(&spec->options));
	if (d->n > UINT32_MAX)
		return err_set(ERR_LIMIT, "%zu examples, at most %u can be trained on", d->n, UINT32_MAX);
	for (size_t i = 0; i < d->n; i++)
		TRY(check_example(d, i, &m->config));
	return train_steps(spec) > 0 ? OK : err_set(ERR_USAGE, "there is no example to train on");
}

enum err
trainer_open(struct trainer *t, struct model *m, const struct train_spec *spec, struct pool *pool, struct job *job)
{
	assert(m->params);
	*t = (struct trainer){ .m = m, .spec = spec, .pool = pool, .job = job };
	TRY(trainer_check(m, spec));
	mm_init();
	plan_open(&t->plan, spec);
	TRY(step_open(&t->step, m, spec->options.lanes, spec->options.batch, pool));
	model_init(m, spec->options.seed);
	t->status = (struct train_status){ .steps = t->plan.steps, .loss = NAN, .heldout = NAN };
	meter_start(&t->meter, 0);
	return OK;
}

void
trainer_close(struct trainer *t)
{
	plan_close(&t->plan);
	step_close(&t->step);
}

static enum err
diverged(const struct trainer *t, const char *what, double x)
{
	return err_set(ERR_USAGE, "training broke down at step %" PRId64 " of %" PRId64 ": the %s is %g; the learning"
		" rate is too high for this model, begin a new run with a lower --lr than %g",
		t->status.step + 1, t->status.steps, what, x, t->spec->options.lr);
}

static enum err
trainer_update(struct trainer *t, size_t n, double lr)
{
	const struct train_options *o = &t->spec->options;
	struct step_result r;
	TRY(step_gradient(&t->step, t->spec->data, t->plan.batch, n, &r));
	if (!isfinite(r.loss))
		return diverged(t, "loss", r.loss);
	if (!isfinite(r.norm))
		return diverged(t, "norm of the gradient", r.norm);
	double scale = o->clip > 0 && r.norm > o->clip ? o->clip / r.norm : 1;
	step_update(&t->step, o, lr, scale, ++t->updates);
	struct train_status *s = &t->status;
	s->loss = isnan(s->loss) ? r.loss : loss_memory * s->loss + (1 - loss_memory) * r.loss;
	s->grad_norm = r.norm;
	t->meter.tokens += (double)r.tokens;
	return OK;
}

static bool
trainer_watched(const struct trainer *t)
{
	const struct train_capture *c = t->capture;
	return c && (!c->wants || c->wants(c->arg, t->status.step));
}

enum err
trainer_step(struct trainer *t)
{
	struct train_status *s = &t->status;
	double lr = plan_lr(&t->plan, s->step);
	size_t n = plan_batch(&t->plan, s->step);
	const struct train_capture *watch = n > 0 && trainer_watched(t) ? t->capture : NULL;
	t->step.capture = watch;
	/* A batch with nothing left still takes its turn in the schedule: the others must not move. */
	if (n > 0)
		TRY(trainer_update(t, n, lr));
	s->lr = lr;
	s->step++;
	s->epoch = (int)((s->step - 1) / t->plan.per_epoch) + 1;
	return watch && watch->step ? watch->step(watch->arg, s->step) : OK;
}

void
trainer_evaluate(struct trainer *t)
{
	t->status.heldout = train_evaluate(t->m, t->m->params, t->spec->data, true, t->pool);
}

void
trainer_report(struct trainer *t, bool force)
{
	struct train_status *s = &t->status;
	job_step(t->job, (uint64_t)s->step);
	if (!force && !meter_due(&t->meter))
		return;
	meter_report(&t->meter, s->step);
	s->tokens_per_second = t->meter.token_rate;
	s->seconds_left = t->meter.step_rate > 0 ? (double)(s->steps - s->step) / t->meter.step_rate : NAN;
	if (!isnan(s->loss))
		job_note(t->job, "loss %.3f, %.1fk tokens/s", s->loss, s->tokens_per_second / 1000);
	if (t->spec->status)
		t->spec->status(t->spec->arg, s);
}
