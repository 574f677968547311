/* plan: order of examples, learning rates, kept steps. */
#include "plan.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "byline/rng.h"

static size_t
trained_count(const struct dataset *d)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += !d->heldout[i];
	return n;
}

static int64_t
epoch_steps(const struct train_spec *spec)
{
	int64_t n = (int64_t)trained_count(spec->data), batch = spec->options.batch;
	return (n + batch - 1) / batch;
}

int64_t
train_steps(const struct train_spec *spec)
{
	return epoch_steps(spec) * spec->options.epochs;
}

void
plan_open(struct plan *p, const struct train_spec *spec)
{
	const struct train_options *o = &spec->options;
	*p = (struct plan){ .spec = spec, .n = trained_count(spec->data), .epoch = -1 };
	assert(p->n > 0 && spec->data->n <= UINT32_MAX);
	p->per_epoch = epoch_steps(spec);
	p->steps = train_steps(spec);
	/* 8 %, rounded up so that even a short run has one. */
	p->warmup = o->warmup >= 0 ? o->warmup : (p->steps * 2 + 24) / 25;
	p->order = xcalloc(p->n, sizeof(*p->order));
	p->batch = xcalloc((size_t)o->batch, sizeof(*p->batch));
}

void
plan_close(struct plan *p)
{
	free(p->order);
	free(p->batch);
	*p = (struct plan){0};
}

static void
plan_shuffle(struct plan *p, int64_t epoch)
{
	const struct dataset *d = p->spec->data;
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		if (!d->heldout[i])
			p->order[n++] = (uint32_t)i;
	struct rng r;
	rng_init(&r, p->spec->options.seed, (uint64_t)epoch);
	rng_shuffle(&r, p->order, n);
	p->epoch = epoch;
}

size_t
plan_batch(struct plan *p, int64_t step)
{
	assert(step >= 0 && step < p->steps);
	if (step / p->per_epoch != p->epoch)
		plan_shuffle(p, step / p->per_epoch);
	const uint8_t *drop = p->spec->drop;
	size_t batch = (size_t)p->spec->options.batch, from = (size_t)(step % p->per_epoch) * batch;
	size_t to = p->n - from < batch ? p->n : from + batch, n = 0;
	for (size_t i = from; i < to; i++)
		if (!drop || !drop[p->order[i]])
			p->batch[n++] = p->order[i];
	return n;
}

double
plan_lr(const struct plan *p, int64_t step)
{
	const double pi = 3.14159265358979323846;
	const struct train_options *o = &p->spec->options;
	if (step < p->warmup)
		return o->lr * (double)(step + 1) / (double)p->warmup;
	double left = (double)(p->steps - 1 - p->warmup);
	double done = left > 0 ? (double)(step - p->warmup) / left : 0;
	return o->lr * (o->lr_floor + (1 - o->lr_floor) * 0.5 * (1 + cos(pi * done)));
}

bool
plan_epoch_ends(const struct plan *p, int64_t done)
{
	return done > 0 && done % p->per_epoch == 0;
}

static bool
keeps(int64_t keep, int64_t steps, int64_t done)
{
	int64_t parts = keep + keep % 2;
	if (keep == 1)
		return done == steps;
	for (int64_t i = parts - keep + 1; i <= parts; i++)
		if (done > 0 && done == (i * steps + parts / 2) / parts)
			return true;
	return false;
}

bool
plan_keeps(const struct plan *p, int64_t done)
{
	return keeps(p->spec->options.keep, p->steps, done);
}

bool
train_keeps(const struct train_spec *spec, int64_t done)
{
	return keeps(spec->options.keep, train_steps(spec), done);
}
