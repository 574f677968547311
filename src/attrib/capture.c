/* capture: what a run is captured with, and the moments between its steps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

#include "capture_internal.h"
#include "features_internal.h"
#include "indexing.h"

/* ---- between steps ---- */

static bool
capture_wants(void *arg, int64_t step)
{
	struct capture *c = arg;
	c->visit = capture_plan_visit(&c->plan, step);
	c->last = capture_plan_last(&c->plan, step);
	return !c->refusal && (c->visit >= 0 || c->last);
}

static enum err
capture_step(void *arg, int64_t done)
{
	struct capture *c = arg;
	enum err code = (enum err)atomic_load(&c->fault.code);
	(void)done;
	return code == OK ? OK : err_set(code, "%s", c->fault.message);
}

static enum err
capture_checkpoint(void *arg, int64_t done, const float *params)
{
	struct capture *c = arg;
	int kept = capture_plan_newest(&c->plan, done);
	if (c->refusal)
		return OK;
	TRY(capture_part_make(c, kept, params));
	return capture_part_load(c, kept);
}

static enum err
capture_save(void *arg, int64_t done)
{
	struct capture *c = arg;
	return c->refusal ? OK : capture_rows_save(&c->rows, done);
}

/* The sums of a resume point after the first watched step. */
static enum err
rows_resume(struct capture *c, int64_t done)
{
	int64_t saved, next = (done / c->plan.per_epoch + 1) * c->plan.per_epoch;
	enum err err = capture_rows_open(&c->rows, &saved);
	if (err == ERR_MISSING || (err == OK && saved < done)) {
		err_clear();
		c->refusal = "a part of it was trained without";
		return OK;
	}
	TRY(err);
	return saved <= next ? OK : err_set(ERR_FORMAT, "%s is ahead of the run's resume point; train on with"
		" --no-capture and index the run afterwards", c->rows.path);
}

static enum err
capture_begin(void *arg, int64_t done)
{
	struct capture *c = arg;
	int kept = capture_plan_newest(&c->plan, done);
	if (done <= c->plan.first * c->plan.per_epoch)
		TRY(capture_rows_create(&c->rows));
	else
		TRY(rows_resume(c, done));
	if (c->refusal || kept < 0)
		return OK;
	TRY(capture_part_ready(c, kept));
	return capture_part_load(c, kept);
}

/* ---- opening ---- */

static const char *
plan_refusal(const struct capture *c)
{
	if (c->spec->drop)
		return "examples are left out of it";
	if (c->plan.n_kept < 2)
		return "it keeps only its last checkpoint";
	return c->plan.visits < 1 ? "no whole epoch follows its first kept checkpoint" : NULL;
}

/* What the sums depend on beside the recipe, to which the resume point is tied already. */
static void
capture_identify(struct capture *c)
{
	const struct train_options *t = &c->spec->options;
	const struct index_options *o = &c->options;
	char dataset[HASH_HEX], text[256];
	struct str config = {0};
	struct hash_state h;
	json_t *json = model_config_json(&c->model->config);
	json_print(&config, json, 0);
	json_decref(json);
	dataset_hash(c->spec->data, dataset);
	snprintf(text, sizeof(text), "seed %" PRIu64 " epochs %d batch %d keep %d, k %d own %d seed %" PRIu64
		" tokens %" PRIu64 " prior %d %s", t->seed, t->epochs, t->batch, t->keep, o->k, o->own, o->seed,
		o->curvature_tokens, CAPTURE_PRIOR,
		st_dtype_name(o->curvature_dtype));
	hash_init(&h);
	hash_add(&h, dataset, sizeof(dataset));
	hash_add(&h, config.s, config.len);
	hash_add(&h, text, strlen(text));
	hash_final(&h, c->identity);
	str_free(&config);
}

static size_t
number_rows(struct capture *c)
{
	const struct dataset *d = c->spec->data;
	size_t n = 0;
	c->row_of = xcalloc(d->n + 1, sizeof(*c->row_of));
	for (size_t i = 0; i < d->n; i++)
		c->row_of[i] = d->heldout[i] ? UINT32_MAX : (uint32_t)n++;
	return n;
}

static uint32_t
layer_roles(const struct capture *c)
{
	uint32_t roles = 1u << ROLE_HEAD;
	for (int i = 0; i < c->layout.n_blocks; i++)
		roles |= 1u << c->model->linears[c->layout.block[i].linear].role;
	return roles;
}

