/*
 * bank_run: hands that each take a member nobody holds, make it, and write it down.
 *
 * A retraining on one thread is the cheapest there is, and its bits do not depend on the threads: so there is a hand a
 * thread, and threads inside a retraining only where members are fewer.
 */
#include "bank_private.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bank_cost.h"
#include "byline/clock.h"
#include "byline/file.h"
#include "byline/mem.h"

struct sitting;

struct hand {
	struct sitting *sitting;
	struct job job;
	struct pool *pool;
	int member;			/* in hand; -1: none */
};

struct sitting {
	struct bank *b;
	pthread_mutex_t lock;		/* guards what follows, and the members */
	bool *claimed;			/* n_members: a hand of ours has, or had, it */
	bool stop;			/* something went wrong: nobody takes another */
	double *cost;			/* n_members, of bank_cost() */
	double spent, began;
	struct hand *hand;
	int n_hands;
};

/* ---- one member ---- */

static enum err
weights_make(const struct bank *b, const struct bank_member *m, struct hand *h, struct model *model, double *seconds)
{
	enum err err;
	char *path = bank_path(b, "models/", m->key), *kept = xasprintf("%s.safetensors", path);
	uint8_t *drop = xcalloc(b->session->data.n + 1, 1);
	*seconds = 0;
	if (file_exists(kept))
		err = retrain_load(&b->retraining, kept, m->identity, model);
	else {
		double from = clock_monotonic();
		bank_drop(b, m, drop);
		err = retrain(&b->retraining, drop, m->seed, model, h->pool, &h->job);
		*seconds = clock_monotonic() - from;
		if (err == OK && b->options.keep_models)
			err = retrain_save(kept, model, m->identity);
	}
	free(drop);
	free(path);
	free(kept);
	return err;
}

static enum err
kept_hash(const struct bank *b, const struct bank_member *m, char hex[HASH_HEX])
{
	char *path = bank_path(b, "models/", m->key), *kept = xasprintf("%s.safetensors", path);
	enum err err = OK;
	hex[0] = '\0';
	if (file_exists(kept))
		err = hash_file(kept, hex);
	free(path);
	free(kept);
	return err;
}

static enum err
member_make(const struct bank *b, const struct bank_member *m, struct hand *h, struct bank_record *r)
{
	struct model model = {0};
	enum err err;
	*r = (struct bank_record){ .exact = -1 };
	TRY_OUT(weights_make(b, m, h, &model, &r->seconds));
	r->outcome = xcalloc((size_t)b->n_queries + 1, sizeof(*r->outcome));
	TRY_OUT(bank_outcomes(b, &model, r->outcome));
	r->heldout = train_evaluate(&model, model.params, &b->session->data, true, h->pool);
	if (m->kind == MEMBER_FULL && m->seed == b->retraining.journal.options.seed)
		r->exact = retrain_is_run(&b->retraining, &model, &b->session->model);
	TRY_OUT(kept_hash(b, m, r->model));
	err = bank_record_write(b, m, r);
out:
	model_free(&model);
	if (err == OK || err == ERR_CANCELLED)
		return err;
	/* A training that broke down is no fault of the command line. */
	return err_prefix(err == ERR_USAGE ? ERR_UNSUPPORTED : err, "%s", m->key);
}

/* ---- taking ---- */

/* Its lock, when nobody else holds it and it was not finished a moment ago; *fd -1: somebody does, or it was. */
static enum err
member_lock(struct bank *b, struct bank_member *m, int *fd)
{
	char *lock = bank_path(b, m->key, ".lock");
	enum err err = file_lock(lock, fd);
	if (err == OK)
		err = bank_member_refresh(b, m);
	else if (err == ERR_BUSY)
		err = OK;
	if (*fd >= 0 && (err != OK || m->done)) {
		file_unlock(*fd);
		*fd = -1;
	}
	free(lock);
	return err;
}

static enum err
take_next(struct hand *h, int *fd)
{
	struct sitting *s = h->sitting;
	enum err err = bank_refresh(s->b);
	*fd = h->member = -1;
	for (int i = 0; err == OK && !s->stop && i < s->b->n_members; i++) {
		if (s->claimed[i] || s->b->member[i].done)
			continue;
		err = member_lock(s->b, &s->b->member[i], fd);
		if (*fd < 0)
			continue;
		s->claimed[i] = true;
		h->member = i;
		/* What the last member reported is not this one's. */
		job_phase(&h->job, "", 0);
		break;
	}
	return err;
}

/* The lock's file goes only once the member is written: whoever still waits at it looks for that first. */
static void
member_done(struct hand *h, struct bank_record *r, int fd)
{
	struct bank *b = h->sitting->b;
	struct bank_member *m = &b->member[h->member];
	char *lock = bank_path(b, m->key, ".lock");
	if (!m->done)
		bank_record_take(b, m, r);
	h->sitting->spent += h->sitting->cost[h->member];
	h->member = -1;
	unlink(lock);
	file_unlock(fd);
	free(lock);
}

