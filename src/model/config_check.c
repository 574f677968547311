/* model: whether a config can be built at all; everything is checked before anything is made from it. */
#include "byline/model.h"

#include "arch.h"
#include "byline/mem.h"
#include "pass.h"

enum { WIDTH_MAX = 1 << 16, COUNT_MAX = CONFIG_COUNT_MAX };
#define PARAMS_MAX ((int64_t)1 << 37)

static enum err
check_range(const char *name, const char *what, int v, int max)
{
	if (v < 1)
		return err_set(ERR_FORMAT, "%s: %s is %d: it must be at least 1", name, what, v);
	if (v > max)
		return err_set(ERR_LIMIT, "%s: %s is %d: at most %d are supported", name, what, v, max);
	return OK;
}

static enum err
check_ranges(const struct model_config *c, const char *name)
{
	const struct { const char *what; int v, max; } ranges[] = {
		{"the number of layers", c->n_layer, MODEL_LAYERS_MAX},
		{"the model's width", c->d_model, WIDTH_MAX},
		{"the number of heads", c->n_head, WIDTH_MAX},
		{"the number of key-value heads", c->n_kv_head, c->n_head},
		{"the width of a head", c->head_dim, WIDTH_MAX},
		{"the width of the MLP", c->d_ff, COUNT_MAX},
		{"the vocabulary", c->vocab, COUNT_MAX},
		{"the context", c->n_ctx, COUNT_MAX},
	};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		TRY(check_range(name, ranges[i].what, ranges[i].v, ranges[i].max));
	if ((int64_t)c->n_head * c->head_dim > COUNT_MAX)
		return err_set(ERR_LIMIT, "%s: %d heads of width %d are too many", name, c->n_head, c->head_dim);
	if (c->windows != WINDOW_NONE && c->window < 1)
		return err_set(ERR_FORMAT, "%s: layers that see a window of %d positions", name, c->window);
	return OK;
}

static enum err
check_heads(const struct model_config *c, const struct arch *arch, const char *name)
{
	if (c->n_head % c->n_kv_head != 0)
		return err_set(ERR_FORMAT, "%s: %d heads cannot share %d key-value heads evenly", name, c->n_head,
			c->n_kv_head);
	if (arch->always_mha && (c->n_kv_head != c->n_head || c->n_head * c->head_dim != c->d_model))
		return err_set(ERR_FORMAT, "%s: %d heads of width %d do not make up the model's width, %d", name,
			c->n_head, c->head_dim, c->d_model);
	if (!(c->rotary_part >= 0 && c->rotary_part <= 1))
		return err_set(ERR_FORMAT, "%s: the rotary part of a head, %g, is not between 0 and 1", name,
			c->rotary_part);
	if (c->rotary_dims < 0 || c->rotary_dims > c->head_dim)
		return err_set(ERR_FORMAT, "%s: %d rotary dimensions of a head of %d", name, c->rotary_dims,
			c->head_dim);
	if (c->pos == POS_ROPE && (rope_dims(c) % 2 != 0 || rope_dims(c) == 0))
		return err_set(ERR_FORMAT, "%s: rotary positions need an even part of a head, not %d of %d", name,
			rope_dims(c), c->head_dim);
	if (c->pos == POS_ROPE && c->rope.kind == ROPE_LONG && c->rope.n_factors != rope_dims(c) / 2)
		return err_set(ERR_FORMAT, "%s: longrope has %d factors for %d frequencies", name, c->rope.n_factors,
			rope_dims(c) / 2);
	return OK;
}

static bool
has_key(const struct arch *arch, size_t at)
{
	for (const struct config_key *key = arch->keys; key->name != NULL; key++)
		if (key->at == at)
			return true;
	return false;
}

static bool
factors_as_base(const struct model_config *c, const struct arch *arch)
{
	static const size_t factors[] = { FIELD(embed_factor), FIELD(score_factor), FIELD(residual_factor),
		FIELD(logit_factor), FIELD(logit_divisor) };
	for (size_t i = 0; i < ARRAY_LEN(factors); i++)
		if (!has_key(arch, factors[i]) && *(const double *)((const char *)c + factors[i]) != 0)
			return false;
	return true;
}

static bool
turns_as_base(const struct model_config *c, const struct arch *arch)
{
	for (int i = 0; i < c->n_layer && c->pos == POS_ROPE && arch->windows != WINDOWS_SMOLLM3; i++)
		if (model_turns(c, i) != (arch->windows != WINDOWS_COHERE2 || model_window(c, i) > 0))
			return false;
	return (c->local_theta > 0) == (arch->rotary == ROTARY_TWO) && c->pos_offset == arch->base.pos_offset &&
		(c->rotary_dims == 0 || has_key(arch, FIELD(rotary_dims)));
}