/* Of every example, for the watch. */
static void
own_tokens(struct capture *c)
{
	const struct dataset *d = c->spec->data;
	size_t own = (size_t)c->options.own;
	uint32_t *count = xcalloc((size_t)c->layout.vocab + 1, sizeof(*count));
	c->tokens = xcalloc(d->n * own + 1, sizeof(*c->tokens));
	feature_tokens_count(d, c->layout.vocab, count);
	for (size_t i = 0; i < d->n; i++)
		feature_tokens(d, (uint32_t)i, count, c->options.own, c->tokens + i * own);
	free(count);
}

void
capture_prepare(struct capture *c)
{
	char *path = path_join(c->run.dir, CAPTURE_ROWS_FILE);
	int workers = pool_threads(c->pool);
	c->visit = -1;
	fault_init(&c->fault, NULL);
	capture_plan_make(&c->plan, c->spec, c->options.curvature_tokens);
	c->options.curvature_tokens = c->plan.tokens;
	c->options.checkpoints = 0;
	c->options.force = false;
	c->refusal = plan_refusal(c);
	capture_identify(c);
	feature_layout_plan(&c->layout, c->model, c->options.k, c->options.own, c->options.bits);
	own_tokens(c);
	capture_rows_init(&c->rows, path, &c->layout, number_rows(c), (size_t)c->model->config.d_model, c->identity);
	c->worker = xcalloc((size_t)workers, sizeof(*c->worker));
	for (int i = 0; i < workers; i++)
		c->worker[i].c = c;
	c->hooks = (struct train_capture){ .arg = c, .roles = layer_roles(c), .wants = capture_wants,
		.linear = capture_watch_linear, .step = capture_step, .checkpoint = capture_checkpoint,
		.save = capture_save, .begin = capture_begin };
	free(path);
}

enum err
capture_open(struct capture **out, struct store *s, int64_t run, const struct model *m, const struct train_spec *spec,
	const struct index_options *o, struct pool *pool, struct job *job)
{
	struct run r;
	*out = NULL;
	TRY(indexing_check(o));
	TRY(store_run(s, run, &r));
	struct capture *c = xcalloc(1, sizeof(*c));
	*c = (struct capture){ .store = s, .run = r, .model = m, .spec = spec, .options = *o, .pool = pool,
		.job = job };
	capture_prepare(c);
	*out = c;
	return OK;
}

void
capture_release(struct capture *c)
{
	for (int i = 0; i < pool_threads(c->pool); i++) {
		projector_free(c->worker[i].projector);
		free(c->worker[i].slot);
	}
	free(c->worker);
	curvature_free(&c->projections);
	capture_rows_free(&c->rows);
	feature_layout_free(&c->layout);
	capture_plan_free(&c->plan);
	free(c->row_of);
	free(c->tokens);
	run_free(&c->run);
	fault_end(&c->fault);
}

void
capture_close(struct capture *c)
{
	if (c)
		capture_release(c);
	free(c);
}

const char *
capture_refusal(const struct capture *c)
{
	return c->refusal;
}

const struct train_capture *
capture_hooks(const struct capture *c)
{
	return c->refusal ? NULL : &c->hooks;
}

/* ---- the end ---- */

/* The run had come to its end before this process began. */
static enum err
rows_finished(struct capture *c)
{
	struct index_info info = {0};
	int64_t saved;
	enum err err = capture_rows_open(&c->rows, &saved);
	if (err == OK && saved == c->plan.steps)
		return OK;
	if (err != OK && err != ERR_MISSING)
		return err;
	/* Perhaps only the store does not know yet. */
	bool complete = index_info_read(c->run.dir, &info) == OK && info.finished != 0 && info.captured.visits > 0;
	index_info_free(&info);
	err_clear();
	if (!complete)
		c->refusal = "it was trained without";
	return OK;
}

enum err
capture_finish(struct capture *c)
{
	if (!c->refusal && c->rows.fd < 0)
		TRY(rows_finished(c));
	return c->refusal ? OK : indexing_build(c->store, c->run.id, &c->options, c, c->pool, c->job);
}

struct discard { const char *dir; };

static enum err
discard_visit(void *arg, const char *rel)
{
	const struct discard *d = arg;
	if (strchr(rel, '/') || (strcmp(rel, CAPTURE_ROWS_FILE) != 0
		&& strncmp(rel, CAPTURE_FILES "-", strlen(CAPTURE_FILES "-")) != 0))
		return OK;
	char *path = path_join(d->dir, rel);
	enum err err = unlink(path) == 0 ? OK : err_set(ERR_IO, "cannot remove %s", path);
	free(path);
	return err;
}

enum err
capture_discard(const char *run_dir)
{
	struct discard d = { run_dir };
	return file_is_dir(run_dir) ? file_walk(run_dir, discard_visit, &d) : OK;
}
