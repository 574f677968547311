/* step: lanes, reduction, update. */
#include "step.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"

#include "adamw.h"
#include "lanes.h"

enum err
step_open(struct step *s, struct model *m, int lanes, int batch, struct pool *pool)
{
	*s = (struct step){ .m = m, .pool = pool };
	/* A lane more than examples would never get one. */
	s->n_lanes = (size_t)(lanes < batch ? lanes : batch);
	s->lanes = xcalloc(s->n_lanes, sizeof(*s->lanes));
	for (size_t l = 0; l < s->n_lanes; l++)
		TRY(mem_array(&s->lanes[l].grad, m->n_params, sizeof(float), "gradients"));
	TRY(mem_array(&s->moment1, m->n_params, sizeof(float), "optimizer state"));
	TRY(mem_array(&s->moment2, m->n_params, sizeof(float), "optimizer state"));
	slices_make(&s->slices, m);
	s->square = xcalloc(s->slices.n, sizeof(*s->square));
	s->acts = xcalloc((size_t)pool_threads(pool), sizeof(*s->acts));
	s->dealt = xcalloc((size_t)batch, sizeof(*s->dealt));
	s->start = xcalloc(s->n_lanes + 1, sizeof(*s->start));
	return OK;
}

void
step_close(struct step *s)
{
	for (size_t l = 0; l < s->n_lanes; l++) {
		ragged_free(&s->lanes[l].ragged);
		free(s->lanes[l].grad);
	}
	for (int i = 0; s->acts && i < pool_threads(s->pool); i++)
		if (s->acts[i])
			acts_free(s->acts[i]);
	slices_free(&s->slices);
	free(s->lanes);
	free(s->acts);
	free(s->moment1);
	free(s->moment2);
	free(s->square);
	free(s->dealt);
	free(s->start);
	*s = (struct step){0};
}

/* ---- gradient ---- */

struct gradient {
	struct step *s;
	const struct dataset *d;
	size_t lanes;			/* with examples */
	float scale;			/* 1 / tokens */
};

struct lane_watch { const struct train_capture *capture; const uint32_t *example; int worker; };

static void
lane_linear(void *arg, int index, const float *a, const float *g, const struct batch *b)
{
	const struct lane_watch *w = arg;
	w->capture->linear(w->capture->arg, w->worker, w->example, index, a, g, b);
}

static void
lane_backward(struct step *s, size_t l, int worker)
{
	struct lane_watch watch = { s->capture, s->dealt + s->start[l], worker };
	const bool watched = s->capture && s->capture->linear;
	const struct tap tap = { .arg = &watch, .linear = lane_linear, .roles = watched ? s->capture->roles : 0 };
	model_backward(s->m, s->m->params, s->acts[worker], &s->lanes[l].ragged.batch, s->lanes[l].grad,
		watched ? &tap : NULL);
}

static void
lane_run(void *arg, size_t l, int worker)
{
	struct gradient *g = arg;
	struct step *s = g->s;
	struct lane *lane = &s->lanes[l];
	struct acts **acts = &s->acts[worker];
	if (!*acts)
		*acts = acts_new(s->m);
	ragged_fill(&lane->ragged, g->d, s->dealt + s->start[l], s->start[l + 1] - s->start[l]);
	const struct batch *b = &lane->ragged.batch;
	lane->err = model_forward(s->m, s->m->params, *acts, b);
	if (lane->err != OK) {
		err_copy(lane->message, sizeof(lane->message));
		return;
	}
	lane->loss = acts_loss(s->m, *acts, b, NULL, NULL);
	lane_backward(s, l, worker);
}

/* dst += src, and src is left zero: its next use adds into it. */
static void
add_and_clear(float *restrict dst, float *restrict src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] += src[i];
		src[i] = 0;
	}
}

/* Scales v and returns its sum of squares, in eight running sums whatever the vector unit. */
static double
scale_and_square(float *v, size_t n, float scale)
{
	double sum[8] = {0};
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (size_t j = 0; j < 8; j++) {
			v[i + j] *= scale;
			sum[j] += (double)v[i + j] * (double)v[i + j];
		}
	for (; i < n; i++) {
		v[i] *= scale;
		sum[0] += (double)v[i] * (double)v[i];
	}
	return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static void
slice_reduce(void *arg, size_t i, int worker)
{
	(void)worker;
	struct gradient *g = arg;
	struct step *s = g->s;
	const struct slice *p = &s->slices.v[i];
	float *sum = s->lanes[0].grad + p->at;
	for (size_t l = 1; l < g->lanes; l++)
		add_and_clear(sum, s->lanes[l].grad + p->at, p->n);
	s->square[i] = scale_and_square(sum, p->n, g->scale);
}

static enum err
lanes_error(const struct step *s, size_t lanes)
{
	for (size_t l = 0; l < lanes; l++)
		if (s->lanes[l].err != OK)
			return err_set(s->lanes[l].err, "%s", s->lanes[l].message);
	return OK;
}

enum err
step_gradient(struct step *s, const struct dataset *d, const uint32_t *example, size_t n, struct step_result *out)
{
	assert(n >= 1);
	struct gradient g = { .s = s, .d = d };
	*out = (struct step_result){0};
	g.lanes = lanes_deal(d, example, n, s->n_lanes, s->dealt, s->start);
	pool_run(s->pool, g.lanes, lane_run, &g);
	TRY(lanes_error(s, g.lanes));
	for (size_t l = 0; l < g.lanes; l++) {
		out->loss += s->lanes[l].loss;
		out->tokens += s->lanes[l].ragged.batch.rows;
	}
	out->loss /= (double)out->tokens;
	g.scale = (float)(1.0 / (double)out->tokens);
	pool_run(s->pool, s->slices.n, slice_reduce, &g);
	double square = 0;
	for (size_t i = 0; i < s->slices.n; i++)
		square += s->square[i];
	out->norm = sqrt(square);
	return OK;
}

/* ---- update ---- */

struct update {
	struct step *s;
	struct adamw adamw;
};

static void
slice_update(void *arg, size_t i, int worker)
{
	(void)worker;
	struct update *u = arg;
	struct step *s = u->s;
	const struct slice *p = &s->slices.v[i];
	adamw_update(&u->adamw, s->m->params + p->at, s->moment1 + p->at, s->moment2 + p->at, s->lanes[0].grad + p->at,
		p->n, p->decay);
}

void
step_update(struct step *s, const struct train_options *o, double lr, double scale, int64_t t)
{
	struct update u = { .s = s, .adamw = adamw_at(o, lr, scale, t) };
	pool_run(s->pool, s->slices.n, slice_update, &u);
}
