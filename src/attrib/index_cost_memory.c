/* index_cost_memory: the most that is in memory at a time, stage by stage, as the stages allocate it. */
#include "index_cost.h"

#include <string.h>

#include "features_internal.h"

struct sizes {
	size_t weights, batch, bases, projections;
	size_t room, eigen, codes, columns;
	size_t workers, checkpoints, rows;
};

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int
longest(const struct dataset *d)
{
	uint64_t most = 0;
	for (size_t i = 0; i < d->n; i++)
		most = d->start[i + 1] - d->start[i] > most ? d->start[i + 1] - d->start[i] : most;
	return most > 1 ? (int)(most - 1) : 1;
}

static void
sizes_side(struct sizes *s, const struct curvature_side *side)
{
	size_t n = (size_t)side->n;
	s->bases += side->q ? (n * n + n) * sizeof(float) : 0;
	s->bases += side->diagonal ? n * sizeof(float) : 0;
	s->projections += (side->diagonal ? 2 * n : (size_t)side->k * n) * sizeof(float);
	/* ssyevd's work space and its packed basis */
	s->eigen = side->q ? larger(s->eigen, 5 * n * n / 2 * sizeof(float)) : s->eigen;
}

static void
sizes_layers(struct sizes *s, const struct cost *c)
{
	for (int i = 0; i < c->curvature.n_layers; i++) {
		const struct curvature_layer *l = &c->curvature.layers[i];
		sizes_side(s, &l->a);
		sizes_side(s, &l->s);
		s->bases += (size_t)l->in * (size_t)l->out * sizeof(float);
	}
}

static struct sizes
sizes_of(const struct cost *c)
{
	const struct indexing *x = c->x;
	struct sizes s = { .weights = c->loaded, .workers = (size_t)pool_threads(x->pool),
		.room = fit_room(&c->fit), .rows = (size_t)x->info.n_rows,
		.checkpoints = (size_t)x->info.n_checkpoints };
	size_t pieces = c->fit.pieces.n;
	s.batch = (pieces < s.workers ? pieces : s.workers)
		* acts_bytes(&x->model, c->fit.pieces.max_rows, longest(&x->data));
	sizes_layers(&s, c);
	s.codes = s.rows * (x->layout.code_bytes + 2 * (size_t)x->layout.n_blocks * sizeof(float));
	if (feature_layout_own(&x->layout))
		s.codes += s.rows * (size_t)feature_layout_own(&x->layout)->ks * sizeof(uint32_t);
	return s;
}

static size_t
curvature_peak(const struct sizes *s)
{
	return s->weights + s->bases + larger(s->batch + s->workers * s->room, s->workers * s->eigen);
}

/* Reading the projections back: all of the file, mapped, and one checkpoint's bases. */
static size_t
reading_peak(const struct cost *c, const struct sizes *s)
{
	size_t file = (size_t)c->x->info.file[0].bytes;
	return file + s->bases + s->checkpoints * s->projections;
}

static size_t
features_peak(const struct cost *c, const struct sizes *s)
{
	const struct feature_layout *l = &c->x->layout;
	size_t rows = s->rows < SHARD_ROWS ? s->rows : SHARD_ROWS, values = l->width * sizeof(float);
	size_t projected = 0;
	for (int i = 0; i < l->n_blocks; i++)
		projected = larger(projected, (size_t)(l->block[i].ka + l->block[i].ks));
	projected *= 2 * (size_t)c->fit.pieces.max_rows * sizeof(float);
	return s->checkpoints * s->projections + rows * values
		+ larger(larger(c->opening, s->weights + s->batch + s->workers * projected), rows * l->code_bytes);
}

static size_t
hidden_peak(const struct cost *c, const struct sizes *s)
{
	return s->checkpoints * s->projections + s->weights + s->batch
		+ indexing_hidden_block(c->x) * (size_t)c->x->model.config.d_model * sizeof(float);
}

static size_t
null_peak(const struct cost *c, const struct sizes *s)
{
	const struct feature_block *own = feature_layout_own(&c->x->layout);
	size_t group = (size_t)indexing_null_group(c->x) * indexing_null_query_bytes(c->x);
	size_t table = own ? (size_t)c->x->layout.vocab * (size_t)own->ka * 2 * sizeof(float) : 0;
	int rows = NULL_LENGTHS * 2 * null_lengths[NULL_LENGTHS - 1];
	size_t batch = s->workers * acts_bytes(&c->x->model, rows, rows / NULL_LENGTHS);
	return s->checkpoints * s->projections + group + s->rows * NULL_LENGTHS * 3 * sizeof(double)
		+ larger(larger(c->opening, s->weights + batch), s->codes + table);
}

void
cost_memory(struct cost *c)
{
	struct sizes s = sizes_of(c);
	size_t most = larger(c->opening, curvature_peak(&s));
	most = larger(most, reading_peak(c, &s));
	most = larger(most, features_peak(c, &s));
	most = larger(most, hidden_peak(c, &s));
	most = larger(most, null_peak(c, &s));
	c->out->memory = c->resident + most;
	c->out->weights = s.weights;
	c->out->batch = s.batch;
	c->out->curvature = s.bases + s.projections;
}
