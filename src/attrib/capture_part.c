/* capture_part: the curvature of a kept checkpoint, measured when it is kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/checkpoint.h"
#include "byline/file.h"
#include "byline/mem.h"

#include "capture_internal.h"

void
capture_part_name(const struct capture *c, int kept, char name[CAPTURE_NAME])
{
	snprintf(name, CAPTURE_NAME, "step-%08" PRId64, c->plan.kept[kept]);
}

char *
capture_part_path(const struct capture *c, int kept)
{
	char name[CAPTURE_NAME];
	capture_part_name(c, kept, name);
	char *file = xasprintf(CAPTURE_FILES "-%s.part", name), *path = path_join(c->run.dir, file);
	free(file);
	return path;
}

static char *
checkpoint_path(const struct capture *c, int kept)
{
	char name[CAPTURE_NAME];
	capture_part_name(c, kept, name);
	char *below = path_join("checkpoints", name), *path = path_join(c->run.dir, below);
	free(below);
	return path;
}

static enum err
part_hash(const struct capture *c, int kept, char hex[HASH_HEX])
{
	char *path = checkpoint_path(c, kept);
	enum err err = checkpoint_hash(path, hex);
	free(path);
	return err;
}

static struct curvature_options
part_options(const struct capture *c)
{
	struct curvature_options o;
	curvature_defaults(&o);
	o.k = c->options.k;
	o.seed = c->options.seed;
	o.max_tokens = c->options.curvature_tokens;
	o.prior = CAPTURE_PRIOR;
	return o;
}

enum err
capture_part_make(struct capture *c, int kept, const float *params)
{
	enum err err;
	char name[CAPTURE_NAME], sha256[HASH_HEX];
	capture_part_name(c, kept, name);
	char *key = xasprintf("checkpoint.%s", name), *path = capture_part_path(c, kept);
	const char *prefix = name;
	const struct curvature_meta meta[] = { { "capture", c->identity }, { key, sha256 } };
	struct curvature_options o = part_options(c);
	struct curvature curvature = {0};
	TRY_OUT(part_hash(c, kept, sha256));
	TRY_OUT(curvature_compute(&curvature, c->model, params, c->spec->data, &o, c->pool, c->job));
	err = curvature_save(path, c->model, &curvature, 1, &prefix, &o, c->options.curvature_dtype, meta,
		ARRAY_LEN(meta));
out:
	curvature_free(&curvature);
	free(path);
	free(key);
	return err;
}

static bool
says(const struct st_file *f, const char *key, const char *want)
{
	const char *got = st_meta(f, key);
	return got && strcmp(got, want) == 0;
}

/* Is there a part of this capture, of the weights that are there? */
static bool
part_is_there(const struct capture *c, int kept)
{
	char name[CAPTURE_NAME], sha256[HASH_HEX];
	struct st_file f = {0};
	capture_part_name(c, kept, name);
	char *path = capture_part_path(c, kept), *key = xasprintf("checkpoint.%s", name);
	bool there = file_exists(path) && part_hash(c, kept, sha256) == OK && st_open(&f, path) == OK
		&& says(&f, "capture", c->identity) && says(&f, key, sha256);
	st_close(&f);
	err_clear();
	free(key);
	free(path);
	return there;
}

enum err
capture_part_ready(struct capture *c, int kept)
{
	struct model m = {0};
	if (part_is_there(c, kept))
		return OK;
	char *path = checkpoint_path(c, kept);
	enum err err = checkpoint_load(path, &m);
	if (err == OK && m.n_params != c->model->n_params)
		err = err_set(ERR_MISMATCH, "%s holds a model of another shape than the run's", path);
	if (err == OK)
		err = capture_part_make(c, kept, m.params);
	model_free(&m);
	free(path);
	return err;
}

/* From the file, so that whoever resumes here has the same bits. */
enum err
capture_part_load(struct capture *c, int kept)
{
	enum err err;
	char name[CAPTURE_NAME];
	struct st_file f = {0};
	capture_part_name(c, kept, name);
	char *path = capture_part_path(c, kept);
	curvature_free(&c->projections);
	TRY_OUT(st_open(&f, path));
	TRY_OUT(curvature_load(&f, name, c->model, c->pool, &c->projections));
	curvature_drop_solve(&c->projections);
out:
	st_close(&f);
	free(path);
	return err;
}
