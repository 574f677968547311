/* session_index: opening an index, checking that its parts belong together, and loading what queries need. */
#include "session_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "session_peers.h"

#include "features_internal.h"

/* Curvature that takes more than this is read again for each new span. */
static const size_t keep_bytes = (size_t)1 << 30;

static const char again[] = "index the run again with `byline index --force`";

static enum err
mismatch(const struct session *s, const char *what)
{
	return err_set(ERR_MISMATCH, "run %s: its index %s; %s", s->run.name, what, again);
}

/* ---- what is cheap to check is checked when the session opens ----------------------------------------------- */

static enum err
check_info(const struct session *s, const struct index *x)
{
	const struct index_info *i = &x->info;
	if (strcmp(i->dataset, s->run.dataset) != 0 || i->n_examples != (int64_t)s->data.n)
		return mismatch(s, "is of other examples");
	if (i->n_checkpoints < 1)
		return mismatch(s, "names no checkpoint");
	/* The weights the session generates with are the last of those the index saw, where it saw the final ones. */
	for (int k = 0; k < i->n_checkpoints; k++)
		if (strcmp(i->checkpoint[k].path, "checkpoint") == 0
			&& strcmp(i->checkpoint[k].sha256, s->checkpoint_sha256) != 0)
			return mismatch(s, "was made from other weights than those in checkpoint/");
	return OK;
}

static enum err
check_file(const struct session *s, const struct index *x, const char *name, char **path)
{
	uint64_t size;
	const struct index_file *f = index_info_file(&x->info, name);
	if (!f)
		return mismatch(s, "is not complete");
	*path = path_join(x->run_dir, name);
	TRY(file_size(*path, &size));
	if (size != (uint64_t)f->bytes)
		return err_set(ERR_MISMATCH, "%s: %llu bytes, the index recorded %lld; %s", *path,
			(unsigned long long)size, (long long)f->bytes, again);
	return OK;
}

static enum err
open_file(const struct session *s, const struct index *x, const char *name, struct st_file *f)
{
	char *path = NULL;
	enum err err = check_file(s, x, name, &path);
	if (err == OK)
		err = st_open(f, path);
	free(path);
	return err;
}

static enum err
open_features(const struct session *s, struct index *x)
{
	const struct index_file *f = index_info_file(&x->info, CURVATURE_FILE);
	TRY(features_open(x->run_dir, &x->layout, f->sha256, s->data.n, &x->features));
	if (features_rows(x->features) != (size_t)x->info.n_rows)
		return mismatch(s, "has fewer or more feature rows than it recorded");
	return OK;
}

/* Over examples: the spread of a score that any of them gets from any unrelated query. */
static double
root_mean_square(const float *v, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];
	return n > 0 ? sqrt(sum / (double)n) : (double)NAN;
}

static enum err
open_null(const struct session *s, struct index *x)
{
	struct st_file f = {0};
	const struct st_tensor *t;
	float *sd = NULL;
	enum err err = OK;
	size_t rows = features_rows(x->features);
	uint64_t shape[2] = { (uint64_t)x->info.n_null_lengths, rows };
	TRY_OUT(open_file(s, x, NULL_FILE, &f));
	TRY_OUT(st_want(&f, "sd", 2, shape, &t));
	TRY_OUT(mem_array(&sd, rows, sizeof(*sd), "the noise floor"));
	for (int i = 0; i < x->info.n_null_lengths; i++) {
		TRY_OUT(st_read_f32(&f, t, (uint64_t)i * rows, rows, sd));
		x->null_sd[i] = root_mean_square(sd, rows);
	}
out:
	free(sd);
	st_close(&f);
	return err;
}

static enum err
open_hidden(const struct session *s, struct index *x)
{
	const struct st_tensor *t;
	uint64_t shape[2] = { features_rows(x->features), (uint64_t)s->model.config.d_model };
	TRY(open_file(s, x, HIDDEN_FILE, &x->hidden));
	return st_want(&x->hidden, "hidden", 2, shape, &t);
}

/*
 * Exact: (1/N) <H^-1 G_q, G_i>, and H of a layer is close to T (A x S), T the targets an example has. Features:
 * whitening on both sides gives <(A x S)^-1 G_q, G_i>, each block weighted for the directions it does not keep. So
 *
 *   exact ~ features / (N T)
 *
 * up to damping; the slope that a ranking measures takes care of the rest.
 */
static double
scale_of(const struct session *s, const struct index *x)
{
	return 1 / (fmax((double)session_trained(s), 1) * fmax(x->info.tokens_per_example, 1));
}

static size_t
curvature_bytes(const struct session *s, const struct index *x)
{
	size_t floats = 0;
	for (int i = 0; i < x->layout.n_blocks; i++) {
		const struct linear *l = &s->model.linears[x->layout.block[i].linear];
		size_t in = (size_t)l->in, out = (size_t)l->out;
		floats += in * in + in * out + (out <= CURVATURE_MAX_SIDE && l->role != ROLE_HEAD ? out * out : 0);
	}
	return floats * sizeof(float);
}

