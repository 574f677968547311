/* curvature_load: one checkpoint's curvature out of a file that may be anything. */
#include "curvature_io.h"

#include <math.h>
#include <stdlib.h>

#include "byline/linalg.h"
#include "byline/mem.h"
#include "byline/mm.h"

#include "curvature_internal.h"
#include "lambda_code.h"
#include "meta.h"

struct load {
	const struct st_file *f;
	const char *prefix;
	const struct model *m;
};

static enum err
want(const struct load *o, int linear, const char *part, int n_dims, const uint64_t *shape, const struct st_tensor **t)
{
	char name[TENSOR_NAME_MAX];
	curvature_tensor_name(name, o->m, o->prefix, linear, part);
	return st_want(o->f, name, n_dims, shape, t);
}

/* `count` floats, each finite and at least `min`. */
static enum err
read_floats(const struct load *o, const struct st_tensor *t, uint64_t count, float min, float *out)
{
	TRY(st_read_f32(o->f, t, 0, count, out));
	for (uint64_t i = 0; i < count; i++)
		if (!(isfinite(out[i]) && out[i] >= min))
			return err_set(ERR_FORMAT,
				"%s: tensor \"%s\" holds a value no curvature has; index the run again with --force",
				o->f->path, t->name);
	return OK;
}

static enum err
load_basis(const struct load *o, int linear, const char *part, struct curvature_side *side)
{
	enum err err = OK;
	float *packed = NULL;
	const struct st_tensor *t;
	uint64_t count = (uint64_t)side->n * (uint64_t)(side->n - 1) / 2;
	TRY_OUT(mem_array(&packed, count, sizeof(*packed), "a curvature basis"));
	if (count > 0) {
		TRY_OUT(want(o, linear, part, 1, &count, &t));
		TRY_OUT(read_floats(o, t, count, -INFINITY, packed));
	}
	err = linalg_orthogonal_unpack(side->q, packed, side->n);
out:
	free(packed);
	return err;
}

static enum err
load_side(void *arg, struct curvature_layer *l, int which)
{
	const struct load *o = arg;
	struct curvature_side *side = curvature_side(l, which);
	uint64_t n = (uint64_t)side->n;
	const struct st_tensor *t;
	if (side->diagonal) {
		TRY(want(o, l->linear, "ds", 1, &n, &t));
		return read_floats(o, t, n, 0, side->diagonal);
	}
	if (!side->q)
		return OK;
	TRY(want(o, l->linear, which ? "ws" : "wa", 1, &n, &t));
	TRY(read_floats(o, t, n, 0, side->w));
	return load_basis(o, l->linear, which ? "qs" : "qa", side);
}

static enum err
load_codes(const struct load *o, const struct st_tensor *t, const float *scale, struct curvature_layer *l)
{
	struct lambda_code k = { scale[1], scale[2] };
	if (!(k.step > 0))
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" has no scale; index the run again with --force",
			o->f->path, t->name);
	lambda_decode(&k, t->data, (size_t)t->count, l->lambda);
	return OK;
}

static enum err
load_lambda(const struct load *o, struct curvature_layer *l)
{
	float scale[3];
	uint64_t three = 3, shape[2] = { (uint64_t)l->out, (uint64_t)l->in };
	const struct st_tensor *t;
	TRY(want(o, l->linear, "scale", 1, &three, &t));
	TRY(read_floats(o, t, 3, 0, scale));
	if (!(scale[0] > 0))
		return err_set(ERR_FORMAT, "%s: tensor \"%s\" has no damping; index the run again with --force",
			o->f->path, t->name);
	l->damping = scale[0];
	TRY(want(o, l->linear, "lambda", 2, shape, &t));
	return t->dtype == ST_U8 ? load_codes(o, t, scale, l) : read_floats(o, t, t->count, 0, l->lambda);
}

enum err
curvature_load(const struct st_file *f, const char *prefix, const struct model *m, struct pool *pool,
	struct curvature *c)
{
	enum err err;
	uint64_t k, seed;
	double whiten_damping;
	struct load o = { f, prefix, m };
	*c = (struct curvature){0};
	mm_init();
	TRY_OUT(meta_same(f, "format", CURVATURE_FORMAT));
	TRY_OUT(meta_u64(f, "k", 1, CURVATURE_MAX_K, &k));
	TRY_OUT(meta_u64(f, "seed", 0, UINT64_MAX, &seed));
	TRY_OUT(meta_real(f, "whiten_damping", 1e-6, 1e6, &whiten_damping));
	TRY_OUT(curvature_new(c, m, (int)k));
	for (int i = 0; i < c->n_layers; i++)
		TRY_OUT(load_lambda(&o, &c->layers[i]));
	TRY_OUT(curvature_each_side(c, pool, load_side, &o));
	err = curvature_project(c, seed, whiten_damping, pool);
out:
	if (err != OK)
		curvature_free(c);
	return err;
}
