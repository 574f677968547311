/* train_args: what the options of `byline train` mean: a model's config, a training, an index. */
#include "train_parts.h"

#include <stdio.h>
#include <string.h>

#include "byline/mem.h"

static const enum st_dtype dtypes[] = {ST_F32, ST_F16, ST_BF16};
static const char *const families[] = {"llama", "gpt2"};

void
train_args_config(const struct train_args *a, const struct tokenizer *t, struct model_config *c)
{
	const struct model_config *m = &a->config;
	bool llama = a->family == 0;
	if (a->like) {
		*c = a->config;
		return;
	}
	*c = (struct model_config){
		.n_layer = m->n_layer, .d_model = m->d_model, .n_head = m->n_head,
		.n_kv_head = m->n_kv_head ? m->n_kv_head : m->n_head, .head_dim = m->d_model / m->n_head,
		.vocab = tokenizer_size(t), .n_ctx = m->n_ctx,
		.norm = llama ? NORM_RMS : NORM_LAYER, .pos = llama ? POS_ROPE : POS_LEARNED,
		.mlp = llama ? MLP_GATED : MLP_PLAIN,
		.act = llama ? ACT_SILU : ACT_GELU_TANH, .tied = !a->untied, .attn_bias = !llama,
		.out_bias = !llama, .mlp_bias = !llama,
		.norm_eps = 1e-5, .rope_theta = 10000, .init_range = 0.02, .bos = train_begin_token(t),
		.eos = train_begin_token(t),
	};
	snprintf(c->family, sizeof(c->family), "%s", families[a->family]);
	c->d_ff = m->d_ff ? m->d_ff : llama ? (m->d_model * 8 / 3 + 15) / 16 * 16 : m->d_model * 4;
}

/* What no option sets is as by default. */
void
train_args_options(const struct train_args *a, size_t n_train, struct train_options *o)
{
	struct train_options usual;
	*o = a->options;
	if (a->like)
		return;
	train_defaults(&usual);
	o->lr_floor = usual.lr_floor;
	o->beta1 = usual.beta1;
	o->beta2 = usual.beta2;
	o->eps = usual.eps;
	o->save_every = usual.save_every;
	o->lanes = o->lanes ? o->lanes : usual.lanes;
	o->dtype = dtypes[a->dtype];
	int64_t steps = ((int64_t)n_train + o->batch - 1) / o->batch * o->epochs;
	o->warmup = o->warmup >= 0 ? o->warmup : (int)((steps * 8 + 99) / 100);
}

void
train_args_index(const struct train_args *a, struct index_options *o)
{
	index_defaults(o);
	o->k = a->k;
	o->own = a->own;
	o->bits = a->bits;
	o->curvature_tokens = (uint64_t)a->curvature_tokens;
}

void
train_args_as(struct train_args *a, const struct likeness *l)
{
	uint64_t seed = a->options.seed;
	a->tokenizer = l->tokenizer;
	a->config = l->journal.config;
	a->options = l->journal.options;
	a->options.seed = seed;
	a->untied = !a->config.tied;
	a->heldout = l->heldout;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		a->family = strcmp(families[i], a->config.family) == 0 ? (int)i : a->family;
	for (size_t i = 0; i < ARRAY_LEN(dtypes); i++)
		a->dtype = dtypes[i] == a->options.dtype ? (int)i : a->dtype;
}
