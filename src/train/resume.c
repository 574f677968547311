/* resume: saving and restoring the state of a run. */
#include "resume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"

#include "journal.h"

/* What is not a tensor goes into the metadata, a string each; numbers that are not whole in hexadecimal, so that they
 * come back bit for bit. */
struct counters {
	int64_t step, updates, journal;
	double loss, heldout;
};

static const struct counter {
	const char *key;
	bool whole;
	size_t at;
} counters[] = {
	{ "step", true, offsetof(struct counters, step) },
	{ "updates", true, offsetof(struct counters, updates) },
	{ "journal_bytes", true, offsetof(struct counters, journal) },
	{ "loss", false, offsetof(struct counters, loss) },
	{ "heldout", false, offsetof(struct counters, heldout) },
};

static const char *const vector_names[] = { "params", "moment1", "moment2" };
enum { VECTORS = 3 };

static void
vectors(const struct trainer *t, float *v[VECTORS])
{
	v[0] = t->m->params;
	v[1] = t->step.moment1;
	v[2] = t->step.moment2;
}

static char *
resume_path(const char *dir)
{
	return path_join(dir, "resume.safetensors");
}

/* ---- saving ---- */

static void
save_counters(struct st_writer *w, const struct counters *c)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		const void *p = (const char *)c + counters[i].at;
		char text[64];
		if (counters[i].whole)
			snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)p);
		else
			snprintf(text, sizeof(text), "%a", *(const double *)p);
		st_writer_meta(w, counters[i].key, text);
	}
}

static enum err
save_vectors(struct st_writer *w, const struct trainer *t)
{
	const uint64_t n = t->m->n_params;
	float *v[VECTORS];
	vectors(t, v);
	for (int i = 0; i < VECTORS; i++)
		st_writer_declare(w, vector_names[i], ST_F32, 1, &n);
	TRY(st_writer_begin(w));
	for (int i = 0; i < VECTORS; i++)
		TRY(st_writer_bytes(w, v[i], n * sizeof(float)));
	return OK;
}

enum err
resume_save(const char *dir, const struct trainer *t, const char *recipe)
{
	const struct train_status *s = &t->status;
	struct counters c = { .step = s->step, .updates = t->updates, .loss = s->loss, .heldout = s->heldout };
	struct st_writer w = {0};
	uint64_t bytes;
	char *path = resume_path(dir);
	enum err err;
	TRY_OUT(journal_size(dir, &bytes));
	c.journal = (int64_t)bytes;
	TRY_OUT(st_writer_open(&w, path));
	st_writer_meta(&w, "recipe", recipe);
	save_counters(&w, &c);
	TRY_OUT(save_vectors(&w, t));
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	free(path);
	return err;
}

/* ---- loading ---- */

static enum err
damaged(const struct st_file *f, const char *key)
{
	return err_set(ERR_FORMAT, "%s: \"%s\" is not what a resume point of this run has: remove the file to begin the"
		" run again", f->path, key);
}

static enum err
load_counter(const struct st_file *f, const struct counter *k, struct counters *c)
{
	const char *text = st_meta(f, k->key);
	char *end = NULL;
	void *p = (char *)c + k->at;
	if (!text || !*text)
		return damaged(f, k->key);
	errno = 0;
	if (k->whole)
		*(int64_t *)p = strtoll(text, &end, 10);
	else
		*(double *)p = strtod(text, &end);
	return *end == '\0' && errno != ERANGE ? OK : damaged(f, k->key);
}

static enum err
load_counters(const struct st_file *f, const struct trainer *t, const char *recipe, struct counters *c)
{
	const char *whose = st_meta(f, "recipe");
	if (!whose || strcmp(whose, recipe) != 0)
		return damaged(f, "recipe");
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		TRY(load_counter(f, &counters[i], c));
	if (c->step < 0 || c->step > t->plan.steps)
		return damaged(f, "step");
	if (c->updates < 0 || c->updates > c->step)
		return damaged(f, "updates");
	return OK;
}

static enum err
load_vectors(const struct st_file *f, struct trainer *t)
{
	const uint64_t n = t->m->n_params;
	const struct st_tensor *tensor;
	float *v[VECTORS];
	vectors(t, v);
	for (int i = 0; i < VECTORS; i++) {
		TRY(st_want(f, vector_names[i], 1, &n, &tensor));
		TRY(st_read_f32(f, tensor, 0, n, v[i]));
	}
	return OK;
}

static enum err
load_file(const char *path, const char *dir, struct trainer *t, const char *recipe)
{
	struct st_file f = {0};
	struct counters c;
	enum err err;
	TRY_OUT(st_open(&f, path));
	TRY_OUT(load_counters(&f, t, recipe, &c));
	TRY_OUT(load_vectors(&f, t));
	TRY_OUT(journal_cut(dir, (uint64_t)c.journal));
	t->updates = c.updates;
	t->status.step = c.step;
	t->status.loss = c.loss;
	t->status.heldout = c.heldout;
	meter_start(&t->meter, c.step);
out:
	st_close(&f);
	return err;
}

enum err
resume_load(const char *dir, struct trainer *t, const char *recipe, bool *found)
{
	char *path = resume_path(dir);
	enum err err = OK;
	*found = file_exists(path);
	if (*found)
		err = load_file(path, dir, t, recipe);
	free(path);
	return err;
}

enum err
resume_remove(const char *dir)
{
	char *path = resume_path(dir);
	enum err err = OK;
	if (unlink(path) != 0 && errno != ENOENT)
		err = err_set(ERR_IO, "cannot remove %s: %s", path, strerror(errno));
	free(path);
	return err;
}
