/* index_build: the stages in order, and index.json after each. */
#include "indexing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/checkpoint.h"
#include "byline/clock.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

void
index_defaults(struct index_options *o)
{
	*o = (struct index_options){ .k = 64, .bits = 4, .own = 96, .curvature_tokens = 200000, .null_queries = 32,
		.curvature_dtype = ST_U8, .seed = 1 };
}

enum err
indexing_check(const struct index_options *o)
{
	if (o->k < 4 || o->k > 256)
		return err_set(ERR_USAGE, "k is %d, must be from 4 to 256", o->k);
	if (o->own < 1 || o->own > INDEX_OWN_MAX)
		return err_set(ERR_USAGE, "own tokens are %d, must be from 1 to %d", o->own, INDEX_OWN_MAX);
	if (o->bits != 4 && o->bits != 8)
		return err_set(ERR_USAGE, "bits are %d, must be 4 or 8", o->bits);
	if (o->checkpoints < 0 || o->null_queries < 0 || o->null_queries > 4096)
		return err_set(ERR_USAGE,
			"checkpoints and null queries must not be negative, and null queries at most 4096");
	if (o->curvature_tokens > INT64_MAX)
		return err_set(ERR_USAGE, "curvature tokens are more than can be counted");
	if (o->curvature_dtype != ST_U8 && o->curvature_dtype != ST_F32)
		return err_set(ERR_USAGE, "curvature is stored as U8 or F32, not as %s",
			st_dtype_name(o->curvature_dtype));
	return OK;
}

/* ---- files ---- */

char *
indexing_path(const struct indexing *x, const char *name)
{
	return path_join(x->run.dir, name);
}

static enum err
weights_load(const struct indexing *x, const char *folder, struct model *m)
{
	enum err err;
	char *path = indexing_path(x, folder);
	json_t *want = model_config_json(&x->model.config), *got = NULL;
	*m = (struct model){0};
	TRY_OUT(checkpoint_run(path, m));
	got = model_config_json(&m->config);
	if (!json_equal(want, got))
		err = err_set(ERR_MISMATCH, "%s holds a model of another shape than the run's", path);
out:
	json_decref(want);
	json_decref(got);
	if (err != OK)
		model_free(m);
	free(path);
	return err;
}

enum err
indexing_weights(const struct indexing *x, int checkpoint, struct model *m)
{
	return weights_load(x, x->info.checkpoint[checkpoint].path, m);
}

enum err
indexing_final(const struct indexing *x, struct model *m)
{
	return weights_load(x, "checkpoint", m);
}

enum err
indexing_note(struct indexing *x, const char *name)
{
	enum err err;
	struct index_file f = {0};
	uint64_t bytes;
	char *path = indexing_path(x, name);
	TRY_OUT(hash_file(path, f.sha256));
	TRY_OUT(file_size(path, &bytes));
	f.name = xstrdup(name);
	f.bytes = (int64_t)bytes;
	x->info.file = xreallocarray(x->info.file, (size_t)x->info.n_files + 1, sizeof(f));
	x->info.file[x->info.n_files++] = f;
out:
	free(path);
	return err;
}

static void
rows_text(const struct indexing *x, char text[32])
{
	snprintf(text, 32, "%" PRId64, x->info.n_rows);
}

void
indexing_tie(const struct indexing *x, struct st_writer *w, const char *format)
{
	char rows[32];
	rows_text(x, rows);
	st_writer_meta(w, "format", format);
	st_writer_meta(w, "curvature_sha256", x->curvature_sha256);
	st_writer_meta(w, "rows", rows);
}

static bool
says(const struct st_file *f, const char *key, const char *want)
{
	const char *got = st_meta(f, key);
	return got && strcmp(got, want) == 0;
}

bool
indexing_is_tied(const struct indexing *x, const char *path, const char *format)
{
	struct st_file f = {0};
	char rows[32];
	rows_text(x, rows);
	bool tied = file_exists(path) && st_open(&f, path) == OK && says(&f, "format", format)
		&& says(&f, "rows", rows) && says(&f, "curvature_sha256", x->curvature_sha256);
	st_close(&f);
	err_clear();
	return tied;
}

