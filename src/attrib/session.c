/* A session: everything a run is asked through, opened once, with all that must agree checked against each other. */
#include "byline/attrib.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/train.h"
#include "scores_private.h"
#include "session_index.h"
#include "session_peers.h"
#include "tables.h"

/* ---- works and contributors --------------------------------------------------------------------------------- */

static char *
copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

struct gather { struct session *s; size_t cap; };

static enum err
gather_work(void *arg, const struct work *from)
{
	struct gather *g = arg;
	mem_grow(&g->s->works, &g->cap, g->s->n_works + 1, sizeof(*g->s->works));
	struct work *w = &g->s->works[g->s->n_works++];
	*w = *from;
	w->title = copy(from->title);
	w->licence = copy(from->licence);
	w->licence_from = copy(from->licence_from);
	w->source = copy(from->source);
	w->date = copy(from->date);
	w->sha256 = copy(from->sha256);
	w->authors = xcalloc(from->n_authors + 1, sizeof(*w->authors));
	for (size_t a = 0; a < from->n_authors; a++) {
		w->authors[a] = from->authors[a];
		w->authors[a].name = copy(from->authors[a].name);
	}
	return OK;
}

static enum err
gather_contributor(void *arg, const struct contributor *from)
{
	struct gather *g = arg;
	mem_grow(&g->s->contributors, &g->cap, g->s->n_contributors + 1, sizeof(*g->s->contributors));
	struct contributor *c = &g->s->contributors[g->s->n_contributors++];
	*c = *from;
	c->name = copy(from->name);
	return OK;
}

static int
work_cmp(const void *a, const void *b)
{
	int64_t x = ((const struct work *)a)->id, y = ((const struct work *)b)->id;
	return (x > y) - (x < y);
}

static int
contributor_cmp(const void *a, const void *b)
{
	int64_t x = ((const struct contributor *)a)->id, y = ((const struct contributor *)b)->id;
	return (x > y) - (x < y);
}

static enum err
open_people(struct session *s)
{
	struct gather works = { .s = s }, people = { .s = s };
	TRY(store_each_work(s->store, gather_work, &works));
	TRY(store_each_contributor(s->store, gather_contributor, &people));
	if (s->n_works > 0)
		qsort(s->works, s->n_works, sizeof(*s->works), work_cmp);
	if (s->n_contributors > 0)
		qsort(s->contributors, s->n_contributors, sizeof(*s->contributors), contributor_cmp);
	return OK;
}

const struct work *
session_work(const struct session *s, int64_t id)
{
	struct work key = { .id = id };
	return s->n_works ? bsearch(&key, s->works, s->n_works, sizeof(key), work_cmp) : NULL;
}

const struct contributor *
session_contributor(const struct session *s, int64_t id)
{
	struct contributor key = { .id = id };
	return s->n_contributors ? bsearch(&key, s->contributors, s->n_contributors, sizeof(key), contributor_cmp)
		: NULL;
}

/* ---- the run ------------------------------------------------------------------------------------------------ */

enum err
session_weights(struct session *s)
{
	enum err err = OK;
	char *dir = path_join(s->run.dir, "checkpoint");
	TRY_OUT(store_check_checkpoint(s->store, &s->run));
	TRY_OUT(checkpoint_run(dir, &s->model));
	s->model.threads = pool_threads(s->pool);
	TRY_OUT(checkpoint_hash(dir, s->checkpoint_sha256));
out:
	free(dir);
	return err;
}

static enum err
open_tokenizer(struct session *s)
{
	char *dir = path_join(s->run.dir, "checkpoint");
	enum err err = checkpoint_tokenizer(dir, &s->model, &s->tokenizer);
	free(dir);
	return err;
}

/* The model must be able to read the examples: lengths and token ids. */
static enum err
check_examples(const struct session *s)
{
	const struct model_config *c = &s->model.config;
	for (size_t i = 0; i < s->data.n; i++) {
		uint64_t from = s->data.start[i], to = s->data.start[i + 1];
		if (to - from > (uint64_t)c->n_ctx + 1)
			return err_set(ERR_MISMATCH,
				"run %s: example %zu has %llu tokens, more than the model's context of %d", s->run.name,
				i, (unsigned long long)(to - from), c->n_ctx);
		for (uint64_t t = from; t < to; t++)
			if (s->data.token[t] < 0 || s->data.token[t] >= c->vocab)
				return err_set(ERR_MISMATCH,
					"run %s: example %zu holds token %d, and the model's vocabulary ends at %d",
					s->run.name, i, s->data.token[t], c->vocab - 1);
	}
	return OK;
}