static enum err
hand_next(struct hand *h, bool *more)
{
	struct sitting *s = h->sitting;
	struct bank_record r = {0};
	int fd;
	pthread_mutex_lock(&s->lock);
	enum err err = take_next(h, &fd);
	pthread_mutex_unlock(&s->lock);
	*more = err == OK && fd >= 0;
	if (!*more)
		return err;
	err = member_make(s->b, &s->b->member[h->member], h, &r);
	pthread_mutex_lock(&s->lock);
	if (err == OK)
		member_done(h, &r, fd);
	else
		file_unlock(fd);
	pthread_mutex_unlock(&s->lock);
	free(r.outcome);
	return err;
}

static enum err
hand_run(struct job *job, void *arg)
{
	struct hand *h = arg;
	bool more = true;
	enum err err = OK;
	(void)job;
	while (err == OK && more)
		err = hand_next(h, &more);
	if (err != OK) {
		pthread_mutex_lock(&h->sitting->lock);
		h->sitting->stop = true;
		pthread_mutex_unlock(&h->sitting->lock);
	}
	return err;
}

/* ---- watching ---- */

static double
hand_fraction(struct hand *h)
{
	struct job_view v;
	job_look(&h->job, &v);
	return h->member >= 0 && v.total ? (double)v.done / (double)v.total : 0;
}

static void
sitting_report(struct sitting *s, struct job *job)
{
	enum { UNIT = 1000 };
	char left[32] = "";
	double members = 0, mine = s->spent, rest = 0;
	int done = 0;
	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < s->b->n_members; i++) {
		done += s->b->member[i].done;
		rest += s->b->member[i].done ? 0 : s->cost[i];
	}
	for (int i = 0; i < s->n_hands; i++) {
		double part = hand_fraction(&s->hand[i]);
		double cost = s->hand[i].member >= 0 ? part * s->cost[s->hand[i].member] : 0;
		members += part;
		mine += cost;
		rest -= cost;
	}
	pthread_mutex_unlock(&s->lock);
	double elapsed = clock_monotonic() - s->began;
	if (mine > 0 && elapsed > 1)
		clock_duration(elapsed * rest / mine, left);
	job_step(job, (uint64_t)(UNIT * ((double)done + members)));
	job_note(job, "%d of %d members done%s%s%s", done, s->b->n_members, *left ? ", " : "", left,
		*left ? " left" : "");
}

static bool
sitting_over(const struct sitting *s)
{
	for (int i = 0; i < s->n_hands; i++)
		if (s->hand[i].job.started && !atomic_load(&s->hand[i].job.finished))
			return false;
	return true;
}

static void
sitting_watch(struct sitting *s, struct job *job)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	for (int tick = 0; !sitting_over(s); tick++) {
		for (int i = 0; job_cancelled(job) && i < s->n_hands; i++)
			job_cancel(&s->hand[i].job);
		if (tick % 10 == 0)
			sitting_report(s, job);
		nanosleep(&nap, NULL);
	}
	sitting_report(s, job);
}

/* ---- a sitting ---- */

static void
sitting_open(struct sitting *s, struct bank *b)
{
	int threads = pool_threads(b->session->pool), left = 0;
	*s = (struct sitting){ .b = b, .began = clock_monotonic() };
	pthread_mutex_init(&s->lock, NULL);
	s->claimed = xcalloc((size_t)b->n_members + 1, sizeof(*s->claimed));
	s->cost = xcalloc((size_t)b->n_members + 1, sizeof(*s->cost));
	bank_cost(b, s->cost);
	for (int i = 0; i < b->n_members; i++)
		left += !b->member[i].done;
	s->n_hands = left < threads ? left : threads;
	s->hand = xcalloc((size_t)s->n_hands + 1, sizeof(*s->hand));
	for (int i = 0; i < s->n_hands; i++) {
		struct hand *h = &s->hand[i];
		h->sitting = s;
		h->member = -1;
		h->pool = pool_new(threads / s->n_hands);
		job_init(&h->job);
	}
}

static void
sitting_close(struct sitting *s)
{
	for (int i = 0; i < s->n_hands; i++) {
		job_done(&s->hand[i].job);
		pool_free(s->hand[i].pool);
	}
	free(s->hand);
	free(s->claimed);
	free(s->cost);
	pthread_mutex_destroy(&s->lock);
}

/* The first failure that is not only that somebody asked to stop. */
static enum err
sitting_join(struct sitting *s, enum err err)
{
	char message[ERR_MESSAGE] = "";
	for (int i = 0; i < s->n_hands; i++) {
		enum err e = s->hand[i].job.started ? job_wait(&s->hand[i].job) : OK;
		if (e != OK && (err == OK || err == ERR_CANCELLED)) {
			err = e;
			err_copy(message, sizeof(message));
		}
	}
	return err == OK || !*message ? err : err_set(err, "%s", message);
}

enum err
bank_run(struct bank *b, struct job *job)
{
	struct sitting s;
	enum err err = OK;
	if (b->options.keep_models) {
		char *models = bank_path(b, "models", "");
		err = file_mkdirs(models);
		free(models);
	}
	TRY(err);
	job_phase(job, "retraining", (uint64_t)b->n_members * 1000);
	sitting_open(&s, b);
	for (int i = 0; err == OK && i < s.n_hands; i++)
		err = job_start(&s.hand[i].job, hand_run, &s.hand[i]);
	sitting_watch(&s, job);
	err = sitting_join(&s, err);
	sitting_close(&s);
	return err == OK ? bank_refresh(b) : err;
}
