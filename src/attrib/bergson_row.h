/*
 * bergson_row: a query's gradient made into a row like those of a bergson index: for each of the index's modules,
 *
 *   G = sum_t g_t a_t^T   (out, in), or L G R^T with the random L (dim, out), R (dim, in) of that module
 *
 * where the bias's gradient, if the index has it, is one more column of G, and of R.
 */
#ifndef BYLINE_ATTRIB_BERGSON_ROW_H
#define BYLINE_ATTRIB_BERGSON_ROW_H

#include "byline/model.h"
#include "byline/module.h"
#include "bergson_info.h"

/* Where a block of the index comes from. One attention head of a module is rows [from, from + rows) of it. */
struct bergson_place {
	struct module module;
	int from, rows, width;		/* width: in, and 1 more with a bias */
	float *left, *right;		/* (dim, rows), (dim, width), scaled; NULL without projection */
};

struct bergson_plan {
	const struct model *model;	/* borrowed */
	const struct bergson_info *info;	/* borrowed */
	struct bergson_place *place;	/* info->n_blocks */
	uint32_t roles;			/* for taps */
};
/* ERR_MISMATCH, naming the module, when the index is of another model. Without its random matrices a plan only says
 * that. */
enum err bergson_plan_make(struct bergson_plan *p, const struct model *m, const struct bergson_info *info,
	bool matrices);
void bergson_plan_free(struct bergson_plan *p);			/* safe on a zeroed struct */

/* row (info->width): the gradient of the summed loss of a batch whose targets have `targets` tokens; divided and
 * normalised as the rows are. */
enum err bergson_row(const struct bergson_plan *p, struct acts *acts, const struct batch *b, int targets, float *row);

#endif
