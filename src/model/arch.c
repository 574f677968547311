/* arch: the families' tables, made use of. A new family that differs in names and in flags we have is new rows in
 * one of the arch_*.c, no new code. */
#include "arch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "byline/str.h"

static const struct arch *
arch_at(size_t i)
{
	const struct { const struct arch *v; size_t n; } lists[] = {
		{llama_archs, n_llama_archs}, {norms_archs, n_norms_archs}, {gpt_archs, n_gpt_archs},
		{falcon_archs, n_falcon_archs}, {bigcode_archs, n_bigcode_archs},
	};
	for (size_t k = 0; k < ARRAY_LEN(lists); i -= lists[k++].n)
		if (i < lists[k].n)
			return &lists[k].v[i];
	return NULL;
}

const struct arch *
arch_find(const char *family)
{
	const struct arch *arch;
	for (size_t i = 0; (arch = arch_at(i)) != NULL; i++)
		if (strcmp(arch->family, family) == 0)
			return arch;
	return NULL;
}

enum err
arch_refuse(const char *family, const char *name)
{
	struct str list = {0};
	const struct arch *arch;
	bool experts = strstr(family, "moe") != NULL || strstr(family, "mixtral") != NULL;
	for (size_t i = 0; (arch = arch_at(i)) != NULL; i++)
		str_addf(&list, "%s%s", i > 0 ? ", " : "", arch->family);
	err_set(ERR_UNSUPPORTED, "%s: models of type \"%s\"%s are not supported (only %s)", name, family,
		experts ? ", a mixture of experts," : "", list.s);
	str_free(&list);
	return ERR_UNSUPPORTED;
}

bool
role_is_norm(enum tensor_role role)
{
	static const bool norms[ROLES] = { [ROLE_NORM1] = true, [ROLE_NORM2] = true, [ROLE_NORM_FINAL] = true,
		[ROLE_Q_NORM] = true, [ROLE_K_NORM] = true, [ROLE_POST1] = true, [ROLE_POST2] = true };
	return norms[role];
}

/* ---- tensors of the file ---------------------------------------------------------------------------------------- */

static void
fill_name(char *out, size_t size, const char *pattern, int layer)
{
	const char *hash = strchr(pattern, '#');
	if (hash == NULL)
		snprintf(out, size, "%s", pattern);
	else
		snprintf(out, size, "%.*s%d%s", (int)(hash - pattern), pattern, layer, hash + 1);
}

struct listing {
	struct file_tensor *v;
	size_t n, cap;
};

static struct file_tensor *
list_add(struct listing *list, const struct tensor_name *name, const struct tensor *t, int layer)
{
	mem_grow(&list->v, &list->cap, list->n + 1, sizeof(*list->v));
	struct file_tensor *f = &list->v[list->n++];
	memset(f, 0, sizeof(*f));
	fill_name(f->name, sizeof(f->name), name->pattern, layer);
	f->tensor = t;
	f->rows = f->file_rows = t->rows;
	f->cols = t->cols;
	f->n_dims = name->bias || role_is_norm(t->role) ? 1 : 2;
	f->transposed = name->transposed;
	return f;
}

/* Each key-value head's queries, its key and its value one after another. */
static void
list_heads(struct listing *list, const struct model_config *c, const struct tensor_name *name, const struct tensor *t,
	int layer)
{
	int hd = c->head_dim, group = c->n_head / c->n_kv_head;
	for (int i = 0; i < c->n_kv_head; i++) {
		const struct { int row, heads; } parts[] = { {i * group, group}, {c->n_head + i, 1},
			{c->n_head + c->n_kv_head + i, 1} };
		for (int part = 0, from = i * (group + 2); part < 3; from += parts[part++].heads) {
			struct file_tensor *f = list_add(list, name, t, layer);
			f->from = from * hd;
			f->rows = parts[part].heads * hd;
			f->row = parts[part].row * hd;
		}
	}
}

static void
list_part(struct listing *list, const struct model_config *c, const struct tensor_name *name, const struct tensor *t,
	int layer)
{
	int q = c->n_head * c->head_dim, kv = c->n_kv_head * c->head_dim;
	const int first[] = { [PART_Q] = 0, [PART_K] = q, [PART_V] = q + kv };
	struct file_tensor *f = list_add(list, name, t, layer);
	if (name->part == PART_FIRST || name->part == PART_SECOND) {
		f->file_rows = 2 * t->rows;
		f->from = name->part == PART_SECOND ? t->rows : 0;
	} else if (name->part != WHOLE) {
		f->row = first[name->part];
		f->rows = f->file_rows = name->part == PART_Q ? q : kv;
	}
}

static bool
is_called(const struct model_config *c, const struct tensor_name *name)
{
	return name->norms == NORMS_ANY || (name->norms == NORMS_BESIDE) == (c->parallel && !c->shared_norm);
}

static void
list_one(struct listing *list, const struct model *m, const struct arch *arch, const struct tensor_name *name,
	int layer)
{
	const struct tensor *t = is_called(&m->config, name) ? model_tensor(m, name->role, layer, name->bias) : NULL;
	bool spare = t == NULL && name->role == ROLE_HEAD && !name->bias;
	size_t from = list->n;
	if (spare)
		t = model_tensor(m, ROLE_EMBED, -1, false);
	if (t == NULL)
		return;
	if (name->part == PART_HEADS)
		list_heads(list, &m->config, name, t, layer);
	else
		list_part(list, &m->config, name, t, layer);
	for (size_t i = from; i < list->n; i++) {
		list->v[i].optional = spare;
		list->v[i].plus = arch->gains_less_one && role_is_norm(t->role) && !name->bias ? 1 : 0;
	}
}

/* Names in a row that are of one tensor of the file. */
static int
group_of(const struct tensor_name *name)
{
	int n = 1;
	while (name[n].pattern != NULL && strcmp(name[n].pattern, name->pattern) == 0)
		n++;
	return n;
}

enum err
arch_file_tensors(const struct model *m, struct file_tensor **out, size_t *n)
{
	const struct arch *arch = arch_find(m->config.family);
	struct listing list = {0};
	int group;
	for (const struct tensor_name *name = arch->names; name->pattern != NULL; name += group) {
		bool in_block = strchr(name->pattern, '#') != NULL;
		group = group_of(name);
		for (int layer = in_block ? 0 : -1; layer < (in_block ? m->config.n_layer : 0); layer++)
			for (int i = 0; i < group; i++)
				list_one(&list, m, arch, &name[i], layer);
	}
	*out = list.v;
	*n = list.n;
	return OK;
}

const char *
arch_short_name(const struct model *m, const char *name)
{
	const char *prefix = arch_find(m->config.family)->prefix;
	size_t n = strlen(prefix);
	return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

static bool
matches(const char *pattern, const char *name)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '#') {
			if (*pattern != *name++)
				return false;
			continue;
		}
		if (!isdigit((unsigned char)*name))
			return false;
		while (isdigit((unsigned char)*name))
			name++;
	}
	return *name == '\0';
}

bool
arch_ignored(const struct model *m, const char *name)
{
	const struct arch *arch = arch_find(m->config.family);
	for (const char *const *p = arch->ignored; *p != NULL; p++)
		if (matches(*p, name) || matches(*p + strlen(arch->prefix), name))
			return true;
	return false;
}
