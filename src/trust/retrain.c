/* retrain: the recipe out of the journal, and the trainer in memory. */
#include "byline/retrain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/json.h"
#include "byline/safetensors.h"
#include "byline/str.h"

#define MEMBER_FORMAT "byline member 1"

bool
retrain_possible(const char *run_dir)
{
	struct train_journal j = {0};
	enum err err = train_journal_read(run_dir, &j);
	train_journal_free(&j);
	/* A journal that is damaged is no reason to say that there never was one. */
	return err != ERR_MISSING;
}

enum err
retrain_open(struct retraining *r, const char *run_dir, const struct dataset *data)
{
	char hex[HASH_HEX];
	enum err err = train_journal_read(run_dir, &r->journal);
	r->data = data;
	if (err == ERR_MISSING)
		return err_set(ERR_MISSING, "%s has no journal: only what was trained here can be trained again",
			run_dir);
	TRY(err);
	dataset_hash(data, hex);
	if (strcmp(hex, r->journal.dataset) != 0)
		return err_set(ERR_MISMATCH, "%s: its journal is of other examples (%.12s, these are %.12s)", run_dir,
			r->journal.dataset, hex);
	return r->journal.finished ? OK : err_set(ERR_MISSING, "%s: its training is not finished", run_dir);
}

void
retrain_close(struct retraining *r)
{
	train_journal_free(&r->journal);
	*r = (struct retraining){0};
}

enum err
retrain(const struct retraining *r, const uint8_t *drop, uint64_t seed, struct model *m, struct pool *pool,
	struct job *job)
{
	struct train_spec spec = { .data = r->data, .drop = drop, .options = r->journal.options };
	spec.options.seed = seed;
	*m = (struct model){0};
	TRY(model_new(m, &r->journal.config, true));
	enum err err = train_replay(m, &spec, 0, pool, job);
	if (err != OK)
		model_free(m);
	return err;
}

/* Kept checkpoints, their dtype and how often a run was saved change nothing in the weights. */
static void
options_text(const struct train_options *o, uint64_t seed, char *text, size_t n)
{
	snprintf(text, n, "seed %" PRIu64 " epochs %d batch %d lanes %d lr %a floor %a warmup %d betas %a %a eps %a"
		" decay %a clip %a", seed, o->epochs, o->batch, o->lanes, o->lr, o->lr_floor, o->warmup, o->beta1,
		o->beta2, o->eps, o->weight_decay, o->clip);
}

void
retrain_identity(const struct retraining *r, const uint8_t *drop, uint64_t seed, char hex[HASH_HEX])
{
	struct hash_state h;
	struct str config = {0};
	char options[512];
	json_t *json = model_config_json(&r->journal.config);
	json_print(&config, json, 0);
	json_decref(json);
	options_text(&r->journal.options, seed, options, sizeof(options));
	hash_init(&h);
	hash_add(&h, r->journal.dataset, strlen(r->journal.dataset));
	hash_add(&h, config.s, config.len);
	hash_add(&h, options, strlen(options));
	for (size_t i = 0; i < r->data->n; i++)
		if (drop && drop[i])
			hash_add(&h, &(uint64_t){ i }, sizeof(uint64_t));
	hash_final(&h, hex);
	str_free(&config);
}

enum err
retrain_save(const char *path, const struct model *m, const char *identity)
{
	struct st_writer w = {0};
	const uint64_t n = m->n_params;
	enum err err;
	TRY_OUT(st_writer_open(&w, path));
	st_writer_meta(&w, "format", MEMBER_FORMAT);
	st_writer_meta(&w, "identity", identity);
	st_writer_declare(&w, "params", ST_F32, 1, &n);
	TRY_OUT(st_writer_begin(&w));
	TRY_OUT(st_writer_bytes(&w, m->params, n * sizeof(float)));
	err = st_writer_commit(&w);
out:
	st_writer_abort(&w);
	return err;
}

static enum err
load_params(const struct st_file *f, const char *identity, struct model *m)
{
	const uint64_t n = m->n_params;
	const struct st_tensor *params;
	const char *whose = st_meta(f, "identity");
	if (!whose || strcmp(whose, identity) != 0)
		return err_set(ERR_MISMATCH, "%s: the weights of another retraining; remove the file", f->path);
	TRY(st_want(f, "params", 1, &n, &params));
	return st_read_f32(f, params, 0, n, m->params);
}

enum err
retrain_load(const struct retraining *r, const char *path, const char *identity, struct model *m)
{
	struct st_file f = {0};
	enum err err;
	*m = (struct model){0};
	TRY_OUT(st_open(&f, path));
	TRY_OUT(model_new(m, &r->journal.config, true));
	err = load_params(&f, identity, m);
out:
	st_close(&f);
	if (err != OK)
		model_free(m);
	return err;
}
