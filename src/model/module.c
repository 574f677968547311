/* module: see module.h. The table of the weights file's tensors says all there is to know. */
#include "byline/module.h"

#include <stdlib.h>
#include <string.h>

#include "byline/mem.h"
#include "arch.h"

struct module_names {
	const struct model *model;
	struct file_tensor *tensor;
	size_t n;
};

enum err
module_names_new(const struct model *m, struct module_names **out)
{
	struct module_names *names = xcalloc(1, sizeof(*names));
	names->model = m;
	enum err err = arch_file_tensors(m, &names->tensor, &names->n);
	if (err != OK) {
		module_names_free(names);
		names = NULL;
	}
	*out = names;
	return err;
}

void
module_names_free(struct module_names *n)
{
	if (!n)
		return;
	free(n->tensor);
	free(n);
}

void
module_free(struct module *m)
{
	free(m->part);
	*m = (struct module){0};
}

/* Is this the module's tensor of that kind, ".weight" or ".bias"? */
static bool
is_of(const struct model *m, const struct file_tensor *t, const char *name, const char *kind)
{
	size_t n = strlen(name);
	const char *both[] = { t->name, arch_short_name(m, t->name) };
	for (int i = 0; i < 2; i++)
		if (both[i] && strncmp(both[i], name, n) == 0 && strcmp(both[i] + n, kind) == 0)
			return true;
	return false;
}

/* The linear layer whose weight this is; -1: none. With tied weights the head is the embedding once more. */
static int
linear_of(const struct model *m, const struct file_tensor *t)
{
	if (t->optional)
		return t->tensor->role == ROLE_EMBED ? m->n_linears - 1 : -1;
	for (int i = 0; i < m->n_linears; i++)
		if (m->linears[i].role == t->tensor->role && m->linears[i].layer == t->tensor->layer)
			return i;
	return -1;
}

static void
part_add(struct module *to, int linear, const struct file_tensor *t)
{
	to->part = xreallocarray(to->part, (size_t)to->n_parts + 1, sizeof(*to->part));
	to->part[to->n_parts++] = (struct module_part){ linear, t->row, t->from, t->rows };
	to->out = t->file_rows;
	to->in = t->cols;
}

enum err
module_find(const struct module_names *n, const char *name, struct module *out)
{
	*out = (struct module){0};
	for (size_t i = 0; i < n->n; i++) {
		const struct file_tensor *t = &n->tensor[i];
		bool bias = is_of(n->model, t, name, ".bias");
		if (!bias && !is_of(n->model, t, name, ".weight"))
			continue;
		int linear = linear_of(n->model, t);
		if (linear >= 0 && bias)
			out->bias = true;
		else if (linear >= 0)
			part_add(out, linear, t);
	}
	if (out->n_parts == 0)
		return err_set(ERR_MISSING, "this model has no linear layer called %s", name);
	return OK;
}
