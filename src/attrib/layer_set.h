/*
 * layer_set: the layers that gradients are taken of (curvature_layers), and where each stands among them.
 */
#ifndef BYLINE_ATTRIB_LAYER_SET_H
#define BYLINE_ATTRIB_LAYER_SET_H

#include <stddef.h>
#include <stdint.h>

#include "byline/model.h"

struct layer_set {
	const struct model *model;	/* borrowed */
	int n;
	int *linear;			/* n: index into model->linears */
	int *layer_of;			/* n_linears: index into linear, -1: not one of them */
	uint32_t roles;			/* for taps */
};
void layer_set_make(struct layer_set *l, const struct model *m);
void layer_set_free(struct layer_set *l);			/* safe on a zeroed struct */
size_t layer_set_size(const struct layer_set *l, int layer);	/* out * in */
size_t layer_set_values(const struct layer_set *l);		/* of all of them */

#endif
