/*
 * trust_random: the randomisation test (Adebayo et al. 2018, "Sanity checks for saliency maps", section 3; for training
 * data attribution: Bareeva et al. 2024, "Quanda"). Features are made again as an index makes them, curvature,
 * whitening and projection, but from weights that have learned nothing. What then still agrees with the method's scores
 * comes from the texts and the shape of the network, not from training.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/curvature.h"
#include "byline/features.h"
#include "byline/mem.h"
#include "trust_private.h"

enum { SAMPLE = 256, SIDE = 32, CURVATURE_TOKENS = 20000 };

/* "random", so that no other use of the seed meets these numbers. */
static const uint64_t stream_random = UINT64_C(0x72616e646f6d0000);

struct random_features {
	struct model model;		/* of random weights */
	struct curvature curvature;
	struct feature_layout layout;
	struct projector *projector;
	float *row;			/* (width): of one sequence */
};

static enum err
random_new(const struct bank *b, struct job *job, struct random_features *f)
{
	const struct session *s = b->session;
	struct curvature_options o;
	curvature_defaults(&o);
	o.k = SIDE;
	o.seed = b->options.seed;
	o.max_tokens = CURVATURE_TOKENS;
	TRY(model_new(&f->model, &s->model.config, true));
	model_init(&f->model, b->options.seed);
	TRY(curvature_compute(&f->curvature, &f->model, f->model.params, &s->data, &o, s->pool, job));
	TRY(curvature_project_vocabulary(&f->curvature, SIDE, b->options.seed));
	feature_layout_make(&f->layout, &f->model, &f->curvature, 8);
	f->projector = projector_new(&f->model, &f->layout);
	return mem_array(&f->row, f->layout.width, sizeof(*f->row), "features from random weights");
}

static void
random_free(struct random_features *f)
{
	projector_free(f->projector);
	feature_layout_free(&f->layout);
	curvature_free(&f->curvature);
	model_free(&f->model);
	free(f->row);
}

/* f->row of one sequence whose last `targets` of n tokens have a loss. */
static enum err
random_row(struct random_features *f, const int32_t *token, int n, int targets)
{
	int32_t start[2] = { 0, n - 1 }, *target = xcalloc((size_t)n, sizeof(*target));
	struct batch batch = { .n_seq = 1, .rows = n - 1, .start = start, .token = token, .target = target };
	for (int i = 0; i < n - 1; i++)
		target[i] = i >= n - 1 - targets ? token[i + 1] : -1;
	memset(f->row, 0, f->layout.width * sizeof(*f->row));
	enum err err = projector_rows(f->projector, f->model.params, &f->curvature, &batch, NULL, 1, f->row);
	free(target);
	return err;
}

static enum err
random_queries(struct random_features *f, const struct bank *b, float *rows)
{
	for (int q = 0; q < b->n_queries; q++) {
		const struct bank_query *x = &b->query[q];
		TRY(random_row(f, x->token, x->n_prompt + x->n_out, x->n_out));
		memcpy(rows + (size_t)q * f->layout.width, f->row, f->layout.width * sizeof(*rows));
	}
	return OK;
}

static float
dot(const float *x, const float *y, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * y[i];
	return (float)sum;
}

/* random (queries, n): of the sampled examples. */
static enum err
random_scores(struct random_features *f, const struct bank *b, const float *rows, const uint32_t *example, size_t n,
	struct job *job, float *random)
{
	const struct dataset *d = &b->session->data;
	for (size_t j = 0; j < n; j++) {
		uint64_t at = d->start[example[j]];
		int tokens = (int)(d->start[example[j] + 1] - at);
		TRY(job_check(job));
		job_step(job, j);
		TRY(random_row(f, d->token + at, tokens, tokens - 1));
		for (int q = 0; q < b->n_queries; q++)
			random[(size_t)q * n + j] = dot(rows + (size_t)q * f->layout.width, f->row, f->layout.width);
	}
	return OK;
}

enum err
check_randomised(const struct bank *b, const float *score, struct job *job, double *agreement)
{
	uint32_t example[SAMPLE];
	struct random_features f = {0};
	size_t n = sample_trained(b, stream_random, SAMPLE, example), cells = (size_t)b->n_queries * n;
	float *rows = NULL, *random = xcalloc(cells + 1, sizeof(*random));
	float *trained = xcalloc(cells + 1, sizeof(*trained));
	enum err err;
	*agreement = NAN;
	job_note(job, "scores from random weights");
	TRY_OUT(random_new(b, job, &f));
	TRY_OUT(mem_array(&rows, (size_t)b->n_queries * f.layout.width, sizeof(*rows), "features of the queries"));
	TRY_OUT(random_queries(&f, b, rows));
	job_phase(job, "random weights", n);
	TRY_OUT(random_scores(&f, b, rows, example, n, job, random));
	for (size_t i = 0; i < cells; i++)
		trained[i] = score[i / n * b->session->data.n + example[i % n]];
	*agreement = metrics_agreement(trained, random, b->n_queries, n);
out:
	free(rows);
	free(random);
	free(trained);
	random_free(&f);
	return err;
}
