/* curvature_fit: the sample, and what its two passes share. */
#include "curvature_fit.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"

/* ---- the sample ---- */

static uint64_t
example_targets(const struct dataset *d, uint32_t i)
{
	uint64_t tokens = d->start[i + 1] - d->start[i];
	return tokens > 0 ? tokens - 1 : 0;
}

/* Fills example (d->n) and *n, *targets. */
static enum err
sample_examples(const struct dataset *d, const struct curvature_options *o, uint32_t *example, size_t *n,
	size_t *targets)
{
	size_t trained = 0;
	struct rng rng;
	for (size_t i = 0; i < d->n; i++)
		if (!d->heldout[i] && example_targets(d, (uint32_t)i) > 0)
			example[trained++] = (uint32_t)i;
	rng_init(&rng, o->seed, STREAM_SAMPLE);
	rng_shuffle(&rng, example, trained);
	*n = *targets = 0;
	while (*n < trained && (o->max_tokens == 0 || *targets < o->max_tokens))
		*targets += example_targets(d, example[(*n)++]);
	return *n > 0 ? OK : err_set(ERR_MISSING, "the run has no training examples to measure curvature on");
}

/* ---- both passes ---- */

static int *
layers_by_linear(const struct curvature *c, const struct model *m)
{
	int *of = xcalloc((size_t)m->n_linears + 1, sizeof(*of));
	for (int i = 0; i < m->n_linears; i++)
		of[i] = -1;
	for (int i = 0; i < c->n_layers; i++)
		of[c->layers[i].linear] = i;
	return of;
}

static uint32_t
layer_roles(const struct curvature *c, const struct model *m)
{
	uint32_t roles = 0;
	for (int i = 0; i < c->n_layers; i++)
		roles |= 1u << m->linears[c->layers[i].linear].role;
	return roles;
}

enum err
fit_begin(struct fit *f, struct curvature *c, const struct model *m, const float *params, const struct dataset *data,
	const struct curvature_options *o, struct pool *pool, struct job *job)
{
	*f = (struct fit){ .c = c, .options = o, .example = xcalloc(data->n + 1, sizeof(*f->example)) };
	*c = (struct curvature){0};
	mm_init();
	TRY(sample_examples(data, o, f->example, &f->n_examples, &f->n_rows));
	TRY(curvature_new(c, m, o->k));
	pieces_cut(&f->pieces, data, f->example, f->n_examples);
	f->layer_of = layers_by_linear(c, m);
	f->sampled = (struct sampled){ .model = m, .params = params, .data = data, .pieces = &f->pieces,
		.seed = o->seed, .roles = layer_roles(c, m), .pool = pool, .job = job };
	return OK;
}

void
fit_end(struct fit *f)
{
	free(f->layer_of);
	pieces_free(&f->pieces);
	free(f->example);
}

enum err
curvature_compute(struct curvature *c, const struct model *m, const float *params, const struct dataset *data,
	const struct curvature_options *o, struct pool *pool, struct job *job)
{
	enum err err;
	struct fit f;
	TRY_OUT(fit_begin(&f, c, m, params, data, o, pool, job));
	job_phase(job, "curvature", 2 * f.n_examples);
	TRY_OUT(fit_bases(&f));
	f.sampled.done = f.n_examples;
	TRY_OUT(fit_spectrum(&f));
	err = curvature_project(c, o->seed, o->whiten_damping, pool);
out:
	if (err != OK)
		curvature_free(c);
	fit_end(&f);
	return err;
}
