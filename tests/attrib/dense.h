/* dense: gradients of whole sequences at every parameter, from the backward pass itself. */
#ifndef BYLINE_TESTS_DENSE_H
#define BYLINE_TESTS_DENSE_H

#include <stdlib.h>

#include "byline/attrib.h"
#include "byline/mem.h"
#include "unit.h"

/* Dense gradient of the summed loss over rows with a target, times their weights (NULL: 1). */
static inline float *
dense_gradient(const struct model *m, const float *params, const int32_t *token, const int32_t *target, int rows,
	const float *weight)
{
	float *grads = xcalloc(m->n_params, sizeof(*grads));
	int32_t start[2] = { 0, rows };
	struct batch b = { .n_seq = 1, .rows = rows, .start = start, .token = token, .target = target };
	struct acts *acts = acts_new(m);
	assert_ok(model_forward(m, params, acts, &b));
	acts_loss(m, acts, &b, weight, NULL);
	model_backward(m, params, acts, &b, grads, NULL);
	acts_free(acts);
	return grads;
}

static inline float *
span_gradient(const struct query *q, const float *params, int from, int to)
{
	int rows = q->n_prompt + q->n_out - 1;
	int32_t *target = xcalloc((size_t)rows, sizeof(*target));
	for (int i = 0; i < rows; i++)
		target[i] = i + 1 >= q->n_prompt + from && i + 1 < q->n_prompt + to ? q->tokens[i + 1] : -1;
	float *g = dense_gradient(&q->session->model, params, q->tokens, target, rows, NULL);
	free(target);
	return g;
}

static inline float *
example_gradient(const struct session *s, const float *params, uint32_t i)
{
	const int32_t *token = s->data.token + s->data.start[i];
	return dense_gradient(&s->model, params, token, token + 1, (int)(s->data.start[i + 1] - s->data.start[i]) - 1,
		NULL);
}

#endif
