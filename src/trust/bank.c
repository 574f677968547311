/* bank: beginning, opening, catching up. */
#include "bank_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"
#include "byline/mm.h"

enum { SUBSETS_MAX = 10000, SEEDS_MAX = 64, LENGTH_MAX = 1 << 20 };

void
bank_defaults(struct bank_options *o)
{
	*o = (struct bank_options){ .subsets = 60, .alpha = 0.5, .seed = 1, .seeds = 1, .heldout = 40, .generated = 40,
		.span = 64, .prompt = 16 };
}

char *
bank_path(const struct bank *b, const char *name, const char *ending)
{
	return xasprintf("%s/%s%s", b->dir, name, ending);
}

static enum err
options_check(const struct bank_options *o)
{
	const struct { const char *what; int value, min, max; } whole[] = {
		{ "subsets", o->subsets, 0, SUBSETS_MAX }, { "seeds", o->seeds, 1, SEEDS_MAX },
		{ "subsets of other seeds", o->other_subsets, 0, SUBSETS_MAX },
		{ "held-out queries", o->heldout, 0, BANK_QUERIES_MAX / 2 },
		{ "generated queries", o->generated, 0, BANK_QUERIES_MAX / 2 },
		{ "tokens of a span", o->span, 1, LENGTH_MAX }, { "tokens of a prompt", o->prompt, 1, LENGTH_MAX },
	};
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (whole[i].value < whole[i].min || whole[i].value > whole[i].max)
			return err_set(ERR_USAGE, "%d %s: from %d to %d", whole[i].value, whole[i].what, whole[i].min,
				whole[i].max);
	if (!(o->alpha > 0 && o->alpha <= 1))
		return err_set(ERR_USAGE, "subsets that keep %g of the examples: above 0, and at most 1", o->alpha);
	return o->heldout + o->generated > 0 ? OK : err_set(ERR_USAGE, "a bank needs queries");
}

static enum err
bank_new(struct session *s, struct bank **out)
{
	struct bank *b = xcalloc(1, sizeof(*b));
	mm_init();
	b->session = s;
	b->exact = -1;
	b->dir = path_join(s->run.dir, "bank");
	*out = b;
	return retrain_open(&b->retraining, s->run.dir, &s->data);
}

void
bank_close(struct bank *b)
{
	if (!b)
		return;
	bank_members_free(b);
	bank_queries_free(b);
	retrain_close(&b->retraining);
	free(b->own);
	free(b->dir);
	free(b);
}

/* ---- the plan that is there ---- */

static enum err
queries_open(struct bank *b, const char want[HASH_HEX])
{
	char got[HASH_HEX], *path = bank_path(b, "queries", ".safetensors");
	enum err err;
	TRY_OUT(hash_file(path, got));
	if (strcmp(got, want) != 0)
		TRY_OUT(err_set(ERR_MISMATCH, "%s is not the file this bank was planned with: put it back, or remove"
			" %s to begin again", path, b->dir));
	err = bank_queries_read(b, path);
out:
	free(path);
	return err;
}

static enum err
plan_open(struct bank *b)
{
	char queries[HASH_HEX];
	TRY(bank_plan_read(b, queries));
	return queries_open(b, queries);
}

/* ---- a new plan, or a larger one ---- */

/* Subsets that each other seed repeats. */
static int
others(const struct bank_options *o)
{
	if (o->seeds < 2)
		return 0;
	return o->other_subsets > 0 && o->other_subsets < o->subsets ? o->other_subsets : o->subsets;
}

static enum err
plan_new(struct bank *b, struct job *job)
{
	TRY(bank_choose(b, job));
	b->own = xcalloc((size_t)b->n_queries + 1, sizeof(*b->own));
	return bank_outcomes(b, &b->session->model, b->own);
}

/* The queries first: a plan says what they hash to. */
static enum err
plan_write_new(const struct bank *b)
{
	char queries[HASH_HEX], *path = bank_path(b, "queries", ".safetensors");
	enum err err;
	TRY_OUT(bank_queries_write(b, path));
	TRY_OUT(hash_file(path, queries));
	err = bank_plan_write(b, queries);
out:
	free(path);
	return err;
}

static enum err
plan_make(struct bank *b, const struct bank_options *o, bool write, struct job *job)
{
	struct bank_options want = *o;
	char queries[HASH_HEX];
	bool grew;
	want.other_subsets = others(o);
	b->options = want;
	if (!bank_plan_exists(b)) {
		TRY(plan_new(b, job));
		return write ? plan_write_new(b) : OK;
	}
	TRY(bank_plan_read(b, queries));
	TRY(bank_plan_grow(b, &want, &grew));
	if (grew && write)
		TRY(bank_plan_write(b, queries));
	return queries_open(b, queries);
}

/* Another process that makes the plan is soon done with it. */
static enum err
plan_lock(const char *path, struct job *job, int *fd)
{
	const struct timespec nap = { .tv_nsec = 50000000 };
	enum err err;
	while ((err = file_lock(path, fd)) == ERR_BUSY && (err = job_check(job)) == OK)
		nanosleep(&nap, NULL);
	return err;
}

static enum err
plan_begin(struct bank *b, const struct bank_options *o, struct job *job)
{
	int lock;
	TRY(file_mkdirs(b->dir));
	char *path = bank_path(b, "plan", ".lock");
	enum err err = plan_lock(path, job, &lock);
	if (err == OK) {
		err = plan_make(b, o, true, job);
		unlink(path);
		file_unlock(lock);
	}
	free(path);
	return err;
}

/* ---- outside ---- */

static enum err
bank_finish(enum err err, struct bank *b, struct bank **out)
{
	if (err == OK) {
		bank_members_make(b);
		err = bank_refresh(b);
	}
	if (err != OK)
		bank_close(b);
	*out = err == OK ? b : NULL;
	return err;
}

enum err
bank_begin(struct session *s, const struct bank_options *o, struct job *job, struct bank **out)
{
	struct bank *b = NULL;
	*out = NULL;
	TRY(options_check(o));
	job_phase(job, "planning", 0);
	enum err err = bank_new(s, &b);
	if (err == OK)
		err = plan_begin(b, o, job);
	return bank_finish(err, b, out);
}

enum err
bank_preview(struct session *s, const struct bank_options *o, struct job *job, struct bank **out)
{
	struct bank *b = NULL;
	*out = NULL;
	TRY(options_check(o));
	job_phase(job, "planning", 0);
	enum err err = bank_new(s, &b);
	if (err == OK)
		err = plan_make(b, o, false, job);
	return bank_finish(err, b, out);
}

enum err
bank_open(struct session *s, struct bank **out)
{
	struct bank *b = NULL;
	*out = NULL;
	enum err err = bank_new(s, &b);
	if (err == OK && !bank_plan_exists(b))
		err = err_set(ERR_MISSING, "run %s was never measured: run `byline eval %s --run %s`", s->run.name,
			store_dir(s->store), s->run.name);
	if (err == OK)
		err = plan_open(b);
	return bank_finish(err, b, out);
}

enum err
bank_member_refresh(struct bank *b, struct bank_member *m)
{
	struct bank_record r = {0};
	char *path = bank_path(b, m->key, ".json");
	enum err err = OK;
	if (file_exists(path))
		err = bank_record_read(b, m, &r);
	if (err == OK && r.outcome)
		bank_record_take(b, m, &r);
	free(path);
	return err;
}

enum err
bank_refresh(struct bank *b)
{
	for (int i = 0; i < b->n_members; i++)
		if (!b->member[i].done)
			TRY(bank_member_refresh(b, &b->member[i]));
	return OK;
}