/* The store itself compares the examples with the hash that the run was made with. */
static enum err
open_examples(struct session *s)
{
	TRY(store_run_dataset(s->store, s->run.id, &s->data, &s->examples));
	return check_examples(s);
}

/* A run trained here has a journal; what it says must be what lies beside it. A foreign checkpoint has none. */
enum err
session_check_journal(const struct session *s)
{
	if (!file_in_dir(s->run.dir, "journal.jsonl"))
		return OK;
	struct train_journal j = {0};
	enum err err = OK;
	TRY(train_journal_read(s->run.dir, &j));
	if (strcmp(j.dataset, s->run.dataset) != 0)
		TRY_OUT(err_set(ERR_MISMATCH,
			"run %s: its journal is of other examples (%.12s, the run has %.12s): train again",
			s->run.name, j.dataset, s->run.dataset));
	if (!j.finished)
		TRY_OUT(err_set(ERR_MISSING, "run %s is not finished: run `byline train %s` to go on", s->run.name,
			store_dir(s->store)));
	if (j.n_checkpoints > 0 && strcmp(j.checkpoints[j.n_checkpoints - 1].sha256, s->checkpoint_sha256) != 0)
		TRY_OUT(err_set(ERR_MISMATCH,
			"run %s: checkpoint/ does not hold the weights its training ended with (%.12s, "
			"the journal has %.12s): put them back, or train again", s->run.name, s->checkpoint_sha256,
			j.checkpoints[j.n_checkpoints - 1].sha256));
out:
	train_journal_free(&j);
	return err;
}

static enum err
open_trained(struct session *s)
{
	TRY(session_weights(s));
	/* The weights are held against the journal; these say how to read them, and a changed one would answer wrongly
	 * in silence. */
	TRY(store_check_readings(s->store, &s->run));
	TRY(open_tokenizer(s));
	TRY(open_examples(s));
	TRY(session_check_journal(s));
	TRY(index_open(s, &s->index));
	return peers_find(s, &s->peers);
}

enum err
session_open(struct store *store, const char *run_name, int threads, struct session **out)
{
	enum err err = OK;
	struct session *s = xcalloc(1, sizeof(*s));
	*out = NULL;
	mm_init();
	s->store = store;
	TRY_OUT(store_find_run(store, run_name, &s->run));
	TRY_OUT(store_hash(store, s->corpus_sha256));
	TRY_OUT(open_people(s));
	s->pool = pool_new(threads);
	s->tables = tables_new();
	TRY_OUT(scores_run(&s->run) ? imported_open(s) : open_trained(s));
	*out = s;
	s = NULL;
out:
	session_close(s);
	return err;
}

void
session_close(struct session *s)
{
	if (!s)
		return;
	peers_close(s->peers);
	imported_close(s->imported);
	index_close(s->index);
	tables_free(s->tables);
	pool_free(s->pool);
	for (size_t i = 0; i < s->n_works; i++)
		work_free(&s->works[i]);
	for (size_t i = 0; i < s->n_contributors; i++)
		contributor_free(&s->contributors[i]);
	free(s->works);
	free(s->contributors);
	free(s->examples);
	dataset_free(&s->data);
	tokenizer_free(s->tokenizer);
	model_free(&s->model);
	run_free(&s->run);
	free(s);
}

bool
session_trained_on(const struct session *s, size_t example)
{
	return !s->data.heldout[example] && !s->examples[example].heldout && !s->examples[example].opted_out;
}

size_t
session_trained(const struct session *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->data.n; i++)
		n += session_trained_on(s, i) ? 1 : 0;
	return n;
}

/* ---- what the index says ------------------------------------------------------------------------------------ */

int
session_checkpoints(const struct session *s)
{
	return s->index ? s->index->n_points : 0;
}

int
session_runs(const struct session *s)
{
	return s->alone ? 1 : 1 + peers_count(s->peers);
}

double
session_null_floor(const struct session *s, int span_tokens)
{
	return s->index ? index_null_floor(s->index, span_tokens) : (double)NAN;
}

size_t
session_feature_bytes(const struct session *s)
{
	if (!s->index)
		return 0;
	const struct feature_layout *l = &s->index->layout;
	const struct feature_block *own = feature_layout_own(l);
	return l->code_bytes + (size_t)l->n_blocks * sizeof(float) + (own ? (size_t)own->ks * sizeof(uint32_t) : 0);
}
