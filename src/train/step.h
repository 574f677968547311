/*
 * step: the gradient of one batch, and the update. Memory: (lanes + 2) vectors as long as the parameters, and
 * activations of one lane for each thread.
 *
 * A lane is one ragged batch with a gradient vector of its own; threads draw lanes. All that goes over the parameters
 * goes slice by slice, and sums are taken in the order of lanes and slices, so the number of threads changes no bit.
 */
#ifndef BYLINE_TRAIN_STEP_H
#define BYLINE_TRAIN_STEP_H

#include "byline/train.h"

#include "slices.h"

struct lane {
	struct ragged ragged;
	float *grad;			/* n_params, zero between steps */
	double loss;			/* summed over its tokens */
	enum err err;
	char message[256];
};

struct step {
	struct model *m;
	struct pool *pool;
	struct slices slices;
	float *moment1, *moment2;	/* n_params */
	struct lane *lanes;
	size_t n_lanes;
	struct acts **acts;		/* one a worker, made when it first needs one */
	uint32_t *dealt;		/* room for a batch */
	size_t *start;			/* n_lanes + 1 */
	double *square;			/* one a slice: sum of squares of the gradient */
	const struct train_capture *capture;	/* who watches the next gradient; NULL: nobody */
};

/* The model is borrowed. ERR_MEMORY when the vectors do not fit. */
enum err step_open(struct step *s, struct model *m, int lanes, int batch, struct pool *pool);
void step_close(struct step *s);	/* safe on a zeroed struct */

struct step_result {
	double loss;			/* nats per token */
	double norm;			/* of the gradient of that mean */
	int64_t tokens;
};

/* The gradient of the mean loss over the tokens of n >= 1 examples. Nothing is zeroed here: step_update must follow. */
enum err step_gradient(struct step *s, const struct dataset *d, const uint32_t *example, size_t n,
	struct step_result *out);

/* AdamW with that gradient times `scale`, as update number t (from 1); leaves the gradients zero. */
void step_update(struct step *s, const struct train_options *o, double lr, double scale, int64_t t);

#endif
