/* run: the trainer with a folder: journal, kept checkpoints, resume points. */
#include "byline/train.h"

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

#include "journal.h"
#include "resume.h"
#include "trainer.h"

struct run {
	const char *dir;
	struct trainer t;
	char recipe[HASH_HEX];		/* SHA-256 of the recipe line */
	double saved;			/* clock_monotonic() of the last resume point */
};

/* ---- links ---- */

/* A folder of weights from elsewhere may be linked to, and whoever writes through the link destroys it. */
static enum err
check_no_link(const char *dir, const char *name)
{
	char *path = path_join(dir, name), *end = path + strlen(path) - strlen(name);
	enum err err = OK;
	while (err == OK && *end) {
		end += 1 + strcspn(end + 1, "/");
		char cut = *end;
		*end = '\0';
		if (file_is_link(path))
			err = err_set(ERR_EXISTS, "%s is a link, and training would write to where it leads: take it "
				"away, or name another run", path);
		*end = cut;
	}
	free(path);
	return err;
}

static enum err
check_no_links(const char *dir)
{
	TRY(check_no_link(dir, "checkpoint"));
	return check_no_link(dir, "checkpoints");
}

/* ---- beginning ---- */

static enum err
clean_file(void *arg, const char *rel)
{
	const char *dot = strstr(path_base(rel), ".tmp.");
	/* The last one: what is being written may be called so itself. */
	for (const char *next = dot; next; next = strstr(next + 1, ".tmp."))
		dot = next;
	if (dot && dot[5] && dot[5 + strspn(dot + 5, "0123456789")] == '\0') {
		char *path = path_join(arg, rel);
		unlink(path);
		free(path);
	}
	return OK;
}

/* Temporary files of an earlier process, killed while it wrote them; nobody else writes here while we hold the lock. */
static enum err
run_clean(const char *dir)
{
	char *copy = xstrdup(dir);
	enum err err = file_walk(dir, clean_file, copy);
	free(copy);
	return err;
}

/* The journal names the tokenizer by the bytes of its file, which exist only once they are written. */
static enum err
tokenizer_identity(const char *dir, const struct tokenizer *tokenizer, char hex[HASH_HEX])
{
	char *path = path_join(dir, "tokenizer.tmp");
	enum err err;
	TRY_OUT(tokenizer_save(tokenizer, path));
	err = hash_file(path, hex);
	unlink(path);
out:
	free(path);
	return err;
}

static enum err
run_recipe(const char *dir, const struct model *m, const struct train_spec *spec, json_t **out)
{
	char hex[HASH_HEX];
	if (spec->tokenizer)
		TRY(tokenizer_identity(dir, spec->tokenizer, hex));
	*out = journal_recipe(m, spec, spec->tokenizer ? hex : NULL);
	return OK;
}

/* Makes sure that the folder is of this recipe, beginning it when it is empty. */
static enum err
run_agree(const char *dir, const struct model *m, const struct train_spec *spec, bool *finished)
{
	struct train_journal j = {0};
	json_t *mine = NULL, *there = NULL;
	char sha256[HASH_HEX];
	enum err err;
	*finished = false;
	TRY_OUT(run_recipe(dir, m, spec, &mine));
	TRY_OUT(journal_find_recipe(dir, &there, sha256));
	if (!there) {
		TRY_OUT(resume_remove(dir));
		err = journal_begin(dir, mine);
		goto out;
	}
	TRY_OUT(journal_same_recipe(dir, there, mine));
	TRY_OUT(train_journal_read(dir, &j));
	*finished = j.finished;
out:
	train_journal_free(&j);
	json_decref(mine);
	json_decref(there);
	return err;
}

/* At the resume point, or at the first step of a journal that holds the recipe alone. */
static enum err
run_resume(struct run *r)
{
	json_t *recipe = NULL;
	bool found = false;
	enum err err;
	TRY_OUT(journal_find_recipe(r->dir, &recipe, r->recipe));
	TRY_OUT(resume_load(r->dir, &r->t, r->recipe, &found));
	if (!found)
		err = journal_begin(r->dir, recipe);
out:
	json_decref(recipe);
	return err;
}

/* ---- on the way ---- */

static enum err
run_save(struct run *r)
{
	const struct train_capture *c = r->t.capture;
	if (c && c->save)
		TRY(c->save(c->arg, r->t.status.step));
	r->saved = clock_monotonic();
	return resume_save(r->dir, &r->t, r->recipe);
}

static enum err
run_write(const struct run *r, const char *name, const struct tokenizer *tokenizer, char sha256[HASH_HEX])
{
	char *path = path_join(r->dir, name);
	const struct train_options *o = &r->t.spec->options;
	enum err err;
	TRY_OUT(check_no_link(r->dir, name));
	TRY_OUT(file_mkdirs(path));
	TRY_OUT(checkpoint_save(path, r->t.m, r->t.m->params, tokenizer, o->dtype));
	err = checkpoint_hash(path, sha256);
out:
	free(path);
	return err;
}

