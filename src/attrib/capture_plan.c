/* capture_plan: which epochs are watched, and how many tokens the curvature may take. */
#include "capture_internal.h"

#include <stdlib.h>

#include "byline/mem.h"

/* A token of curvature costs this many tokens of training: two passes, covariances, and each example's gradient in the
 * eigenbasis. Measured by bench_capture. */
static const double curvature_cost = 2.7;
/* Fewer tokens than this make no covariance; more, no better one. */
enum { TOKENS_MIN = 2048, TOKENS_MAX = 200000 };

static uint64_t
share_of_training(const struct train_spec *spec, int n_kept)
{
	double work = (double)dataset_tokens(spec->data, false) * spec->options.epochs;
	double tokens = CAPTURE_CURVATURE_SHARE * work / (curvature_cost * (n_kept > 0 ? n_kept : 1));
	return tokens < TOKENS_MIN ? TOKENS_MIN : tokens > TOKENS_MAX ? TOKENS_MAX : (uint64_t)tokens;
}

void
capture_plan_make(struct capture_plan *p, const struct train_spec *spec, uint64_t curvature_tokens)
{
	*p = (struct capture_plan){ .steps = train_steps(spec), .epochs = spec->options.epochs };
	p->per_epoch = p->steps / p->epochs;
	p->kept = xcalloc((size_t)spec->options.keep + 1, sizeof(*p->kept));
	for (int64_t done = 1; done <= p->steps && p->n_kept < spec->options.keep; done++)
		if (train_keeps(spec, done))
			p->kept[p->n_kept++] = done;
	p->first = p->n_kept > 0 && p->per_epoch > 0 ? (p->kept[0] + p->per_epoch - 1) / p->per_epoch : p->epochs;
	if (p->first < p->epochs)
		p->visits = (int)((p->epochs - p->first + CAPTURE_EVERY - 1) / CAPTURE_EVERY);
	p->tokens = curvature_tokens > 0 ? curvature_tokens : share_of_training(spec, p->n_kept);
}

void
capture_plan_free(struct capture_plan *p)
{
	free(p->kept);
	*p = (struct capture_plan){0};
}

int
capture_plan_visit(const struct capture_plan *p, int64_t step)
{
	int64_t since = step / p->per_epoch - p->first;
	return since >= 0 && since % CAPTURE_EVERY == 0 ? (int)(since / CAPTURE_EVERY) : -1;
}

bool
capture_plan_last(const struct capture_plan *p, int64_t step)
{
	return step / p->per_epoch == p->epochs - 1;
}

int
capture_plan_newest(const struct capture_plan *p, int64_t done)
{
	int i = p->n_kept - 1;
	while (i >= 0 && p->kept[i] > done)
		i--;
	return i;
}
