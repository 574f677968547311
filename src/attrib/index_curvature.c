/* index_curvature: the first stage, one part a checkpoint and then one file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byline/file.h"
#include "byline/mem.h"

#include "capture_internal.h"
#include "curvature_io.h"
#include "indexing.h"

static char *
part_path(const struct indexing *x, int i)
{
	char *name = xasprintf("curvature-%s.part", x->info.checkpoint[i].name);
	char *path = indexing_path(x, name);
	free(name);
	return path;
}

/* Is this a curvature file of this index? */
static bool
is_ours(const struct indexing *x, const char *path)
{
	struct st_file f = {0};
	bool ours = false;
	if (file_exists(path) && st_open(&f, path) == OK) {
		const char *identity = st_meta(&f, "index");
		ours = identity && strcmp(identity, x->identity) == 0;
	}
	st_close(&f);
	err_clear();
	return ours;
}

struct curvature_options
indexing_curvature_options(const struct indexing *x)
{
	const struct index_options *from = &x->info.options;
	struct curvature_options o;
	curvature_defaults(&o);
	o.k = from->k;
	o.seed = from->seed;
	o.max_tokens = from->curvature_tokens;
	return o;
}

static enum err
make_part(struct indexing *x, int i, const char *path)
{
	enum err err;
	const struct index_checkpoint *checkpoint = &x->info.checkpoint[i];
	const char *name = checkpoint->name;
	char *key = xasprintf("checkpoint.%s", name);
	const struct curvature_meta meta[] = { { "index", x->identity }, { key, checkpoint->sha256 } };
	struct curvature_options o = indexing_curvature_options(x);
	struct curvature c = {0};
	struct model m = {0};
	job_note(x->job, "checkpoint %d of %d", i + 1, x->info.n_checkpoints);
	TRY_OUT(indexing_weights(x, i, &m));
	TRY_OUT(curvature_compute(&c, &m, m.params, &x->data, &o, x->pool, x->job));
	err = curvature_save(path, &m, &c, 1, &name, &o, x->info.options.curvature_dtype, meta, ARRAY_LEN(meta));
out:
	curvature_free(&c);
	model_free(&m);
	free(key);
	return err;
}

/* Of one checkpoint, made unless it is there. The path is the caller's, also after a failure. */
static enum err
ready_part(struct indexing *x, int i, char **path)
{
	int kept;
	if (x->capture) {
		TRY(capture_kept(x->capture, x->info.checkpoint[i].name, &kept));
		*path = capture_part_path(x->capture, kept);
		return capture_part_ready(x->capture, kept);
	}
	*path = part_path(x, i);
	return is_ours(x, *path) ? OK : make_part(x, i, *path);
}

/* Makes the file from its parts, and those that are missing first. */
static enum err
make_file(struct indexing *x, const char *path)
{
	enum err err = OK;
	int n = x->info.n_checkpoints;
	const struct curvature_meta ours = { "index", x->identity };
	char **part = xcalloc((size_t)n, sizeof(*part));
	for (int i = 0; i < n; i++)
		TRY_OUT(ready_part(x, i, &part[i]));
	err = curvature_join(path, n, (const char *const *)part, &ours, 1);
out:
	for (int i = 0; i < n; i++)
		free(part[i]);
	free(part);
	return err;
}

static void
remove_parts(const struct indexing *x)
{
	for (int i = 0; i < x->info.n_checkpoints; i++) {
		char *path = part_path(x, i);
		unlink(path);
		free(path);
	}
}

/* As a reader will have them. */
static enum err
load_projections(struct indexing *x, const char *path)
{
	enum err err;
	struct st_file f = {0};
	x->projections = xcalloc((size_t)x->info.n_checkpoints, sizeof(*x->projections));
	TRY_OUT(st_open(&f, path));
	for (int i = 0; i < x->info.n_checkpoints; i++) {
		TRY_OUT(curvature_load(&f, x->info.checkpoint[i].name, &x->model, x->pool, &x->projections[i]));
		curvature_drop_solve(&x->projections[i]);
	}
	feature_layout_plan(&x->layout, &x->model, x->info.options.k, x->info.options.own, x->info.options.bits);
out:
	st_close(&f);
	return err;
}

enum err
indexing_curvature(struct indexing *x)
{
	enum err err;
	char *path = indexing_path(x, CURVATURE_FILE);
	if (!is_ours(x, path))
		TRY_OUT(make_file(x, path));
	remove_parts(x);
	TRY_OUT(indexing_note(x, CURVATURE_FILE));
	memcpy(x->curvature_sha256, x->info.file[x->info.n_files - 1].sha256, HASH_HEX);
	err = load_projections(x, path);
out:
	free(path);
	return err;
}
