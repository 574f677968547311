/*
 * sweep: one pass over chosen examples of a session, in fixed pieces on its pool.
 */
#ifndef BYLINE_ATTRIB_SWEEP_H
#define BYLINE_ATTRIB_SWEEP_H

#include "byline/attrib.h"

struct sweep {
	const struct session *s;
	bool forward;			/* run the model; else the pieces do so themselves */
	const float *params;		/* of the checkpoint, as model_forward takes them */
	const uint32_t *example;	/* n, borrowed */
	size_t n;
	bool wide;			/* pieces of several long sequences, where that is worth their memory */
	void *arg;
	/* On a worker: examples first, first + 1, ... of the list as a batch, which acts (NULL without forward) has
	 * been run forward with. Not called with an empty batch. */
	enum err (*piece)(void *arg, size_t first, const struct batch *b, struct acts *acts, int worker);
};
/* `done`: examples of the job's total that are behind it already. */
enum err sweep_run(const struct sweep *w, uint64_t done, struct job *job);

/* The examples that were trained on, ascending; *example is the caller's. */
size_t sweep_trained(const struct session *s, uint32_t **example);

#endif