/* ---- what there is to index ---- */

/* Held-out and opted-out examples have no row. */
static void
open_rows(struct indexing *x)
{
	uint64_t targets = 0;
	x->row = xcalloc(x->data.n + 1, sizeof(*x->row));
	for (size_t i = 0; i < x->data.n; i++) {
		x->data.heldout[i] |= x->examples[i].heldout || x->examples[i].opted_out;
		uint64_t tokens = x->data.start[i + 1] - x->data.start[i];
		if (x->data.heldout[i] || tokens < 2)
			continue;
		x->row[x->info.n_rows++] = (uint32_t)i;
		targets += tokens - 1;
	}
	x->info.n_examples = (int64_t)x->data.n;
	x->info.tokens_per_example = x->info.n_rows ? (double)targets / (double)x->info.n_rows : 0;
}

static enum err
open_examples(struct indexing *x)
{
	TRY(store_run_dataset(x->store, x->run.id, &x->data, &x->examples));
	dataset_hash(&x->data, x->info.dataset);
	if (strcmp(x->info.dataset, x->run.dataset) != 0)
		return err_set(ERR_MISMATCH,
			"run %s: its examples are not those it was made of; check the store with `byline verify`",
			x->run.name);
	open_rows(x);
	return x->info.n_rows > 0 ? OK : err_set(ERR_MISSING, "run %s has no training examples to index", x->run.name);
}

/* Its weights are read again when they are wanted: only one checkpoint's are ever in memory. */
static enum err
open_model(struct indexing *x)
{
	struct model_config config;
	char *path = indexing_path(x, "checkpoint");
	enum err err = checkpoint_config(path, &config);
	if (err == OK)
		err = model_new(&x->model, &config, false);
	free(path);
	return err;
}

/* Examples were cut into tokens when the run was made, and indexing does not do it again. A capture's are of the
 * training that is just ending. */
static enum err
check_readings(const struct indexing *x)
{
	return x->capture ? OK : store_check_readings(x->store, &x->run);
}

enum err
indexing_open(struct indexing *x)
{
	job_phase(x->job, "reading", 0);
	TRY(store_check_checkpoint(x->store, &x->run));
	TRY(check_readings(x));
	TRY(open_examples(x));
	TRY(open_model(x));
	return indexing_plan(x);
}

void
indexing_close(struct indexing *x)
{
	for (int i = 0; x->projections && i < x->info.n_checkpoints; i++)
		curvature_free(&x->projections[i]);
	free(x->projections);
	feature_layout_free(&x->layout);
	index_info_free(&x->info);
	free(x->row);
	free(x->examples);
	dataset_free(&x->data);
	model_free(&x->model);
	run_free(&x->run);
}

/* ---- beginning, or beginning again ---- */

