/* direction: of one span at every checkpoint, kept for the next question about it. */
#include "direction.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "query_private.h"
#include "session_index.h"

static const size_t keep_bytes = (size_t)512 << 20;

void
direction_free(struct direction *d)
{
	if (!d)
		return;
	for (int i = 0; i < d->n_points * d->layers.n; i++)
		free(d->v[i]);
	free(d->v);
	free(d->known);
	layer_set_free(&d->layers);
	free(d);
}

static struct direction *
direction_new(const struct session *s, int from, int to)
{
	struct direction *d = xcalloc(1, sizeof(*d));
	d->from = from;
	d->to = to;
	d->n_points = s->index->n_points;
	layer_set_make(&d->layers, &s->model);
	d->v = xcalloc((size_t)d->n_points * (size_t)d->layers.n + 1, sizeof(*d->v));
	d->kept = layer_set_values(&d->layers) * (size_t)d->n_points <= keep_bytes / sizeof(float);
	return d;
}

struct direction *
direction_of(struct query *q, int from, int to)
{
	if (q->direction && (q->direction->from != from || q->direction->to != to)) {
		direction_free(q->direction);
		q->direction = NULL;
	}
	if (!q->direction)
		q->direction = direction_new(q->session, from, to);
	return q->direction;
}

void
direction_know(struct query *q, int from, int to, const float *scores)
{
	struct direction *d = direction_of(q, from, to);
	size_t n = q->session->data.n;
	free(d->known);
	d->known = xcalloc(n + 1, sizeof(*d->known));
	memcpy(d->known, scores, n * sizeof(*scores));
}

static void
direction_drop(struct direction *d, int point)
{
	for (int i = 0; i < d->layers.n; i++) {
		free(d->v[point * d->layers.n + i]);
		d->v[point * d->layers.n + i] = NULL;
	}
}

enum err
direction_make(struct direction *d, struct query *q, int point, struct job *job)
{
	struct query *const one[] = { q };
	const struct spans span = { one, &d->from, &d->to, 1 };
	float **v = d->v + point * d->layers.n;
	enum err err = OK;
	if (d->layers.n == 0 || v[0])
		return OK;
	for (int i = 0; i < d->layers.n; i++)
		TRY_OUT(mem_array(&v[i], layer_set_size(&d->layers, i), sizeof(**v), "direction of the query"));
	err = directions_make(q->session, &d->layers, &span, TURN_SOLVE, point, v, job);
out:
	if (err != OK)
		direction_drop(d, point);
	return err;
}

void
direction_release(struct direction *d, int point)
{
	if (!d->kept)
		direction_drop(d, point);
}
