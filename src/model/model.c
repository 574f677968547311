/* model: the tensor table, made from the config, and fresh weights. */
#include "byline/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "byline/mem.h"
#include "byline/mm.h"
#include "byline/rng.h"
#include "stored.h"

/* In the order of the forward pass, which is the order in the flat vector. */
static const struct spec { enum tensor_role role; bool in_block, linear; const char *name; } specs[] = {
	{ROLE_EMBED, false, false, "embed"},
	{ROLE_POS, false, false, "pos"},
	{ROLE_NORM1, true, false, "norm1"},
	{ROLE_QKV, true, true, "attn.qkv"},
	{ROLE_Q_NORM, true, false, "attn.q_norm"},
	{ROLE_K_NORM, true, false, "attn.k_norm"},
	{ROLE_ATTN_OUT, true, true, "attn.out"},
	{ROLE_POST1, true, false, "post1"},
	{ROLE_NORM2, true, false, "norm2"},
	{ROLE_GATE, true, true, "mlp.gate"},
	{ROLE_UP, true, true, "mlp.up"},
	{ROLE_DOWN, true, true, "mlp.down"},
	{ROLE_POST2, true, false, "post2"},
	{ROLE_NORM_FINAL, false, false, "norm"},
	{ROLE_HEAD, false, true, "head"},
};

static bool
has_tensor(const struct model_config *c, enum tensor_role role)
{
	bool bare = c->norm == NORM_BARE;
	switch (role) {
	case ROLE_POS: return c->pos == POS_LEARNED;
	case ROLE_NORM1: return !bare && c->place != PLACE_POST;
	case ROLE_NORM2: return !bare && c->place != PLACE_POST && !c->shared_norm;
	case ROLE_POST1: case ROLE_POST2: return !bare && c->place != PLACE_PRE;
	case ROLE_NORM_FINAL: return !bare;
	case ROLE_Q_NORM: case ROLE_K_NORM: return c->qk_norm != QK_NONE;
	case ROLE_GATE: return c->mlp == MLP_GATED;
	case ROLE_HEAD: return !c->tied;
	default: return true;
	}
}

static bool
has_bias(const struct model_config *c, enum tensor_role role)
{
	switch (role) {
	case ROLE_NORM1: case ROLE_NORM2: case ROLE_POST1: case ROLE_POST2: case ROLE_NORM_FINAL:
		return c->norm == NORM_LAYER;
	case ROLE_QKV: return c->attn_bias;
	case ROLE_ATTN_OUT: return c->out_bias;
	case ROLE_GATE: case ROLE_UP: case ROLE_DOWN: return c->mlp_bias;
	case ROLE_HEAD: return c->head_bias;
	default: return false;
	}
}

static void
shape_of(const struct model_config *c, enum tensor_role role, int *rows, int *cols)
{
	int d = c->d_model, q = c->n_head * c->head_dim, kv = c->n_kv_head * c->head_dim;
	bool whole = c->qk_norm == QK_WHOLE;
	const int shapes[ROLES][2] = {
		[ROLE_EMBED] = {c->vocab, d}, [ROLE_POS] = {c->n_ctx + c->pos_offset, d}, [ROLE_NORM1] = {d, 1},
		[ROLE_QKV] = {q + 2 * kv, d}, [ROLE_Q_NORM] = {whole ? q : c->head_dim, 1},
		[ROLE_K_NORM] = {whole ? kv : c->head_dim, 1}, [ROLE_ATTN_OUT] = {d, q}, [ROLE_POST1] = {d, 1},
		[ROLE_NORM2] = {d, 1}, [ROLE_GATE] = {c->d_ff, d}, [ROLE_UP] = {c->d_ff, d}, [ROLE_DOWN] = {d, c->d_ff},
		[ROLE_POST2] = {d, 1}, [ROLE_NORM_FINAL] = {d, 1}, [ROLE_HEAD] = {c->vocab, d},
	};
	*rows = shapes[role][0];
	*cols = shapes[role][1];
}

static void
name_of(char out[48], const struct spec *s, int layer, bool bias)
{
	const char *end = bias ? ".bias" : "";
	if (layer < 0)
		snprintf(out, 48, "%s%s", s->name, end);
	else
		snprintf(out, 48, "layers.%d.%s%s", layer, s->name, end);
}

