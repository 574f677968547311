/* index_plan: which checkpoints an index uses, and whether an index that is there was made of the same things. */
#include "indexing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/json.h"
#include "byline/mem.h"

#include "capture_internal.h"

/* ---- checkpoints ---- */

struct names { char **v; size_t n, cap; };

static void
names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
}

/* "NAME/model.safetensors": NAME is a checkpoint. */
static enum err
names_visit(void *arg, const char *rel)
{
	struct names *names = arg;
	const char *slash = strchr(rel, '/');
	if (!slash || strcmp(slash, "/model.safetensors") != 0)
		return OK;
	mem_grow(&names->v, &names->cap, names->n + 1, sizeof(*names->v));
	names->v[names->n++] = xstrndup(rel, (size_t)(slash - rel));
	return OK;
}

static enum err
plan_add(struct indexing *x, const char *folder, const char *name)
{
	struct index_checkpoint *c = &x->info.checkpoint[x->info.n_checkpoints++];
	char *path;
	if (strlen(folder) + strlen(name) > 100)
		return err_set(ERR_LIMIT, "checkpoint %s: its name is too long; rename it", name);
	c->name = xstrdup(name);
	c->path = path_join(folder, name);
	path = indexing_path(x, c->path);
	enum err err = checkpoint_hash(path, c->sha256);
	free(path);
	return err;
}

/* `want` of n, evenly spaced, the last among them; 0: all. */
static enum err
plan_choose(struct indexing *x, const struct names *names, int want)
{
	size_t take = want > 0 && (size_t)want < names->n ? (size_t)want : names->n;
	x->info.checkpoint = xcalloc(take + 1, sizeof(*x->info.checkpoint));
	for (size_t i = 1; i <= take; i++)
		TRY(plan_add(x, "checkpoints", names->v[(i * names->n + take / 2) / take - 1]));
	return take > 0 ? OK : plan_add(x, "", "checkpoint");
}

/* ---- identity ---- */

/* What the curvature, and so everything after it, depends on. */
static void
plan_identity(struct indexing *x)
{
	const struct index_options *o = &x->info.options;
	struct hash_state h;
	char text[256];
	hash_init(&h);
	hash_add(&h, x->info.dataset, sizeof(x->info.dataset));
	/* Whoever opts out later leaves the rows. */
	hash_add(&h, x->row, (size_t)x->info.n_rows * sizeof(*x->row));
	for (int i = 0; i < x->info.n_checkpoints; i++) {
		hash_add(&h, x->info.checkpoint[i].name, strlen(x->info.checkpoint[i].name));
		hash_add(&h, x->info.checkpoint[i].sha256, HASH_HEX);
	}
	snprintf(text, sizeof(text), "k %d seed %" PRIu64 " tokens %" PRIu64 " %s", o->k, o->seed, o->curvature_tokens,
		st_dtype_name(o->curvature_dtype));
	hash_add(&h, text, strlen(text));
	hash_final(&h, x->identity);
}

enum err
indexing_plan(struct indexing *x)
{
	struct names names = {0};
	char *folder = indexing_path(x, "checkpoints");
	enum err err = OK;
	if (file_is_dir(folder))
		TRY_OUT(file_walk(folder, names_visit, &names));
	TRY_OUT(plan_choose(x, &names, x->info.options.checkpoints));
	plan_identity(x);
	if (x->capture)
		x->info.captured = (struct index_captured){ x->capture->plan.first * x->capture->plan.per_epoch,
			CAPTURE_EVERY, x->capture->plan.visits };
out:
	names_free(&names);
	free(folder);
	return err;
}

/* ---- agreement ---- */

static enum err
differs(const struct indexing *x, const char *what, const char *there, const char *now)
{
	return err_set(ERR_MISMATCH, "run %s: its index was made with %s %s, not %s; index with --force to begin again",
		x->run.name, what, there, now);
}

static enum err
agree_number(const struct indexing *x, const char *what, uint64_t there, uint64_t now)
{
	char a[32], b[32];
	if (there == now)
		return OK;
	snprintf(a, sizeof(a), "%" PRIu64, there);
	snprintf(b, sizeof(b), "%" PRIu64, now);
	return differs(x, what, a, b);
}

static enum err
agree_options(const struct indexing *x, const struct index_options *there, const struct index_options *now)
{
	const struct { const char *what; uint64_t there, now; } numbers[] = {
		{ "k", (uint64_t)there->k, (uint64_t)now->k },
		{ "bits", (uint64_t)there->bits, (uint64_t)now->bits },
		{ "own tokens", (uint64_t)there->own, (uint64_t)now->own },
		{ "checkpoints", (uint64_t)there->checkpoints, (uint64_t)now->checkpoints },
		{ "curvature tokens", there->curvature_tokens, now->curvature_tokens },
		{ "null queries", (uint64_t)there->null_queries, (uint64_t)now->null_queries },
		{ "seed", there->seed, now->seed },
	};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		TRY(agree_number(x, numbers[i].what, numbers[i].there, numbers[i].now));
	if (there->curvature_dtype != now->curvature_dtype)
		return differs(x, "curvature in", st_dtype_name(there->curvature_dtype),
			st_dtype_name(now->curvature_dtype));
	return OK;
}

enum err
indexing_agrees(const struct indexing *x, const struct index_info *there)
{
	const struct index_info *now = &x->info;
	if (there->captured.visits > 0 && now->captured.visits == 0)
		return err_set(ERR_MISMATCH, "run %s: its index was captured while it was trained; index with --force"
			" to make another from its checkpoints", x->run.name);
	TRY(agree_number(x, "as many epochs captured as", (uint64_t)there->captured.visits,
		(uint64_t)now->captured.visits));
	TRY(agree_options(x, &there->options, &now->options));
	if (strcmp(there->dataset, now->dataset) != 0)
		return differs(x, "examples", there->dataset, now->dataset);
	TRY(agree_number(x, "as many checkpoints as", (uint64_t)there->n_checkpoints, (uint64_t)now->n_checkpoints));
	for (int i = 0; i < now->n_checkpoints; i++) {
		if (strcmp(there->checkpoint[i].path, now->checkpoint[i].path) != 0)
			return differs(x, "checkpoint", there->checkpoint[i].path, now->checkpoint[i].path);
		if (strcmp(there->checkpoint[i].sha256, now->checkpoint[i].sha256) != 0)
			return err_set(ERR_MISMATCH,
				"run %s: the weights in %s changed since its index was begun; index with --force "
				"to begin again", x->run.name, now->checkpoint[i].path);
	}
	return OK;
}
