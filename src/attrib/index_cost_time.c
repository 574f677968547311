/*
 * index_cost_time: each stage's own work on the real model and data, for a fraction of a second, and what all of it
 * would take at that speed.
 */
#include "index_cost.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "byline/checkpoint.h"
#include "byline/clock.h"
#include "byline/file.h"
#include "byline/hash.h"
#include "byline/mem.h"

#include "features_internal.h"

static const double trial_seconds = 0.6;

/* ---- trials ---- */

double
cost_processor_seconds(void)
{
	struct rusage use;
	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec)
		+ (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* What the last two trials share is taken once. */
enum err
cost_trial(struct cost *c, trial_fn *fn, size_t most, double all, double *seconds)
{
	double t0 = 0, w0 = 0, t = 0, w = 0;
	size_t n = (size_t)pool_threads(c->x->pool);
	for (n = n < most ? n : most;; n = 4 * n < most ? 4 * n : most) {
		t0 = t;
		w0 = w;
		double begun = cost_processor_seconds();
		TRY(job_check(c->x->job));
		TRY(fn(c, n, &w));
		t = cost_processor_seconds() - begun;
		if (t > trial_seconds || n == most)
			break;
	}
	double rate = w > 0 ? t / w : 0, further = w > w0 && w0 > 0 ? (t - t0) / (w - w0) : rate;
	further = further > rate ? rate : further < 0.7 * rate ? 0.7 * rate : further;
	*seconds = t + (all > w ? (all - w) * further : 0);
	return OK;
}

double
cost_targets(const struct dataset *d, const uint32_t *example, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)(d->start[example[i] + 1] - d->start[example[i]]) - 1;
	return sum;
}

/* ---- features and hidden states ---- */

struct sample { uint32_t *tokens; float *rows; uint8_t *codes; float *scales; size_t n; };

static void
sample_free(struct sample *s)
{
	free(s->tokens);
	free(s->rows);
	free(s->codes);
	free(s->scales);
}

static enum err
sample_new(const struct indexing *x, struct sample *s)
{
	uint32_t *count = xcalloc((size_t)x->layout.vocab + 1, sizeof(*count));
	s->n = (size_t)x->info.n_rows < SHARD_ROWS ? (size_t)x->info.n_rows : SHARD_ROWS;
	feature_tokens_count(&x->data, x->layout.vocab, count);
	s->tokens = indexing_own_tokens(x, count, x->row, s->n);
	free(count);
	TRY(mem_array(&s->rows, s->n * x->layout.width, sizeof(float), "a sample of features"));
	TRY(mem_array(&s->codes, s->n, x->layout.code_bytes, "a sample of features"));
	return mem_array(&s->scales, s->n * (size_t)x->layout.n_blocks, sizeof(float), "a sample of features");
}

static enum err
try_hidden(struct cost *c, size_t n, double *work)
{
	float *mean = NULL;
	*work = cost_targets(&c->x->data, c->x->row, n);
	TRY(mem_array(&mean, n * (size_t)c->m.config.d_model, sizeof(*mean), "hidden states"));
	enum err err = indexing_hidden_rows(c->x, &c->m, c->x->row, n, 0, mean);
	free(mean);
	return err;
}

static enum err
try_features(struct cost *c, size_t n, double *work)
{
	struct sample s = {0};
	const struct indexing *x = c->x;
	enum err err;
	*work = cost_targets(&x->data, x->row, n);
	TRY_OUT(sample_new(x, &s));
	err = indexing_features_rows(x, &c->m, &c->curvature, x->row, n, s.tokens, 0, s.rows);
out:
	sample_free(&s);
	return err;
}

static void
quantise(const struct indexing *x, struct sample *s)
{
	for (size_t i = 0; i < s->n; i++)
		features_quantise(&x->layout, s->rows + i * x->layout.width, s->codes + i * x->layout.code_bytes,
			s->scales + i * (size_t)x->layout.n_blocks);
}

static enum err
time_features(struct cost *c, struct sample *s, double load)
{
	const struct indexing *x = c->x;
	double all = cost_targets(&x->data, x->row, (size_t)x->info.n_rows), n = x->info.n_checkpoints, passes, hidden;
	double shards = ceil((double)x->info.n_rows / SHARD_ROWS);
	job_note(x->job, "features");
	TRY(cost_trial(c, try_features, s->n, all, &passes));
	TRY(cost_trial(c, try_hidden, s->n, all, &hidden));
	double begun = cost_processor_seconds();
	quantise(x, s);
	double rest = (cost_processor_seconds() - begun) * (double)x->info.n_rows / (double)s->n;
	c->out->stage[INDEX_FEATURES] += n * (passes + shards * load) + rest;
	c->out->stage[INDEX_HIDDEN] += hidden + load;
	return OK;
}

/* ---- noise floor ---- */

struct floor_trial { struct null_queries q; struct feature_query features; };

