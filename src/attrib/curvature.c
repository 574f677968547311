/* curvature: which layers there are, what is allocated for each, and work over their sides. */
#include "byline/curvature.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byline/half.h"
#include "byline/linalg.h"
#include "byline/mem.h"

#include "curvature_internal.h"
#include "fault.h"

static const uint32_t feature_roles = 1u << ROLE_DOWN | 1u << ROLE_HEAD;

void
curvature_defaults(struct curvature_options *o)
{
	*o = (struct curvature_options){ .k = 64, .whiten_damping = 0.1, .damping = 0.1 };
}

void
curvature_layers(const struct model *m, int **linear, int *n)
{
	*n = 0;
	*linear = xcalloc((size_t)m->n_linears + 1, sizeof(**linear));
	for (int i = 0; i < m->n_linears; i++)
		if (feature_roles & 1u << m->linears[i].role)
			(*linear)[(*n)++] = i;
}

/* ---- memory ---- */

static void
side_free(struct curvature_side *side)
{
	free(side->q);
	free(side->w);
	free(side->p);
	free(side->diagonal);
	free(side->weight);
}

void
curvature_free(struct curvature *c)
{
	for (int i = 0; i < c->n_layers; i++) {
		side_free(&c->layers[i].a);
		side_free(&c->layers[i].s);
		free(c->layers[i].lambda);
	}
	free(c->layers);
	*c = (struct curvature){0};
}

static void
side_drop(struct curvature_side *side)
{
	free(side->q);
	free(side->w);
	side->q = side->w = NULL;
}

void
curvature_drop_solve(struct curvature *c)
{
	for (int i = 0; i < c->n_layers; i++) {
		side_drop(&c->layers[i].a);
		side_drop(&c->layers[i].s);
		free(c->layers[i].lambda);
		c->layers[i].lambda = NULL;
	}
}

static enum err
side_new(struct curvature_side *side, int n, int k, bool basis)
{
	side->n = n;
	side->k = k < n ? k : n;
	side->mean = 1;
	if (!basis || n > CURVATURE_MAX_SIDE)
		return OK;
	TRY(mem_array(&side->q, (size_t)n * (size_t)n, sizeof(float), "a curvature basis"));
	return mem_array(&side->w, (size_t)n, sizeof(float), "a curvature basis");
}

static enum err
layer_new(struct curvature_layer *l, const struct model *m, int linear, int k)
{
	const struct linear *x = &m->linears[linear];
	l->linear = linear;
	l->in = x->in;
	l->out = x->out;
	TRY(side_new(&l->a, x->in, x->role == ROLE_HEAD ? 2 * k : k, true));
	TRY(side_new(&l->s, x->out, k, x->role != ROLE_HEAD));
	if (x->role == ROLE_HEAD) {
		TRY(mem_array(&l->s.diagonal, (size_t)x->out, sizeof(float), "a curvature diagonal"));
		TRY(mem_array(&l->s.weight, (size_t)x->out, sizeof(float), "a curvature diagonal"));
	}
	return mem_array(&l->lambda, (size_t)x->out * (size_t)x->in, sizeof(float), "curvature");
}

enum err
curvature_new(struct curvature *c, const struct model *m, int k)
{
	enum err err = OK;
	int *linear, n;
	assert(k >= 1);
	curvature_layers(m, &linear, &n);
	*c = (struct curvature){ .layers = xcalloc((size_t)n + 1, sizeof(*c->layers)) };
	while (err == OK && c->n_layers < n) {
		int i = c->n_layers++;
		err = layer_new(&c->layers[i], m, linear[i], k);
	}
	free(linear);
	if (err != OK)
		curvature_free(c);
	return err;
}

/* ---- work over sides ---- */

struct curvature_side *
curvature_side(struct curvature_layer *l, int side)
{
	return side ? &l->s : &l->a;
}

struct each_side {
	struct curvature *c;
	enum err (*fn)(void *arg, struct curvature_layer *l, int side);
	void *arg;
	struct fault fault;
};

static void
each_side_piece(void *arg, size_t i, int worker)
{
	struct each_side *e = arg;
	struct curvature_layer *l = &e->c->layers[i / 2];
	(void)worker;
	if (fault_go(&e->fault))
		fault_set(&e->fault, e->fn(e->arg, l, i % 2));
}

enum err
curvature_each_side(struct curvature *c, struct pool *pool,
	enum err (*fn)(void *arg, struct curvature_layer *l, int side), void *arg)
{
	size_t n = 2 * (size_t)c->n_layers;
	struct each_side e = { .c = c, .fn = fn, .arg = arg };
	fault_init(&e.fault, NULL);
	if (pool)
		pool_run(pool, n, each_side_piece, &e);
	else
		for (size_t i = 0; i < n; i++)
			each_side_piece(&e, i, 0);
	return fault_end(&e.fault);
}

enum err
curvature_round_basis(float *q, int n)
{
	enum err err;
	float *packed = NULL;
	size_t count = (size_t)n * (size_t)(n - 1) / 2;
	TRY_OUT(mem_array(&packed, count, sizeof(*packed), "a curvature basis"));
	TRY_OUT(linalg_orthogonal_pack(packed, q, n));
	for (size_t i = 0; i < count; i++)
		packed[i] = half_from_f16(half_to_f16(packed[i]));
	err = linalg_orthogonal_unpack(q, packed, n);
out:
	free(packed);
	return err;
}