/* What no key of the family says is as the family's table has it. */
static bool
as_base(const struct model_config *c, const struct arch *arch)
{
	static const size_t flags[] = { FIELD(parallel), FIELD(shared_norm), FIELD(attn_bias), FIELD(out_bias),
		FIELD(mlp_bias), FIELD(head_bias), FIELD(embed_root), FIELD(rotary_pairs) };
	const struct model_config *base = &arch->base;
	for (size_t i = arch->check_blocks ? 2 : 0; i < ARRAY_LEN(flags); i++)
		if (!has_key(arch, flags[i]) &&
			*(const bool *)((const char *)c + flags[i]) != *(const bool *)((const char *)base + flags[i]))
			return false;
	if (arch->check_blocks && !arch->check_blocks(c))
		return false;
	return factors_as_base(c, arch) && turns_as_base(c, arch) && c->norm == base->norm && c->pos == base->pos &&
		c->mlp == base->mlp && c->place == base->place && c->qk_norm == base->qk_norm;
}

static enum err
check_flags(const struct model_config *c, const struct arch *arch, const char *name)
{
	if (!as_base(c, arch))
		return err_set(ERR_UNSUPPORTED,
			"%s: not how a %s model is made (norms, positions, MLP or biases)", name,
			c->family);
	if (c->mlp == MLP_PLAIN && c->act == ACT_SILU)
		return err_set(ERR_UNSUPPORTED, "%s: activation \"%s\" is not supported in a plain MLP", name,
			config_act_name(c->act));
	return OK;
}

static enum err
check_reals(const struct model_config *c, const char *name)
{
	if (!(c->norm_eps >= 0 && c->norm_eps <= 1))
		return err_set(ERR_FORMAT, "%s: the norms' epsilon %g is not between 0 and 1", name, c->norm_eps);
	if (!(c->init_range >= 0 && c->init_range <= 1))
		return err_set(ERR_FORMAT, "%s: the initial range %g is not between 0 and 1", name, c->init_range);
	if (c->pos == POS_ROPE && !(c->rope_theta >= 1 && c->rope_theta <= 1e12))
		return err_set(ERR_FORMAT, "%s: rope_theta %g is not between 1 and 1e12", name, c->rope_theta);
	if (c->local_theta != 0 && !(c->local_theta >= 1 && c->local_theta <= 1e12))
		return err_set(ERR_FORMAT, "%s: rope_theta %g of local layers is not between 1 and 1e12", name,
			c->local_theta);
	if (!(c->embed_factor >= 0 && c->score_factor >= 0 && c->residual_factor >= 0 && c->logit_factor >= 0 &&
		c->logit_divisor >= 0))
		return err_set(ERR_FORMAT, "%s: a factor is negative", name);
	if (!(c->query_scalar >= 0 && c->att_cap >= 0 && c->logit_cap >= 0 && c->qkv_clip >= 0))
		return err_set(ERR_FORMAT, "%s: a scale or bound of attention or logits is negative", name);
	if (c->bos < -1 || c->bos >= c->vocab || c->eos < -1 || c->eos >= c->vocab)
		return err_set(ERR_FORMAT, "%s: tokens %d and %d are not in a vocabulary of %d", name, c->bos, c->eos,
			c->vocab);
	return OK;
}

/* Nothing overflows here: every factor is at most 2^20, and the sum of a few products at most 2^51. */
static int64_t
count_params(const struct model_config *c)
{
	int64_t d = c->d_model, q = (int64_t)c->n_head * c->head_dim, kv = (int64_t)c->n_kv_head * c->head_dim;
	int64_t block = d * (2 * q + 2 * kv) + 3 * d * c->d_ff + 4 * d + q + kv;
	return block * c->n_layer + 2 * d * c->vocab + d * ((int64_t)c->n_ctx + c->pos_offset);
}

enum err
model_config_check(const struct model_config *c, const char *name)
{
	const struct arch *arch = arch_find(c->family);
	if (arch == NULL)
		return arch_refuse(c->family, name);
	TRY(check_ranges(c, name));
	TRY(check_heads(c, arch, name));
	TRY(check_flags(c, arch, name));
	TRY(check_reals(c, name));
	if (count_params(c) > PARAMS_MAX)
		return err_set(ERR_LIMIT, "%s: a model of %.0f parameters is too large", name, (double)count_params(c));
	return OK;
}
