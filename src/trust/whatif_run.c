/*
 * whatif_run: the same training with everything, without what is to be left out, and without each control, side by
 * side: one thread each, since a retraining's bits do not depend on them and one is cheapest.
 */
#include "whatif_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/mem.h"

enum { FULL, WITHOUT, CONTROLS };	/* trials, in this order */

struct trial {
	uint8_t *drop;			/* NULL: nothing */
	struct job job;
	struct trials *all;
	double *logprob;		/* of each token of the span */
	enum err err;
	char message[ERR_MESSAGE];
};

struct trials {
	struct query *q;
	const struct retraining *r;
	const struct whatif *w;
	struct trial *trial;
	int n;
	bool exact;
	struct job *job;		/* the caller's */
};

/* ---- one retraining ---- */

/* Progress of all, and a wish to stop handed on. */
static void
trial_notify(void *arg)
{
	const struct trial *t = arg;
	const struct trials *all = t->all;
	uint64_t done = 0;
	for (int i = 0; i < all->n; i++) {
		uint64_t total = atomic_load(&all->trial[i].job.total), part = atomic_load(&all->trial[i].job.done);
		done += total > 0 ? part * 1000 / total : 0;
		if (job_cancelled(all->job))
			job_cancel(&all->trial[i].job);
	}
	job_step(all->job, done);
}

static char *
full_path(const struct query *q)
{
	char *dir = path_join(q->session->run.dir, "whatif"), *path = path_join(dir, "full.safetensors");
	free(dir);
	return path;
}

/* With everything: kept, since every removal is compared with it. */
static enum err
full_model(struct trial *t, struct model *m, struct pool *pool)
{
	const struct trials *all = t->all;
	uint64_t seed = all->r->journal.options.seed;
	char identity[HASH_HEX], *path = full_path(all->q);
	retrain_identity(all->r, NULL, seed, identity);
	enum err err = file_exists(path) ? retrain_load(all->r, path, identity, m) : ERR_MISSING;
	if (err != OK) {
		err_clear();
		err = retrain(all->r, NULL, seed, m, pool, &t->job);
		if (err == OK)
			err = retrain_save(path, m, identity);
		if (err != OK)
			model_free(m);
	}
	free(path);
	return err;
}

static enum err
span_logprob(const struct trials *all, const struct model *m, double *logprob)
{
	const struct query *q = all->q;
	int rows = q->n_prompt + all->w->to - 1, first = q->n_prompt + all->w->from - 1;
	int32_t start[2] = { 0, rows }, *target = xcalloc((size_t)rows + 1, sizeof(*target));
	float *nll = xcalloc((size_t)rows + 1, sizeof(*nll));
	struct batch b = { .n_seq = 1, .rows = rows, .start = start, .token = q->tokens, .target = target };
	struct acts *acts = acts_new(m);
	for (int i = 0; i < rows; i++)
		target[i] = i >= first ? q->tokens[i + 1] : -1;
	enum err err = model_forward(m, m->params, acts, &b);
	if (err == OK)
		acts_loss(m, acts, &b, NULL, nll);
	for (int i = first; err == OK && i < rows; i++) {
		logprob[i - first] = -(double)nll[i];
		if (!isfinite(nll[i]))
			err = err_set(ERR_FORMAT, "the retrained model gives the output no probability");
	}
	acts_free(acts);
	free(target);
	free(nll);
	return err;
}

static void
trial_run(void *arg, size_t i, int worker)
{
	struct trials *all = arg;
	struct trial *t = &all->trial[i];
	struct pool *pool = pool_new(1);
	struct model m = {0};
	(void)worker;
	t->err = job_check(all->job);
	if (t->err == OK)
		t->err = i == FULL ? full_model(t, &m, pool)
			: retrain(all->r, t->drop, all->r->journal.options.seed, &m, pool, &t->job);
	if (t->err == OK) {
		if (i == FULL)
			all->exact = retrain_is_run(all->r, &m, &all->q->session->model);
		t->err = span_logprob(all, &m, t->logprob);
		model_free(&m);
	}
	if (t->err != OK)
		err_copy(t->message, sizeof(t->message));
	job_step(&t->job, 1);
	pool_free(pool);
}

/* ---- all of them ---- */

static double
drop_of(const struct trials *all, int trial, double *token)
{
	double sum = 0;
	for (int i = 0; i < all->w->to - all->w->from; i++) {
		double drop = all->trial[FULL].logprob[i] - all->trial[trial].logprob[i];
		if (token)
			token[i] = drop;
		sum += drop;
	}
	return sum;
}

static enum err
trials_error(const struct trials *all)
{
	enum err worst = OK;
	for (int i = 0; i < all->n; i++)
		if (all->trial[i].err != OK && (worst == OK || worst == ERR_CANCELLED))
			worst = err_set(all->trial[i].err, "%s", all->trial[i].message);
	return worst;
}

static void
trials_open(struct trials *all, struct whatif *w, const uint8_t *drop)
{
	const struct session *s = all->q->session;
	all->trial = xcalloc((size_t)w->options.controls + CONTROLS, sizeof(*all->trial));
	for (int i = 0; i < CONTROLS + w->options.controls; i++) {
		struct trial *t = &all->trial[i];
		t->drop = i == FULL ? NULL : xcalloc(s->data.n + 1, 1);
		if (i == WITHOUT)
			memcpy(t->drop, drop, s->data.n);
		if (i >= CONTROLS && !whatif_control(s, w, i - CONTROLS, t->drop)) {
			/* So much is left out that as much again is not there. */
			w->options.controls = i - CONTROLS;
			free(t->drop);
			break;
		}
		t->logprob = xcalloc((size_t)(w->to - w->from) + 1, sizeof(*t->logprob));
		t->all = all;
		job_init(&t->job);
		t->job.notify = trial_notify;
		t->job.notify_arg = t;
		all->n++;
	}
}

static void
trials_close(struct trials *all)
{
	for (int i = 0; i < all->n; i++) {
		job_done(&all->trial[i].job);
		free(all->trial[i].drop);
		free(all->trial[i].logprob);
	}
	free(all->trial);
}

enum err
whatif_run(struct query *q, const struct retraining *r, struct whatif *w, const uint8_t *drop, struct job *job)
{
	struct trials all = { .q = q, .r = r, .w = w, .job = job };
	char *dir = path_join(q->session->run.dir, "whatif");
	enum err err = file_mkdirs(dir);
	free(dir);
	TRY(err);
	trials_open(&all, w, drop);
	job_phase(job, "training again", (uint64_t)all.n * 1000);
	pool_run(q->session->pool, (size_t)all.n, trial_run, &all);
	err = trials_error(&all);
	if (err == OK) {
		w->bit_exact = all.exact;
		w->token = xcalloc((size_t)(w->to - w->from) + 1, sizeof(*w->token));
		w->control = xcalloc((size_t)w->options.controls + 1, sizeof(*w->control));
		w->observed = drop_of(&all, WITHOUT, w->token);
		for (int i = 0; i < w->options.controls; i++)
			w->control[i] = drop_of(&all, CONTROLS + i, NULL);
	}
	trials_close(&all);
	return err;
}