static enum err
floor_queries(struct cost *c, struct floor_trial *t, int n, double *seconds)
{
	double begun = cost_processor_seconds();
	TRY(feature_query_new(&t->features, &c->x->layout, n * NULL_LENGTHS, indexing_null_terms(c->x)));
	TRY(indexing_null_pass(c->x, &t->q, 0, n, &c->m, &c->curvature, 0, &t->features));
	*seconds = (cost_processor_seconds() - begun) / n;
	return OK;
}

/* Scores of the first n rows of the sample under the queries. */
static enum err
floor_scores(struct cost *c, struct floor_trial *t, struct sample *s, size_t n, double *seconds)
{
	enum err err;
	float *out = NULL;
	int columns = t->features.n;
	size_t first[2] = { 0, n };
	int *span = xcalloc((size_t)columns + 1, sizeof(*span));
	struct shard shard = { .n = n, .codes = s->codes, .tokens = (const uint8_t *)s->tokens, .scales = s->scales };
	struct features f = { .layout = c->x->layout, .shard = &shard, .n_shards = 1, .rows = n, .first = first };
	for (int i = 0; i <= columns; i++)
		span[i] = i;
	TRY_OUT(mem_array(&out, n * (size_t)columns, sizeof(*out), "scores of unrelated queries"));
	double begun = cost_processor_seconds();
	err = features_scores(&f, &t->features, span, span + 1, columns, out, c->x->pool, NULL);
	*seconds = cost_processor_seconds() - begun;
out:
	free(out);
	free(span);
	return err;
}

static enum err
time_floor(struct cost *c, struct sample *s, double load)
{
	const struct indexing *x = c->x;
	struct floor_trial t = { .features = {0} };
	double query, one, all, n = x->info.n_checkpoints;
	enum err err;
	job_note(x->job, "noise floor");
	null_choose(&t.q, x);
	int group = indexing_null_group(x), some = 2 * pool_threads(x->pool);
	some = some < t.q.n ? some : t.q.n;
	some = some < group ? some : group;
	if (some > 0) {
		TRY_OUT(floor_queries(c, &t, some, &query));
		TRY_OUT(floor_scores(c, &t, s, 1, &one));
		TRY_OUT(floor_scores(c, &t, s, s->n, &all));
		double row = s->n > 1 && all > one ? (all - one) / (double)(s->n - 1) : 0;
		c->out->stage[INDEX_FLOOR] += t.q.n * n * query + ceil((double)t.q.n / group) * n * load
			+ (one + row * (double)x->info.n_rows) * t.q.n / some;
	}
	err = OK;
out:
	feature_query_free(&t.features);
	null_free(&t.q);
	return err;
}

/* ---- files ---- */

struct folder { const char *dir; double bytes; };

static enum err
folder_add(void *arg, const char *rel)
{
	struct folder *f = arg;
	uint64_t bytes;
	char *path = path_join(f->dir, rel);
	enum err err = file_size(path, &bytes);
	f->bytes += err == OK ? (double)bytes : 0;
	free(path);
	return err;
}

/* Every file of the run's folder is hashed at the end, those of the index twice, and the checkpoints' at first. */
static enum err
time_files(struct cost *c, double weights)
{
	enum { BYTES = 4 << 20 };
	struct folder f = { .dir = c->x->run.dir };
	char hex[HASH_HEX];
	TRY(file_walk(f.dir, folder_add, &f));
	void *bytes = xcalloc(BYTES, 1);
	double begun = cost_processor_seconds();
	hash_bytes(bytes, BYTES, hex);
	free(bytes);
	double rate = (cost_processor_seconds() - begun) / BYTES;
	c->out->stage[INDEX_FILES] = rate * (f.bytes + weights) + 0.02;
	return OK;
}

/* ---- all ---- */

enum err
cost_time(struct cost *c)
{
	struct indexing *x = c->x;
	struct sample s = {0};
	enum err err;
	int last = x->info.n_checkpoints - 1;
	double begun = cost_processor_seconds(), wall = clock_monotonic(), first = begun;
	job_phase(x->job, "estimating", 0);
	TRY(indexing_weights(x, last, &c->m));
	double load = cost_processor_seconds() - begun;
	size_t now = cost_resident();
	c->loaded = now > c->resident ? now - c->resident : 0;
	TRY(fit_begin(&c->fit, &c->curvature, &c->m, c->m.params, &x->data, &c->options, x->pool, x->job));
	TRY(cost_curvature(c));
	TRY_OUT(sample_new(x, &s));
	TRY_OUT(time_features(c, &s, load));
	TRY_OUT(time_floor(c, &s, load));
	c->out->stage[INDEX_CURVATURE] += x->info.n_checkpoints * load;
	TRY_OUT(time_files(c, (double)c->m.n_params * 4 * x->info.n_checkpoints));
	double ratio = (clock_monotonic() - wall) / (cost_processor_seconds() - first);
	for (int i = 0; i < INDEX_STAGES; i++) {
		c->out->processor += c->out->stage[i];
		c->out->stage[i] *= ratio;
	}
out:
	sample_free(&s);
	return err;
}
