/* gguf: which tensor of the file is which of ours. The names are the same for every architecture. */
#include "gguf_config.h"

#include <stdio.h>
#include <string.h>

#include "byline/mem.h"

static const struct { enum tensor_role role; enum part part; const char *stem; } stems[] = {
	{ROLE_EMBED, WHOLE, "token_embd"},
	{ROLE_POS, WHOLE, "position_embd"},
	{ROLE_NORM1, WHOLE, "attn_norm"},
	{ROLE_QKV, WHOLE, "attn_qkv"},
	{ROLE_QKV, PART_Q, "attn_q"},
	{ROLE_QKV, PART_K, "attn_k"},
	{ROLE_QKV, PART_V, "attn_v"},
	{ROLE_Q_NORM, WHOLE, "attn_q_norm"},
	{ROLE_K_NORM, WHOLE, "attn_k_norm"},
	{ROLE_ATTN_OUT, WHOLE, "attn_output"},
	{ROLE_POST1, WHOLE, "post_attention_norm"},
	{ROLE_NORM2, WHOLE, "ffn_norm"},
	{ROLE_GATE, WHOLE, "ffn_gate"},
	{ROLE_UP, WHOLE, "ffn_up"},
	{ROLE_DOWN, WHOLE, "ffn_down"},
	{ROLE_POST2, WHOLE, "post_ffw_norm"},
	{ROLE_NORM_FINAL, WHOLE, "output_norm"},
	{ROLE_HEAD, WHOLE, "output"},
};

struct listing {
	const struct weights *w;
	const struct model *m;
	const struct gguf_arch *arch;
	struct file_tensor *v;
	size_t n, cap;
};

static const char *
stem_of(const struct listing *l, enum tensor_role role, enum part part)
{
	const struct model_config *c = &l->m->config;
	if (l->arch->norms_told && c->parallel && !c->shared_norm && (role == ROLE_NORM1 || role == ROLE_NORM2))
		return role == ROLE_NORM1 ? "attn_norm_2" : "attn_norm";
	for (size_t i = 0; i < ARRAY_LEN(stems); i++)
		if (stems[i].role == role && stems[i].part == part)
			return stems[i].stem;
	return NULL;
}

static void
name_of(char *out, size_t size, const char *stem, int layer, bool bias)
{
	const char *end = bias ? "bias" : "weight";
	if (layer < 0)
		snprintf(out, size, "%s.%s", stem, end);
	else
		snprintf(out, size, "blk.%d.%s.%s", layer, stem, end);
}

static struct file_tensor *
add(struct listing *l, const struct tensor *t, enum part part)
{
	mem_grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v));
	struct file_tensor *f = &l->v[l->n++];
	memset(f, 0, sizeof(*f));
	name_of(f->name, sizeof(f->name), stem_of(l, t->role, part), t->layer, t->bias);
	f->tensor = t;
	f->rows = f->file_rows = t->rows;
	f->cols = t->cols;
	f->n_dims = t->bias || role_is_norm(t->role) ? 1 : 2;
	return f;
}

static void
add_parts(struct listing *l, const struct tensor *t)
{
	const struct model_config *c = &l->m->config;
	const struct { enum part part; int heads; bool turns; } parts[] = {
		{PART_Q, c->n_head, true}, {PART_K, c->n_kv_head, true}, {PART_V, c->n_kv_head, false},
	};
	int row = 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct file_tensor *f = add(l, t, parts[i].part);
		f->row = row;
		f->rows = f->file_rows = parts[i].heads * c->head_dim;
		f->paired = parts[i].turns && l->arch->paired ? parts[i].heads : 0;
		row += f->rows;
	}
}

/* Converters write queries, keys and values as the original has them. */
static bool
is_fused(const struct listing *l, const struct tensor *t)
{
	char name[64];
	name_of(name, sizeof(name), stem_of(l, ROLE_QKV, WHOLE), t->layer, t->bias);
	return !l->arch->paired && weights_find(l->w, name);
}

static void
add_gated(struct listing *l, const struct tensor *t)
{
	struct file_tensor *f = add(l, t, WHOLE);
	name_of(f->name, sizeof(f->name), stem_of(l, ROLE_UP, WHOLE), t->layer, t->bias);
	f->file_rows = 2 * t->rows;
	f->from = t->role == ROLE_UP ? t->rows : 0;
}

static void
add_spare_head(struct listing *l)
{
	struct file_tensor *f = add(l, model_tensor(l->m, ROLE_EMBED, -1, false), WHOLE);
	name_of(f->name, sizeof(f->name), stem_of(l, ROLE_HEAD, WHOLE), -1, false);
	f->optional = true;
}

enum err
gguf_file_tensors(const struct weights *w, const struct model *m, struct file_tensor **out, size_t *n)
{
	struct listing l = { .w = w, .m = m };
	TRY(gguf_arch_find(w->gguf, &l.arch));
	for (int i = 0; i < m->n_tensors; i++) {
		const struct tensor *t = &m->tensors[i];
		if (t->role == ROLE_QKV && !is_fused(&l, t))
			add_parts(&l, t);
		else if (l.arch->gated_up && (t->role == ROLE_GATE || t->role == ROLE_UP))
			add_gated(&l, t);
		else
			add(&l, t, WHOLE);
	}
	if (m->config.tied)
		add_spare_head(&l);
	*out = l.v;
	*n = l.n;
	return OK;
}

bool
gguf_ignored(const char *name)
{
	/* Factors of rotary positions, from which gguf_config makes rope_scaling. */
	static const char *const names[] = {"rope_freqs.weight", "rope_factors_long.weight",
		"rope_factors_short.weight"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}