static void
run_phase(const struct run *r)
{
	job_phase(r->t.job, "training", (uint64_t)r->t.status.steps);
	job_step(r->t.job, (uint64_t)r->t.status.step);
}

/* To whoever watches, a checkpoint as a reader of it will have it: its numbers are rounded. */
static enum err
run_show(const struct run *r, const char *name)
{
	const struct train_capture *c = r->t.capture;
	struct model kept = {0};
	if (!c || !c->checkpoint)
		return OK;
	char *path = path_join(r->dir, name);
	enum err err = checkpoint_load(path, &kept);
	if (err == OK)
		err = c->checkpoint(c->arg, r->t.status.step, kept.params);
	model_free(&kept);
	free(path);
	run_phase(r);
	return err;
}

static enum err
run_keep(struct run *r)
{
	char name[64], sha256[HASH_HEX];
	snprintf(name, sizeof(name), "checkpoints/step-%08" PRId64, r->t.status.step);
	TRY(run_write(r, name, NULL, sha256));
	TRY(journal_append(r->dir, journal_checkpoint(&r->t.status, sha256)));
	return run_show(r, name);
}

/* What is due after a step. The resume point comes last: a kill before it repeats the step and all that followed. */
static enum err
run_note(struct run *r)
{
	const struct plan *p = &r->t.plan;
	int64_t done = r->t.status.step;
	bool epoch = plan_epoch_ends(p, done), keep = plan_keeps(p, done);
	if (epoch || keep)
		trainer_evaluate(&r->t);
	if (epoch)
		TRY(journal_append(r->dir, journal_epoch(&r->t.status)));
	if (keep)
		TRY(run_keep(r));
	bool due = clock_monotonic() - r->saved >= r->t.spec->options.save_every;
	return keep || due || (epoch && r->t.capture) ? run_save(r) : OK;
}

static enum err
run_steps(struct run *r)
{
	struct trainer *t = &r->t;
	const struct train_capture *c = t->capture;
	if (c && c->begin)
		TRY(c->begin(c->arg, t->status.step));
	r->saved = clock_monotonic();
	run_phase(r);
	while (t->status.step < t->status.steps) {
		if (job_cancelled(t->job)) {
			TRY(run_save(r));
			return job_check(t->job);
		}
		TRY(trainer_step(t));
		TRY(run_note(r));
		trainer_report(t, t->status.step == t->status.steps);
	}
	return OK;
}

static enum err
run_finish(struct run *r)
{
	char sha256[HASH_HEX];
	TRY(run_write(r, "checkpoint", r->t.spec->tokenizer, sha256));
	TRY(journal_append(r->dir, journal_finished(r->t.status.step, sha256)));
	return resume_remove(r->dir);
}

static enum err
run_train(const char *dir, struct model *m, const struct train_spec *spec, struct pool *pool, struct job *job)
{
	struct run r = { .dir = dir };
	enum err err;
	TRY(check_no_links(dir));
	TRY_OUT(trainer_open(&r.t, m, spec, pool, job));
	r.t.capture = spec->capture;
	TRY_OUT(run_resume(&r));
	TRY_OUT(run_steps(&r));
	err = run_finish(&r);
out:
	trainer_close(&r.t);
	return err;
}

/* The weights of a run that ended earlier. */
static enum err
run_load(const char *dir, struct model *m)
{
	struct model kept = {0};
	char *path = path_join(dir, "checkpoint");
	enum err err;
	TRY_OUT(resume_remove(dir));
	TRY_OUT(checkpoint_load(path, &kept));
	if (kept.n_params == m->n_params)
		memcpy(m->params, kept.params, m->n_params * sizeof(float));
	else
		err = err_set(ERR_MISMATCH, "%s does not hold the model that its journal tells of", path);
out:
	model_free(&kept);
	free(path);
	return err;
}

enum err
train_run(struct model *m, const char *dir, const struct train_spec *spec, struct pool *pool, struct job *job)
{
	bool finished;
	int lock = -1;
	char *path = path_join(dir, "lock");
	enum err err;
	TRY_OUT(trainer_check(m, spec));
	TRY_OUT(file_mkdirs(dir));
	TRY_OUT(file_lock(path, &lock));
	TRY_OUT(run_clean(dir));
	TRY_OUT(run_agree(dir, m, spec, &finished));
	err = finished ? run_load(dir, m) : run_train(dir, m, spec, pool, job);
out:
	if (lock >= 0)
		unlink(path);
	file_unlock(lock);
	free(path);
	return err;
}
