/*
 * module: the linear layers of `transformers` by their names ("model.layers.3.mlp.down_proj"), and which rows of ours
 * theirs are: they may keep apart what we fuse, or fuse what we keep apart.
 */
#ifndef BYLINE_MODULE_H
#define BYLINE_MODULE_H

#include <stdbool.h>

#include "byline/err.h"
#include "byline/model.h"

/* Rows [from, from + rows) of the module's weight are rows row, row + 1, ... of model->linears[linear]. */
struct module_part { int linear, row, from, rows; };

struct module {
	int in, out;			/* of the module's weight, as y = x w^T */
	bool bias;
	struct module_part *part;	/* covering its rows, in their order */
	int n_parts;
};

struct module_names;			/* of one model, borrowed */
enum err module_names_new(const struct model *m, struct module_names **out);
void module_names_free(struct module_names *n);		/* NULL is fine */
/* With or without the prefix of the family's base model ("model.", "transformer."). ERR_MISSING when the model has no
 * such linear layer. */
enum err module_find(const struct module_names *n, const char *name, struct module *out);
void module_free(struct module *m);			/* safe on a zeroed struct */

#endif