enum err
index_open(const struct session *s, struct index **out)
{
	struct index *x = xcalloc(1, sizeof(*x));
	enum err err = OK;
	*out = NULL;
	pthread_mutex_init(&x->lock, NULL);
	x->run_dir = xstrdup(s->run.dir);
	err = index_info_read(x->run_dir, &x->info);
	if (err == ERR_MISSING || (err == OK && (x->info.finished == 0 || x->info.options.own == 0))) {
		/* None, one that is still being made, or one of an earlier version: the run can be asked by text
		 * alone. */
		err_clear();
		err = OK;
		goto out;
	}
	TRY_OUT(err);
	TRY_OUT(check_info(s, x));
	x->n_points = x->info.n_checkpoints;
	x->point = xcalloc((size_t)x->n_points, sizeof(*x->point));
	/* It follows from the model and k: no need to load a curvature for it. */
	feature_layout_plan(&x->layout, &s->model, x->info.options.k, x->info.options.own,
		x->info.options.bits);
	TRY_OUT(open_file(s, x, CURVATURE_FILE, &x->curvature));
	TRY_OUT(open_features(s, x));
	TRY_OUT(open_hidden(s, x));
	TRY_OUT(open_null(s, x));
	x->scale = scale_of(s, x);
	size_t runs = 1 + (size_t)peers_count(s->peers);
	x->keep = curvature_bytes(s, x) * (size_t)x->n_points <= keep_bytes / runs;
	*out = x;
	x = NULL;
out:
	index_close(x);
	return err;
}

void
index_close(struct index *x)
{
	if (!x)
		return;
	for (int i = 0; i < x->n_points; i++) {
		model_free(&x->point[i].model);
		curvature_free(&x->point[i].curvature);
	}
	free(x->point);
	features_close(x->features);
	feature_layout_free(&x->layout);
	st_close(&x->curvature);
	st_close(&x->hidden);
	index_info_free(&x->info);
	pthread_mutex_destroy(&x->lock);
	free(x->run_dir);
	free(x);
}

/* ---- what is large ------------------------------------------------------------------------------------------ */

static enum err
load_weights(struct index *x, const struct session *s, int i)
{
	const struct index_checkpoint *c = &x->info.checkpoint[i];
	struct model *m = &x->point[i].model;
	char hex[HASH_HEX], *dir = path_join(x->run_dir, c->path);
	enum err err = OK;
	TRY_OUT(checkpoint_hash(dir, hex));
	if (strcmp(hex, c->sha256) != 0)
		TRY_OUT(err_set(ERR_MISMATCH, "%s: these are not the weights the index was made from; %s", dir, again));
	TRY_OUT(checkpoint_load(dir, m));
	if (m->n_params != s->model.n_params || m->n_linears != s->model.n_linears)
		TRY_OUT(err_set(ERR_MISMATCH, "%s: another shape than the run's model has", dir));
out:
	free(dir);
	return err;
}

/* A large model's only checkpoint is the session's: passes take that from its file, as they do where params is NULL. */
static bool
is_own(const struct index *x, const struct session *s)
{
	return s->model.stored && x->n_points == 1 && strcmp(x->info.checkpoint[0].sha256, s->checkpoint_sha256) == 0;
}

static enum err
load_point(struct index *x, const struct session *s, int i)
{
	struct index_point *p = &x->point[i];
	if (!p->model.params && !is_own(x, s))
		TRY(load_weights(x, s, i));
	if (p->curvature.layers)
		return OK;
	TRY(curvature_load(&x->curvature, x->info.checkpoint[i].name, &s->model, s->pool, &p->curvature));
	if (!x->keep)
		curvature_drop_solve(&p->curvature);
	return OK;
}

enum err
index_ready(struct index *x, const struct session *s, struct job *job)
{
	enum err err = OK;
	pthread_mutex_lock(&x->lock);
	if (!x->ready)
		job_phase(job, "loading checkpoints", (uint64_t)x->n_points);
	for (int i = 0; i < x->n_points && !x->ready; i++) {
		TRY_OUT(job_check(job));
		TRY_OUT(load_point(x, s, i));
		job_step(job, (uint64_t)i + 1);
	}
	x->ready = true;
out:
	pthread_mutex_unlock(&x->lock);
	return err;
}

enum err
index_curvature(struct index *x, const struct session *s, int point, struct curvature **out)
{
	*out = &x->point[point].curvature;
	if (x->keep)
		return OK;
	struct curvature *c = xcalloc(1, sizeof(*c));
	enum err err = curvature_load(&x->curvature, x->info.checkpoint[point].name, &s->model, s->pool, c);
	if (err != OK)
		free(c);
	else
		*out = c;
	return err;
}

void
index_curvature_done(struct index *x, struct curvature *c)
{
	if (x->keep)
		return;
	curvature_free(c);
	free(c);
}

/* ---- the noise floor ---------------------------------------------------------------------------------------- */

double
index_null_floor(const struct index *x, int span_tokens)
{
	const int *length = x->info.null_length;
	int n = x->info.n_null_lengths, i = 1;
	if (n < 1)
		return NAN;
	if (span_tokens <= length[0] || n == 1)
		return x->scale * x->null_sd[0];
	if (span_tokens >= length[n - 1])
		/* Beyond what was measured: as sums of more and more tokens that have little to do with each other. */
		return x->scale * x->null_sd[n - 1] * sqrt((double)span_tokens / length[n - 1]);
	while (length[i] < span_tokens)
		i++;
	double part = log2((double)span_tokens / length[i - 1]) / log2((double)length[i] / length[i - 1]);
	return x->scale * (x->null_sd[i - 1] + part * (x->null_sd[i] - x->null_sd[i - 1]));
}
