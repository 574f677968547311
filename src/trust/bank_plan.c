/* bank_plan: plan.json, what a bank is a bank of. */
#include "bank_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"
#include "sealed.h"

#define PLAN_FORMAT "byline bank 1"

void
bank_run_identity(const struct bank *b, char hex[HASH_HEX])
{
	char full[HASH_HEX];
	struct hash_state h;
	retrain_identity(&b->retraining, NULL, b->retraining.journal.options.seed, full);
	hash_init(&h);
	hash_add(&h, full, strlen(full));
	hash_add(&h, b->session->checkpoint_sha256, strlen(b->session->checkpoint_sha256));
	hash_final(&h, hex);
}

bool
bank_plan_exists(const struct bank *b)
{
	char *path = bank_path(b, "plan", ".json");
	bool there = file_exists(path);
	free(path);
	return there;
}

/* ---- writing ---- */

static json_t *
options_json(const struct bank_options *o)
{
	char seed[32];
	snprintf(seed, sizeof(seed), "%" PRIu64, o->seed);
	return json_pack("{s:i, s:f, s:s, s:i, s:i, s:b, s:i, s:i, s:i, s:i}", "subsets", o->subsets, "alpha", o->alpha,
		"seed", seed, "seeds", o->seeds, "other_subsets", o->other_subsets, "contributors",
		(int)o->contributors, "heldout", o->heldout, "generated", o->generated, "span", o->span, "prompt",
		o->prompt);
}

enum err
bank_plan_write(const struct bank *b, const char queries[HASH_HEX])
{
	char run[HASH_HEX], *path = bank_path(b, "plan", ".json");
	json_t *own = json_array();
	bank_run_identity(b, run);
	for (int i = 0; i < b->n_queries; i++)
		json_array_append_new(own, json_real(b->own[i]));
	enum err err = sealed_write(path, json_pack("{s:s, s:s, s:o, s:s, s:o}", "format", PLAN_FORMAT, "run", run,
		"options", options_json(&b->options), "queries", queries, "own", own));
	free(path);
	return err;
}

/* ---- reading ---- */

static enum err
read_int(const json_t *from, const char *path, const char *key, int min, int max, int *out)
{
	int64_t v;
	TRY(json_want_int(from, path, key, min, max, &v));
	*out = (int)v;
	return OK;
}

static enum err
read_options(const json_t *o, const char *path, struct bank_options *to)
{
	TRY(read_int(o, path, "subsets", 0, 10000, &to->subsets));
	TRY(json_opt_real(o, path, "alpha", 0, 1, 0, &to->alpha));
	TRY(json_want_u64(o, path, "seed", &to->seed));
	TRY(read_int(o, path, "seeds", 1, 64, &to->seeds));
	TRY(read_int(o, path, "other_subsets", 0, to->subsets, &to->other_subsets));
	TRY(json_opt_bool(o, path, "contributors", false, &to->contributors));
	TRY(read_int(o, path, "heldout", 0, BANK_QUERIES_MAX / 2, &to->heldout));
	TRY(read_int(o, path, "generated", 0, BANK_QUERIES_MAX / 2, &to->generated));
	TRY(read_int(o, path, "span", 1, 1 << 20, &to->span));
	TRY(read_int(o, path, "prompt", 1, 1 << 20, &to->prompt));
	return to->alpha > 0 ? OK : err_set(ERR_FORMAT, "%s: \"alpha\" must be above 0", path);
}

static enum err
read_own(struct bank *b, const json_t *plan, const char *path)
{
	const json_t *own = json_object_get(plan, "own"), *v;
	size_t i;
	if (!json_is_array(own) || json_array_size(own) < 1 || json_array_size(own) > BANK_QUERIES_MAX)
		return err_set(ERR_FORMAT, "%s: \"own\" must be an array of one number a query", path);
	b->n_queries = (int)json_array_size(own);
	b->own = xcalloc((size_t)b->n_queries + 1, sizeof(*b->own));
	json_array_foreach(own, i, v) {
		if (!json_is_number(v) || !isfinite(json_number_value(v)))
			return err_set(ERR_FORMAT, "%s: \"own\" holds what is no number", path);
		b->own[i] = json_number_value(v);
	}
	return OK;
}

static enum err
read_plan(struct bank *b, const json_t *plan, const char *path, char queries[HASH_HEX])
{
	const char *format;
	char run[HASH_HEX], want[HASH_HEX];
	TRY(json_want_str(plan, path, "format", &format));
	if (strcmp(format, PLAN_FORMAT) != 0)
		return err_set(ERR_UNSUPPORTED, "%s: \"%s\" is not a bank this byline knows", path, format);
	TRY(json_want_hash(plan, path, "run", run));
	bank_run_identity(b, want);
	if (strcmp(run, want) != 0)
		return err_set(ERR_MISMATCH, "%s: the bank of another run than %s, or of the same trained anew: remove"
			" %s to measure this one", path, b->session->run.name, b->dir);
	TRY(read_options(json_object_get(plan, "options"), path, &b->options));
	TRY(json_want_hash(plan, path, "queries", queries));
	return read_own(b, plan, path);
}

enum err
bank_plan_read(struct bank *b, char queries[HASH_HEX])
{
	char *path = bank_path(b, "plan", ".json");
	json_t *plan;
	enum err err = sealed_read(path, &plan);
	if (err == OK)
		err = read_plan(b, plan, path, queries);
	json_decref(plan);
	free(path);
	return err;
}

/* ---- growing ---- */

static enum err
agree(const struct bank *b, const char *what, double there, double now)
{
	if (there == now)
		return OK;
	return err_set(ERR_MISMATCH, "run %s has a bank of %s %.15g, not %.15g: ask for that, or remove %s",
		b->session->run.name, what, there, now, b->dir);
}

static void
grow(int *to, int want, bool *grew)
{
	*grew = *grew || want > *to;
	*to = want > *to ? want : *to;
}

enum err
bank_plan_grow(struct bank *b, const struct bank_options *o, bool *grew)
{
	struct bank_options *to = &b->options;
	*grew = false;
	TRY(agree(b, "alpha", to->alpha, o->alpha));
	if (to->seed != o->seed)
		return err_set(ERR_MISMATCH, "run %s has a bank of seed %" PRIu64 ", not %" PRIu64 ": ask for that, or"
			" remove %s", b->session->run.name, to->seed, o->seed, b->dir);
	TRY(agree(b, "held-out queries", to->heldout, o->heldout));
	TRY(agree(b, "generated queries", to->generated, o->generated));
	TRY(agree(b, "span", to->span, o->span));
	TRY(agree(b, "prompt", to->prompt, o->prompt));
	grow(&to->subsets, o->subsets, grew);
	grow(&to->seeds, o->seeds, grew);
	grow(&to->other_subsets, o->other_subsets, grew);
	*grew = *grew || (o->contributors && !to->contributors);
	to->contributors = to->contributors || o->contributors;
	return OK;
}
