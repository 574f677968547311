/* features_query: the query's side of scores, and scores of spans of it. */
#include <stdlib.h>

#include "byline/mem.h"
#include "features_internal.h"

enum err
feature_query_new(struct feature_query *q, const struct feature_layout *l, int n, int terms)
{
	const struct feature_block *own = feature_layout_own(l);
	size_t count = own ? (size_t)n * (size_t)terms : 0;
	*q = (struct feature_query){ .layout = l, .n = n, .terms = own ? terms : 0 };
	q->n_terms = xcalloc((size_t)n + 1, sizeof(*q->n_terms));
	TRY(mem_array(&q->dense, (size_t)n * l->dense + 1, sizeof(float), "features of the query"));
	TRY(mem_array(&q->s, count * (size_t)l->vocab + 1, sizeof(float), "features of the query"));
	return mem_array(&q->a, count * (size_t)(own ? own->ka : 0) + 1, sizeof(float), "features of the query");
}

void
feature_query_free(struct feature_query *q)
{
	free(q->dense);
	free(q->n_terms);
	free(q->s);
	free(q->a);
	*q = (struct feature_query){0};
}

static void
span_dense(const struct feature_query *q, int from, int to, float *row)
{
	size_t width = q->layout->dense;
	for (size_t j = 0; j < width; j++) {
		double sum = 0;
		for (int i = from; i < to; i++)
			sum += q->dense[(size_t)i * width + j];
		row[j] = (float)sum;
	}
}

enum err
features_scores(const struct features *f, const struct feature_query *q, const int *from, const int *to, int n,
	float *out, struct pool *pool, struct job *job)
{
	const struct feature_layout *l = q->layout;
	float *dense;
	struct fault fault;
	TRY(mem_array(&dense, (size_t)n * l->dense + 1, sizeof(*dense), "features of the span"));
	for (int j = 0; j < n; j++)
		span_dense(q, from[j], to[j], dense + (size_t)j * l->dense);
	fault_init(&fault, job);
	features_scan_dense(f, dense, n, out, pool, &fault);
	for (int j = 0; feature_layout_own(l) && j < n && fault_go(&fault); j++) {
		fault_set(&fault, features_scan_own(f, q, from[j], to[j], out + j, (size_t)n, pool, &fault));
		fault_step(&fault, 1);
	}
	free(dense);
	return fault_end(&fault);
}

static double
dot(const float *x, const float *y, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * y[i];
	return sum;
}

/* One outer product against the own rows of one example. */
static double
term_score(const struct feature_layout *l, const float *s, const float *a, const float *row, const uint32_t *tokens)
{
	const struct feature_block *b = feature_layout_own(l);
	double sum = 0;
	for (int i = 0; i < b->ks && tokens[i] != FEATURE_NONE; i++)
		sum += s[tokens[i]] * dot(a, row + b->at + (size_t)i * (size_t)b->ka, (size_t)b->ka);
	return sum;
}

void
features_row_scores(const struct feature_query *q, const float *row, const uint32_t *tokens, float *out)
{
	const struct feature_layout *l = q->layout;
	for (int i = 0; i < q->n; i++) {
		double sum = dot(q->dense + (size_t)i * l->dense, row, l->dense);
		for (int t = 0; t < q->n_terms[i]; t++) {
			size_t at = (size_t)i * (size_t)q->terms + (size_t)t;
			const float *s = q->s + at * (size_t)l->vocab;
			sum += term_score(l, s, q->a + at * (size_t)feature_layout_own(l)->ka, row, tokens);
		}
		out[i] = (float)sum;
	}
}
