/* train_store: one run, trained and captured. What it is made of is fixed when it begins; asking again resumes it. */
#include "train_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/capture.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "commands.h"

/* ---- the run ---- */

static char *
recipe_json(const struct train_args *a, const struct model_config *c)
{
	json_t *r = json_pack("{s:o, s:i, s:i, s:f}", "config", model_config_json(c), "epochs", a->options.epochs,
		"batch", a->options.batch, "heldout", a->heldout);
	if (a->as)
		json_object_set_new(r, "as", json_cstr(a->as));
	struct str s = {0};
	json_print(&s, r, 0);
	json_decref(r);
	return str_take(&s);
}

static enum err
run_begin(struct store *s, const struct train_args *a, const struct tokenizer *t, const struct model_config *c,
	struct job *job, struct run *run)
{
	char *recipe = recipe_json(a, c);
	const struct run_spec spec = {
		.name = a->run, .tokenizer = t, .bos = c->bos, .max_tokens = a->config.n_ctx, .heldout = a->heldout,
		.seed = a->options.seed, .recipe = recipe,
	};
	int64_t id;
	enum err err = a->like ? store_repeat_run(s, a->like->run.id, &spec, job, &id)
		: store_create_run(s, &spec, job, &id);
	free(recipe);
	return err == OK ? store_run(s, id, run) : err;
}

/* ---- training ---- */

static void
train_duration(double seconds, char out[32])
{
	if (seconds < 90)
		snprintf(out, 32, "%.0f s", seconds);
	else
		snprintf(out, 32, "%.0f min", seconds / 60);
}

static void
train_note(void *arg, const struct train_status *s)
{
	struct train_watch *w = arg;
	char left[32];
	w->last = *s;
	train_duration(s->seconds_left, left);
	if (isnan(s->heldout))
		job_note(w->job, "loss %.3f  %.1fk tokens/s  %s left", s->loss, s->tokens_per_second / 1e3, left);
	else
		job_note(w->job, "loss %.3f  held-out %.3f  %.1fk tokens/s  %s left", s->loss, s->heldout,
			s->tokens_per_second / 1e3, left);
}

/* Trains, and captures unless c is NULL. */
static enum err
train_captured(struct store *s, const struct run *run, struct model *m, struct train_spec *spec, struct capture *c,
	struct pool *pool, struct train_watch *w)
{
	spec->capture = c ? capture_hooks(c) : NULL;
	TRY(train_run(m, run->dir, spec, pool, w->job));
	if (c) {
		TRY(capture_finish(c));
		w->refusal = capture_refusal(c);
	}
	w->captured = c && !w->refusal;
	if (w->captured)
		return OK;
	TRY(capture_discard(run->dir));
	return store_set_run_state(s, run->id, true, run->indexed);
}

static enum err
train_in(struct store *s, struct run *run, const struct train_args *a, const struct tokenizer *t,
	const struct model_config *c, struct train_watch *w)
{
	struct dataset data = {0};
	struct example *examples = NULL;
	struct model m = {0};
	struct pool *pool = pool_new(a->threads);
	struct train_spec spec = {.data = &data, .tokenizer = t, .status = train_note, .arg = w};
	struct index_options o;
	struct capture *capture = NULL;
	enum err err;
	TRY_OUT(store_run_dataset(s, run->id, &data, &examples));
	TRY_OUT(model_new(&m, c, true));
	model_init(&m, a->options.seed);
	train_args_options(a, (size_t)run->n_train, &spec.options);
	train_args_index(a, &o);
	if (!a->no_capture)
		TRY_OUT(capture_open(&capture, s, run->id, &m, &spec, &o, pool, w->job));
	err = train_captured(s, run, &m, &spec, capture, pool, w);
out:
	capture_close(capture);
	model_free(&m);
	dataset_free(&data);
	free(examples);
	pool_free(pool);
	return err;
}

enum err
train_store(struct store *s, const struct train_args *a, struct train_watch *w, struct run *run)
{
	struct tokenizer *t = NULL;
	struct model_config c;
	char *runs = path_join(store_dir(s), "runs"), *dir = path_join(runs, a->run),
		*path = path_join(dir, "tokenizer.json");
	enum err err;
	const char *const sources[] = { a->tokenizer, NULL };
	bool known = store_find_run(s, a->run, run) == OK;
	if (known && run->trained)
		goto out_ok;
	if (!known)
		TRY_OUT(store_clear_run(s, a->run, sources));
	TRY_OUT(file_mkdirs(dir));
	TRY_OUT(train_tokenizer(s, a->tokenizer, a->config.vocab, path, w->job, &t));
	train_args_config(a, t, &c);
	TRY_OUT(model_config_check(&c, "the options"));
	if (!known)
		TRY_OUT(run_begin(s, a, t, &c, w->job, run));
	else if (a->like && strcmp(run->dataset, a->like->run.dataset) != 0)
		TRY_OUT(err_set(ERR_MISMATCH, "run %s was begun with other examples than run %s has", a->run, a->as));
	TRY_OUT(train_in(s, run, a, t, &c, w));
out_ok:
	err = OK;
out:
	tokenizer_free(t);
	free(runs);
	free(dir);
	free(path);
	return err;
}
