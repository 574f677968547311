/*
 * Method "hidden": cosine of mean final hidden states, the span's against the example's, at the final checkpoint.
 *
 * What retrieval by embedding would say; among gradient-free similarities the usual baseline (Hanawa et al. 2021,
 * "Evaluation of similarity-based explanations", section 3), as there without centring. Not a prediction of anything:
 * see byline(7).
 */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>

#include "byline/mem.h"
#include "query_private.h"
#include "session_index.h"

/* mean (d_model) of the states at the span's tokens. */
static enum err
span_hidden(const struct query *q, int from, int to, double *mean)
{
	const struct model *m = &q->session->model;
	int d = m->config.d_model, rows = q->n_prompt + to;
	int32_t start[2] = { 0, rows };
	struct batch b = { .n_seq = 1, .rows = rows, .start = start, .token = q->tokens };
	struct acts *acts = acts_new(m);
	enum err err = model_forward(m, m->params, acts, &b);
	for (int r = q->n_prompt + from; err == OK && r < rows; r++)
		for (int i = 0; i < d; i++)
			mean[i] += (double)acts_hidden(acts)[(size_t)r * (size_t)d + (size_t)i] / (to - from);
	acts_free(acts);
	return err;
}

static double
cosine(const double *x, const float *y, int n)
{
	double xx = 0, yy = 0, xy = 0;
	for (int i = 0; i < n; i++) {
		xx += x[i] * x[i];
		yy += (double)y[i] * y[i];
		xy += x[i] * y[i];
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx) / sqrt(yy) : 0;
}

enum err
method_similarity_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	const struct session *s = q->session;
	const struct index *x = s->index;
	const struct st_tensor *hidden = st_find(&x->hidden, "hidden");
	int d = s->model.config.d_model;
	double *mean = xcalloc((size_t)d, sizeof(*mean));
	float *row = xcalloc((size_t)d, sizeof(*row));
	enum err err = OK;
	job_phase(job, "hidden states", features_rows(x->features));
	TRY_OUT(span_hidden(q, from, to, mean));
	for (size_t i = 0; i < s->data.n; i++)
		scores[i] = NAN;
	for (size_t i = 0; i < features_rows(x->features); i++) {
		if (i % 4096 == 0)
			TRY_OUT(job_check(job));
		TRY_OUT(st_read_f32(&x->hidden, hidden, (uint64_t)i * (uint64_t)d, (uint64_t)d, row));
		scores[features_example(x->features, i)] = (float)cosine(mean, row, d);
	}
out:
	free(mean);
	free(row);
	return err;
}

size_t
method_similarity_stored(const struct session *s)
{
	return 2 * (size_t)s->model.config.d_model;
}