static bool
is_index_file(const char *name)
{
	static const char *const begins[] = { INDEX_FILE, CURVATURE_FILE, HIDDEN_FILE, NULL_FILE, "curvature-",
		"features-" };
	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (strncmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

struct removal { const struct indexing *x; const char *having; };

static enum err
remove_visit(void *arg, const char *rel)
{
	const struct removal *r = arg;
	if (!is_index_file(rel) || !strstr(rel, r->having))
		return OK;
	char *path = indexing_path(r->x, rel);
	enum err err = unlink(path) == 0 ? OK : err_set(ERR_IO, "cannot remove %s", path);
	free(path);
	return err;
}

static enum err
write_info(struct indexing *x)
{
	int64_t now = clock_now();
	x->info.seconds += now > x->sat_down ? (double)(now - x->sat_down) : 0;
	x->sat_down = now;
	return index_info_write(x->run.dir, &x->model, &x->info);
}

/* Files of an index whose names have this in them; ".tmp.": what a kill left half written. */
static enum err
remove_files(const struct indexing *x, const char *having)
{
	struct removal r = { x, having };
	return file_walk(x->run.dir, remove_visit, &r);
}

/* A capture goes on with its own index, and takes the place of any other. */
static enum err
read_info(const struct indexing *x, struct index_info *there)
{
	enum err err = index_info_read(x->run.dir, there);
	if (!x->capture || (err == OK && indexing_agrees(x, there) == OK))
		return err;
	err_clear();
	index_info_free(there);
	return ERR_MISSING;
}

/* A GGUF file holds its tokenizer too; in one that has changed, nobody can tell that this has not. */
static enum err
check_inside(const struct indexing *x)
{
	char *dir = indexing_path(x, "checkpoint");
	struct index_info there = {0};
	enum err err = OK;
	bool outside = file_in_dir(dir, "tokenizer.json") || file_in_dir(dir, "vocab.json");
	if (!outside && index_info_read(x->run.dir, &there) == OK && there.n_checkpoints == 1
		&& strcmp(there.checkpoint[0].path, "checkpoint") == 0
		&& strcmp(there.checkpoint[0].sha256, x->info.checkpoint[0].sha256) != 0)
		err = err_set(ERR_MISMATCH, "%s is not the file that run %s was made of, which holds the tokenizer "
			"too: put it back, or index it under another name (--checkpoint PATH --run NAME)", dir,
			x->run.name);
	else
		err_clear();
	index_info_free(&there);
	free(dir);
	return err;
}

/* An index made otherwise is refused; what is left of none is removed. */
static enum err
begin(struct indexing *x, bool force)
{
	struct index_info there = {0};
	if (!x->capture)
		TRY(check_inside(x));
	enum err err = force ? ERR_MISSING : read_info(x, &there);
	if (err == ERR_MISSING) {
		x->info.begun = clock_now();
		TRY_OUT(remove_files(x, ""));
		TRY_OUT(store_set_run_state(x->store, x->run.id, x->run.trained, false));
	} else {
		if (err != OK)
			TRY_OUT(err_prefix(err, "this index cannot be continued (index with --force to begin again)"));
		TRY_OUT(indexing_agrees(x, &there));
		TRY_OUT(remove_files(x, ".tmp."));
		x->info.begun = there.begun;
		x->info.seconds = there.seconds;
	}
	err = write_info(x);
out:
	index_info_free(&there);
	return err;
}

static enum err
run_stages(struct indexing *x)
{
	static enum err (*const stages[])(struct indexing *x) = {
		indexing_curvature, indexing_features, indexing_hidden, indexing_null,
	};
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		TRY(job_check(x->job));
		TRY(stages[i](x));
		TRY(write_info(x));
	}
	TRY(check_readings(x));
	x->info.finished = clock_now();
	TRY(write_info(x));
	if (x->capture)
		TRY(capture_discard(x->run.dir));
	return store_set_run_state(x->store, x->run.id, x->run.trained || x->capture, true);
}

static enum err
build(struct indexing *x, bool force)
{
	TRY(indexing_open(x));
	TRY(begin(x, force));
	return run_stages(x);
}

enum err
indexing_build(struct store *s, int64_t run, const struct index_options *o, struct capture *capture, struct pool *pool,
	struct job *job)
{
	enum err err;
	int lock = -1;
	char *path = NULL;
	struct indexing x = { .store = s, .capture = capture, .pool = pool, .job = job, .sat_down = clock_now() };
	TRY(indexing_check(o));
	TRY_OUT(store_run(s, run, &x.run));
	x.info.options = *o;
	x.info.options.force = false;
	/* The lock that training holds too. */
	path = indexing_path(&x, "lock");
	TRY_OUT(file_lock(path, &lock));
	err = build(&x, o->force);
out:
	if (lock >= 0)
		unlink(path);
	file_unlock(lock);
	free(path);
	indexing_close(&x);
	return err;
}

enum err
index_build(struct store *s, int64_t run, const struct index_options *o, struct pool *pool, struct job *job)
{
	return indexing_build(s, run, o, NULL, pool, job);
}