static void
add_tensor(struct model *m, const struct spec *s, int layer, bool bias)
{
	struct tensor *t = &m->tensors[m->n_tensors++];
	name_of(t->name, s, layer, bias);
	t->role = s->role;
	t->bias = bias;
	t->layer = layer;
	shape_of(&m->config, s->role, &t->rows, &t->cols);
	if (bias)
		t->cols = 1;
	t->at = m->n_params;
	m->n_params += (size_t)t->rows * (size_t)t->cols;
}

static void
add_linear(struct model *m, const struct spec *s, const struct tensor *w, ptrdiff_t b)
{
	struct linear *l = &m->linears[m->n_linears++];
	name_of(l->name, s, w->layer, false);
	l->role = s->role;
	l->layer = w->layer;
	l->in = w->cols;
	l->out = w->rows;
	l->w = w->at;
	l->b = b;
}

/* Tied weights: the head is the embedding, seen as a linear layer. */
static void
add_tied_head(struct model *m, const struct spec *s)
{
	ptrdiff_t b = -1;
	if (has_bias(&m->config, ROLE_HEAD)) {
		b = (ptrdiff_t)m->n_params;
		add_tensor(m, s, -1, true);
	}
	add_linear(m, s, &m->tensors[0], b);
}

static void
add_spec(struct model *m, const struct spec *s, int layer)
{
	ptrdiff_t b = -1;
	if (!has_tensor(&m->config, s->role)) {
		if (s->role == ROLE_HEAD)
			add_tied_head(m, s);
		return;
	}
	int w = m->n_tensors;
	add_tensor(m, s, layer, false);
	if (has_bias(&m->config, s->role)) {
		b = (ptrdiff_t)m->n_params;
		add_tensor(m, s, layer, true);
	}
	if (s->linear)
		add_linear(m, s, &m->tensors[w], b);
}

static void
build_table(struct model *m)
{
	size_t most = 2 * ARRAY_LEN(specs) * ((size_t)m->config.n_layer + 1);
	m->tensors = xcalloc(most, sizeof(*m->tensors));
	m->linears = xcalloc(most, sizeof(*m->linears));
	size_t i = 0;
	while (!specs[i].in_block)
		add_spec(m, &specs[i++], -1);
	size_t first = i, end = i;
	for (int layer = 0; layer < m->config.n_layer; layer++)
		for (end = first; specs[end].in_block; end++)
			add_spec(m, &specs[end], layer);
	for (i = end; i < ARRAY_LEN(specs); i++)
		add_spec(m, &specs[i], -1);
}

enum err
model_new(struct model *m, const struct model_config *config, bool with_params)
{
	memset(m, 0, sizeof(*m));
	TRY(model_config_check(config, "model"));
	mm_init();
	m->config = *config;
	build_table(m);
	if (!with_params)
		return OK;
	enum err err = mem_array(&m->params, m->n_params, sizeof(*m->params), "the model's weights");
	if (err != OK)
		model_free(m);
	return err;
}

void
model_free(struct model *m)
{
	free(m->tensors);
	free(m->linears);
	free(m->params);
	stored_free(m->stored);
	memset(m, 0, sizeof(*m));
}

const struct tensor *
model_tensor(const struct model *m, enum tensor_role role, int layer, bool bias)
{
	for (int i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		if (t->role == role && t->layer == layer && t->bias == bias)
			return t;
	}
	return NULL;
}

static void
init_tensor(const struct model *m, const struct tensor *t, uint64_t seed, uint64_t stream)
{
	float *v = m->params + t->at;
	size_t n = (size_t)t->rows * (size_t)t->cols;
	bool norm = role_is_norm(t->role);
	/* Radford et al. 2019, section 2.3: the residual stream adds up 2 n_layer of these. */
	bool residual = t->role == ROLE_ATTN_OUT || t->role == ROLE_DOWN;
	double scale = m->config.init_range / (residual ? sqrt(2.0 * m->config.n_layer) : 1);
	struct rng rng;
	rng_init(&rng, seed, stream);
	for (size_t i = 0; i < n; i++)
		v[i] = t->bias ? 0 : norm ? 1 : (float)(scale * rng_normal(&rng));
}

void
model_init(struct model *m, uint64_t seed)
{
	for (int i = 0; i < m->n_tensors; i++)
		init_tensor(m, &m->tensors[i], seed, (uint64_t)i);
}
