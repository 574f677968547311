/*
 * Method "bergson": inner products with the rows of a gradient index that bergson made of the same checkpoint:
 *
 *   s_i = < q, r_i >,   r_i = the modules' sum_t g_t a_t^T, or L (sum_t g_t a_t^T) R^T, side by side
 *
 * with q the same of the span's negative log-likelihood. Unprojected it is the gradient product of Pruthi et al. 2020,
 * "Estimating training data influence by tracing gradient descent", eq. 1, at one checkpoint; projected on both sides
 * that of Choe et al. 2024, section 3.1, and Chang et al. 2024, "Scalable influence and fact tracing for large language
 * model pretraining", section 4, without their curvature; cosines when the index's rows were divided by their norms.
 */
#include "byline/attrib.h"

#include <stdlib.h>

#include "byline/mem.h"
#include "bergson_index.h"
#include "query_private.h"
#include "span.h"
#include "tables.h"

static void
bergson_free(void *table)
{
	bergson_index_close(table);
}

static enum err
bergson_make(const struct session *s, struct job *job, void **out)
{
	struct bergson_index *x;
	job_phase(job, "opening the index", 0);
	TRY(bergson_index_open(s, &x));
	*out = x;
	return OK;
}

static enum err
rows_make(const struct bergson_index *x, const struct spans *spans, float *rows, struct job *job)
{
	struct acts *acts = acts_new(x->plan.model);
	enum err err = OK;
	job_phase(job, "gradients of the output", spans->n);
	for (size_t i = 0; err == OK && i < spans->n; i++) {
		struct span_batch b;
		span_batch_make(&b, spans->q[i], spans->from[i], spans->to[i]);
		err = bergson_row(&x->plan, acts, &b.batch, spans->to[i] - spans->from[i], rows + i * x->info.width);
		span_batch_free(&b);
		job_step(job, i + 1);
		if (err == OK)
			err = job_check(job);
	}
	acts_free(acts);
	return err;
}

static enum err
bergson_spans(const struct spans *spans, float *scores, struct job *job)
{
	static const struct table_kind kind = { TABLE_BERGSON, bergson_make, bergson_free };
	const struct session *s = spans->q[0]->session;
	void *table;
	float *rows;
	TRY(table_of(s, &kind, job, &table));
	const struct bergson_index *x = table;
	TRY(mem_array(&rows, spans->n * x->info.width, sizeof(*rows), "rows of queries"));
	enum err err = rows_make(x, spans, rows, job);
	if (err == OK)
		err = bergson_index_scores(x, s, rows, spans->n, scores, job);
	free(rows);
	return err;
}

enum err
method_bergson_score(struct query *q, int from, int to, float *scores, struct job *job)
{
	return spans_one(q, from, to, bergson_spans, scores, job);
}

enum err
method_bergson_many(struct query *const *q, size_t n, float *scores, struct job *job)
{
	return spans_whole(q, n, bergson_spans, scores, job);
}

enum err
method_bergson_ready(const struct session *s)
{
	if (bergson_index_there(&s->run))
		return OK;
	return err_set(ERR_MISSING, "method bergson needs a gradient index made by bergson, and run %s has none: "
		"`byline import-index` takes one", s->run.name);
}
