/* session_peers: finding and opening the runs that repeat a session's run from other seeds. */
#include "session_peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/train.h"
#include "session_index.h"
#include "tables.h"

struct peers {
	struct session *host;		/* borrowed: examples, works, tokenizer and pool are its */
	struct run *run;
	uint64_t *seed;
	size_t n, cap_run, cap_seed;
	struct session **session;	/* n; NULL until opened */
	pthread_mutex_t lock;
};

/* ---- finding ------------------------------------------------------------------------------------------------ */

struct search { struct peers *peers; struct train_journal journal; };

/* Two runs of one seed are one model: it would count twice, and agree with itself. */
static bool
seed_known(const struct search *f, uint64_t seed)
{
	for (size_t i = 0; i < f->peers->n; i++)
		if (f->peers->seed[i] == seed)
			return true;
	return seed == f->journal.options.seed;
}

static bool
journal_fits(const struct search *f, const struct run *r, uint64_t *seed)
{
	struct train_journal j = {0};
	bool fits = train_journal_read(r->dir, &j) == OK && train_journal_alike(&f->journal, &j)
		&& !seed_known(f, j.options.seed);
	*seed = j.options.seed;
	train_journal_free(&j);
	return fits;
}

/* Features of other sizes have other noise: a difference between them would not be one between seeds. */
static bool
index_fits(const struct search *f, const struct run *r)
{
	const struct index_info *mine = &f->peers->host->index->info;
	struct index_info info = {0};
	bool fits = index_info_read(r->dir, &info) == OK && info.finished && info.options.k == mine->options.k
		&& info.options.bits == mine->options.bits && info.n_checkpoints == mine->n_checkpoints
		&& info.options.own == mine->options.own && info.captured.visits == mine->captured.visits
		&& info.captured.every == mine->captured.every;
	index_info_free(&info);
	return fits;
}

static struct run
run_copy(const struct run *from)
{
	struct run r = *from;
	r.name = xstrdup(from->name);
	r.dir = xstrdup(from->dir);
	r.recipe = xstrdup(from->recipe);
	return r;
}

static enum err
peer_add(void *arg, const struct run *r)
{
	struct search *f = arg;
	struct peers *p = f->peers;
	uint64_t seed;
	if (r->id == p->host->run.id || !r->trained || !r->indexed || strcmp(r->dataset, p->host->run.dataset) != 0)
		return OK;
	if (!journal_fits(f, r, &seed) || !index_fits(f, r))
		return OK;
	mem_grow(&p->run, &p->cap_run, p->n + 1, sizeof(*p->run));
	mem_grow(&p->seed, &p->cap_seed, p->n + 1, sizeof(*p->seed));
	p->run[p->n] = run_copy(r);
	p->seed[p->n++] = seed;
	return OK;
}

enum err
peers_find(struct session *s, struct peers **out)
{
	struct search f = {0};
	*out = NULL;
	if (!s->index || train_journal_read(s->run.dir, &f.journal) != OK) {
		err_clear();
		return OK;
	}
	f.peers = xcalloc(1, sizeof(*f.peers));
	f.peers->host = s;
	pthread_mutex_init(&f.peers->lock, NULL);
	enum err err = store_each_run(s->store, peer_add, &f);
	train_journal_free(&f.journal);
	if (err == OK)
		err_clear();
	if (err == OK && f.peers->n > 0) {
		f.peers->session = xcalloc(f.peers->n, sizeof(struct session *));
		*out = f.peers;
		return OK;
	}
	peers_close(f.peers);
	return err;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static void
peer_close(struct session *s)
{
	if (!s)
		return;
	index_close(s->index);
	tables_free(s->tables);
	model_free(&s->model);
	free(s);
}

/* What a config.json says besides shapes is not in the weights, and no hash is looked up here. */
static enum err
check_config(const struct session *s, const struct session *host)
{
	json_t *a = model_config_json(&s->model.config), *b = model_config_json(&host->model.config);
	bool same = json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return same ? OK : err_set(ERR_MISMATCH, "run %s: its config.json is not that of run %s, which it repeats",
		s->run.name, host->run.name);
}

static enum err
peer_open(const struct peers *p, size_t i, struct session **out)
{
	enum err err = OK;
	struct session *s = xcalloc(1, sizeof(*s));
	*s = *p->host;
	s->run = p->run[i];
	s->model = (struct model){0};
	s->index = NULL;
	s->tables = tables_new();
	s->alone = true;
	TRY_OUT(session_weights(s));
	TRY_OUT(check_config(s, p->host));
	TRY_OUT(session_check_journal(s));
	TRY_OUT(index_open(s, &s->index));
	if (!s->index)
		TRY_OUT(err_set(ERR_MISSING, "run %s: its index is gone; run `byline index`", s->run.name));
	*out = s;
	s = NULL;
out:
	peer_close(s);
	return err;
}

enum err
peers_open(struct peers *p, struct job *job)
{
	enum err err = OK;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++) {
		if (p->session[i])
			continue;
		TRY_OUT(job_check(job));
		TRY_OUT(peer_open(p, i, &p->session[i]));
	}
out:
	pthread_mutex_unlock(&p->lock);
	return err;
}

void
peers_close(struct peers *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		peer_close(p->session ? p->session[i] : NULL);
		run_free(&p->run[i]);
	}
	free(p->session);
	free(p->run);
	free(p->seed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int
peers_count(const struct peers *p)
{
	return p ? (int)p->n : 0;
}

struct session *
peers_session(const struct peers *p, int i)
{
	return p->session[i];
}
